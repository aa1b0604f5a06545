# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that can't work are refused before any request, with what is missing or wrong and how to correct it."""

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.validation import (
    parse_claims_challenge,
    refuse_missing,
    refuse_unusable,
)

if t.TYPE_CHECKING:
    import pathlib

WHOLE = AppTokenOptions(tenant_id="contoso.com", client_id="c", client_secret="s")


def refused(check: t.Callable[[], object]) -> InputError:
    with pytest.raises(InputError) as error:
        check()
    assert error.value.hint
    return error.value


# --- missing ----------------------------------------------------------------------------------------------------


def ignore(line: str) -> None:
    raise AssertionError(line)


def test_complete_options_pass() -> None:
    refuse_missing(WHOLE, "client_secret", ignore)
    refuse_unusable(WHOLE)


def test_incomplete_options_are_refused_with_what_is_missing() -> None:
    shown: list[str] = []
    options = AppTokenOptions(tenant_id="contoso.com", client_secret="s")
    assert refused(lambda: refuse_missing(options, "client_secret", shown.append)).message == "Missing: client_id."
    assert len(shown) == 1
    assert "client_secret" in refused(lambda: refuse_missing(AppTokenOptions(), None, shown.append)).message


@pytest.mark.parametrize("kind", ["managed_identity", "device_code"])
def test_a_credential_that_needs_no_option_is_complete_without(kind: str) -> None:
    refuse_missing(AppTokenOptions(tenant_id="contoso.com", client_id="c", credential=kind), kind, ignore)


def test_a_managed_identity_needs_no_tenant_and_no_client() -> None:
    options = AppTokenOptions(credential="managed_identity")
    refuse_missing(options, "managed_identity", ignore)
    refuse_unusable(options)


# --- unusable ---------------------------------------------------------------------------------------------------


def unusable(**options: t.Any) -> InputError:
    given_ones = {"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s", **options}
    return refused(lambda: refuse_unusable(AppTokenOptions(**given_ones)))


@pytest.mark.parametrize("tenant", ["common", "a/b", "a b"])
def test_a_tenant_that_is_none_is_refused(tenant: str) -> None:
    assert "tenant" in unusable(tenant_id=tenant).message


@pytest.mark.parametrize("client_id", ["a b", "a\n", "\x00", "a\x7fb"])
def test_a_client_with_blanks_or_control_characters_is_refused(client_id: str) -> None:
    assert unusable(client_id=client_id).message == "client_id contains white space or control characters."


def test_a_timeout_of_nothing_is_refused() -> None:
    assert "timeout is 0" in unusable(timeout=0.0).message
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", retry_for=0.0))


def test_a_ca_path_has_to_be_there(tmp_path: pathlib.Path) -> None:
    assert f"ca_path {tmp_path}/missing.pem does not exist" in unusable(ca_path=str(tmp_path / "missing.pem")).message
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", ca_path=str(tmp_path)))


def test_a_ca_path_on_the_target_is_the_target_s_matter() -> None:
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", ca_path="/missing", run_on="target"))


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.test",
        "graph.test",
        "",
        "https://",
        "ftp://graph.test",
        "https://[::1",
        "http://localhost.evil.example",
        "//graph.test",
    ],
)
def test_an_api_that_is_not_https_is_refused(url: str) -> None:
    assert unusable(api_base_url=url).message.startswith("api_base_url is not an https URL")


@pytest.mark.parametrize(
    "url", ["https://graph.test", "https://graph.test:8443/v1.0", "http://127.0.0.1:1", "http://[::1]"]
)
def test_an_api_over_https_or_on_this_machine_is_taken(url: str) -> None:
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", api_base_url=url))


@pytest.mark.parametrize("proxy", ["proxy.test:3128", "ftp://proxy.test", "http://", "http:///x", "proxy"])
def test_a_proxy_that_is_no_url_is_refused(proxy: str) -> None:
    assert unusable(proxy=proxy).message == "proxy is not the URL of a proxy."


@pytest.mark.parametrize(
    "proxy",
    ["http://proxy.test:3128", "https://proxy.test", "socks5h://proxy.test", "http://u:p@proxy.test", "http://[::1]:1"],
)
def test_the_url_of_a_proxy_is_taken(proxy: str) -> None:
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", proxy=proxy))


@pytest.mark.parametrize(
    "headers",
    [{"X A": "b"}, {"X:": "b"}, {"": "b"}, {"X\n": "b"}, {"X-A": "b\nc"}, {"X-A": "b\r"}, {"X-A": "\x00"}, {"é": "b"}],
)
def test_a_header_that_breaks_a_request_is_refused(headers: dict[str, str]) -> None:
    assert "is not a header name, or its value holds a line break" in unusable(extra_headers=headers).message


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_no_header_replaces_authorization(name: str) -> None:
    assert unusable(extra_headers={name: "Basic hunter2"}).message == "extra_headers can't replace Authorization."


