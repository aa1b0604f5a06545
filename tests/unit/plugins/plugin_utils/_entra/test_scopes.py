# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scope is understood, never normalised, and refused with the right alias if Entra would refuse it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import ALIASES, CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._entra.scopes import resolve_scope

PUBLIC = CLOUDS["public"]
APP_ID = "12345678-90ab-CDEF-1234-567890abcdef"

visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FFF)).filter(
    lambda text: text.isprintable() and not any(character.isspace() for character in text)
)


def value_of(*requested: str, delegated: bool = False) -> str:
    return resolve_scope(requested, PUBLIC, delegated=delegated).value


# Hypothesis also tries the names of the APIs, which it finds in the code.
@given(visible.filter(lambda resource: resource not in ALIASES), st.booleans())
def test_a_full_scope_is_sent_untouched(resource: str, delegated: bool) -> None:
    assert value_of(f"{resource}/.default", delegated=delegated) == f"{resource}/.default"


@given(st.sampled_from(["https://", "api://", "HTTP://", "spn://"]), visible)
def test_a_resource_is_never_normalised(scheme: str, rest: str) -> None:
    written = scheme + rest
    expected = written if written.endswith("/.default") else f"{written}/.default"
    assert value_of(written) == expected


@given(st.text(string.hexdigits, min_size=8, max_size=8))
def test_an_app_id_keeps_its_letter_case(start: str) -> None:
    app_id = f"{start}-90ab-CDEF-1234-567890abcdef"
    assert value_of(app_id) == f"{app_id}/.default"


@pytest.mark.parametrize(
    ("requested", "value"),
    [
        ("graph", "https://graph.microsoft.com/.default"),
        ("  graph\n", "https://graph.microsoft.com/.default"),
        (APP_ID, f"{APP_ID}/.default"),
        (f"api://{APP_ID}", f"api://{APP_ID}/.default"),
        ("api://contoso/app", "api://contoso/app/.default"),
        ("https://management.azure.com/", "https://management.azure.com//.default"),
        ("https://management.azure.com//.default", "https://management.azure.com//.default"),
        ("https://GRAPH.microsoft.com", "https://GRAPH.microsoft.com/.default"),
        ("https://a//b", "https://a//b/.default"),
        ("graph/.default", "https://graph.microsoft.com/.default"),
        ("sql/.default", "https://database.windows.net//.default"),
        ("00000003-0000-0000-c000-000000000000", "00000003-0000-0000-c000-000000000000/.default"),
    ],
)
def test_an_application_asks_for_all_of_one_resource(requested: str, value: str) -> None:
    assert value_of(requested) == value


@pytest.mark.parametrize(
    ("requested", "value"),
    [
        (["User.Read", "offline_access"], "User.Read offline_access"),
        (["User.Read", "User.Read"], "User.Read"),
        (["https://graph.microsoft.com/User.Read"], "https://graph.microsoft.com/User.Read"),
        (["https://graph.microsoft.com"], "https://graph.microsoft.com/.default"),
        (["https://management.azure.com/"], "https://management.azure.com//.default"),
        (["arm"], "https://management.azure.com/.default"),
        (["graph", "offline_access"], "https://graph.microsoft.com/.default offline_access"),
    ],
)
def test_a_user_s_permissions_may_be_named_one_by_one(requested: list[str], value: str) -> None:
    assert value_of(*requested, delegated=True) == value


@pytest.mark.parametrize(
    ("requested", "url"),
    [
        ("graph", "https://graph.microsoft.com"),
        ("https://graph.microsoft.com/.default", "https://graph.microsoft.com"),
        ("https://graph.microsoft.com//.default", "https://graph.microsoft.com"),
        ("00000003-0000-0000-c000-000000000000/.default", "https://graph.microsoft.com"),
        ("https://management.core.windows.net/", "https://management.azure.com"),
        ("499b84ac-1321-427f-aa17-267ca6975798", "https://dev.azure.com"),
        ("https://analysis.windows.net/powerbi/api", "https://api.powerbi.com"),
        ("key_vault", None),
        ("api://contoso", None),
        ("https://graph.microsoft.us/.default", None),
    ],
)
def test_the_api_behind_a_scope_is_known_by_any_of_its_names(requested: str, url: str | None) -> None:
    assert resolve_scope([requested], PUBLIC, delegated=False).api_url == url


@pytest.mark.parametrize(
    ("requested", "url"),
    [
        (["https://graph.microsoft.com/User.Read"], "https://graph.microsoft.com"),
        (["offline_access", "https://management.azure.com/user_impersonation"], "https://management.azure.com"),
        (["User.Read", "offline_access"], "https://graph.microsoft.com"),
    ],
)
def test_the_api_behind_a_user_s_permission_is_known(requested: list[str], url: str | None) -> None:
    assert resolve_scope(requested, PUBLIC, delegated=True).api_url == url


