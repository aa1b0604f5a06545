# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token's hosts: those of its API in its cloud, and what two parsers of URLs could read in two ways is refused."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import (
    HostPin,
    Origin,
    build_host_pin,
    find_apis_at,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope


def pin(scope: str, cloud: str = "public", base: str | None = None, allowed: tuple[str, ...] = ()) -> HostPin:
    return build_host_pin(resolve_scope([scope], CLOUDS[cloud], delegated=False), base, allowed)


@pytest.mark.parametrize(
    ("scope", "cloud", "url"),
    [
        ("graph", "public", "https://graph.microsoft.com/v1.0/users"),
        ("graph", "public", "https://GRAPH.microsoft.com:443/"),
        ("graph", "usgov", "https://graph.microsoft.us/"),
        ("graph", "usgov_dod", "https://dod-graph.microsoft.us/"),
        ("graph", "china", "https://microsoftgraph.chinacloudapi.cn/"),
        ("arm", "public", "https://westeurope.management.azure.com/"),
        ("https://management.core.windows.net/", "public", "https://management.azure.com/"),
        ("key_vault", "public", "https://mine.vault.azure.net/secrets"),
        ("key_vault", "china", "https://mine.vault.azure.cn/secrets"),
        ("storage", "usgov", "https://mine.blob.core.usgovcloudapi.net/c"),
        ("service_bus", "public", "https://mine.servicebus.windows.net/q"),
        ("devops", "public", "https://vssps.dev.azure.com/"),
        ("https://contoso.sharepoint.com", "public", "https://contoso.sharepoint.com/_api"),
    ],
)
def test_a_token_goes_to_the_hosts_of_its_api(scope: str, cloud: str, url: str) -> None:
    pin(scope, cloud).check(url)


@pytest.mark.parametrize("here", ["localhost", "127.0.0.1:8080", "[::1]", "127.9.9.9"])
def test_only_this_machine_leads_to_this_machine(here: str) -> None:
    """Where no token is sent: a service elsewhere must not reach those that listen here."""
    api = "https://graph.microsoft.com/v1.0/x"
    for scheme in ("http", "https"):
        assert Origin.is_safe_lead(f"{scheme}://localhost:1/", f"{scheme}://{here}/x")
        assert not Origin.is_safe_lead(api, f"{scheme}://{here}/x")
        assert not Origin.is_safe_lead("no URL", f"{scheme}://{here}/x")
    assert Origin.is_safe_lead(api, "https://files.example/x")
    assert Origin.is_safe_lead(f"http://{here}/", "https://files.example/x")
    assert not Origin.is_safe_lead(api, "http://files.example/x")
    assert not Origin.is_safe_lead(api, "no URL")


@pytest.mark.parametrize(
    ("scope", "cloud", "url"),
    [
        ("graph", "public", "https://management.azure.com/"),
        ("graph", "public", "https://graph.microsoft.us/"),
        ("graph", "public", "http://graph.microsoft.com/"),
        ("graph", "public", "https://graph.microsoft.com:8443/"),
        ("graph", "public", "https://graph.microsoft.com.stranger.example/"),
        ("graph", "public", "https://graph.microsoft.com@stranger.example/"),
        ("graph", "public", "https://user@graph.microsoft.com/"),
        ("graph", "public", "https://stranger.example\\@graph.microsoft.com/"),
        ("graph", "public", "https://stranger.example#@graph.microsoft.com/"),
        ("graph", "public", "https://graph.microsoft.com%2estranger.example/"),
        ("graph", "public", "https://gr\u0430ph.microsoft.com/"),
        ("graph", "public", "//graph.microsoft.com/"),
        ("graph", "public", "ftp://graph.microsoft.com/"),
        ("key_vault", "public", "https://vault.azure.net.stranger.example/"),
        ("key_vault", "public", "https://minevault.azure.net/"),
        ("storage", "china", "https://mine.blob.core.windows.net/"),
        ("api://mine", "public", "https://mine.example/"),
    ],
)
def test_a_token_goes_nowhere_else(scope: str, cloud: str, url: str) -> None:
    with pytest.raises(InputError) as refused:
        pin(scope, cloud).check(url)
    assert refused.value.hint


def test_a_base_url_takes_the_place_of_the_api_s_own_hosts() -> None:
    gateway = pin("graph", base="https://gateway.example:8443/graph")
    assert gateway.allows("https://gateway.example:8443/other")
    assert not gateway.allows("https://gateway.example/")
    assert not gateway.allows("https://graph.microsoft.com/")


def test_an_https_base_url_does_not_allow_plain_http() -> None:
    assert not pin("graph", base="https://localhost:8443").allows("http://localhost:8443/")
    assert pin("graph", base="http://127.0.0.1:8080").allows("http://127.0.0.1:8080/")
    assert not pin("graph", base="http://gateway.example:8080").allows("http://gateway.example:8080/")


def test_the_user_may_name_more_hosts() -> None:
    named = pin("graph", allowed=("api.example", "*.Example.com", "localhost:9000", "http://localhost:9001"))
    for url in (
        "https://api.example/",
        "https://a.b.example.com/",
        "https://localhost:9000/",
        "http://localhost:9001/",
    ):
        assert named.allows(url), url
    for url in ("https://example.com/", "https://xapi.example/", "http://localhost:9000/", "https://localhost/"):
        assert not named.allows(url), url


