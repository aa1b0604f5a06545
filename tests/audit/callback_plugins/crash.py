# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No callback, but a way into Ansible's main process before it forks: it makes the collection crash on demand."""

from __future__ import annotations

import typing as t

from ansible.plugins.callback import CallbackBase
from audit import crashes

DOCUMENTATION = """
name: crash
type: notification
short_description: Make entra.auth crash where a call asks for it
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Injects before the first play."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "crash"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        crashes.inject()
