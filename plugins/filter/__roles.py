# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection's own roles need of its code.

Two underscores begin the name of this file, because ansible-doc passes over such: a private filter has no page.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils import _preflight, _uri_calls


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {
            "_challenge": _uri_calls.challenge,
            "_objection": _uri_calls.objection,
            "_pause": _uri_calls.pause,
            "_preflight_plan": _preflight.plan,
            "_preflight_report": _preflight.report,
            "_preflight_table": _preflight.table,
            "_refusal": _uri_calls.refusal,
        }
