# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is compared: the collection, what Ansible spends on nothing at all, and what one would write without it."""

from __future__ import annotations

import typing as t

from benchmarks.harness import FLOOR_ROLE, OWN_ROLE, STATIC_CALL

if t.TYPE_CHECKING:
    from benchmarks.harness import Bench, Tasks

_GRAPH: t.Final = "https://graph.microsoft.com/.default"

# Any API will do to get a new token in the same play.
SCOPES: t.Final = (
    "key_vault",
    "storage",
    "sql",
    "event_hubs",
    "service_bus",
    "monitor",
    "log_analytics",
    "app_insights",
)


def nothing(**options: t.Any) -> Tasks:
    """An action plugin that returns at once: the floor of a task, with what Ansible spends to evaluate its options."""
    return [{"bench.floor.nothing": options, "register": "result"}]


def module(**options: t.Any) -> Tasks:
    """The token by a task."""
    return [{"entra.auth.app_token": options, "register": "result"}]


def lookup_of_nothing() -> Tasks:
    """A lookup that returns at once, in an expression: the floor of a lookup."""
    return _evaluate("bench.floor.nothing")


def bare_lookup() -> Tasks:
    """The same without documentation, which Ansible parses in each worker; no published collection has such a one."""
    return _evaluate("bench.floor.bare")


def lookup() -> Tasks:
    """The header by a lookup, in the same expression."""
    return _evaluate("entra.auth.app_token")


def _evaluate(plugin: str) -> Tasks:
    # Without a filter: for the first one in a worker Ansible loads all there are, and the lookup would be lost in it.
    expression = f"lookup('{plugin}', output='authorization')[:6]"
    # A task of ansible-core: what it loads before the fork must be of use to neither lookup.
    return [{"ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}}]


def role(**options: t.Any) -> Tasks:
    """The token as a fact, by the role."""
    variables = {f"app_token_{name}": value for name, value in options.items()}
    return [{"ansible.builtin.include_role": {"name": "entra.auth.app_token", "public": True}, "vars": variables}]


def empty_role() -> Tasks:
    """A role with the same argument spec and two tasks that do nothing: the floor of the role."""
    return [{"ansible.builtin.include_role": {"name": FLOOR_ROLE, "public": True}}]


def uri_for_each_host(bench: Bench, **more: t.Any) -> Tasks:
    """What people write without a collection: the token request as a task."""
    ids = {"client_id": bench.rival["client_id"], "client_secret": bench.rival["secret"]}
    post = {
        "url": f"{bench.emulator.urls.login}/{bench.emulator.tenant_id}/oauth2/v2.0/token",
        "method": "POST",
        "body_format": "form-urlencoded",
        "body": {"grant_type": "client_credentials", "scope": _GRAPH, **ids},
    }
    return [{"ansible.builtin.uri": post, "register": "answer", "no_log": True, **more}]


def uri_once(bench: Bench) -> Tasks:
    """The same for experts: one request for all hosts, and a fact on each."""
    authorization = "Bearer {{ answer.json.access_token }}"
    fact = {"ansible.builtin.set_fact": {"authorization": authorization}, "no_log": True}
    return [*uri_for_each_host(bench, run_once=True), fact]


def azcollection(bench: Bench) -> Tasks:
    """The one of Microsoft's own collection for Azure, told not to ask Microsoft about a host that it does not know."""
    options = {
        "scopes": [_GRAPH],
        "auth_source": "auto",
        "tenant": bench.emulator.tenant_id,
        "client_id": bench.rival["client_id"],
        "secret": bench.rival["secret"],
        "adfs_authority_url": bench.emulator.urls.login,
        "disable_instance_discovery": True,
    }
    return [{"azure.azcollection.azure_rm_accesstoken_info": options, "register": "answer", "no_log": True}]


def call_with_static_header(bench: Bench) -> Tasks:
    """A call of an API with a header from a variable."""
    return [{"ansible.builtin.uri": {"url": _url(bench), **STATIC_CALL}}]


def call_with_app_token_uri(bench: Bench) -> Tasks:
    """The same call with the arguments that the role provides."""
    defaults = {"ansible.builtin.uri": "{{ app_token_uri }}"}
    return [{"ansible.builtin.uri": {"url": _url(bench)}, "module_defaults": defaults}]


def call_by_module(bench: Bench) -> Tasks:
    """The same call by the module that waits, renews the token, and says what an API refused."""
    return [{"entra.auth.authorized_uri": {"url": _url(bench)}}]


def call_by_role(bench: Bench) -> Tasks:
    """The same call by the role, which is a task of that module and sets a fact."""
    return _call_role("entra.auth.authorized_uri", bench)


def call_by_own_role(bench: Bench) -> Tasks:
    """The call with a static header by a role with the same argument spec that sets a fact: the floor of the role."""
    return _call_role(OWN_ROLE, bench)


def _call_role(name: str, bench: Bench) -> Tasks:
    return [{"ansible.builtin.include_role": {"name": name}, "vars": {"authorized_uri_url": _url(bench)}}]


def _url(bench: Bench) -> str:
    return f"{bench.emulator.urls.api}/v1.0/users?$top=1"
