# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup: an access token, its header, or the arguments of a uri task, fresh at each use.

Its documentation is in app_token.yml beside this file: Ansible would otherwise parse it again in each worker process,
which takes longer than a cached token does.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, get_token_or_failure
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import OUTPUTS
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

display = Display()


class LookupModule(LookupBase):
    """Terms are scopes; each gives one item."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """Return one item per term, in the form that ``output`` names. Raises AnsibleLookupError."""
        output = str(options.pop("output", None) or "access_token")
        if output not in OUTPUTS:
            raise AnsibleLookupError(
                f"output '{output}' is not one of {', '.join(OUTPUTS)}. To fix it: use one of them."
            )
        return [self._get_item(term, variables or {}, options, output) for term in terms or [None]]

    def _get_item(self, term: t.Any, variables: dict[str, t.Any], options: dict[str, t.Any], output: str) -> t.Any:
        direct = options if term is None else {**options, "scope": term}
        template = self._templar.template if self._templar else lambda value: value
        outcome = get_token_or_failure(
            OptionSources(direct, variables, template), display, UnreachableHost(variables), OUTPUTS[output]
        )
        if isinstance(outcome, Failure):
            raise AnsibleLookupError(outcome.msg)
        return outcome
