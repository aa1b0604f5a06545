# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program that renders credentials with AWX's own code: a list of them in JSON on stdin, the results on stdout.

Each has ``type`` (a credential type as data, or the name of a built-in one), ``inputs``, ``lookups`` (inputs that an
external lookup fills: its name and what it is called with), ``private_data_dir`` and ``container_root``, the path of
that directory as the job sees it. Each result has ``env``, ``safe_env`` and ``args``.
"""

from __future__ import annotations

import json
import sys
import typing as t

from awx_plugins.credentials import hashivault, plugins
from awx_plugins.interfaces import _temporary_private_container_api as container
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential


def render(asked: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what AWX would give the job."""
    container.CONTAINER_ROOT = asked["container_root"]
    looked_up = {
        name: getattr(hashivault, lookup["plugin"]).backend(**lookup["arguments"])
        for name, lookup in asked["lookups"].items()
    }
    env: dict[str, t.Any] = {}
    safe_env: dict[str, t.Any] = {}
    args: list[str] = []
    credential = Credential({**asked["inputs"], **looked_up})
    inject_credential(credential_type(asked["type"]), credential, env, safe_env, args, asked["private_data_dir"])
    return {"env": env, "safe_env": safe_env, "args": args}


def credential_type(type_: str | dict[str, t.Any]) -> ManagedCredentialType:
    """A built-in type by its name, or one from data."""
    if isinstance(type_, str):
        return t.cast("ManagedCredentialType", getattr(plugins, type_))
    given = {name: type_[name] for name in ("name", "kind", "inputs", "injectors")}
    return ManagedCredentialType(namespace="custom", **given)


if __name__ == "__main__":
    json.dump([render(asked) for asked in json.load(sys.stdin)], sys.stdout)
