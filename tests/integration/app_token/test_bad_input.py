# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user reads who gave something wrong, or got a wrong response: the fault and the fix, in one line."""

from __future__ import annotations

import resource
import socket
import time
import typing as t

import pytest
import trustme
from leaks import Markers
from processes import Forked

from plays import show

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Channel

    from entra_emulator.client import Emulator
    from plays import Play, Plays

AUTH: t.Final = "entra.auth.app_token"
# Everything a call needs; a case changes some of it, None takes an option away.
GOOD: t.Final = {
    "tenant_id": "{{ tenant }}",
    "client_id": "{{ client }}",
    "client_secret": "{{ secret }}",
    "authority": "{{ login }}",
}
NOTHING: t.Final = dict.fromkeys(GOOD)
# Secrets in wrong places; none of them may be repeated.
MISPLACED: t.Final = {
    "misplaced": "made-up~m1splaced",
    "proxy password": "pr0xy-p4ss",
    "login password": "l0gin-p4ss",
    "echoed": "made-up~3choed",
}


class Case(t.NamedTuple):
    """What is given otherwise than it should be, and what the message has to say about it, in this order."""

    given: dict[str, t.Any]
    says: tuple[str, ...]


PLACES: t.Final = "-v lists every place that was searched."
ONE_TENANT: t.Final = "Set tenant_id to the tenant's GUID or one of its verified domains."


def _set(option: str) -> str:
    """The advice about an option that is missing."""
    return (
        f"Set the option {option}, the variable app_token_{option} or the environment variable AZURE_{option.upper()}"
    )


