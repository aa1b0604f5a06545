# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task's host, for ``run_on: target``. What runs a module there is in ``task_host.py``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import get_host_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import Selector
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_MANAGED_IDENTITY = "managed_identity"


class Target(t.Protocol):
    """The task's host by its inventory name."""

    @property
    def name(self) -> str:
        """The inventory name."""

    def request_token(self, resource: str, selector: Selector, network: NetworkSettings) -> Token:
        """Get the token of the host's managed identity for a resource. Raises EntraAuthError."""


class CachedTokensOnly:
    """The host of a call that runs no module, such as a lookup: it finds a token that a task has requested, or none."""

    def __init__(self, variables: t.Mapping[str, t.Any]) -> None:
        self._variables = variables

    @property
    def name(self) -> str:
        """The host's inventory name. Raises InputError if the host returned that name as a fact."""
        return get_host_name(self._variables)

    def request_token(self, resource: str, selector: Selector, network: NetworkSettings) -> Token:
        """Raise InputError."""
        raise InputError(
            "With run_on: target only a token that a task has requested for the host is used, and there is none.",
            hint="Run the module or the role entra.auth.app_token for this host first, or leave run_on at controller.",
        )


def refuse_secret_on_target(options: AppTokenOptions, kind: str) -> None:
    """Raise InputError for ``run_on: target`` with any credential other than the managed identity of the host."""
    if options.run_on == "target" and kind != _MANAGED_IDENTITY:
        raise InputError(
            f"run_on: target is for the managed identity of the task's host, not for the credential {kind}.",
            hint="Set credential to managed_identity, or run_on to controller. Secrets are never sent to a host.",
        )


__all__ = ("CachedTokensOnly", "Target", "refuse_secret_on_target")