@pytest.mark.parametrize("entry", ["https://x.example", "x.example/path", "*", "a b", "x@y", "*.*.example", ""])
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(InputError, match="is not the name of a host"):
        pin("graph", allowed=(entry,))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_api_has_a_host(cloud: str) -> None:
    for alias in CLOUDS[cloud].apis:
        assert pin(alias, cloud).hosts, alias


@given(st.text(max_size=60))
def test_no_text_leads_the_token_to_another_host(text: str) -> None:
    graph = pin("graph")
    for url in (text, f"https://{text}", f"https://{text}graph.microsoft.com/", f"https://graph.microsoft.com{text}"):
        if graph.allows(url):
            assert Origin.parse(url) == Origin("https", "graph.microsoft.com", 443)


# --- advice -----------------------------------------------------------------------------------------------------

FOREIGN: t.Final = "https://stranger.example/x"


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        ("typed", "Check url, and set scope to the API that is called; if you trust that host"),
        ("redirect", "use entra.auth.api_request with dest, which fetches it without the token"),
        ("next_link", "continues its listing on another host"),
        ("operation", "Check the resource itself"),
    ],
)
def test_the_fix_depends_on_where_the_url_comes_from(origin: t.Any, advice: str) -> None:
    with pytest.raises(InputError, match="gets no token") as refused:
        pin("graph").check(FOREIGN, "The address", origin)
    assert advice in refused.value.hint
    assert "allowed_hosts" in refused.value.hint
    assert refused.value.message.startswith("The address leads to https://stranger.example, ")


@pytest.mark.parametrize("origin", ["next_link", "operation", "redirect"])
@pytest.mark.parametrize(
    "url", ["ftp://graph.microsoft.com/x", "https://u@graph.microsoft.com/", "http://graph.microsoft.com/"]
)
def test_a_broken_url_of_the_api_is_not_the_user_s_to_write(origin: t.Any, url: str) -> None:
    with pytest.raises(InputError) as refused:
        pin("graph").check(url, "The link", origin)
    assert "a fault of the API" in refused.value.hint


def test_the_scope_of_a_known_api_is_suggested() -> None:
    with pytest.raises(InputError, match="gets no token") as refused:
        pin("graph").check("https://management.azure.com/subscriptions")
    assert refused.value.hint.startswith("Set scope to arm;")
    with pytest.raises(InputError, match="gets no token") as refused:
        pin("graph").check("https://mine.servicebus.windows.net/")
    assert refused.value.hint.startswith("Set scope to event_hubs or service_bus;")


def test_a_blank_in_a_url_is_named_with_its_escape() -> None:
    with pytest.raises(InputError, match="not a plain http or https URL") as refused:
        pin("graph").check("https://graph.microsoft.com/a b")
    assert "%20" in refused.value.hint


# --- relays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["service_bus", "event_hubs"])
def test_no_response_leads_the_token_to_the_relay_of_another_customer(scope: str) -> None:
    """Azure Relay forwards requests below that suffix to programs of its customers."""
    typed = "https://mine.servicebus.windows.net/queue"
    narrowed = pin(scope).narrow_to(typed)
    assert pin(scope).allows("https://stranger.servicebus.windows.net/")
    assert narrowed.allows(typed)
    assert not narrowed.allows("https://stranger.servicebus.windows.net/")


def test_hosts_without_relays_and_hosts_that_the_user_allows_stay() -> None:
    assert pin("arm").narrow_to("https://management.azure.com/") == pin("arm")
    assert pin("arm").narrow_to("https://management.azure.com/").allows("https://westeurope.management.azure.com/")
    named = pin("service_bus", allowed=("relay.example",)).narrow_to("https://mine.servicebus.windows.net/")
    assert named.allows("https://relay.example/")


# --- audiences --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "scope", "url", "other"),
    [
        ("https://management.azure.com/", "graph", "https://graph.microsoft.com/v1.0", True),
        ("https://management.core.windows.net/", "graph", "https://graph.microsoft.com/v1.0", True),
        ("https://graph.microsoft.com", "graph", "https://graph.microsoft.com/v1.0", False),
        ("00000003-0000-0000-c000-000000000000", "graph", "https://graph.microsoft.com/v1.0", False),
        ("https://management.core.windows.net/", "arm", "https://management.azure.com/", False),
        ("https://graph.microsoft.com", "graph", "https://management.azure.com/", True),
        ("https://graph.microsoft.com", "arm", "https://gateway.example/", True),
        ("https://servicebus.azure.net/", "event_hubs", "https://mine.servicebus.windows.net/", False),
        ("api://mine", "graph", "https://graph.microsoft.com/v1.0", False),
        ("https://graph.microsoft.com", "api://mine", "https://mine.example/", False),
        ("", "graph", "https://graph.microsoft.com/v1.0", False),
    ],
)
def test_a_token_for_another_api_is_recognised_only_if_that_is_certain(
    audience: str, scope: str, url: str, other: bool
) -> None:
    assert pin(scope).is_for_other_api(audience, url) is other


def test_an_api_is_found_by_its_host() -> None:
    (graph,) = find_apis_at("https://graph.microsoft.com/v1.0")
    assert graph is CLOUDS["public"].apis["graph"]
    assert find_apis_at("https://stranger.example/") == []
    assert find_apis_at("no url") == []
