# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of a call is complete and checked before any request."""

from __future__ import annotations

import typing as t

import pytest
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.address import resolve_address
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import GivenToken, TokenHolder, build_holder
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

GRAPH: t.Final = "https://graph.microsoft.com"


def resolve(url: str, scope: str = "graph", base: str | None = None, **more: t.Any) -> t.Any:
    return resolve_address(url, AppTokenOptions(scope=[scope], api_base_url=base), **more)


@pytest.mark.parametrize(
    ("url", "scope", "base", "whole"),
    [
        ("/v1.0/users", "graph", None, f"{GRAPH}/v1.0/users"),
        ("v1.0/users", "graph", None, f"{GRAPH}/v1.0/users"),
        ("//v1.0/users", "graph", None, f"{GRAPH}/v1.0/users"),
        (f"{GRAPH}/beta/users?$top=1", "graph", None, f"{GRAPH}/beta/users?$top=1"),
        ("/v1.0/users?link=https://x", "graph", None, f"{GRAPH}/v1.0/users?link=https://x"),
        ("/oidc/userinfo", "graph", None, f"{GRAPH}/oidc/userinfo"),
        ("/subscriptions", "arm", None, "https://management.azure.com/subscriptions"),
        ("/users", "graph", "https://gateway.example/graph/", "https://gateway.example/graph/users"),
        ("https://mine.vault.azure.net/keys", "key_vault", None, "https://mine.vault.azure.net/keys"),
    ],
)
def test_a_path_is_completed_by_the_base_url(url: str, scope: str, base: str | None, whole: str) -> None:
    assert resolve(url, scope, base).url == whole


def test_the_query_is_added_and_encoded() -> None:
    assert (
        resolve("/v1.0/users", query={"$filter": "a eq 'b c'"}).url
        == f"{GRAPH}/v1.0/users?$filter=a%20eq%20%27b%20c%27"
    )


@pytest.mark.parametrize(
    ("url", "scope", "message", "hint"),
    [
        ("/users", "graph", "paths of Microsoft Graph begin with /v1.0 or /beta", "Write /v1.0/users."),
        (GRAPH, "graph", "has the path /, but", "Write /v1.0/."),
        (f"{GRAPH}/users/v1.0", "graph", "begin with /v1.0 or /beta", "Write /v1.0/users/v1.0."),
        ("/v1.0/users/a#EXT#@b", "graph", "holds a #", "%23"),
        ("/v1.0/users/a b", "graph", "holds a blank", "%20"),
        ("/v1.0/users/a\nb", "graph", "holds a blank", "%20"),
        ("/secrets", "key_vault", "has no base URL of its own", "set api_base_url"),
        ("/x", "api://mine", "has no base URL of its own", "Give the whole URL"),
        ("https://management.azure.com/", "graph", "gets no token", "Set scope to arm"),
        ("http://graph.microsoft.com/v1.0", "graph", "not https", "Use https"),
    ],
)
def test_a_url_that_can_t_work_is_refused_with_its_fix(url: str, scope: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve(url, scope)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_allowed_hosts_and_a_gateway_need_no_version() -> None:
    assert resolve("https://other.example/users", allowed_hosts=["other.example"]).pin.allows("https://other.example/")
    assert resolve("/users", base="https://gateway.example").is_graph


def test_the_pin_is_that_of_the_scope_and_narrowed_to_the_url() -> None:
    address = resolve("https://mine.servicebus.windows.net/q", "service_bus")
    assert not address.pin.allows("https://stranger.servicebus.windows.net/q")
    assert address.scope.value == "https://servicebus.azure.net//.default"
    assert not address.is_graph


# --- holders ----------------------------------------------------------------------------------------------------


def hold(access_token: str | None, url: str = "/v1.0/users", scope: str = "graph", **options: t.Any) -> t.Any:
    def acquire(options: AppTokenOptions) -> t.Any:
        raise AssertionError("nothing is acquired yet")

    return build_holder(access_token, AppTokenOptions(scope=[scope], **options), acquire, resolve(url, scope))


def test_without_a_given_token_one_is_acquired_later() -> None:
    assert isinstance(hold(None), TokenHolder)
    assert isinstance(hold(""), TokenHolder)


@pytest.mark.parametrize(
    "token",
    [build_jwt(aud=GRAPH, exp=4_000_000_000), build_jwt(aud="api://mine"), build_jwt(), "opaque"],
    ids=["for Graph", "for an app", "for nobody", "opaque"],
)
def test_a_given_token_is_used_unless_it_is_certainly_for_another_api(token: str) -> None:
    assert isinstance(hold(token), GivenToken)


def test_a_given_token_for_another_api_is_refused_before_any_request() -> None:
    with pytest.raises(InputError, match=r"is for https://management\.azure\.com/, which is not the API") as refused:
        hold(build_jwt(aud="https://management.azure.com/"))
    assert "Set scope and url" in refused.value.hint


def test_a_given_token_that_has_expired_is_refused_before_any_request() -> None:
    with pytest.raises(InputError, match="expired at"):
        hold(build_jwt(aud=GRAPH, exp=1_000_000_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extra_headers": {"X-A": "a\nb"}}, "extra_headers"),
        ({"extra_headers": {"authorization": "Basic eA=="}}, "extra_headers"),
        ({"proxy": "proxy.example"}, "proxy is not the URL of a proxy"),
        ({"timeout": 0.0}, "timeout is 0"),
        ({"timeout": 1e9}, "timeout is longer than a day"),
    ],
    ids=str,
)
def test_options_for_the_requests_are_checked_with_a_given_token_too(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hold("opaque", **options)


def test_ca_path_with_a_given_token_may_be_a_file_of_the_task_s_host() -> None:
    assert isinstance(hold("opaque", ca_path="/only/there/ca.pem"), GivenToken)


def test_letters_beyond_ascii_are_encoded() -> None:
    """ansible.builtin.uri can't send them, and requests would do the same."""
    address = resolve("/v1.0/users/jürgen?$filter=displayName%20eq%20'ü'&a=%zz")
    assert address.url.endswith("/v1.0/users/j%C3%BCrgen?$filter=displayName%20eq%20'%C3%BC'&a=%zz")
