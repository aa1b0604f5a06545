# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expression face: an access token, its header, or the arguments of a uri task, fresh at each use.

Its documentation is in app_token.yml beside this file: Ansible would otherwise parse it anew in each worker process,
which takes longer than a cached token does.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._app_token import OUTPUTS
from ansible_collections.entra.auth.plugins.plugin_utils._faces import Failure, obtain
from ansible_collections.entra.auth.plugins.plugin_utils._option_sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._targets import OutOfReach

display = Display()


class LookupModule(LookupBase):
    """Terms are scopes; each gives one item."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """One item per term, in the shape that ``output`` names. Raises AnsibleLookupError."""
        output = str(options.pop("output", None) or "access_token")
        if output not in OUTPUTS:
            raise AnsibleLookupError(f"output '{output}' is none of {', '.join(OUTPUTS)}. To fix it: use one of them.")
        return [self._item(term, variables or {}, options, output) for term in terms or [None]]

    def _item(self, term: t.Any, variables: dict[str, t.Any], options: dict[str, t.Any], output: str) -> t.Any:
        direct = options if term is None else {**options, "scope": term}
        template = self._templar.template if self._templar else _as_it_is
        sources = OptionSources(direct, variables, template)
        outcome = obtain(sources, display, OutOfReach(variables), OUTPUTS[output])
        if isinstance(outcome, Failure):
            raise AnsibleLookupError(outcome.msg)
        return outcome


def _as_it_is(value: t.Any) -> t.Any:
    return value
