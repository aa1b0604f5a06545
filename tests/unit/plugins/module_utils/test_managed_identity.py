# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each platform is asked for its managed identity in its own way, directly, and its refusals are readable."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
import typing as t
import urllib.parse

import pytest
import trustme
from canned_server import CannedServer, answer, hang_up, json_answer, silence, token_answer

from ansible_collections.entra.auth.plugins.module_utils import _arc_key
from ansible_collections.entra.auth.plugins.module_utils import _managed_identity as module
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    import pathlib

    from ansible_collections.entra.auth.plugins.module_utils._token import Token

ARM = "https://management.azure.com/"
SELECTORS = [
    ("managed_identity_client_id", "the-client"),
    ("managed_identity_object_id", "the-object"),
    ("managed_identity_resource_id", "/subscriptions/s/the resource"),
]


class Waits(t.Protocol):
    """The clock of conftest.py."""

    slept: list[float]


@pytest.fixture(autouse=True)
def no_agent_here(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """On this machine no agent of Azure Arc is installed."""
    monkeypatch.setattr(module, "_ARC_AGENT", str(tmp_path / "no-agent"))


def ask(retry_for: float = 10, timeout: float = 30, **options: t.Any) -> Token:
    credential = create_credential("managed_identity", AppTokenOptions(**options))
    request = credential.build_request(f"{ARM}/.default", None)
    return credential.request_token(request, NetworkSettings(timeout, retry_for, proxy="http://127.0.0.1:1"))


def failure(kind: type[EntraAuthError] = NetworkError, **options: t.Any) -> EntraAuthError:
    with pytest.raises(kind) as failed:
        ask(**options)
    assert failed.value.hint
    assert str(failed.value).isprintable()
    return failed.value


def query_of(server: CannedServer, index: int = 0) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(server.received[index].target).query))


@pytest.mark.parametrize(
    ("environment", "platform"),
    [
        ("", "virtual machine"),
        ("IDENTITY_ENDPOINT IDENTITY_HEADER IDENTITY_SERVER_THUMBPRINT", "Service Fabric"),
        ("IDENTITY_ENDPOINT IDENTITY_HEADER", "App Service"),
        ("IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET", "App Service"),
        ("IDENTITY_ENDPOINT IMDS_ENDPOINT", "Azure Arc"),
        ("MSI_ENDPOINT MSI_SECRET", "Azure Machine Learning or App Service of 2017"),
        ("MSI_ENDPOINT", "Cloud Shell"),
        ("IDENTITY_HEADER MSI_SECRET IMDS_ENDPOINT", "virtual machine"),
    ],
)
def test_a_platform_is_known_by_its_variables(environment: str, platform: str) -> None:
    assert module.detect_platform(dict.fromkeys(environment.split(), "x")).name == platform


def test_an_empty_variable_is_no_platform() -> None:
    names = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET")
    assert module.detect_platform(dict.fromkeys(names, "")).name == "virtual machine"


def test_an_agent_of_azure_arc_is_found_without_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "himds").touch()
    monkeypatch.setattr(module, "_ARC_AGENT", str(tmp_path / "himds"))
    assert module.detect_platform({}).name == "Azure Arc"


# --- each platform ----------------------------------------------------------------------------------------------


# Without its header, IMDS refuses at once; that is how it is known.
PROBED = answer(400)


def imds(*answers: t.Any) -> CannedServer:
    return CannedServer(PROBED, *answers)


def test_a_virtual_machine_asks_imds(monkeypatch: pytest.MonkeyPatch) -> None:
    with imds(token_answer(expires_in="86400", resource=ARM)) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"{server.url}/")
        token = ask()
    assert token.access_token == "canned-token"
    assert token.expires_on - token.issued_on == 86400
    probe, request = server.received
    assert (request.method, request.headers["metadata"]) == ("GET", "true")
    assert urllib.parse.urlsplit(request.target).path == "/metadata/identity/oauth2/token"
    assert query_of(server, 1) == {"api-version": "2018-02-01", "resource": ARM}
    assert "metadata" not in probe.headers


