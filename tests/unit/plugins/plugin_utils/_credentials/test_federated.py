# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An assertion of another issuer is taken from where it is, anew for each request, and told where Entra refuses it."""

from __future__ import annotations

import json
import typing as t
import urllib.parse

import pytest
from canned_server import CannedServer, json_answer, token_answer
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    InputError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.federated import Federated
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    import pathlib

    FormSent = t.Callable[..., dict[str, str]]


class Waits(t.Protocol):
    """The clock of conftest.py."""

    slept: list[float]


ASSERTION = build_jwt(iss="https://issuer.test", sub="repo:o/r:environment:prod", aud="api://AzureADTokenExchange")


# --- given ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [None, "given"])
def test_an_assertion_that_is_given_is_sent(source: str | None, form_sent: FormSent) -> None:
    sent = form_sent("federated", federated_token=f" {ASSERTION}\n", federated_token_source=source)
    sent.pop("URL")
    assert sent == {
        "grant_type": "client_credentials",
        "client_id": "the-client",
        "scope": "the/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ASSERTION,
    }


def test_a_file_is_read_again_for_each_request(form_sent: FormSent, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "token"
    for text in (build_jwt(jti="first"), build_jwt(jti="second")):
        path.write_text(f"{text}\n")
        assert form_sent("federated", federated_token_file=str(path))["client_assertion"] == text


def test_a_file_that_changes_while_entra_is_asked_again_is_read_again(tmp_path: pathlib.Path, clock: Waits) -> None:
    path = tmp_path / "token"
    path.write_text(build_jwt(jti="first"))

    def not_yet(connection: t.Any) -> None:
        path.write_text(build_jwt(jti="second"))
        connection.sendall(json_answer(400, {"error": "invalid_request", "error_codes": [70021]}))

    with CannedServer(not_yet, token_answer()) as server:
        options = AppTokenOptions(
            tenant_id="t", client_id="c", authority=server.url, federated_token_file=str(path), retry_for=60
        )
        credential = create_credential("federated", options)
        credential.request_token(credential.build_request("s", None), NetworkSettings(30, 60))
    forms = [dict(urllib.parse.parse_qsl(request.body)) for request in server.received]
    assert [form["client_assertion"] for form in forms] == [build_jwt(jti="first"), build_jwt(jti="second")]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"federated_token_file": "{path}"}, "federated_token_file {path} does not hold a JWT: it holds JSON"),
        ({"federated_token": "{json}"}, "federated_token (from environment ARM_OIDC_TOKEN) does not hold a JWT"),
    ],
)
def test_what_is_not_a_jwt_is_named_with_where_it_comes_from_and_not_sent(
    options: dict[str, str], named: str, form_sent: FormSent, tmp_path: pathlib.Path
) -> None:
    content = json.dumps({"value": ASSERTION})
    (tmp_path / "token").write_text(content)
    given = {name: value.format(path=tmp_path / "token", json=content) for name, value in options.items()}
    with pytest.raises(InputError) as refused:
        form_sent("federated", **given, origins={"federated_token": "environment ARM_OIDC_TOKEN"})
    assert named.format(path=tmp_path / "token") in refused.value.message
    assert ASSERTION not in str(refused.value)


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_file_without_an_assertion_is_named(content: str | None, form_sent: FormSent, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=f"federated_token_file {path} can't be read"):
        form_sent("federated", federated_token_file=str(path))


def test_given_without_anything_is_refused(form_sent: FormSent) -> None:
    with pytest.raises(InputError, match="federated_token") as refused:
        form_sent("federated", federated_token_source="given")
    assert refused.value.hint


def test_what_is_given_beats_the_platform(form_sent: FormSent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:1/x")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")
    assert form_sent("federated", federated_token=ASSERTION)["client_assertion"] == ASSERTION


# --- minted -----------------------------------------------------------------------------------------------------


