# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program az is run without a shell, for a limited time and output; its errors become ours."""

from __future__ import annotations

import json
import pathlib
import shlex
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    InputError,
    NetworkError,
    TokenRequestRefused,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import azure_cli_process
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.azure_cli_process import request_cli_token
from plays import wait_until

if t.TYPE_CHECKING:
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

SCOPE = "https://graph.microsoft.com/.default"
LATER = int(time.time()) + 3600
GOOD: dict[str, t.Any] = {"accessToken": "the-token", "tokenType": "Bearer", "expires_on": LATER, "tenant": "t"}
IDS = "Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-06-24 00:46:34Z"

Program = t.Callable[[str], None]


@pytest.fixture
def az(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes a shell script the program."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(script: str) -> None:
        (tmp_path / "az").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "az").chmod(0o755)

    return make


def ask(tenant_id: str | None = None, claims: str | None = None, timeout: float = 60) -> Token:
    return request_cli_token([SCOPE], tenant_id, claims, timeout)


def failure(kind: type[EntraAuthError], **more: t.Any) -> EntraAuthError:
    with pytest.raises(kind) as failed:
        ask(**more)
    assert failed.value.hint
    assert failed.value.__context__ is None
    assert str(failed.value).isprintable()
    assert "hunter2" not in str(failed.value)
    return failed.value


def answer(**fields: t.Any) -> str:
    body = {name: value for name, value in {**GOOD, **fields}.items() if value is not None}
    return f"echo {shlex.quote(json.dumps(body))}"


def complain(text: str, status: int = 1) -> str:
    return f"printf '%s\\n' {shlex.quote(text)} >&2; exit {status}"


# --- how it is run ----------------------------------------------------------------------------------------------


def test_the_arguments_are_a_list(az: Program, tmp_path: pathlib.Path) -> None:
    az(f'for one; do echo "$one"; done > {tmp_path}/arguments; pwd > {tmp_path}/directory\n{answer()}')
    ask("contoso.com")
    expected = ["account", "get-access-token", "--output", "json", "--scope", SCOPE, "--tenant", "contoso.com"]
    assert (tmp_path / "arguments").read_text().splitlines() == expected
    assert (tmp_path / "directory").read_text() == "/\n"


def test_its_environment_has_no_secret_of_the_options(
    az: Program, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    az(f"env > {tmp_path}/environment\n{answer()}")
    secret = ("ENTRA_AUTH_CLIENT_SECRET", "ENTRA_AUTH_CACHE", "AZURE_CLIENT_SECRET", "ARM_OIDC_REQUEST_TOKEN")
    for name in (*secret, "AZURE_CONFIG_DIR", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "value")
    ask()
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert not names.intersection(secret)
    assert {"AZURE_CONFIG_DIR", "HTTPS_PROXY", "PATH", "AZURE_CORE_NO_COLOR", "AZURE_CORE_ONLY_SHOW_ERRORS"} <= names


def test_its_input_is_empty(az: Program) -> None:
    az(f'read line && echo "hunter2" >&2\n{answer()}')
    assert ask().access_token == "the-token"


def test_it_is_ended_with_its_children_when_it_takes_too_long(az: Program, tmp_path: pathlib.Path) -> None:
    az(f"sleep 600 & echo $! > {tmp_path}/child; wait")
    assert "did not respond in time" in failure(NetworkError, timeout=0.5).message
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: _state_of(child) in (None, "Z", "X"))


def _state_of(process: int) -> str | None:
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def test_a_child_that_it_leaves_behind_is_not_waited_for(az: Program) -> None:
    az(f"sleep 20 &\n{answer()}")
    began = time.monotonic()
    assert ask().access_token == "the-token"
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_is_cut_off(az: Program, stream: int) -> None:
    az(f"yes hunter2 >&{stream}")
    assert "more than 1 MiB" in failure(NetworkError).message


def test_a_program_that_is_not_there_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not installed on the control node" in failure(InputError).message


def test_a_program_without_its_python_is_told(az: Program) -> None:
    """The status is that of the shell that runs the program."""
    az("exec /nowhere/python -m azure.cli")
    assert "not installed on the control node" in failure(InputError).message


def test_a_program_that_can_t_be_started_is_told(az: Program, tmp_path: pathlib.Path) -> None:
    az("")
    (tmp_path / "az").write_text("#!/nowhere/python\n")
    assert "can't be started: No such file or directory" in failure(InputError).message


# --- what it answers --------------------------------------------------------------------------------------------


def test_the_token_ends_when_the_program_says(az: Program) -> None:
    az(answer())
    before = time.time()
    token = ask()
    assert (token.access_token, token.expires_on) == ("the-token", LATER)
    assert before <= token.issued_on <= time.time()
    assert token.refresh_token is None


