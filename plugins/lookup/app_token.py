# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup ``app_token``.

Its documentation is in app_token.yml beside this file: in a .py file each worker process would parse it again, which
takes longer than to get a cached token.
"""

from __future__ import annotations

import sys
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._token.forms import FORMS
from ansible_collections.entra.auth.plugins.plugin_utils._token.result_cache import LookupCall, load_result

_PACKAGE = "ansible_collections.entra.auth.plugins.plugin_utils._token"

display = Display()


class LookupModule(LookupBase):
    """Terms are scopes; each gives one item."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """Return one item per term, in the form that ``output`` names. Raises AnsibleLookupError."""
        output = str(options.pop("output", None) or "access_token")
        template = self._templar.template if self._templar else _keep
        directs = [options if term is None else {**options, "scope": term} for term in terms or [None]]
        return [self._get_item(LookupCall(direct, variables or {}, template), output) for direct in directs]

    def _get_item(self, call: LookupCall, output: t.Any) -> t.Any:
        # A process that has loaded the normal path needs no shorter one, and with -v the normal path has texts to show.
        is_short = f"{_PACKAGE}.lookups" not in sys.modules and not display.verbosity
        found = load_result(call) if is_short and output in FORMS else None
        if found:
            return FORMS[output](*found)
        from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure
        from ansible_collections.entra.auth.plugins.plugin_utils._token.lookups import get_item

        outcome = get_item(call, output, display, keep=is_short)
        if isinstance(outcome, Failure):
            raise AnsibleLookupError(outcome.msg)
        return outcome


def _keep(value: t.Any) -> t.Any:
    return value
