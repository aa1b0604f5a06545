# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An assertion of another issuer is taken from where it is, anew for each request, and told where Entra refuses it."""

from __future__ import annotations

import base64
import json
import typing as t
import urllib.parse

import pytest
from canned_server import CannedServer, answer, json_answer, token_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    InputError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    import pathlib

    FormSent = t.Callable[..., dict[str, str]]


class Waits(t.Protocol):
    """The clock of conftest.py."""

    slept: list[float]


def jwt(**claims: t.Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.c2ln"


ASSERTION = jwt(iss="https://issuer.test", sub="repo:o/r:environment:prod", aud="api://AzureADTokenExchange")


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
    for text in (jwt(jti="first"), jwt(jti="second")):
        path.write_text(f"{text}\n")
        assert form_sent("federated", federated_token_file=str(path))["client_assertion"] == text


def test_a_file_that_changes_while_entra_is_asked_again_is_read_again(tmp_path: pathlib.Path, clock: Waits) -> None:
    path = tmp_path / "token"
    path.write_text(jwt(jti="first"))

    def not_yet(connection: t.Any) -> None:
        path.write_text(jwt(jti="second"))
        connection.sendall(json_answer(400, {"error": "invalid_request", "error_codes": [70021]}))

    with CannedServer(not_yet, token_answer()) as server:
        options = AppTokenOptions(
            tenant_id="t", client_id="c", authority=server.url, federated_token_file=str(path), retry_for=60
        )
        credential = create_credential("federated", options)
        credential.request_token(credential.build_request("s", None), NetworkSettings(30, 60))
    forms = [dict(urllib.parse.parse_qsl(request.body)) for request in server.received]
    assert [form["client_assertion"] for form in forms] == [jwt(jti="first"), jwt(jti="second")]


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


@pytest.mark.parametrize("source", [None, "github_actions"])
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/token?api-version=2.0", "/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"),
        ("/token", "/token?audience=api%3A%2F%2FAzureADTokenExchange"),
    ],
)
def test_github_actions_mints_an_assertion(
    source: str | None, path: str, target: str, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(json_answer(200, {"count": 1, "value": ASSERTION})) as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.url + path)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token")
        assert form_sent("federated", federated_token_source=source)["client_assertion"] == ASSERTION
    (request,) = github.received
    assert (request.method, request.target) == ("GET", target)
    assert request.headers["authorization"] == "Bearer job-token"


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [
        ("public", "api://AzureADTokenExchange"),
        ("usgov", "api://AzureADTokenExchangeUSGov"),
        ("usgov_dod", "api://AzureADTokenExchangeUSGov"),
        ("china", "api://AzureADTokenExchangeChina"),
    ],
)
def test_an_assertion_is_minted_for_the_cloud(
    cloud: str, audience: str, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(json_answer(200, {"value": ASSERTION})) as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token")
        form_sent("federated", cloud=cloud)
    query = urllib.parse.urlsplit(github.received[0].target).query
    assert urllib.parse.parse_qs(query) == {"audience": [audience]}


@pytest.mark.parametrize("source", [None, "azure_pipelines"])
@pytest.mark.parametrize(
    "variable",
    [
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
    ],
)
def test_azure_pipelines_mints_an_assertion(
    source: str | None, variable: str, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(json_answer(200, {"oidcToken": ASSERTION})) as pipelines:
        monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", f"{pipelines.url}/oidc")
        monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "step-token")
        monkeypatch.setenv(variable, "connection-1")
        assert form_sent("federated", federated_token_source=source)["client_assertion"] == ASSERTION
    (request,) = pipelines.received
    assert request.method == "POST"
    assert request.target == "/oidc?api-version=7.1&serviceConnectionId=connection-1"
    assert request.headers["authorization"] == "Bearer step-token"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-tfs-fedauthredirect"] == "Suppress"
    assert request.body == ""


def test_a_managed_identity_mints_an_assertion(form_sent: FormSent, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer(access_token=ASSERTION)) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/msi")
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        sent = form_sent("federated", federated_token_source="managed_identity", managed_identity_client_id="m")
    assert sent["client_assertion"] == ASSERTION
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(platform.received[0].target).query))
    assert query == {"api-version": "2019-08-01", "resource": "api://AzureADTokenExchange", "client_id": "m"}


@pytest.mark.parametrize(
    ("source", "environment", "missing"),
    [
        ("github_actions", {}, "ACTIONS_ID_TOKEN_REQUEST_URL"),
        ("github_actions", {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1"}, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        ("azure_pipelines", {}, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
        ("azure_pipelines", {"ARM_OIDC_AZURE_SERVICE_CONNECTION_ID": "c"}, "SYSTEM_OIDCREQUESTURI"),
        (
            "azure_pipelines",
            {"ARM_OIDC_AZURE_SERVICE_CONNECTION_ID": "c", "SYSTEM_OIDCREQUESTURI": "http://127.0.0.1:1"},
            "SYSTEM_ACCESSTOKEN",
        ),
    ],
)
def test_what_a_platform_lacks_is_named(
    source: str,
    environment: dict[str, str],
    missing: str,
    form_sent: FormSent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=missing) as refused:
        form_sent("federated", federated_token_source=source)
    assert refused.value.hint


@pytest.mark.parametrize(
    "refusal",
    [
        json_answer(403, {"message": "hunter2"}),
        json_answer(200, {"value": ""}),
        json_answer(200, {"value": 5}),
        json_answer(200, {}),
        json_answer(200, []),
        answer(200, "<html>hunter2</html>"),
        answer(302, Location="https://login.test"),
        json_answer(401, {"value": ASSERTION}),
    ],
)
def test_a_platform_that_mints_nothing_is_named(
    refusal: bytes, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(refusal) as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-hunter2")
        with pytest.raises(NetworkError, match="GitHub Actions answered") as failed:
            form_sent("federated")
    assert failed.value.hint
    assert "hunter2" not in str(failed.value)


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
    assert "What was sent" not in str(refused(code)[0])


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
        with pytest.raises(TokenRequestRefused, match=r"What was sent: issuer 'https://issuer.test'"):
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


def test_managed_identities_that_mint_are_told_apart() -> None:
    chosen = [{}, {"managed_identity_client_id": "a"}, {"managed_identity_object_id": "a"}]
    chosen += [{"managed_identity_resource_id": "a"}, {"managed_identity_client_id": "b"}]
    found = {fingerprint(federated_token_source="managed_identity", **one) for one in chosen}
    assert len(found) == len(chosen)
