# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup ``app_token``.

Its documentation is in app_token.yml beside this file: in a .py file each worker process would parse it again, which
takes longer than to get a cached token.
"""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import select_output
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

Options = dict[str, t.Any]
display = Display()


class LookupModule(LookupBase):
    """Terms are scopes; each gives one item."""

    def run(self, terms: list[t.Any], variables: Options | None = None, **options: t.Any) -> list[t.Any]:
        """Return one item per term, in the form that ``output`` names. Raises AnsibleLookupError."""
        output = options.pop("output", None) or "access_token"
        return [self._get_item(term, variables or {}, options, output) for term in terms or [None]]

    def _get_item(self, term: t.Any, variables: Options, options: Options, output: t.Any) -> t.Any:
        outcome = run_guarded(
            self._find_resolver(term, variables, options),
            lambda found: select_output(output)(get_app_token(found, display, UnreachableHost(variables))),
        )
        if isinstance(outcome, Failure):
            raise AnsibleLookupError(outcome.msg)
        return outcome

    def _find_resolver(self, term: t.Any, variables: Options, options: Options) -> t.Callable[[], AppTokenOptions]:
        if "_role_call" in options:  # given by the variables that the role app_token leaves behind
            from ansible_collections.entra.auth.plugins.plugin_utils._token.role_call import decrypt_call

            return functools.partial(decrypt_call, str(options["_role_call"]))
        direct = options if term is None else {**options, "scope": term}
        return OptionSources(direct, variables, self._templar.template if self._templar else _keep).resolve


def _keep(value: t.Any) -> t.Any:
    return value
