# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each platform mints an assertion by its own protocol; what it lacks or refuses is named."""

from __future__ import annotations

import json
import typing as t
import urllib.parse

import pytest
from canned_server import CannedServer, answer, json_answer, token_answer
from jwts import build_raw_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_sources import (
    ASSERTION_SOURCES,
    describe_missing_permission,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    FormSent = t.Callable[..., dict[str, str]]

# {"iss": "https://issuer.test"}
ASSERTION = "e30.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIudGVzdCJ9.c2ln"


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
        with pytest.raises(NetworkError, match="GitHub Actions responded") as failed:
            form_sent("federated")
    assert failed.value.hint
    assert "hunter2" not in str(failed.value)


# --- any issuer -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [None, "request_url"])
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/token?api-version=2.0", "/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"),
        ("/token", "/token?audience=api%3A%2F%2FAzureADTokenExchange"),
        ("/token?", "/token?audience=api%3A%2F%2FAzureADTokenExchange"),
        ("/token?a=%2F&b#part", "/token?a=%2F&b&audience=api%3A%2F%2FAzureADTokenExchange"),
        ("/token?audience=&a=1", "/token?a=1&audience=api%3A%2F%2FAzureADTokenExchange"),
        ("/token?audience=urn:own&a=1", "/token?audience=urn:own&a=1"),
    ],
)
def test_an_issuer_is_asked_as_github_is(source: str | None, path: str, target: str, form_sent: FormSent) -> None:
    with CannedServer(json_answer(200, {"value": ASSERTION})) as issuer:
        given = {"federated_token_request_url": issuer.url + path, "federated_token_request_token": "the-bearer"}
        assert form_sent("federated", federated_token_source=source, **given)["client_assertion"] == ASSERTION
    (request,) = issuer.received
    assert (request.method, request.target) == ("GET", target)
    assert request.headers["authorization"] == "Bearer the-bearer"


@pytest.mark.parametrize("origin", ["environment ARM_OIDC_REQUEST_URL", "option federated_token_request_url"])
def test_with_a_service_connection_the_environment_s_url_is_that_of_azure_pipelines(
    origin: str, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Terraform's providers take it; a URL that the call chose stays what it is."""
    monkeypatch.setenv("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "connection-1")
    with CannedServer(json_answer(200, {"oidcToken": ASSERTION, "value": ASSERTION})) as issuer:
        given = {"federated_token_request_url": issuer.url + "/oidc", "federated_token_request_token": "the-bearer"}
        form_sent("federated", **given, origins={"federated_token_request_url": origin})
    (request,) = issuer.received
    expected = ("POST", "/oidc?api-version=7.1&serviceConnectionId=connection-1")
    if origin.startswith("option"):
        expected = ("GET", "/oidc?audience=api%3A%2F%2FAzureADTokenExchange")
    assert (request.method, request.target) == expected


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "federated_token_request_url and federated_token_request_token"),
        ({"federated_token_request_url": "https://ci.test"}, "federated_token_request_token"),
        ({"federated_token_request_token": "hunter2"}, "federated_token_request_url"),
    ],
)
def test_half_of_a_request_url_is_refused(given: dict[str, str], missing: str, form_sent: FormSent) -> None:
    with pytest.raises(InputError, match=f"because {missing} (is|are) not given") as refused:
        form_sent("federated", federated_token_source="request_url", **given)
    assert refused.value.hint
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [
        (json_answer(401, {"message": "hunter2"}), "federated_token_request_token is new"),
        (json_answer(403, {"message": "hunter2"}), "may request assertions"),
        (json_answer(404, {}), "nothing is there"),
        (answer(405), "respond to a GET request"),
        (answer(500, "<html>hunter2</html>"), "Try again later"),
        (answer(200, "<html>hunter2</html>"), "JSON that has the assertion as value"),
        (json_answer(200, {"token": ASSERTION}), "JSON that has the assertion as value"),
        (json_answer(200, {"value": None}), "JSON that has the assertion as value"),
    ],
)
def test_an_issuer_that_mints_nothing_is_named_by_its_option(refusal: bytes, hint: str, form_sent: FormSent) -> None:
    with CannedServer(refusal) as issuer:
        given = {"federated_token_request_url": issuer.url, "federated_token_request_token": "hunter2"}
        with pytest.raises(NetworkError, match="federated_token_request_url responded with ") as failed:
            form_sent("federated", retry_for=0, **given)
    assert hint in str(failed.value.hint)
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_issuer_that_redirects_is_not_followed(status: int, form_sent: FormSent) -> None:
    """The bearer token would go along, and the other host may mint anything."""
    given = {"federated_token_request_token": "the-bearer"}
    with (
        CannedServer(json_answer(200, {"value": ASSERTION})) as other,
        CannedServer(answer(status, Location=f"{other.url}/token")) as issuer,
        pytest.raises(NetworkError, match=f"responded with {status} ") as failed,
    ):
        form_sent("federated", federated_token_request_url=issuer.url, **given)
    assert "redirects are not followed" in str(failed.value.hint)
    assert (len(issuer.received), other.received) == (1, [])


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Other: b", "schlüssel", "a\0b"])
def test_a_bearer_token_that_no_header_can_carry_is_refused(token: str, form_sent: FormSent) -> None:
    with CannedServer(json_answer(200, {"value": ASSERTION})) as issuer:
        given = {"federated_token_request_url": issuer.url, "federated_token_request_token": token}
        with pytest.raises(InputError, match="has characters that no token has") as refused:
            form_sent("federated", **given)
    assert token not in str(refused.value)
    assert issuer.received == []