# Refused before any request.
INPUT: t.Final[dict[str, Case]] = {
    "no tenant": Case({"tenant_id": None}, ("Missing: tenant_id.", _set("tenant_id"), PLACES)),
    "empty tenant": Case({"tenant_id": ""}, ("Missing: tenant_id.", _set("tenant_id"), PLACES)),
    "no client": Case({"client_id": None}, ("Missing: client_id.", _set("client_id"), PLACES)),
    "no credential": Case(
        {"client_secret": None},
        ("Missing: a credential (such as client_secret).", _set("client_secret"), PLACES),
    ),
    "no secret for client_secret": Case(
        {"client_secret": None, "credential": "client_secret"},
        ("Missing: client_secret", _set("client_secret"), PLACES),
    ),
    "nothing at all": Case(
        NOTHING,
        (
            "Missing: tenant_id, client_id and a credential (such as client_secret). To fix it: Set the options "
            "tenant_id, client_id and client_secret, the variables app_token_tenant_id,",
            PLACES,
        ),
    ),
    "tenant common": Case({"tenant_id": "common"}, ("The tenant 'common' stands for any tenant", ONE_TENANT)),
    "tenant organizations": Case({"tenant_id": "organizations"}, ("'organizations' stands for any tenant", ONE_TENANT)),
    "tenant consumers": Case({"tenant_id": "Consumers"}, ("'Consumers' stands for any tenant", ONE_TENANT)),
    "tenant with a slash": Case(
        {"tenant_id": "contoso.example/oauth2"},
        ("tenant_id 'contoso.example/oauth2' is not a GUID or a domain name", "Set it to the Directory (tenant) ID"),
    ),
    "client with a blank": Case(
        {"client_id": "my app"},
        ("client_id contains white space", "Set it to the Application (client) ID"),
    ),
    "unknown cloud": Case(
        {"cloud": "usgovt"},
        ("cloud (from option cloud) is 'usgovt'", "public, usgov, usgov_dod, china", "Use usgov."),
    ),
    "unknown credential": Case(
        {"credential": "secret"},
        ("credential (from option credential) is 'secret'", "refresh_token", "Use client_secret."),
    ),
    "unknown cache": Case(
        {"cache": "disk"}, ("cache is not one of run, user, none, or the URL of a Redis server", "Use one of them")
    ),
    "unknown option": Case(
        {"tenent_id": "x"}, ("'tenent_id' is not an option", "Write tenant_id instead of tenent_id.")
    ),
    "a secret in an unknown option": Case(
        {"client_secrets": MISPLACED["misplaced"]},
        ("'client_secrets' is not an option", "Write client_secret instead of client_secrets."),
    ),
    "a secret that is a mapping": Case(
        {"client_secret": {"value": MISPLACED["misplaced"]}},
        ("client_secret (from option client_secret) has to be text, not a mapping", "Correct option client_secret"),
    ),
    "a secret that is a list": Case(
        {"client_secret": [MISPLACED["misplaced"]]},
        ("client_secret (from option client_secret) has to be text, not a list", "Correct option client_secret"),
    ),
    "a secret that is a truth value": Case({"client_secret": True}, ("client_secret", "has to be text")),
    "a tenant that is a list": Case(
        {"tenant_id": ["a"]}, ("tenant_id (from option tenant_id) has to be text, not a list",)
    ),
    "timeout in words": Case({"timeout": "soon"}, ("timeout (from option timeout)", "a number of seconds", "'soon'")),
    "timeout 0": Case({"timeout": 0}, ("timeout is 0", "Set timeout above 0 seconds")),
    "endless retries": Case(
        {"retry_for": "inf"}, ("retry_for (from option retry_for)", "a number of seconds", "'inf'")
    ),
    "negative min_validity": Case(
        {"min_validity": -1},
        (
            "min_validity (from option min_validity) has to be a whole number, 0 or more, not '-1'",
            "Correct option",
        ),
    ),
    "validate_certs perhaps": Case({"validate_certs": "perhaps"}, ("validate_certs", "true or false, not 'perhaps'")),
    "roles in a mapping": Case(
        {"required_roles": {"a": 1}}, ("required_roles", "has to be a list of texts, not a mapping")
    ),
    "several resources": Case(
        {"scope": ["graph", "arm"]},
        (
            "A token is for one API, but the scope names 2: https://graph.microsoft.com, https://management.azure.com",
            "Use one task, or one term of the lookup, for each API",
        ),
    ),
    "a blank in a URI": Case(
        {"scope": "https://graph.microsoft.com/User Read"},
        (
            "The scope 'https://graph.microsoft.com/User Read' contains white space",
            "Write several scopes as a YAML list",
        ),
    ),
    "unknown scope": Case(
        {"scope": "grap"},
        ("The scope 'grap' is not a known API, a resource URI or an app ID", "Use scope: graph."),
    ),
    "no scope": Case({"scope": []}, ("The scope is empty", "Name an API, for example scope: graph")),
    "an API of another cloud": Case(
        {"scope": "devops", "cloud": "china"},
        ("'devops' is not known in the cloud 'china'", "give the resource URI itself as scope"),
    ),
    "http authority": Case(
        {"authority": "http://login.example"},
        ("The authority http://login.example is not https", "Write the authority as https://"),
    ),
    "garbled authority": Case(
        {"authority": "login.example:port"},
        ("The authority is not a URL of a login host", "Write it like https://login.microsoftonline.com"),
    ),
    "http api_base_url": Case(
        {"api_base_url": "http://api.example"},
        ("api_base_url is not an https URL", "Correct api_base_url; http is accepted for this machine only."),
    ),
    "garbled proxy": Case(
        {"proxy": f"someone:{MISPLACED['proxy password']}@proxy.example:3128"},
        ("proxy is not the URL of a proxy", "Write it like http://proxy.example.com:3128"),
    ),
    "no such ca_path": Case(
        {"ca_path": "/nonexistent/ca.pem"},
        ("ca_path /nonexistent/ca.pem does not exist or can't be read", "Set it to a PEM file"),
    ),
    "Authorization in extra_headers": Case(
        {"extra_headers": {"authorization": f"Bearer {MISPLACED['misplaced']}"}},
        ("extra_headers can't replace Authorization", "Remove it from extra_headers"),
    ),
    "a line break in extra_headers": Case(
        {"extra_headers": {"X-Purpose": "a\r\nX-Other: b"}},
        ("extra_headers: 'X-Purpose'", "its value holds a line break", "Give header names and one-line values"),
    ),
    "extra_headers as a list": Case(
        {"extra_headers": ["a"]}, ("extra_headers", "has to be a mapping of names to texts, not a list")
    ),
    "garbled claims_challenge": Case(
        {"claims_challenge": "%%%"},
        ("claims_challenge is not JSON or base64 of JSON", "Copy the value of claims from the WWW-Authenticate"),
    ),
    "no refresh_token_file yet": Case(
        {"refresh_token_file": "{{ files }}/missing"},
        ("refresh_token_file", "/missing does not exist or is empty", "Give refresh_token once"),
    ),
    "unreadable refresh_token_file": Case(
        {"refresh_token_file": "{{ files }}/directory"},
        ("refresh_token_file", "/directory can't be read", "It has to be a regular file"),
    ),
    "unwritable refresh_token_file": Case(
        {"refresh_token_file": "{{ files }}/nowhere/token", "refresh_token": MISPLACED["misplaced"]},
        (
            "refresh_token_file",
            "/nowhere/",
            "can't be written: No such file or directory. No refresh token was redeemed",
            "Put refresh_token_file in an existing directory",
        ),
    ),
    "linked refresh_token_file": Case(
        {"refresh_token_file": "{{ files }}/link"},
        ("refresh_token_file", "/link", "It has to be a regular file that belongs to the user who runs Ansible"),
    ),
    "a password in the authority": Case(
        {"authority": f"https://someone:{MISPLACED['login password']}@login.example"},
        ("The authority is not a URL of a login host", "Write it like https://login.microsoftonline.com"),
    ),
    "a control character in the scope": Case(
        {"scope": "gra\a\u001b[1mph"},
        ("The scope contains control characters", "Type it again"),
    ),
}
OF_LOOKUP: t.Final = {
    "unknown output": Case({"output": "header"}, ("output is not one of access_token", "uri", "Use 'headers'."))
}
SAMPLE: t.Final = (
    "no credential", "tenant common", "unknown cloud", "unknown option", "a secret in an unknown option",
    "a secret that is a mapping", "several resources", "unknown scope", "http authority",
    "Authorization in extra_headers", "timeout 0", "unwritable refresh_token_file",
)  # fmt: skip