@pytest.mark.parametrize("delegated", [False, True])
def test_a_token_for_two_apis_is_refused_with_both_named(delegated: bool) -> None:
    with pytest.raises(InputError, match="one API") as refused:
        value_of("graph", "arm", delegated=delegated)
    assert "https://graph.microsoft.com" in refused.value.message
    assert "https://management.azure.com" in refused.value.message
    assert refused.value.hint


def test_one_slash_and_two_slashes_are_different_scopes() -> None:
    with pytest.raises(InputError, match="names 2"):
        value_of("https://management.azure.com/.default", "https://management.azure.com//.default")


def test_the_same_resource_twice_is_asked_for_once() -> None:
    assert value_of("graph", "https://graph.microsoft.com/.default") == "https://graph.microsoft.com/.default"


@pytest.mark.parametrize("delegated", [False, True])
@pytest.mark.parametrize(
    ("requested", "problem"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("https://graph.microsoft.com/.default https://b/.default", "white space"),
        ("User.Read offline_access", "white space"),
        ("https://a\tb", "white space"),
        ("https://a\u00a0b", "white space"),
        ("https://a\x07b", "control characters"),
    ],
)
def test_a_malformed_scope_is_refused(requested: str, problem: str, delegated: bool) -> None:
    with pytest.raises(InputError, match=problem) as refused:
        value_of(requested, delegated=delegated)
    assert refused.value.hint


def test_no_scope_at_all_is_refused() -> None:
    with pytest.raises(InputError):
        value_of()


@pytest.mark.parametrize(
    ("requested", "alias"),
    [
        ("grahp", "graph"),
        ("GRAPH", "graph"),
        ("azure", "arm"),
        ("keyvault", "key_vault"),
        ("User.Read.All", "graph"),
        ("user_impersonation", "arm"),
        ("graph.microsoft.com", "graph"),
        ("00000003-0000-0000-c000-000000000000/User.Read", "graph"),
    ],
)
def test_an_unknown_name_is_refused_with_the_alias_that_is_meant(requested: str, alias: str) -> None:
    with pytest.raises(InputError, match=f"'{requested}' is not a known API") as refused:
        value_of(requested)
    hint = str(refused.value.hint)
    assert hint.startswith(f"Use scope: {alias}. The permissions of an application are granted to it")


def test_a_name_that_is_like_no_other_is_refused_with_all_aliases() -> None:
    with pytest.raises(InputError, match="'xyzzy' is not a known API") as refused:
        value_of("xyzzy")
    assert all(alias in str(refused.value.hint) for alias in ALIASES)


@pytest.mark.parametrize(
    ("requested", "alias"),
    [
        ("https://graph.microsoft.com/User.Read.All", "graph"),
        ("https://graph.microsoft.com/v1.0", "graph"),
        ("https://GRAPH.microsoft.com/beta/", "graph"),
        ("https://graph.microsoft.com/v1.0/users", "graph"),
        ("https://management.azure.com/subscriptions", "arm"),
        ("https://management.core.windows.net/x", "arm"),
        ("https://contoso.vault.azure.net", "key_vault"),
        ("https://contoso.vault.azure.net/secrets/x", "key_vault"),
        ("https://server.database.windows.net", "sql"),
        ("https://contoso.openai.azure.com", "cognitive_services"),
        ("https://dev.azure.com/contoso", "devops"),
        ("https://dev.azure.com", "devops"),
        ("https://analysis.windows.net/powerbi/api/Dataset.Read.All", "power_bi"),
        ("http://graph.microsoft.com", "graph"),
        ("https://contoso.blob.core.windows.net/container", "storage"),
    ],
)
def test_a_part_of_a_known_api_is_refused_with_its_alias(requested: str, alias: str) -> None:
    with pytest.raises(InputError, match=f"is a part of the API '{alias}'") as refused:
        value_of(requested)
    assert str(refused.value.hint).startswith(f"Use scope: {alias}. The permissions of an application are granted")


@pytest.mark.parametrize(
    "resource",
    [
        "https://contoso.blob.core.windows.net",
        "https://contoso.servicebus.windows.net",
        "https://contoso.documents.azure.com",
        "https://outlook.office.com",
        "https://app.vssps.visualstudio.com",
        "https://graph.microsoft.com.contoso.example/x",
        "https://contoso.example/v1.0/users",
        "https://graph.microsoft.us",
        "api://graph.microsoft.com/v1.0",
    ],
)
def test_a_resource_that_is_like_a_known_api_is_sent(resource: str) -> None:
    assert value_of(resource) == f"{resource}/.default"


@pytest.mark.parametrize("requested", ["https://graph.microsoft.com/v1.0", "https://graph.microsoft.com/v1.0/users"])
def test_a_path_is_not_a_permission_of_a_user(requested: str) -> None:
    with pytest.raises(InputError, match="is a part of the API 'graph'"):
        value_of(requested, delegated=True)


def test_the_permission_of_a_user_for_a_known_api_is_sent() -> None:
    for scope in ("https://analysis.windows.net/powerbi/api/Dataset.Read.All", "https://graph.microsoft.com/User.Read"):
        assert value_of(scope, delegated=True) == scope