@pytest.mark.parametrize("headers", [{}, {"X-A": "b\tc d"}, {"ConsistencyLevel": "eventual"}, {"x!#$%&'*+.^_`|~": "é"}])
def test_a_sound_header_is_taken(headers: dict[str, str]) -> None:
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", extra_headers=headers))


@pytest.mark.parametrize(
    "cache",
    [
        "runs",
        "RUN",
        "users",
        "redis",
        "redis:",
        "redis://",
        "redis:///0",
        "rediss:// host",
        "unix:///run/redis.sock",
        "http://host",
        "host:6379",
        "/var/cache",
        "REDIS://host",
        "",
    ],
)
def test_a_cache_that_is_none_is_refused(cache: str) -> None:
    error = unusable(cache=cache)
    assert error.message == "cache is not one of run, user, none, or the URL of a Redis server."
    assert "rediss://user:password@host:6379/0" in str(error.hint)


@pytest.mark.parametrize("cache", ["redus://me:hunter2@redis.test", "hunter2"])
def test_what_was_meant_as_a_cache_is_not_repeated(cache: str) -> None:
    assert "hunter2" not in str(unusable(cache=cache))


CACHES = [
    "run",
    "user",
    "none",
    "redis://host",
    "rediss://me:hunter2@host:6379/0?ssl_ca_certs=/ca.pem",
    "redis://:hunter2@[::1]:6379",
    "redis://s1:26379,s2/0?sentinel=main",
    "redis://n1?cluster=true",
]


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("origin", ["option cache", "variable app_token_cache", "environment ENTRA_AUTH_CACHE"])
def test_a_cache_is_taken(cache: str, origin: str) -> None:
    refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", cache=cache, origins={"cache": origin}))


@pytest.mark.parametrize("cache", CACHES)
def test_a_password_does_not_belong_into_ansible_cfg(cache: str) -> None:
    options = {"cache": cache, "origins": {"cache": "ansible.cfg [entra_auth] cache"}}
    if "hunter2" in cache:
        error = unusable(**options)
        assert error.message == "cache in ansible.cfg contains a password, which does not belong there."
        assert "ENTRA_AUTH_CACHE" in str(error.hint)
    else:
        refuse_unusable(AppTokenOptions(tenant_id="contoso.com", client_id="c", **options))  # type: ignore[arg-type]


# --- claims -----------------------------------------------------------------------------------------------------

CLAIMS = {"access_token": {"nbf": {"essential": True, "value": "1604106651"}}, "x": "ü?>~"}
TEXT = json.dumps(CLAIMS, separators=(",", ":"))


@pytest.mark.parametrize(
    "challenge",
    [
        json.dumps(CLAIMS),
        json.dumps(CLAIMS, ensure_ascii=False),
        json.dumps(CLAIMS, indent=2),
        f"  {json.dumps(CLAIMS)}\n",
        base64.b64encode(json.dumps(CLAIMS).encode()).decode(),
        base64.b64encode(json.dumps(CLAIMS, ensure_ascii=False).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(CLAIMS, ensure_ascii=False).encode()).decode(),
        base64.b64encode(json.dumps(CLAIMS).encode()).decode().rstrip("="),
        base64.b64encode(json.dumps(CLAIMS).encode()).decode() + "\n",
    ],
)
def test_a_challenge_is_understood_as_base64_of_either_kind_and_as_json(challenge: str) -> None:
    assert parse_claims_challenge(challenge) == TEXT


def test_no_challenge_is_no_claims() -> None:
    assert parse_claims_challenge(None) is None


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "junk!",
        "{",
        "{}}",
        "[]",
        "null",
        '"text"',
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b"junk").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        "é",
        '{"a":' * 50000,
        "A",
    ],
    ids=lambda challenge: challenge[:12],
)
def test_a_challenge_that_is_none_is_refused(challenge: str) -> None:
    error = refused(lambda: parse_claims_challenge(challenge))
    assert error.message == "claims_challenge is not JSON or base64 of JSON."
    assert "WWW-Authenticate" in str(error.hint)


@given(st.text())
def test_no_text_at_all_breaks_the_reading_of_a_challenge(challenge: str) -> None:
    try:
        text = parse_claims_challenge(challenge)
    except InputError:
        return
    assert isinstance(json.loads(str(text)), dict)


@pytest.mark.parametrize("key", ["4711", "x" * 31])
def test_a_cache_key_that_can_be_guessed_is_refused_without_being_shown(key: str) -> None:
    error = unusable(cache_key=key)
    assert error.message == "cache_key has fewer than 32 characters, so it could be guessed."
    refuse_unusable(dataclasses.replace(WHOLE, cache_key="x" * 32))


def test_an_authority_of_another_tenant_is_refused() -> None:
    tenant, other = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    assert other in unusable(tenant_id=tenant, authority=f"https://login.microsoftonline.com/{other}/v2.0").message