REFUSED: t.Final = "Entra refused the token request: AADSTS"
NOT_ENTRA: t.Final = ("The token endpoint responded with 200, but without a JSON object", "Look for a captive portal")
# Refused by whoever was asked, or not even reached.
ANSWERS: t.Final[dict[str, Case]] = {
    "secret ID": Case(
        {"client_secret": "5f0f6c0e-1111-4222-8333-444455556666"},
        (
            f"{REFUSED}7000215",
            "the secret ID was pasted instead of its Value",
            "Give the secret's Value as client_secret. The given text is a GUID and so most probably the Secret ID",
        ),
    ),
    "expired secret": Case(
        {"client_id": "aaaaaaaa-0000-4000-8000-000000000003", "client_secret": "made-up~secret-of-expired"},
        (
            f"{REFUSED}7000222",
            "the client secret has expired",
            "Create a new secret",
            "give its Value as client_secret",
        ),
    ),
    "unknown app": Case(
        {"client_id": "99999999-0000-4000-8000-000000000001"},
        (f"{REFUSED}700016", "the tenant does not know this application", "Check client_id", "tenant_id and cloud"),
    ),
    "unknown tenant": Case(
        {"tenant_id": "nowhere.example"},
        (f"{REFUSED}90002", "'nowhere.example' not found", "Compare tenant_id with the Tenant ID"),
    ),
    "no service principal": Case(
        {
            "client_id": "aaaaaaaa-0000-4000-8000-000000000007",
            "client_secret": "made-up~secret-of-no-service-principal",
        },
        (f"{REFUSED}7000229", "no service principal in this tenant", "Create it with 'az ad sp create --id'"),
    ),
    "disabled app": Case(
        {"client_id": "aaaaaaaa-0000-4000-8000-000000000006", "client_secret": "made-up~secret-of-disabled"},
        (f"{REFUSED}7000112", "the application is disabled in this tenant", "Enable its enterprise application"),
    ),
    "unknown API": Case(
        {"scope": "https://nowhere.example"},
        (f"{REFUSED}500011", "the API in scope is not in this tenant", "Correct scope and cloud"),
    ),
    "missing role": Case(
        {"required_roles": ["User.Read.All", "Mail.Send"]},
        ("lacks the app roles Mail.Send.", "Grant them to the app", "force_refresh"),
    ),
    "unknown CA": Case(
        {"ca_path": "{{ files }}/other-ca.pem"},
        (
            "The certificate of localhost:",
            "is not trusted here",
            "Set ca_path or REQUESTS_CA_BUNDLE to a PEM file with the CA",
        ),
    ),
    "refused connection": Case(
        {"authority": "https://{{ closed }}"},
        (
            "No connection to 127.0.0.1:",
            "was established: Connection refused.",
            "Check cloud and authority, the firewall and the proxy.",
        ),
    ),
    "refused proxy": Case(
        {"proxy": f"http://someone:{MISPLACED['proxy password']}@{{{{ closed }}}}"},
        ("The proxy on the way to localhost:", "did not let the request through", "Check the option proxy"),
    ),
}

