# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential is meant where several are there, what -v tells about it, claims challenges and required roles."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from certificates import Issued, issue
from leaks import Markers

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

ISSUER: t.Final = "https://ci.example"
AUDIENCE: t.Final = "api://AzureADTokenExchange"
IDENTITY: t.Final = "aaaaaaaa-0000-4000-8000-000000000102"
PASSWORD: t.Final = "made-up~password"
# In the order in which they are taken.
ORDER: t.Final = ("refresh_token", "client_certificate", "client_secret", "federated", "managed_identity")
OPTION_OF: t.Final = {
    **{kind: kind for kind in ("refresh_token", "client_certificate", "client_secret")},
    "federated": "federated_token",
    "managed_identity": "managed_identity_client_id",
}
CHALLENGE: t.Final = {"access_token": {"nbf": {"essential": True, "value": "1700000000"}}}


@pytest.fixture(scope="module")
def leaf() -> Issued:
    """The app's certificate."""
    return issue("app")


@pytest.fixture
def values(emulator: Emulator, leaf: Issued) -> dict[str, str]:
    """For each credential the value of the option that gives it; the app is registered with all."""
    federated = [{"issuer": ISSUER, "subject": "job", "audience": AUDIENCE}]
    app = emulator.add_app(
        client_id=emulator.client_id, secret="made-up~s3cret", certificates=[leaf.certificate_pem], federated=federated
    )
    return {
        "refresh_token": emulator.add_refresh_token(app["client_id"]),
        "client_certificate": leaf.pem(),
        "client_secret": "made-up~s3cret",
        "federated": emulator.mint_assertion(ISSUER, "job", AUDIENCE),
        "managed_identity": IDENTITY,
    }


def _environment(emulator: Emulator, values: dict[str, str], *kinds: str) -> dict[str, str | None]:
    given = {f"ENTRA_AUTH_{OPTION_OF[kind].upper()}": values[kind] for kind in kinds}
    platform = emulator.managed_identity_environment("imds")
    return {"ENTRA_AUTH_CLIENT_SECRET": None, "ENTRA_AUTH_CACHE": "none", **platform, **given}


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": options, "register": "token", "ignore_errors": True}


def _explanations(play: Play) -> list[str]:
    """What -v says about the choice, by task."""
    return [line for line in play.stdout.splitlines() if line.startswith("entra.auth: credential by ")]


def _markers(values: dict[str, str], leaf: Issued, **more: str) -> Markers:
    shown = {kind: value for kind, value in values.items() if kind not in ("client_certificate", "managed_identity")}
    return Markers({**shown, "key": leaf.key_pem().splitlines()[10], **more})