@pytest.mark.parametrize(("option", "value"), SELECTORS)
def test_a_virtual_machine_is_told_which_identity(option: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with imds(token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        ask(**{option: value})
    name = {"client_id": "client_id", "object_id": "object_id", "resource_id": "msi_res_id"}
    selected = name[option.removeprefix("managed_identity_")]
    assert query_of(server, 1) == {"api-version": "2018-02-01", "resource": ARM, selected: value}


@pytest.mark.parametrize("status", [404, 410, 429, 500, 503])
def test_imds_that_is_busy_is_asked_again(status: int, monkeypatch: pytest.MonkeyPatch, clock: Waits) -> None:
    with imds(answer(status), token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert ask(retry_for=60).access_token == "canned-token"
    assert len(server.received) == 3


@pytest.mark.parametrize(("header", "seconds"), [({"Retry_After": "7"}, 7), ({}, 30)], ids=str)
def test_a_busy_endpoint_says_when_to_retry(
    header: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(answer(429, **header)) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        assert failure(retry_for=0).retry_after == seconds


@pytest.mark.parametrize("status", [410, 429, 500, 503])
def test_imds_that_is_busy_when_it_is_probed_is_asked_all_the_same(
    status: int, monkeypatch: pytest.MonkeyPatch, clock: Waits
) -> None:
    with CannedServer(answer(status), token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert ask(retry_for=60).access_token == "canned-token"


def test_imds_is_not_asked_longer_than_it_may_be_away(monkeypatch: pytest.MonkeyPatch, clock: Waits) -> None:
    with imds(answer(410)) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        failure(retry_for=10000)
    assert 40 < sum(clock.slept) <= 70


@pytest.mark.parametrize("status", [200, 302, 401, 403])
def test_what_answers_in_the_place_of_imds_is_told_at_once(
    status: int, monkeypatch: pytest.MonkeyPatch, clock: Waits
) -> None:
    with CannedServer(answer(status, "hunter2", Location="http://127.0.0.1:1")) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        error = failure(retry_for=60)
    assert error.message.startswith("No managed identity endpoint responds here. ")
    assert f"({status})" in error.message
    assert "hunter2" not in str(error)
    assert len(server.received) == 1
    assert clock.slept == []


def test_a_404_is_of_another_cloud_if_it_stays_and_is_not_signed(monkeypatch: pytest.MonkeyPatch, clock: Waits) -> None:
    with CannedServer(answer(404, Server="EC2ws")) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert "(404) is not that of Azure" in failure(retry_for=60).message
    assert len(server.received) == 2
    assert sum(clock.slept) < 1


def test_one_404_does_not_mean_that_this_is_not_azure(monkeypatch: pytest.MonkeyPatch, clock: Waits) -> None:
    with CannedServer(answer(404), PROBED, token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert ask(retry_for=60).access_token == "canned-token"


def test_a_404_of_imds_itself_is_retried_for_as_long_as_an_update_may_take(
    monkeypatch: pytest.MonkeyPatch, clock: Waits
) -> None:
    updating = answer(404, Server="IMDS/150.870.65.1854")
    with CannedServer(*[updating] * 4, token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert ask(retry_for=120).access_token == "canned-token"
    assert [bool(urllib.parse.urlsplit(one.target).query) for one in server.received] == [False, *[True] * 4]


def test_imds_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first response may take longer than a connection may take to be made."""
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 0.05)

    def respond_late(connection: socket.socket) -> None:
        threading.Event().wait(0.3)
        connection.sendall(PROBED)

    with CannedServer(respond_late, token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert ask().access_token == "canned-token"
    assert len(server.received) == 2


def test_a_lost_connection_to_imds_is_retried_once(monkeypatch: pytest.MonkeyPatch, clock: Waits) -> None:
    with CannedServer(hang_up, PROBED, token_answer()) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert ask().access_token == "canned-token"
    with CannedServer(hang_up) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert failure().message.startswith("No managed identity endpoint responds here. ")
    assert len(server.received) == 2


def test_where_nothing_answers_it_says_that_there_is_no_identity(monkeypatch: pytest.MonkeyPatch, clock: Waits) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    error = failure(retry_for=60)
    assert error.message.startswith("No managed identity endpoint responds here. ")
    assert "another credential" in str(error.hint)
    assert clock.slept == []


def test_a_service_that_never_responds_is_given_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(silence) as server:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
        assert "did not respond completely" in failure(timeout=0.2, retry_for=90).message
    assert len(server.received) == 1


def test_two_attempts_to_connect_take_less_than_two_seconds() -> None:
    assert 2 * module._CONNECT_SECONDS < 2


@pytest.mark.parametrize(
    "environment",
    [
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT IDENTITY_HEADER",
        "IDENTITY_ENDPOINT IDENTITY_HEADER IDENTITY_SERVER_THUMBPRINT",
        "IDENTITY_ENDPOINT IMDS_ENDPOINT",
        "MSI_ENDPOINT MSI_SECRET",
        "MSI_ENDPOINT",
    ],
)
def test_nothing_is_sent_to_a_foreign_host_in_clear_text(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host stands for a foreign one because it has a name; it would answer with a token."""
    with CannedServer(token_answer()) as server:
        for name in environment.split():
            monkeypatch.setenv(name, f"http://{socket.gethostname()}:{server.port}")
        error = failure(InputError)
    assert f"{environment.split(maxsplit=1)[0]} is not an https URL" in error.message
    assert server.received == []


def test_app_service_is_asked_with_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer(expires_in=None, expires_on="4102444800")) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "the-header")
        ask()
    (request,) = platform.received
    assert request.headers["x-identity-header"] == "the-header"
    assert query_of(platform) == {"api-version": "2019-08-01", "resource": ARM}


@pytest.mark.parametrize(("option", "value"), SELECTORS)
def test_app_service_is_told_which_identity(option: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer()) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/msi/token?a=b")
        monkeypatch.setenv("IDENTITY_HEADER", "the-header")
        ask(**{option: value})
    names = {"client_id": "client_id", "object_id": "principal_id", "resource_id": "mi_res_id"}
    selected = names[option.removeprefix("managed_identity_")]
    assert query_of(platform) == {"a": "b", "api-version": "2019-08-01", "resource": ARM, selected: value}


def test_azure_ml_is_asked_with_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer()) as platform:
        monkeypatch.setenv("MSI_ENDPOINT", platform.url)
        monkeypatch.setenv("MSI_SECRET", "the-secret")
        ask()
        monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", "by-default")
        ask()
        ask(managed_identity_client_id="chosen")
    assert platform.received[0].headers["secret"] == "the-secret"
    assert query_of(platform) == {"api-version": "2017-09-01", "resource": ARM}
    assert [query_of(platform, index)["clientid"] for index in (1, 2)] == ["by-default", "chosen"]


def test_cloud_shell_is_asked_with_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer()) as platform:
        monkeypatch.setenv("MSI_ENDPOINT", platform.url)
        ask()
    (request,) = platform.received
    assert (request.method, request.headers["metadata"]) == ("POST", "true")
    assert dict(urllib.parse.parse_qsl(request.body)) == {"resource": ARM}


def test_service_fabric_is_asked_over_a_pinned_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.configure_cert(context)
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    with CannedServer(token_answer(), tls=context) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "the-header")
        monkeypatch.setenv(
            "IDENTITY_SERVER_THUMBPRINT",
            hashlib.sha1(der).hexdigest().upper(),  # noqa: S324 - what the platform hands out
        )
        ask()
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "0" * 40)
        failure()
    (request,) = platform.received
    assert request.headers["secret"] == "the-header"
    assert query_of(platform) == {"api-version": "2019-07-01-preview", "resource": ARM}


@pytest.mark.parametrize("count", [2, 3])
def test_more_than_one_identity_is_refused_before_anybody_is_asked(count: int) -> None:
    assert failure(InputError, **dict(SELECTORS[:count])).message.startswith("More than one of managed_identity_")


@pytest.mark.parametrize(
    ("environment", "options", "platform"),
    [
        ("MSI_ENDPOINT", SELECTORS, "Cloud Shell"),
        ("MSI_ENDPOINT MSI_SECRET", SELECTORS[1:], "Azure Machine Learning"),
        ("IDENTITY_ENDPOINT IDENTITY_HEADER IDENTITY_SERVER_THUMBPRINT", SELECTORS, "Service Fabric"),
    ],
)
def test_a_platform_that_can_t_choose_says_so_before_it_is_asked(
    environment: str, options: list[tuple[str, str]], platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment.split():
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for option, value in options:
        error = failure(InputError, **{option: value})
        assert error.message.startswith(platform)
        assert "does not let a task choose the identity" in error.message


# --- Azure Arc --------------------------------------------------------------------------------------------------


@pytest.fixture
def arc(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> pathlib.Path:
    """The directory of the agent's key files."""
    monkeypatch.setattr(_arc_key, "_KEY_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("IMDS_ENDPOINT", "http://127.0.0.1:1")
    return tmp_path


def challenge(path: object, form: str = 'Basic realm="{}"') -> bytes:
    return answer(401, WWW_Authenticate=form.format(path))


@pytest.mark.parametrize("form", ["Basic realm={}", 'Basic realm="{}"', 'basic  Realm="{}" '])
def test_azure_arc_is_answered_with_the_content_of_its_key_file(
    form: str, arc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (arc / "a.key").write_text("the-key")
    with CannedServer(challenge(arc / "a.key", form), token_answer()) as agent:
        monkeypatch.setenv("IDENTITY_ENDPOINT", agent.url)
        assert ask().access_token == "canned-token"
    first, second = agent.received
    assert "authorization" not in first.headers
    assert second.headers["authorization"] == "Basic the-key"
    assert query_of(agent) == query_of(agent, 1) == {"api-version": "2020-06-01", "resource": ARM}
    assert (first.headers["metadata"], second.headers["metadata"]) == ("true", "true")


def test_an_agent_that_does_not_challenge_is_taken_at_its_word(
    arc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(token_answer()) as agent:
        monkeypatch.setenv("IDENTITY_ENDPOINT", agent.url)
        assert ask().access_token == "canned-token"


@pytest.mark.parametrize(
    "path",
    ["/etc/shadow", "{}/../a.key", "{}/sub/a.key", "{}/a.pem", "{}/", "a.key", "", "{}/link.key", "{}/a.key\x00"],
)
def test_no_file_but_a_key_of_the_agent_is_ever_sent(
    path: str, arc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.key", "a.pem", "target"):
        (arc / name).write_text("hunter2")
    (arc / "link.key").symlink_to(arc / "target")
    with CannedServer(challenge(path.format(arc))) as agent:
        monkeypatch.setenv("IDENTITY_ENDPOINT", agent.url)
        failure()
    assert len(agent.received) == 1


@pytest.mark.parametrize(("option", "value"), SELECTORS)
@pytest.mark.parametrize("obeys", [True, False])
def test_an_older_agent_that_ignores_the_selector_is_caught(
    obeys: bool, option: str, value: str, arc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"client_id": "client_id", "object_id": "object_id", "resource_id": "msi_res_id"}
    name = names[option.removeprefix("managed_identity_")]
    (arc / "a.key").write_text("the-key")
    told = token_answer(**{name: value.upper()}) if obeys else token_answer(client_id="of-the-system")
    with CannedServer(challenge(arc / "a.key"), told) as agent:
        monkeypatch.setenv("IDENTITY_ENDPOINT", agent.url)
        if obeys:
            ask(**{option: value})
        else:
            assert "another identity" in failure(**{option: value}).message
    assert query_of(agent)[name] == value


def test_a_response_that_names_another_identity_is_refused_on_every_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    with CannedServer(token_answer(client_id="of-the-system")) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        assert "(App Service) responded for another identity" in failure(managed_identity_client_id="m").message
        assert ask(managed_identity_object_id="o").access_token == "canned-token"


def test_an_agent_that_answers_a_selector_with_junk_is_an_error(
    arc: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (arc / "a.key").write_text("the-key")
    with CannedServer(challenge(arc / "a.key"), answer(200, "junk")) as agent:
        monkeypatch.setenv("IDENTITY_ENDPOINT", agent.url)
        failure(managed_identity_client_id="m")


# --- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"error": "invalid_request", "error_description": "Identity not found"}', "Identity not found"),
        ('{"statusCode": 400, "message": "No MSI found."}', "No MSI found"),
        ('{"error": {"code": "x", "message": "Not assigned"}}', "Not assigned"),
        ('{"error": "just_this"}', "just_this"),
        ('{"error_description": "a\\u001b[31m\\r\\nb"}', "a [31m b"),
        ("<html>", "without a reason"),
        ("[]", "without a reason"),
        ("{}", "without a reason"),
        ("", "without a reason"),
    ],
)
def test_a_refusal_is_told_in_the_platform_s_words(body: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(answer(400, body, x_ms_request_id="r-1")) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "hunter2")
        error = failure(TokenRequestRefused)
    assert error.message == f"The managed identity endpoint (App Service) responded with 400: {shown}."
    assert error.response.correlation_id == "r-1"
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Multiple user assigned identities exist, please specify the clientId", "because it has several"),
        ("Identity not found", "Assign an identity"),
        ("Made up", "Check that the resource has the requested identity"),
    ],
)
def test_a_refusal_has_the_fix_for_its_reason(said: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = json_answer(400, {"error": "invalid_request", "error_description": said}, x_ms_request_id="a\x1b[31mb")
    with CannedServer(refused) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        error = failure(TokenRequestRefused)
    assert hint in error.hint
    assert str(error).isprintable()


@pytest.mark.parametrize("status", [400, 401, 403, 405, 404, 408, 410, 429, 500, 503])
def test_a_refusal_is_final_unless_the_same_request_may_succeed_later(
    status: int, monkeypatch: pytest.MonkeyPatch, clock: Waits
) -> None:
    """A final one holds for the whole run."""
    is_final = status in (400, 401, 403, 405)
    with CannedServer(json_answer(status, {"message": "Identity not found"})) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        error = failure(TokenRequestRefused if is_final else NetworkError)
    assert error.retry_after == (None if is_final else 30)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (answer(200, "<html>"), "responded with 200, but without a JSON object"),
        (json_answer(200, {}), "responded with 200, but without an access token"),
        (token_answer(access_token="a b"), "characters that no bearer token has"),
        (token_answer(token_type="pop"), "not of the type Bearer"),
        (token_answer(expires_in=-1), "has already expired"),
    ],
)
def test_advice_about_a_response_is_not_that_about_a_login_host(
    response: t.Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CannedServer(response) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        error = failure()
    assert error.message.startswith("The managed identity endpoint (App Service) ")
    assert said in error.message
    assert "endpoint that the variables of the platform name" in error.hint
    assert "authority" not in error.hint


def test_a_refusal_does_not_repeat_the_secret_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"message": "It was platform-hunter2+secret, or platform-hunter2%2Bsecret."}
    with CannedServer(json_answer(400, said, x_ms_request_id="platform-hunter2+secret")) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "platform-hunter2+secret")
        error = failure(TokenRequestRefused)
    assert "It was ********, or ********" in error.message
    assert "hunter2" not in f"{error} {error.to_fields()} {error.response}"


def test_a_refusal_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(json_answer(400, {"message": "x" * 9999})) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        message = failure(TokenRequestRefused).message
    assert "x" * 299 in message
    assert "x" * 300 not in message


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/x", "http://"])
def test_an_endpoint_that_is_no_url_is_a_readable_failure(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", url)
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    failure(InputError)


def test_no_proxy_ever_sees_a_request_for_an_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer()) as platform, CannedServer(answer(500)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        ask(proxy=proxy.url)
    assert proxy.received == []
    assert "http_proxy" in os.environ


@pytest.mark.parametrize(
    ("scope", "resource"),
    [
        ("https://management.azure.com//.default", "https://management.azure.com/"),
        ("https://management.azure.com/.default", "https://management.azure.com"),
        ("api://app/.default", "api://app"),
        ("api://app", "api://app"),
    ],
)
def test_the_resource_keeps_its_last_slash(scope: str, resource: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer(token_answer()) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "h")
        credential = create_credential("managed_identity", AppTokenOptions())
        credential.request_token(credential.build_request(scope, None), NetworkSettings(30, 30))
    assert query_of(platform)["resource"] == resource