# The emulator's faults, by action, and what is made of them.
FAULTS: t.Final[dict[str, tuple[dict[str, t.Any], tuple[str, ...]]]] = {
    "non_json_200": ({}, NOT_ENTRA),
    "json_array_200": ({}, NOT_ENTRA),
    "truncated_json": ({}, NOT_ENTRA),
    "token_with_control_chars": (
        {},
        ("issued an access token with characters that no bearer token has", "Look for a proxy that rewrites responses"),
    ),
    "status": (
        {"status": 429, "retry_after": 30},
        ("Entra has throttled this app's token requests (429", "wait 30 s", "Raise retry_for above that wait"),
    ),
    "redirect": ({}, ("responded with a redirect (302)", "Check authority")),
    "drop": ({}, ("The connection to localhost:", "ended before the response was complete", "Run again")),
    "slow": ({"seconds": 60.0}, ("localhost:", "did not respond completely within ", "Raise timeout")),
}
TOO_MUCH: t.Final[dict[str, tuple[dict[str, t.Any], tuple[str, ...]]]] = {
    "endless": (
        {},
        ("The response of localhost:", "is larger than any that was expected", "Check cloud and authority"),
    ),
    "huge": ({}, ("The response of localhost:", "is larger than any that was expected", "Check cloud and authority")),
    "drip": ({"interval": 0.05}, ("localhost:", "did not respond completely within ", "Raise timeout")),
}
# Those that nothing else ends.
_TIMED_OUT: t.Final = ("slow", "drip")
# A drip goes on for an hour.
_MOST_SECONDS: t.Final = 240
_MOST_MIB: t.Final = 300


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Files that options name."""
    directory = tmp_path / "files"
    (directory / "directory").mkdir(parents=True)
    (directory / "target").write_text(MISPLACED["misplaced"])
    (directory / "link").symlink_to("target")
    trustme.CA().cert_pem.write_to_path(str(directory / "other-ca.pem"))
    return directory


@pytest.fixture
def closed() -> Iterator[str]:
    """A port where nobody listens, and nobody else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