@pytest.mark.parametrize(
    "strongest", [0, *(pytest.param(number, marks=pytest.mark.thorough) for number in (1, 2, 3)), len(ORDER) - 1]
)
def test_the_order_of_auto(
    plays: Plays, emulator: Emulator, leaf: Issued, values: dict[str, str], strongest: int
) -> None:
    """Of all that the environment holds; -v names what was chosen, why, and what it comes before."""
    kinds = ORDER[strongest:]
    env = _environment(emulator, values, *kinds)
    play = plays.run([{"tasks": [_get(), show(kind="token.credential")]}], "-v", record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown() == {"kind": kinds[0]}
    (explanation,) = _explanations(play)
    before = f"; comes before {', '.join(kinds[1:])};" if kinds[1:] else ";"
    variable = f"ENTRA_AUTH_{OPTION_OF[kinds[0]].upper()}"
    assert explanation.startswith(f"entra.auth: credential by environment {variable}{before} roles ")
    assert _markers(values, leaf).in_text(play.output, "output") == []


def test_a_failure_tells_where_its_credential_was_found(plays: Plays, emulator: Emulator) -> None:
    """Above all there one has to know which of the places holds the wrong value."""
    env = {"ENTRA_AUTH_CLIENT_SECRET": None, "ARM_CLIENT_SECRET": "made-up~wrong"}
    play = plays.run([{"tasks": [_get()]}], "-v", record=True, env=env)
    assert play.result("Get")["error_codes"] == [7000215]
    (explanation,) = _explanations(play)
    assert explanation.startswith("entra.auth: credential by environment ARM_CLIENT_SECRET; ")
    assert ", client_secret from environment ARM_CLIENT_SECRET," in explanation
    assert "made-up~wrong" not in play.output


def test_what_the_call_gives_beats_what_the_environment_holds(
    plays: Plays, emulator: Emulator, leaf: Issued, values: dict[str, str]
) -> None:
    """However strong that is; the name of a kind beats both."""
    tasks = []
    for kind in ORDER:
        shown = {"name": f"Show {kind}", "ansible.builtin.debug": {"msg": "{{ token.credential }}"}}
        tasks += [_get(kind, **{OPTION_OF[kind]: values[kind]}), shown]
        tasks += [_get(f"{kind} by name", credential=kind), {**shown, "name": f"Show {kind} by name"}]
    env = _environment(emulator, values, *ORDER)
    play = plays.run([{"tasks": tasks}], "-v", record=True, env=env)
    assert play.returncode == 0, play.output
    for kind in ORDER:
        assert play.result(f"Show {kind}")["msg"] == kind
        assert play.result(f"Show {kind} by name")["msg"] == kind
    explanations = _explanations(play)
    assert len(explanations) == 2 * len(ORDER)
    for kind, directly, by_name in zip(ORDER, explanations[::2], explanations[1::2], strict=True):
        others = ", ".join(one for one in ORDER if one != kind)
        assert directly.startswith(f"entra.auth: credential by option {OPTION_OF[kind]}; comes before {others};")
        assert by_name.startswith("entra.auth: credential by option credential;")
    assert _markers(values, leaf).in_text(play.output, "output") == []


def test_a_variable_is_not_the_call_itself(plays: Plays, emulator: Emulator, values: dict[str, str]) -> None:
    """A weaker credential in a variable gives way to a stronger one in the environment; in the call it does not."""
    env = _environment(emulator, values, "client_certificate")
    secret = "{{ lookup('ansible.builtin.env', 'MADE_UP_SECRET') }}"
    tasks = [_get(), show(kind="token.credential")]
    play = plays.run(
        [{"tasks": tasks}],
        record=True,
        env={**env, "MADE_UP_SECRET": values["client_secret"]},
        app_token_client_secret=secret,
    )
    assert play.shown() == {"kind": "client_certificate"}, play.output


def test_v_tells_all_but_the_values(plays: Plays, emulator: Emulator, leaf: Issued, values: dict[str, str]) -> None:
    """Source of each value, cloud or login host, tenant, client, scope, cache or request, expiry and roles."""
    path = plays.directory / "app.pem"
    path.write_text(leaf.pem(PASSWORD))
    plays.directory.joinpath("ansible.cfg").write_text("[entra_auth]\nmin_validity = 60\n")
    env = {
        **_environment(emulator, values),
        "ENTRA_AUTH_CACHE": None,
        "AZURE_CLIENT_CERTIFICATE_PATH": str(path),
        "AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment",
    }
    get = _get(client_certificate_password=PASSWORD, scope="arm")
    variables = {"app_token_tenant_id": "contoso.example"}
    play = plays.run(
        [{"tasks": [get, _get("Again", **get["entra.auth.app_token"])]}], "-v", record=True, env=env, **variables
    )
    assert play.returncode == 0, play.output
    lines = [line for line in play.stdout.splitlines() if line.startswith("entra.auth: ")]
    assert len(lines) == 3
    for line, source in ((lines[0], "network"), (lines[2], "cache")):
        assert line.startswith(f"entra.auth: token from {source}, valid until 20")
        assert f"credential client_certificate, authority {emulator.urls.login}, tenant contoso.example" in line
        assert f"client {emulator.client_id}, scope https://management.core.usgovcloudapi.net/.default" in line
    for origin in (
        "tenant_id from variable app_token_tenant_id",
        "client_id from environment ENTRA_AUTH_CLIENT_ID",
        "client_certificate_path from environment AZURE_CLIENT_CERTIFICATE_PATH",
        "client_certificate_password from option client_certificate_password",
        "scope from option scope",
        "cloud from environment AZURE_CLOUD_ENVIRONMENT",
        "min_validity from ansible.cfg [entra_auth] min_validity",
    ):
        assert origin in lines[1]
    assert _markers(values, leaf, password=PASSWORD).in_text(play.output, "output") == []


def test_roles_are_told(plays: Plays, emulator: Emulator) -> None:
    """Those of the token."""
    play = plays.run([{"tasks": [_get()]}], "-v", record=True)
    assert "roles User.Read.All, Organization.Read.All, Application.Read.All, Group.Read.All;" in play.stdout


def test_the_client_of_the_task_with_the_secret_of_the_environment(plays: Plays, emulator: Emulator) -> None:
    """AZURE_SECRET, as AWX sets it, belongs to the app that the task names."""
    app = emulator.add_app(secret="made-up~azure-secret")
    env = {"ENTRA_AUTH_CLIENT_ID": None, "ENTRA_AUTH_CLIENT_SECRET": None, "AZURE_SECRET": "made-up~azure-secret"}
    tasks = [_get(client_id=app["client_id"]), show(client="token.claims.appid", kind="token.credential")]
    play = plays.run([{"tasks": tasks}], "-v", record=True, env=env)
    assert play.shown() == {"client": app["client_id"], "kind": "client_secret"}, play.output
    (explanation,) = _explanations(play)
    assert "client_id from option client_id" in explanation
    assert "client_secret from environment AZURE_SECRET" in explanation
    assert "made-up~azure-secret" not in play.output


def test_a_claims_challenge_is_sent_in_whichever_form_it_comes(plays: Plays, emulator: Emulator) -> None:
    """One request for all forms, whose token stands in for the plain one; what is none is refused before any."""
    text = json.dumps(CHALLENGE)
    forms = {
        "JSON": text,
        "decoded by the play": "{{ '" + base64.b64encode(text.encode()).decode() + "' | b64decode }}",
        "base64": base64.b64encode(text.encode()).decode(),
        "base64url": base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    }
    bad = {"no JSON": "made-up", "no object": "[]", "base64 of no object": base64.b64encode(b"[1]").decode()}
    wrong = [_get(name, claims_challenge=form) for name, form in bad.items()]
    sent = [_get(name, claims_challenge=form) for name, form in forms.items()]
    play = plays.run([{"tasks": [*wrong, *sent, _get("without")]}], record=True)
    assert play.returncode == 0, play.output
    for name in bad:
        assert "claims_challenge is not JSON or base64 of JSON" in play.result(name)["msg"]
        assert "WWW-Authenticate" in play.result(name)["hint"]
    failed = {event["task"] for event in play.events() if event["event"] == "failed"}
    assert failed == set(bad)
    log = emulator.token_requests()
    assert [entry["requested_claims"] for entry in log] == [CHALLENGE]
    assert json.loads(dict(log[0]["form"])["claims"]) == CHALLENGE


def test_a_challenge_of_the_api_is_answered(plays: Plays, emulator: Emulator) -> None:
    """By a play as a user writes it: the 401's claims go into the next request."""
    users = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/v1.0/users?$top=1"
    call = {
        "url": users,
        "headers": {"Authorization": "{{ token.authorization }}"},
        "url_password": "{{ token.access_token }}",
    }
    challenge = "{{ first.www_authenticate | regex_search('claims=\"([^\"]+)\"', '\\1') | first }}"
    tasks = [
        _get(),
        {"name": "Call", "ansible.builtin.uri": {**call, "status_code": 401}, "register": "first"},
        _get("Renew", claims_challenge=challenge),
        {"name": "Call again", "ansible.builtin.uri": call},
    ]
    book = plays.write([{"tasks": tasks}])
    # The token is voided between the two: by its first use.
    emulator.fault(
        "status",
        endpoint="graph",
        status=401,
        headers={
            "WWW-Authenticate": 'Bearer realm="", error="insufficient_claims", claims="'
            + base64.b64encode(json.dumps(CHALLENGE).encode()).decode()
            + '"'
        },
    )
    play = plays.run(book, record=True)
    assert play.returncode == 0, play.output
    assert [entry["requested_claims"] for entry in emulator.token_requests()] == [None, CHALLENGE]
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [401, 200]


def test_roles_granted_meanwhile_come_with_force_refresh(plays: Plays, emulator: Emulator) -> None:
    """As the message says; the token of the cache keeps the roles it was issued with."""
    app = emulator.add_app(secret="made-up~s3cret")
    env = {"ENTRA_AUTH_CLIENT_ID": app["client_id"], "ENTRA_AUTH_CLIENT_SECRET": "made-up~s3cret"}
    granted = {"client_id": app["client_id"], "secret": "made-up~s3cret", "roles": {"graph": ["Mail.Send"]}}
    grant = {
        "url": "{{ lookup('env', 'ENTRA_EMULATOR_CONTROL') }}/apps",
        "method": "POST",
        "body_format": "json",
        "body": granted,
    }
    tasks = [
        _get("before", required_roles=["Mail.Send"]),
        {"name": "Grant", "ansible.builtin.uri": grant},
        _get("cached", required_roles=["Mail.Send"]),
        _get("after", required_roles=["Mail.Send"], force_refresh=True),
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert {event["task"] for event in play.events() if event["event"] == "failed"} == {"before", "cached"}
    assert len(emulator.token_requests()) == 2
