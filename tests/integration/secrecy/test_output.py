# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret and no token in anything a play shows or leaves behind; everything else readable."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from channels import KEEP, secrets
from leaks import Markers

from plays import role, uri

if t.TYPE_CHECKING:
    from pathlib import Path

    from channels import Channels, Outlets

    from entra_emulator.client import Emulator
    from plays import Plays

AUTH: t.Final = "entra.auth.app_token"
WRONG: t.Final = "made-up~wr0ng %20'\"{}<>\\secret"
READABLE: t.Final = ("user0001@contoso.example", "contoso-production", "Contoso (made up)", "ResourceNotFound")
WHAT_TO_DO: t.Final = (
    "AADSTS7000215: Invalid client secret provided",
    "To fix it: Give the secret's Value as client_secret",
)


def _everything() -> list[dict[str, t.Any]]:
    """Each face, with success and failure, and the task keywords that treat results in ways of their own."""
    users, subscriptions = "{{ app_token.api_url }}/v1.0/users?$top=2", "/subscriptions?api-version=2022-12-01"
    return [
        role("app_token"),
        {"name": "Module", AUTH: {"scope": "arm"}, "register": "arm", "check_mode": True, "diff": True},
        {"name": "User", AUTH: {"refresh_token_file": "{{ playbook_dir }}/refresh_token"}, "register": "user"},
        {"name": "Elsewhere", AUTH: {}, "delegate_to": "nowhere.example", **_until_success(0)},
        uri(users, "lookup('entra.auth.app_token', output='uri')"),
        {**uri(users.replace("users", "missing"), "app_token_uri"), "ignore_errors": True},
        uri("{{ arm.api_url }}" + subscriptions, "lookup('entra.auth.app_token', 'arm', output='uri')"),
        {**uri("{{ user.api_url }}/v1.0/me", "me"), "vars": {"me": _uri_arguments("user")}},
        role("authorized_uri", authorized_uri_url="/v1.0/organization"),
        _rescued(role("authorized_uri", authorized_uri_url="https://elsewhere.example/")),
        _rescued(role("authorized_uri", authorized_uri_url="/v1.0/missing")),
        _rescued({"name": "Refuse", AUTH: _wrong()}),
        {"name": "Retry", AUTH: _wrong(), "ignore_errors": True, **_until_success(1)},
        {**_show(f"lookup('{AUTH}', client_secret=wrong)"), "ignore_errors": True},
        {"name": "Later", AUTH: {}, "async": 10, "ignore_errors": True},
        {"name": "Mistype", AUTH: {"client_secret": {"value": "{{ wrong }}"}}, "ignore_errors": True},
        KEEP,
        {"name": "End", AUTH: {}},  # the callback `tree` keeps the last result of a host only
    ]


def _uri_arguments(variable: str) -> dict[str, t.Any]:
    """What the lookup makes with ``output='uri'``, of a registered token."""
    return {
        "headers": "{{ " + variable + ".headers }}",
        "url_password": "{{ " + variable + ".access_token }}",
        "use_netrc": False,
        "unredirected_headers": ["Authorization"],
    }


def _until_success(retries: int) -> dict[str, t.Any]:
    return {"register": "tried", "until": "tried is success", "retries": retries, "delay": 0}


def _wrong() -> dict[str, t.Any]:
    return {"client_secret": "{{ wrong }}"}


def _rescued(task: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"block": [task], "rescue": [_show("ansible_failed_result.msg")]}


def _show(expression: str) -> dict[str, t.Any]:
    return {"name": "Show", "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}}


@pytest.fixture
def vaulted(plays: Plays, emulator: Emulator) -> tuple[str, ...]:
    """The secrets in a vault, as arguments of ansible-playbook."""
    variables = {"app_token_client_secret": emulator.client_secret, "wrong": WRONG}
    password, vault = plays.directory / "vault_password", plays.directory / "vault.yml"
    password.write_text("made-up")
    vault.write_bytes(VaultLib([("default", VaultSecret(b"made-up"))]).encrypt(json.dumps(variables)))
    return "-e", f"@{vault}", "--vault-password-file", str(password)


@pytest.fixture
def refresh_token_file(plays: Plays, emulator: Emulator) -> Path:
    """A file with the refresh token of someone who signed in to the app."""
    path = plays.directory / "refresh_token"
    path.write_text(emulator.add_refresh_token(emulator.client_id))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("callback", "verbosity"),
    [
        ("default", "-vvvvv"),
        ("record", "-vvvvv"),
        pytest.param("default", "-vvvv", marks=pytest.mark.thorough),
        pytest.param("minimal", "-vvvvv", marks=pytest.mark.thorough),
        pytest.param("oneline", "-vvvvv", marks=pytest.mark.thorough),
    ],
)
def test_a_play_leaks_nothing(
    channels: Channels,
    emulator: Emulator,
    vaulted: tuple[str, ...],
    refresh_token_file: Path,
    callback: str,
    verbosity: str,
) -> None:
    """Whatever shows or keeps results, at whatever verbosity, they are readable but for the secrets."""
    emulator.fault("slow", endpoint="api", seconds=3)
    outlets = channels.run(_everything(), *vaulted, verbosity, env=_of(callback))
    _assert_readable(outlets)
    markers = _markers(emulator, refresh_token_file)
    # Each token that was issued was sent to an API, where the log has it.
    issued = [entry for entry in emulator.token_requests() if entry["status"] == 200]
    assert len([name for name in markers if name.startswith("access token")]) == len(issued) == 3
    assert outlets.leaks(Markers(markers), but=[refresh_token_file]) == {}