class Asker:
    """Asks for a token in each of many wrong ways, in one play whose environment has nothing to fall back on."""

    def __init__(self, plays: Plays, emulator: Emulator, files: Path, closed: str) -> None:
        self._plays = plays
        self._emulator = emulator
        self._variables = {
            "tenant": emulator.tenant_id,
            "client": emulator.client_id,
            "secret": emulator.client_secret,
            "login": emulator.urls.login,
            "files": str(files),
            "closed": closed,
        }

    def by_module(self, cases: t.Mapping[str, Case]) -> dict[str, str]:
        """The message for each case; a case that did not fail fails the test."""
        return self._messages({name: {AUTH: _options(case)} for name, case in cases.items()}, hints=True)

    def by_lookup(self, cases: t.Mapping[str, Case]) -> dict[str, str]:
        """The same, in an expression."""
        tasks = {
            name: {
                "ansible.builtin.debug": {"msg": f"{{{{ lookup('{AUTH}', **given) }}}}"},
                "vars": {"given": _options(case)},
            }
            for name, case in cases.items()
        }
        return self._messages(tasks)

    def _messages(self, tasks: t.Mapping[str, dict[str, t.Any]], *, hints: bool = False) -> dict[str, str]:
        play = self._plays.run(
            [{"tasks": [{"name": name, **task, "ignore_errors": True} for name, task in tasks.items()]}],
            "-vvv",
            record=True,
            env={f"ENTRA_AUTH_{name.upper()}": None for name in (*GOOD, "api_base_url")},
            **self._variables,
        )
        assert play.returncode == 0, play.output
        self._assert_clean(play)
        results = {name: play.result(name) for name in tasks}
        not_failed = [event["task"] for event in play.events() if event["event"] != "failed"]
        assert not_failed == []
        if hints:
            assert [
                name for name, result in results.items() if f"To fix it: {result['hint']}" not in result["msg"]
            ] == []
        return {name: result["msg"] for name, result in results.items()}

    def _assert_clean(self, play: Play) -> None:
        secrets = {**MISPLACED, "client secret": self._emulator.client_secret}
        assert Markers(secrets).in_text(play.output, "output") == []
        assert "Traceback" not in play.output
        assert "Unexpected error" not in play.output


@pytest.fixture
def ask(plays: Plays, emulator: Emulator, files: Path, closed: str) -> Asker:
    """Asks for tokens."""
    return Asker(plays, emulator, files, closed)


def _options(case: Case) -> dict[str, t.Any]:
    return {name: value for name, value in {**GOOD, **case.given}.items() if value is not None}


def _unsaid(cases: t.Mapping[str, Case], messages: t.Mapping[str, str]) -> dict[str, str]:
    """The messages that lack something, or say more than one line."""
    return {name: messages[name] for name, case in cases.items() if not _reads_well(messages[name], case.says)}


def _reads_well(message: str, says: tuple[str, ...]) -> bool:
    places = [message.find(phrase) for phrase in says]
    in_order = places == sorted(places) and places[0] >= 0
    # Python's way to write a tuple, and control characters, are for no user to read.
    return in_order and message.count("To fix it: ") == 1 and message.isprintable() and "('" not in message