def test_white_space_around_a_bearer_token_is_not_sent(form_sent: FormSent, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(json_answer(200, {"value": ASSERTION})) as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", " job-token\r\n")
        form_sent("federated")
    assert github.received[0].headers["authorization"] == "Bearer job-token"


def test_a_foreign_issuer_is_asked_by_the_proxy_and_this_machine_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for https sees the host's name alone."""
    mint = ASSERTION_SOURCES["request_url"].mint
    given = {"federated_token_request_url": "https://ci.test/token", "federated_token_request_token": "the-bearer"}
    with CannedServer(answer(403)) as proxy:
        network = NetworkSettings(30, 0, proxy=proxy.url)
        with pytest.raises(NetworkError, match="proxy") as failed:
            mint("api://audience", AppTokenOptions(**given), network)
        assert failed.value.hint
        (asked,) = proxy.received
        assert (asked.method, asked.target) == ("CONNECT", "ci.test:443")
        assert "the-bearer" not in str(asked)
        monkeypatch.setenv("http_proxy", proxy.url)
        with CannedServer(json_answer(200, {"value": ASSERTION})) as issuer:
            given["federated_token_request_url"] = issuer.url
            assert mint("api://audience", AppTokenOptions(**given), network) == ASSERTION
        assert len(proxy.received) == 1


@pytest.mark.parametrize("place", ["claim", "name of a claim", "JSON", "pieces"])
def test_an_issuer_does_not_have_its_bearer_shown_by_repeating_it(
    place: str, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message shows the claims of an assertion that Entra refuses, and the names in JSON that is no assertion."""
    bearer = "job-hunter2-" + "".join(f"{number:x}" for number in range(300, 420))
    echoes: dict[str, t.Any] = {
        "claim": {"sub": f"repo {bearer}"},
        "name of a claim": {bearer: 1},
        "JSON": {bearer: 1},
        "pieces": {bearer[at : at + 40]: 1 for at in range(0, len(bearer), 40)},
    }
    text = json.dumps(echoes[place])
    if "claim" in place:
        text = build_raw_jwt(text)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer)
    with CannedServer(json_answer(200, {"value": text})) as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", github.url)
        with pytest.raises(NetworkError, match="repeated the token that it was sent") as failed:
            form_sent("federated")
    assert bearer[:20] not in str(failed.value)


# --- safety and permissions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variable", ["ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI", "federated_token_request_url"]
)
def test_no_bearer_is_sent_to_a_foreign_host_in_clear_text(
    variable: str, form_sent: FormSent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"):
        monkeypatch.setenv(name, "x")
    sources = {"ACTIONS_ID_TOKEN_REQUEST_URL": "github_actions", "SYSTEM_OIDCREQUESTURI": "azure_pipelines"}
    given = {"federated_token_request_url": "http://ci.test/x", "federated_token_request_token": "x"}
    monkeypatch.setenv(variable, "http://ci.test/x")
    with pytest.raises(InputError, match=f"^{variable} is not an https URL"):
        form_sent("federated", federated_token_source=sources.get(variable, "request_url"), **given)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, None),
        ({"GITHUB_ACTIONS": "true"}, "Give the job of GitHub Actions the permission id-token: write"),
        ({"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}, None),
        ({"SYSTEM_OIDCREQUESTURI": "https://x"}, "as SYSTEM_ACCESSTOKEN into the environment"),
        ({"SYSTEM_OIDCREQUESTURI": "https://x", "SYSTEM_ACCESSTOKEN": "t"}, None),
    ],
)
def test_a_job_without_the_permission_is_recognized(
    environment: dict[str, str], sentence: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = describe_missing_permission()
    assert (found is None) is (sentence is None)
    assert (sentence or "") in (found or "")


@pytest.mark.parametrize(
    ("options", "environment", "named"),
    [
        ({}, {"ACTIONS_ID_TOKEN_REQUEST_URL": "CLOSED", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"},
         "ACTIONS_ID_TOKEN_REQUEST_URL"),
        ({}, {"SYSTEM_OIDCREQUESTURI": "CLOSED", "SYSTEM_ACCESSTOKEN": "t",
              "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID": "c"}, "SYSTEM_OIDCREQUESTURI"),
        ({"federated_token_request_url": "CLOSED", "federated_token_request_token": "t"}, {},
         "federated_token_request_url"),
    ],
)  # fmt: skip
def test_an_issuer_that_is_not_reached_is_named_by_its_variable_or_option(
    options: dict[str, str],
    environment: dict[str, str],
    named: str,
    form_sent: FormSent,
    monkeypatch: pytest.MonkeyPatch,
    clock: t.Any,
) -> None:
    closed = "http://127.0.0.1:9"
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("CLOSED", closed))
    with pytest.raises(NetworkError, match=r"No connection to 127\.0\.0\.1:9") as failed:
        form_sent("federated", **{name: value.replace("CLOSED", closed) for name, value in options.items()})
    assert failed.value.hint == f"Check {named}, the firewall and the proxy."
