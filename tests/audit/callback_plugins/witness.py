# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes each event to a file, with all that any other callback could have shown or stored of it."""

from __future__ import annotations

import json
import os
import typing as t

from event_callback import EventCallback

DOCUMENTATION = """
name: witness
type: notification
short_description: Write each event as a line of JSON to the file AUDIT_WITNESS
description: For tests.
"""


class CallbackModule(EventCallback):
    """Stores beside the callbacks under test what happened to which task on which host."""

    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "witness"
    CALLBACK_NEEDS_ENABLED = True

    def record(self, event: dict[str, t.Any]) -> None:
        with open(os.environ["AUDIT_WITNESS"], "a") as file:  # noqa: PTH123 - one line at a time
            file.write(json.dumps(event, default=str) + "\n")