def _tree(directory: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


def test_wrong_input_is_refused_before_any_request(ask: Asker, emulator: Emulator, files: Path) -> None:
    """By the module: what is wrong, where it came from, what to do; nothing asked, nothing written."""
    before = _tree(files)
    messages = ask.by_module(INPUT)
    assert _unsaid(INPUT, messages) == {}
    assert emulator.requests() == []
    assert _tree(files) == before


def test_a_lookup_says_the_same(ask: Asker, emulator: Emulator) -> None:
    """In an expression the message is the same, with Ansible's own words before it; no traceback at -vvv."""
    cases = {**{name: INPUT[name] for name in SAMPLE}, **OF_LOOKUP}
    messages = ask.by_lookup(cases)
    assert _unsaid(cases, messages) == {}
    assert emulator.requests() == []


def test_refusals_name_the_fix(ask: Asker) -> None:
    """What Entra refused, or who was not reached: its code, its sentence, the option to change, what was asked."""
    cases = {name: Case({"retry_for": 0, "cache": "none", **given}, says) for name, (given, says) in ANSWERS.items()}
    messages = ask.by_module(cases)
    assert _unsaid(cases, messages) == {}
    for name, message in messages.items():
        # The request for a token that lacks a role went well.
        was_refused = name != "missing role"
        assert ("Requested with credential client_secret, authority https://" in message) is was_refused, message
    for name in ("secret ID", "unknown app"):
        assert "For support: correlation id " in messages[name]
        assert "trace id " in messages[name]


def test_broken_answers_are_told_apart_and_cut_short(ask: Asker, emulator: Emulator) -> None:
    """An answer that is not Entra's, or busy without time to retry, is named as such and asked for once.

    Gigabytes, or a byte now and then for an hour, cost neither the memory nor the time; and what a service, or a
    gateway before it, says about a secret is shown without it.
    """
    cases = {**_struck(emulator, {**FAULTS, **TOO_MUCH}), "echo": _echo_secret(emulator)}

    def asking(test: Channel) -> None:
        messages = ask.by_module(cases)
        test.say((messages, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))

    began = time.monotonic()
    # In a process that has no other children, whose memory would count as well.
    with Forked(asking) as process:
        messages, kib = process.hear()
    assert time.monotonic() - began < _MOST_SECONDS
    assert kib < _MOST_MIB * 1024
    assert _unsaid(cases, messages) == {}
    assert sorted(entry["fault"] for entry in emulator.token_requests()) == sorted([*FAULTS, *TOO_MUCH, "status"])


def _echo_secret(emulator: Emulator) -> Case:
    """A case whose answer repeats the secret."""
    description = f"AADSTS7000215: The secret {MISPLACED['echoed']} is wrong. Trace ID: 1"
    client_id = emulator.add_app(secret=MISPLACED["echoed"])["client_id"]
    body = {"error": "invalid_client", "error_description": description}
    emulator.fault("status", client_id=client_id, status=401, body=body)
    given = {"client_id": client_id, "client_secret": MISPLACED["echoed"]}
    return Case(given, (f"{REFUSED}7000215: The secret ******** is wrong", "Give the secret's Value"))


def _struck(emulator: Emulator, faults: t.Mapping[str, tuple[dict[str, t.Any], tuple[str, ...]]]) -> dict[str, Case]:
    """A case for each fault, with an app of its own that the fault strikes alone."""
    cases = {}
    for action, (options, says) in faults.items():
        client_id = emulator.add_app(name=action, secret="made-up")["client_id"]
        emulator.fault(action, client_id=client_id, times=None, **options)
        given = {"client_id": client_id, "client_secret": "made-up", "retry_for": 0}
        cases[action] = Case({**given, "timeout": 2} if action in _TIMED_OUT else given, says)
    return cases


def test_a_refresh_token_outlives_bad_answers(plays: Plays, emulator: Emulator, files: Path) -> None:
    """Whatever comes instead of its successor, the file keeps the refresh token, whole; and it still works."""
    kept = files / "refresh_token"
    kept.write_text(emulator.add_refresh_token(emulator.client_id))
    kept.chmod(0o600)
    before = kept.read_text()
    faults = ("non_json_200", "truncated_json", "token_with_control_chars", "drop", "huge", "reset_mid_body")
    # Forced, because within a run a failure is shared for a while.
    redeem = {AUTH: {"refresh_token_file": str(kept), "retry_for": 0, "timeout": 5, "force_refresh": True}}
    for action in faults:
        emulator.fault(action)
    tasks = [{"name": action, **redeem, "ignore_errors": True} for action in faults]
    read = show(kept=f"lookup('ansible.builtin.file', '{kept}')")
    play = plays.run([{"tasks": [*tasks, read, {"name": "Redeem", **redeem}]}], record=True)
    assert play.returncode == 0, play.output
    assert [event["event"] for event in play.events()] == [*["failed"] * len(faults), "ok", "ok"]
    assert play.shown()["kept"] == before
    assert {path.name for path in files.glob("refresh_token*")} == {
        "refresh_token",
        "refresh_token.lock",
        "refresh_token.key",
    }
    assert {path.stat().st_mode & 0o777 for path in files.glob("refresh_token*")} == {0o600}
    assert kept.read_text() != before
