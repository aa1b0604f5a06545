# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stdout callback that prints each event as a line of JSON."""

from __future__ import annotations

import json
import typing as t

from event_callback import EventCallback

DOCUMENTATION = """
name: record
type: stdout
short_description: Print each event as a line of JSON
description: For tests.
"""


class CallbackModule(EventCallback):
    """Records what any other callback could have shown or stored."""

    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "record"

    def record(self, event: dict[str, t.Any]) -> None:
        print(json.dumps(event, default=str))