def test_an_older_program_names_the_end_in_local_time(az: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    local = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(LATER))
    az(answer(expires_on=None, expiresOn=local))
    try:
        assert ask().expires_on == LATER
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "form",
    [
        "WARNING: {not JSON}\nMoving to another directory\n%s",
        "\ufeff%s\r\n",
        "%s\nA new version is available.\n",
        "\r\n%s",
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_text_around_the_answer_is_passed_over(az: Program, form: str, indent: int | None) -> None:
    """Of a script that starts the CLI, in a container or on Windows."""
    body = json.dumps(GOOD, indent=indent)
    az(f"printf %s {shlex.quote(form % body)}")
    assert ask().access_token == "the-token"
    az(f"printf %s {shlex.quote(form % body)} | sed 's/$/\\r/'")
    assert ask().access_token == "the-token"


@pytest.mark.parametrize(
    "output",
    [
        "hunter2",
        '["hunter2"]',
        "null",
        "",
        {"accessToken": None},
        {"accessToken": 5},
        {"accessToken": ""},
        {"accessToken": "hunter2", "tokenType": "pop"},
        {"accessToken": "hunter2", "tokenType": None, "expires_on": "x"},
        {"accessToken": "hunter2", "expires_on": None},
        {"accessToken": "hunter2", "expires_on": None, "expiresOn": "tomorrow"},
        "[" * 20000,
    ],
    ids=range(12),
)
def test_anything_but_a_bearer_token_is_refused_without_showing_it(az: Program, output: str | dict[str, t.Any]) -> None:
    az(answer(**output) if isinstance(output, dict) else f"printf %s {shlex.quote(output)}")
    assert "something other than a bearer token" in failure(NetworkError).message


def test_a_token_that_has_expired_is_refused(az: Program) -> None:
    az(answer(accessToken="hunter2", expires_on=1000))
    assert "already expired" in failure(NetworkError).message


# --- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        (
            "ERROR: Please run 'az login' to setup account.",
            InputError,
            "The Azure CLI is not signed in.",
            f"az login --scope {SCOPE}",
        ),
        (
            "ERROR: User 'a@b.example' does not exist in MSAL token cache. Run `az login`.",
            InputError,
            "not signed in",
            "az login",
        ),
        ("ERROR: Can't find token from MSAL cache.", InputError, "not signed in", "az login"),
        (
            "ERROR: No subscription found. Run 'az account set' to select a subscription.",
            InputError,
            "not signed in",
            "az login",
        ),
        (
            "ERROR: Tenant shouldn't be specified for managed identity account",
            InputError,
            "Tenant shouldn't be specified",
            "Remove tenant_id",
        ),
        (
            "ERROR: For managed identity account, getting access token for non-current tenants is not supported. The "
            "specified tenant must be the current tenant 11111111-1111-4111-8111-111111111111",
            InputError,
            "must be the current tenant 11111111-1111-4111-8111-111111111111.",
            "Remove tenant_id, or set it to that tenant.",
        ),
        (
            "ERROR: Interactive authentication is needed. Please run:\naz logout\naz login",
            InputError,
            "not signed in",
            "az login",
        ),
        ("ERROR: unrecognized arguments: --scope x", InputError, "unrecognized arguments", "Update the Azure CLI"),
        (
            "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded with url: /x",
            NetworkError,
            "Max retries exceeded",
            "HTTPS_PROXY",
        ),
        ("Traceback (most recent call last):\nValueError: x", NetworkError, "Traceback", "az account get-access-token"),
        ("", NetworkError, "failed with status 1: it gave no reason", "az account get-access-token"),
        ("WARNING: x\nERROR: the reason", NetworkError, "failed with status 1: the reason.", "az account"),
    ],
)
def test_what_the_program_complains_about_is_told_with_a_fix(
    az: Program, text: str, kind: type[EntraAuthError], message: str, hint: str
) -> None:
    az(complain(text))
    error = failure(kind)
    assert message in error.message
    assert hint in str(error.hint)
    assert error.response.error_codes == ()


@pytest.mark.parametrize(
    ("codes", "cause", "hint"),
    [
        *[(azure_cli_process._EXPIRED, "sign-in of the Azure CLI has expired", "az login --tenant contoso.com")],
        *[(azure_cli_process._OTHER_TENANT, "does not belong to this tenant", "Correct tenant_id, or run 'az login")],
        *[(azure_cli_process._POLICY, "a conditional access policy asks for more", "and pass the check")],
        *[(azure_cli_process._NOT_PERMITTED, "may not use this API", "Microsoft Graph the app of the Azure CLI has")],
        *[({500011}, "the API in scope", "The Azure CLI has a cloud of its own")],
        *[({999999}, "was refused", "az login")],
    ],
)
def test_what_entra_refused_is_told_by_its_code(az: Program, codes: set[int], cause: str, hint: str) -> None:
    for code in codes:
        az(complain(f"ERROR: AADSTS{code}: The reason. {IDS}\nRun the command below to authenticate interactively:"))
        error = failure(TokenRequestRefused, tenant_id="contoso.com")
        assert f"AADSTS{code}: The reason: " in error.message
        assert cause in error.message
        assert hint in str(error.hint)
        response = error.response
        assert (response.error, response.error_codes) == ("azure_cli_error", (code,))
        assert (response.correlation_id, response.trace_id) == ("c-1", "t-1")
        assert response.timestamp == "2026-06-24 00:46:34Z"
        assert "Trace ID" not in error.message


def test_ids_on_lines_of_their_own_are_found(az: Program) -> None:
    az(complain("ERROR: AADSTS50076: MFA.\nTrace ID: t-1\nCorrelation ID: c-1\nTimestamp: 2026-06-24 00:46:34Z\nx"))
    response = failure(TokenRequestRefused).response
    assert (response.correlation_id, response.timestamp) == ("c-1", "2026-06-24 00:46:34Z")


def test_a_token_in_an_error_is_masked(az: Program) -> None:
    az(complain("ERROR: eyJhbGciOiJub25lIn0.hunter2.c2ln was refused"))
    assert "******** was refused" in failure(NetworkError).message


def test_a_claims_challenge_needs_a_person(az: Program, tmp_path: pathlib.Path) -> None:
    az(f"touch {tmp_path}/run")
    error = failure(InputError, claims='{"a":1}')
    assert f"az login --scope {SCOPE} --claims-challenge eyJhIjoxfQ==" in str(error.hint)
    assert not (tmp_path / "run").exists()