def test_debugging_shows_no_secret(
    channels: Channels, emulator: Emulator, vaulted: tuple[str, ...], refresh_token_file: Path
) -> None:
    """With ANSIBLE_DEBUG=1, ansible-core itself logs the arguments of each module, hidden ones too: a token at most.

    The arguments of a stock uri task are out of reach for this collection; no other line may hold a token.
    """
    outlets = channels.run(_everything(), *vaulted, "-vvvvv", env={**_of("default"), "ANSIBLE_DEBUG": "1"})
    _assert_readable(outlets)
    markers = _markers(emulator, refresh_token_file)
    lines = rb"done with _execute_module \(ansible\.(legacy|builtin)\.uri, "
    assert outlets.leaks(Markers(markers, but_lines=lines), but=[refresh_token_file]) == {}
    lasting = {name: value for name, value in markers.items() if not name.startswith("access token")}
    assert outlets.leaks(Markers(lasting), but=[refresh_token_file]) == {}


def _of(callback: str) -> dict[str, str | None]:
    return {"ANSIBLE_STDOUT_CALLBACK": callback, "ENTRA_AUTH_CLIENT_SECRET": None}


def _markers(emulator: Emulator, refresh_token_file: Path) -> dict[str, str]:
    return secrets(emulator, **{"wrong secret": WRONG, "newest refresh token": refresh_token_file.read_text()})


def _assert_readable(outlets: Outlets) -> None:
    assert outlets.play.returncode == 0, outlets.play.output[-3000:]
    outlets.assert_used("stderr", "temporary")
    assert any(b"AnsiballZ_uri" in arguments for arguments in outlets.texts["arguments"])
    assert any(b"uri" in message and b"Invoked with" in message for message in outlets.texts["syslog"])
    shown = outlets.play.stdout.replace("\\'", "'")
    assert [text for text in (*READABLE, *WHAT_TO_DO) if text not in shown] == []


def test_kept_remote_files_hold_what_uri_was_given_and_no_more(
    channels: Channels, plays: Plays, emulator: Emulator, vaulted: tuple[str, ...], refresh_token_file: Path
) -> None:
    """ANSIBLE_KEEP_REMOTE_FILES keeps the arguments of modules: a token where uri got one, only for its user to read.

    A module has to get its arguments, so that much is ansible-core's; app_token leaves nothing, as it runs no module.
    """
    keep = {**_of("default"), "ANSIBLE_KEEP_REMOTE_FILES": "1"}
    outlets = channels.run(_everything(), *vaulted, "-vvv", env=keep)
    assert outlets.play.returncode == 0, outlets.play.output[-3000:]
    kept = list(plays.home.rglob("AnsiballZ_*.py"))
    assert {path.name for path in kept} == {"AnsiballZ_uri.py"}
    assert {path.parent.stat().st_mode & 0o777 for path in kept} == {0o700}
    markers = _markers(emulator, refresh_token_file)
    assert outlets.leaks(Markers(markers), but=[*kept, refresh_token_file]) == {}
    for path in kept:
        subprocess.run([sys.executable, path, "explode"], check=True, capture_output=True)
    found = [leak for path in kept for leak in Markers(markers).in_tree(path.parent)]
    assert {leak.marker for leak in found} == {name for name in markers if name.startswith("access token")}


@pytest.mark.parametrize("no_log", [False, True], ids=["without no_log", "with no_log"])
def test_a_loop(channels: Channels, plays: Plays, emulator: Emulator, vaulted: tuple[str, ...], no_log: bool) -> None:
    """A loop leaks nothing, and its results are complete for later tasks."""
    loop: dict[str, t.Any] = {"name": "Loop", AUTH: {"scope": "{{ item }}"}, "loop": ["graph", "arm"]}
    loop |= {"register": "looped", "no_log": no_log}
    # The emulator's log has the tokens that were used.
    results = [{"arguments": _uri_arguments(f"looped.results[{number}]")} for number in (0, 1)]
    use = [{**uri(emulator.urls.api, "arguments", status_code=[400, 401]), "vars": result} for result in results]
    outlets = channels.run([loop, *use, KEEP, loop], *vaulted, "-v", env=_of("record"))
    assert outlets.play.returncode == 0, outlets.play.output[-3000:]
    markers = Markers(secrets(emulator))
    assert len(markers.values) == 3
    assert outlets.leaks(markers) == {}
    items = [event["result"] for event in outlets.play.events() if event["event"] == "item_ok"]
    assert len(items) == 4
    assert not markers.in_text(json.dumps(items), "items")
    shown = plays.run([{"tasks": [loop]}], *vaulted, "-vvvv", env=_of("default"))
    assert shown.returncode == 0
    assert not markers.in_text(shown.output, "the default callback")
