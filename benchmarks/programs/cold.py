# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``cold.py CONTENDER STATE``: one new token in a new process; prints the seconds it took.

STATE is what the interpreter has loaded before the clock starts. In each of them ansible-core is there:
``ansible`` no more than that, ``worker`` the collection too, as in the workers of a play that has a token task, and
``all`` the contender's HTTP library as well.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import typing as t

from ansible.plugins.loader import action_loader, init_plugin_loader, lookup_loader
from ansible.utils.display import Display

_ENV = os.environ
_FORM = {
    "grant_type": "client_credentials",
    "client_id": _ENV["ENTRA_AUTH_CLIENT_ID"],
    "scope": "https://graph.microsoft.com/.default",
    "client_secret": _ENV["ENTRA_AUTH_CLIENT_SECRET"],
}
_AUTHORITY = f"{_ENV['ENTRA_AUTH_AUTHORITY']}/{_ENV['ENTRA_AUTH_TENANT_ID']}"
_TIMEOUT_SECONDS = 30


def collection() -> str:
    """As the action and the lookup do it, from the options to the encrypted cache."""
    from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import resolve_options
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
    from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

    options = resolve_options({}, {}, lambda value: value)
    return get_app_token(options, Display(), CachedTokensOnly({})).token.access_token


def post() -> str:
    """The least that one can write."""
    import requests

    answer = requests.post(f"{_AUTHORITY}/oauth2/v2.0/token", data=_FORM, timeout=_TIMEOUT_SECONDS)
    return str(answer.json()["access_token"])


def msal() -> str:
    """MSAL for Python, told not to ask Microsoft about a host that it does not know."""
    from msal import ConfidentialClientApplication

    app = ConfidentialClientApplication(
        _FORM["client_id"], _FORM["client_secret"], authority=_AUTHORITY, instance_discovery=False
    )
    return str(app.acquire_token_for_client([_FORM["scope"]])["access_token"])


def azure_identity() -> str:
    """azure-identity, told the same."""
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(
        _ENV["ENTRA_AUTH_TENANT_ID"],
        _FORM["client_id"],
        _FORM["client_secret"],
        authority=_ENV["ENTRA_AUTH_AUTHORITY"],
        disable_instance_discovery=True,
    )
    return credential.get_token(_FORM["scope"]).token


_CONTENDERS: t.Mapping[str, t.Callable[[], str]] = {
    "collection": collection,
    "post": post,
    "msal": msal,
    "azure_identity": azure_identity,
}
_LIBRARIES = {
    "collection": "ansible_collections.entra.auth.plugins.plugin_utils._entra.token_endpoint",
    "post": "requests",
    "msal": "msal",
    "azure_identity": "azure.identity",
}


def main(contender: str, state: str) -> None:
    """Prepare, then take the time."""
    init_plugin_loader()
    if state in ("worker", "all"):
        action_loader.get("entra.auth.app_token", class_only=True)
        lookup_loader.get("entra.auth.app_token", class_only=True)
    if state == "all":
        importlib.import_module(_LIBRARIES[contender])
    get = _CONTENDERS[contender]
    began = time.perf_counter()
    token = get()
    seconds = time.perf_counter() - began
    if token.count(".") != 2:
        raise SystemExit("that is no token")
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
