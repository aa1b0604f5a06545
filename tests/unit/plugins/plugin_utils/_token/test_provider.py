# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A complete set of options becomes a token: one request, shared by all who may have it, failures that say why."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from canned_server import CannedServer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token import provider
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token, identify_machine
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly
from entra_emulator import seed

if t.TYPE_CHECKING:
    import pathlib

    from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]
GRAPH = "https://graph.microsoft.com/.default"


class Shown(t.Protocol):
    """The recorder of conftest.py."""

    shown: list[tuple[str, str]]

    def on(self, channel: str) -> list[str]:
        """What was shown there."""


class Host:
    """The task's host, which has a managed identity."""

    def __init__(self, name: str = "h001", lifetime: float = 86400) -> None:
        self.name = name
        self.lifetime = lifetime
        self.requests: list[tuple[str, t.Any, t.Any]] = []

    def request_token(self, resource: str, selector: t.Any, network: t.Any) -> Token:
        self.requests.append((resource, selector, network))
        now = time.time()
        return Token(f"token-of-{self.name.replace(' ', '-')}-{len(self.requests)}", now, now + self.lifetime)


def get(messages: t.Any, options: Options, target: t.Any = None, **more: t.Any) -> AppToken:
    return get_app_token(AppTokenOptions(**{**options, **more}), messages, target or CachedTokensOnly({}))


def failure(messages: t.Any, options: Options, **more: t.Any) -> EntraAuthError:
    with pytest.raises(EntraAuthError) as failed:
        get(messages, options, **more)
    assert failed.value.__context__ is None
    assert "hunter2" not in str(failed.value)
    return failed.value


# --- one request ------------------------------------------------------------------------------------------------


def test_a_cold_token_costs_one_post_and_a_warm_one_nothing(
    emulator: Emulator, reader: Options, messages: Shown
) -> None:
    cold, warm = get(messages, reader), get(messages, reader)
    (request,) = emulator.requests()
    assert request["method"] == "POST"
    assert request["path"] == f"/{emulator.tenant_id}/oauth2/v2.0/token"
    assert cold.as_dict()["access_token"] == warm.as_dict()["access_token"]
    assert (cold.source, warm.source) == ("network", "cache")


def test_a_token_comes_with_all_that_was_asked_for_it(reader: Options, messages: Shown) -> None:
    result = get(messages, reader).as_dict()
    assert result["scope"] == GRAPH
    assert result["api_url"] == "https://graph.microsoft.com"
    assert result["credential"] == "client_secret"
    assert result["cloud"] == "public"
    assert result["tenant_id"] == reader["tenant_id"]
    assert result["client_id"] == reader["client_id"]
    assert "User.Read.All" in result["claims"]["roles"]
    assert 3500 < result["expires_in"] <= 3599
    assert result["correlation_id"]
    assert "refresh_token" not in result


def test_an_api_of_one_s_own_is_where_relative_urls_go(reader: Options, messages: Shown) -> None:
    provided = get(messages, reader, api_base_url="https://gateway.test")
    assert provided.api_url == "https://gateway.test"