def test_what_a_platform_mints_has_to_be_a_jwt(form_sent: FormSent, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(json_answer(200, {"value": "hunter2"})) as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token")
        with pytest.raises(InputError, match="The response of GitHub Actions does not hold a JWT") as refused:
            form_sent("federated")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ({}, "given"),
        ({"federated_token": "x"}, "given"),
        ({"federated_token_file": "x"}, "given"),
        ({"federated_token_source": "azure_pipelines"}, "azure_pipelines"),
        ({"federated_token_request_url": "x"}, "request_url"),
        ({"federated_token": "x", "federated_token_request_url": "x"}, "given"),
        ({"federated_token": "x", "federated_token_source": "github_actions"}, "github_actions"),
        ({"federated_token_source": "given", "federated_token_request_url": "x"}, "given"),
    ],
)
def test_the_source_follows_from_what_is_given(options: dict[str, str], source: str) -> None:
    credential = Federated(AppTokenOptions(**options))  # type: ignore[arg-type]  # all of them are texts
    assert credential._choose_source() == source


@pytest.mark.parametrize(
    ("origins", "source"),
    [
        (("option ", "variable ", "environment "), "given"),
        (("environment AZURE_", "variable ", "option "), "request_url"),
        (("environment AZURE_", "option ", "variable "), "github_actions"),
        (("environment AZURE_", "ansible.cfg ", "environment ENTRA_AUTH_"), "request_url"),
    ],
)
def test_of_several_the_stronger_source_counts(origins: tuple[str, str, str], source: str) -> None:
    names = ("federated_token", "federated_token_source", "federated_token_request_url")
    values = dict(zip(names, ("x", "github_actions", "x"), strict=True))
    credential = Federated(AppTokenOptions(**values, origins=dict(zip(names, origins, strict=True))))  # type: ignore[arg-type]  # all of them are texts
    assert credential._choose_source() == source


# --- refused by Entra -------------------------------------------------------------------------------------------


def refused(
    code: int, *, retry_for: float = 0, tell: t.Callable[[str], object] | None = None
) -> tuple[TokenRequestRefused, int]:
    body = {"error": "invalid_client", "error_codes": [code], "error_description": f"AADSTS{code}: No."}
    with CannedServer(json_answer(401, body)) as server:
        options = AppTokenOptions(tenant_id="t", client_id="c", authority=server.url, federated_token=ASSERTION)
        credential = create_credential("federated", options, tell)
        with pytest.raises(TokenRequestRefused) as error:
            credential.request_token(credential.build_request("s", None), NetworkSettings(30, retry_for))
    assert ASSERTION not in str(error.value)
    return error.value, len(server.received)


@pytest.mark.parametrize("code", [70021, 700211, 700212, 700213, 7002121, 7002137, 7002138])
def test_a_mismatch_is_told_with_what_was_sent(code: int) -> None:
    error, _dummy = refused(code)
    assert (
        "issuer 'https://issuer.test', subject 'repo:o/r:environment:prod', audience 'api://AzureADTokenExchange'"
        in str(error)
    )


@pytest.mark.parametrize("code", [700024, 7000215, 700222])
def test_any_other_refusal_is_told_as_it_is(code: int) -> None:
    assert "The assertion has" not in str(refused(code)[0])


@pytest.mark.parametrize(
    ("code", "retry_for", "pauses"),
    [
        *[(code, 120, [2, 4]) for code in (70021, 700211, 700212, 700213)],
        (700213, 5, [2]),
        (700213, 1, []),
        (700213, 0, []),
        (7002138, 120, []),
        (700024, 120, []),
    ],
)
def test_a_federated_credential_that_may_be_new_is_tried_for_some_seconds(
    code: int, retry_for: float, pauses: list[float], clock: Waits
) -> None:
    said: list[str] = []
    error, requests = refused(code, retry_for=retry_for, tell=said.append)
    assert clock.slept == pauses
    assert requests == len(pauses) + 1
    assert error.response.error_codes == (code,)
    if pauses:
        (sentence,) = said
        assert f"(AADSTS{code})" in sentence
        assert "subject 'repo:o/r:environment:prod'" in sentence
        assert f"for {sum(pauses):g} s" in sentence
        assert ASSERTION not in sentence
    else:
        assert said == []


def test_a_busy_service_is_given_the_whole_time_for_retries(clock: Waits) -> None:
    """The short time for a new credential bounds nothing else."""
    with CannedServer(json_answer(429, {"error": "x"}, Retry_After="60"), token_answer()) as server:
        options = AppTokenOptions(tenant_id="t", client_id="c", authority=server.url, federated_token=ASSERTION)
        credential = create_credential("federated", options)
        credential.request_token(credential.build_request("s", None), NetworkSettings(30, 120))
    assert clock.slept == [60]