@pytest.mark.parametrize(
    "change",
    [
        {"scope": ["arm"]},
        {"tenant_id": seed.CONTOSO.domain},
        {"claims_challenge": '{"access_token":{"nbf":{"essential":true}}}'},
        {"force_refresh": True},
        {"cache": "none"},
        {"validate_certs": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_different_request_is_requested_again(
    change: Options, emulator: Emulator, reader: Options, messages: Shown
) -> None:
    get(messages, reader)
    assert get(messages, reader, **change).source == "network"
    assert len(emulator.token_requests()) == 2


@pytest.mark.parametrize(
    "change", [{"extra_headers": {"X-A": "b"}}, {"timeout": 9.0}, {"min_validity": 100}, {"required_roles": []}]
)
def test_what_concerns_only_the_caller_does_not_ask_again(change: Options, reader: Options, messages: Shown) -> None:
    get(messages, reader)
    assert get(messages, reader, **change).source == "cache"


def test_a_wrong_secret_is_never_served_what_the_right_one_bought(reader: Options, messages: Shown) -> None:
    get(messages, reader)
    error = failure(messages, reader, client_secret="hunter2-is-wrong")
    assert error.response.error_codes == (7000215,)


def test_a_changed_secret_does_not_find_the_old_token(emulator: Emulator, reader: Options, messages: Shown) -> None:
    get(messages, reader)
    emulator.add_app(client_id=reader["client_id"], name="reader", secret="a-new-one", roles={"graph": ["A.Role"]})
    renewed = get(messages, reader, client_secret="a-new-one")
    assert renewed.source == "network"
    assert renewed.token.list_roles() == ["A.Role"]


def test_tokens_are_registered_with_ansible_on_the_warm_path_too(
    reader: Options, messages: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[str | None] = []
    monkeypatch.setattr(provider, "register_secrets", lambda *secrets: registered.extend(secrets))
    cold = get(messages, reader)
    assert registered == [cold.token.access_token, None]
    registered.clear()
    assert get(messages, reader).source == "cache"
    assert registered == [cold.token.access_token, None]


# --- claims -----------------------------------------------------------------------------------------------------

CHALLENGE = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


def test_a_token_that_satisfies_a_challenge_replaces_the_one_that_did_not(
    emulator: Emulator, reader: Options, messages: Shown
) -> None:
    get(messages, reader)
    challenged = get(messages, reader, claims_challenge=CHALLENGE)
    assert challenged.source == "network"
    for options in (reader, {**reader, "claims_challenge": CHALLENGE}):
        assert get(messages, options).token == challenged.token
    assert len(emulator.token_requests()) == 2


def claims_of(emulator: Emulator) -> list[t.Any]:
    forms = [dict(request["form"]) for request in emulator.token_requests()]
    return [json.loads(form["claims"]) if "claims" in form else None for form in forms]


def test_a_token_for_a_caller_with_capabilities_is_for_such_callers_alone(
    emulator: Emulator, reader: Options, messages: Shown
) -> None:
    capable = {**reader, "client_capabilities": ["cp1"]}
    plain, declared = get(messages, reader), get(messages, capable)
    challenged = get(messages, capable, claims_challenge=CHALLENGE)
    assert (plain.source, declared.source, challenged.source) == ("network", "network", "network")
    declaration = {"xms_cc": {"values": ["cp1"]}}
    challenge = json.loads(CHALLENGE)["access_token"]
    assert claims_of(emulator) == [None, {"access_token": declaration}, {"access_token": {**challenge, **declaration}}]
    assert get(messages, reader).token == plain.token
    assert get(messages, capable).token == challenged.token
    assert len(emulator.token_requests()) == 3


# --- failures ---------------------------------------------------------------------------------------------------


def test_a_refusal_says_what_was_asked_what_was_said_and_what_to_do(
    emulator: Emulator, reader: Options, messages: Shown
) -> None:
    error = failure(messages, reader, client_secret="hunter2-is-wrong")
    assert isinstance(error, TokenRequestRefused)
    text = str(error)
    for words in (
        "AADSTS7000215",
        "invalid_client",
        "To fix it: ",
        "Requested with credential client_secret",
        f"authority {emulator.urls.login}",
        f"tenant {emulator.tenant_id}",
        f"client {emulator.client_id}",
        f"scope {GRAPH}",
        "correlation id ",
        "trace id ",
    ):
        assert words in text
    sent = {name.lower(): value for name, value in emulator.token_requests()[-1]["headers"]}
    assert error.response.correlation_id == sent["client-request-id"]


def test_the_cloud_is_named_where_no_authority_is(messages: Shown, run_directory: pathlib.Path) -> None:
    options = {"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s", "cloud": "usgov", "retry_for": 0}
    error = failure(messages, options, proxy="http://127.0.0.1:1")
    scope = "https://graph.microsoft.us/.default"
    requested = f"Requested with credential client_secret, cloud usgov, tenant contoso.com, client c, scope {scope}."
    assert requested in str(error)


def test_a_missing_role_is_named_with_how_to_grant_it(reader: Options, messages: Shown) -> None:
    error = failure(messages, reader, required_roles=["User.Read.All", "Mail.Send", "A.Role"])
    assert isinstance(error, InputError)
    assert f"The token for {GRAPH} lacks the app roles A.Role, Mail.Send. It has User.Read.All" in error.message
    assert "admin consent" in str(error.hint)
    assert "force_refresh" in str(error.hint)


def test_roles_that_are_there_are_no_failure(reader: Options, messages: Shown) -> None:
    assert get(messages, reader, required_roles=["User.Read.All"])


@pytest.mark.parametrize(
    "change",
    [
        {"tenant_id": None},
        {"client_id": None},
        {"client_secret": None},
        {"tenant_id": "common"},
        {"scope": ["no-such-api"]},
        {"scope": []},
        {"claims_challenge": "junk!"},
        {"authority": "http://login.test"},
        {"cloud": "china", "scope": ["devops"]},
        {"timeout": 0.0},
        {"credential": "federated", "client_secret": None},
    ],
    ids=str,
)
def test_bad_input_never_reaches_the_service(
    change: Options, emulator: Emulator, reader: Options, messages: Shown
) -> None:
    error = failure(messages, reader, **change)
    assert isinstance(error, InputError)
    assert "Requested with" not in str(error)
    assert emulator.requests() == []


def test_an_unknown_ca_is_shown(reader: Options, messages: Shown) -> None:
    error = failure(messages, reader, ca_path=None)
    assert isinstance(error, NetworkError)
    assert "is not trusted here" in error.message


# --- credentials without a secret -------------------------------------------------------------------------------


def test_a_token_without_a_secret_of_its_own_is_encrypted_with_one_of_the_run(
    run_directory: pathlib.Path, messages: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(token_answer()) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        first, second = (get(messages, {}), get(messages, {}))
    assert (first.source, second.source) == ("network", "cache")
    assert first.credential == "managed_identity"
    assert len(platform.received) == 1
    entries = [path for path in (run_directory / "entra_auth").iterdir() if path.suffix != ".lock"]
    assert all(b"canned-token" not in path.read_bytes() for path in entries)


# --- run_on: target ---------------------------------------------------------------------------------------------

TARGET = {"credential": "managed_identity", "run_on": "target", "scope": ["arm"]}


@pytest.mark.usefixtures("run_directory")
def test_a_host_is_asked_for_a_resource_and_nothing_secret_goes_there(messages: Shown) -> None:
    host = Host()
    options = {"client_secret": "hunter2", "managed_identity_client_id": "the-client", "timeout": 7.0}
    provided = get(messages, TARGET, host, **options)
    assert (provided.source, provided.credential) == ("network", "managed_identity")
    ((resource, selector, network),) = host.requests
    assert resource == "https://management.azure.com"
    assert (selector.client_id, network.timeout) == ("the-client", 7.0)
    assert "hunter2" not in repr(host.requests)


@pytest.mark.usefixtures("run_directory")
def test_each_host_has_a_managed_identity_of_its_own(messages: Shown) -> None:
    hosts = [Host("h001"), Host("h002"), Host("h001")]
    provided = [get(messages, TARGET, host) for host in hosts]
    assert [each.source for each in provided] == ["network", "network", "cache"]
    assert [each.token.access_token for each in provided] == ["token-of-h001-1", "token-of-h002-1", "token-of-h001-1"]
    assert get(messages, TARGET, CachedTokensOnly({"inventory_hostname": "h002"})).token == provided[1].token


def test_the_token_of_a_host_is_not_that_of_the_control_node(
    messages: Shown, run_directory: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = Host(f"controller {identify_machine()}")
    get(messages, TARGET, controller)
    with CannedServer(token_answer()) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        provided = get(messages, {**TARGET, "run_on": "controller"})
    assert provided.token.access_token == "canned-token"


@pytest.mark.parametrize("more", [{}, {"cache_key": "made-up~key-of-more-than-32-characters"}], ids=str)
def test_the_token_of_a_host_stays_in_the_cache_of_the_run(
    more: Options, messages: Shown, run_directory: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another inventory may have another machine of that name, and who can forge it there must not do so here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    get(messages, TARGET, Host(), cache="user", **more)
    assert not (tmp_path / "entra_auth").exists()
    assert (
        get(messages, TARGET, CachedTokensOnly({"inventory_hostname": "h001"}), cache="user", **more).source == "cache"
    )
    (warning, _again) = messages.on("warning")
    assert "told apart by the host's name in this inventory" in warning


@pytest.mark.usefixtures("run_directory")
def test_the_app_never_gets_the_token_of_a_host(emulator: Emulator, reader: Options, messages: Shown) -> None:
    get(messages, {**TARGET, "scope": ["graph"]}, Host(), client_id=reader["client_id"])
    provided = get(messages, reader)
    assert (provided.source, provided.credential) == ("network", "client_secret")
    assert "User.Read.All" in provided.token.list_roles()


@pytest.mark.usefixtures("run_directory")
def test_a_lookup_finds_only_the_token_that_a_task_has_requested(messages: Shown) -> None:
    error = failure(messages, TARGET)
    assert "only a token that a task has requested" in error.message


# --- renewal ----------------------------------------------------------------------------------------------------


def test_a_failed_renewal_is_a_warning_until_the_token_ends(
    emulator: Emulator, reader: Options, messages: Shown, later: t.Any
) -> None:
    first = get(messages, reader)
    emulator.fault("error", code=90033, error="temporarily_unavailable", times=None)
    later.seconds = 3400
    assert get(messages, reader).token == first.token
    (warning,) = messages.on("warning")
    assert first.token.expires_at in warning
    assert "AADSTS90033" in warning
    later.seconds = 3600
    assert "AADSTS90033" in str(failure(messages, reader))


def test_a_service_that_issues_junk_is_shown(messages: Shown, run_directory: pathlib.Path) -> None:
    with CannedServer(json_answer(200, {"access_token": "hunter2 x", "token_type": "Bearer"})) as server:
        options = {"tenant_id": "t", "client_id": "c", "client_secret": "s", "authority": server.url}
        assert "characters that no bearer token has" in failure(messages, options).message


def test_a_corrected_secret_is_tried_with_the_same_refresh_token(
    emulator: Emulator, reader: Options, messages: Shown
) -> None:
    signed_in = {**reader, "refresh_token": emulator.add_refresh_token(reader["client_id"])}
    assert failure(messages, signed_in, client_secret="hunter2-is-wrong").response.error_codes == (7000215,)
    assert get(messages, signed_in).credential == "refresh_token"