def test_a_mismatch_of_a_refresh_token_s_client_is_told_with_what_was_sent() -> None:
    body = {"error": "invalid_client", "error_codes": [700213], "error_description": "AADSTS700213: No."}
    with CannedServer(json_answer(401, body)) as server:
        options = AppTokenOptions(
            tenant_id="t", client_id="c", authority=server.url, federated_token=ASSERTION, refresh_token="r"
        )
        credential = create_credential("refresh_token", options)
        with pytest.raises(TokenRequestRefused, match=r"The assertion has issuer 'https://issuer.test'"):
            credential.request_token(credential.build_request("s", None), NetworkSettings(30, 0))


# --- in the cache -----------------------------------------------------------------------------------------------


def fingerprint(**options: t.Any) -> str:
    return create_credential("federated", AppTokenOptions(**options)).get_proof_fingerprint()


def test_assertions_that_are_given_are_told_apart(tmp_path: pathlib.Path) -> None:
    """With the same names in them too: a forged one must not receive what a good one has bought."""
    path = tmp_path / "token"
    path.write_text(f"{ASSERTION}\n")
    forged = ASSERTION.rpartition(".")[0] + ".Zm9yZ2Vk"
    assert fingerprint(federated_token=ASSERTION) == fingerprint(federated_token_file=str(path))
    assert fingerprint(federated_token=ASSERTION) != fingerprint(federated_token=forged)
    assert ASSERTION.rpartition(".")[2] not in fingerprint(federated_token=ASSERTION)
    path.write_text(forged)
    assert fingerprint(federated_token_file=str(path)) == fingerprint(federated_token=forged)


def test_assertions_that_a_platform_mints_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fingerprint() == fingerprint(federated_token_source="github_actions")


def test_request_tokens_that_a_call_chose_are_told_apart() -> None:
    """One host's is no proof of another host; the environment's is that of all of them."""
    given = {"federated_token_request_url": "https://ci.test", "federated_token_request_token": "one"}
    other = {**given, "federated_token_request_token": "two"}
    chosen = {"federated_token_request_token": "variable app_token_federated_token_request_token"}
    assert fingerprint(**given) == fingerprint(**other)
    assert fingerprint(**given, origins=chosen) != fingerprint(**other, origins=chosen)
    assert "one" not in fingerprint(**given, origins=chosen)


def test_managed_identities_that_mint_are_told_apart() -> None:
    chosen = [{}, {"managed_identity_client_id": "a"}, {"managed_identity_object_id": "a"}]
    chosen += [{"managed_identity_resource_id": "a"}, {"managed_identity_client_id": "b"}]
    found = {fingerprint(federated_token_source="managed_identity", **one) for one in chosen}
    assert len(found) == len(chosen)


def test_the_repetitions_after_a_mismatch_share_one_budget(clock: Waits) -> None:
    """A login host that takes its time does not get the whole budget again with each repetition."""

    def answer_late(connection: t.Any) -> None:
        clock.sleep(9)
        connection.sendall(json_answer(400, {"error": "invalid_request", "error_codes": [70021]}))

    with CannedServer(answer_late) as server:
        options = AppTokenOptions(tenant_id="t", client_id="c", authority=server.url, federated_token=ASSERTION)
        credential = create_credential("federated", options)
        began = clock.monotonic()
        with pytest.raises(TokenRequestRefused):
            credential.request_token(credential.build_request("s", None), NetworkSettings(10, 12))
    assert len(server.received) == 2
    assert clock.monotonic() - began < 12 + 10


@pytest.mark.parametrize("code", [70021, 7002121])
def test_a_platform_that_refuses_an_assertion_is_asked_once(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no assertion yet that the refusal could be about."""
    refused = json_answer(400, {"error": "invalid_request", "error_description": f"AADSTS{code}: No identity."})
    with CannedServer(refused) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        options = AppTokenOptions(tenant_id="t", client_id="c", federated_token_source="managed_identity")
        credential = create_credential("federated", options)
        with pytest.raises(TokenRequestRefused, match="App Service") as failed:
            credential.request_token(credential.build_request("s", None), NetworkSettings(30, 60))
    assert "assertion has" not in failed.value.message
    assert len(platform.received) == 1
