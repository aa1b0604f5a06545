# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A login host or a proxy that repeats what it was sent: nothing of it is in any message, warning, field or log."""

from __future__ import annotations

import typing as t

import certificates
import jwt
import pytest
from leaks import Markers

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Play, Plays

LOOKUP: t.Final = "lookup('entra.auth.app_token', 'arm', cache='none')"
VERBOSE: t.Final = "-vvv"


@pytest.fixture
def given(emulator: Emulator, tmp_path: Path) -> dict[str, dict[str, str]]:
    """The options of each credential whose secret the environment does not hold."""
    certificate = certificates.issue("app")
    pem = tmp_path / "app.pem"
    pem.write_text(certificate.pem())
    claims = {"iss": "https://issuer.test", "sub": "hunter2", "aud": "api://AzureADTokenExchange"}
    token = tmp_path / "federated"
    token.write_text(jwt.encode(claims, certificate.key, algorithm="RS256"))
    refresh_token = tmp_path / "refresh"
    refresh_token.write_text(emulator.add_refresh_token(emulator.client_id))
    for path in (pem, token, refresh_token):
        path.chmod(0o600)
    return {
        "client_secret": {},
        "client_certificate": {"credential": "client_certificate", "client_certificate_path": str(pem)},
        "federated": {"credential": "federated", "federated_token_file": str(token)},
        "refresh_token": {"credential": "refresh_token", "refresh_token_file": str(refresh_token)},
    }


def _sent(emulator: Emulator) -> dict[str, str]:
    """Each secret that a token request held, as the emulator has seen it."""
    secret = ("client_secret", "client_assertion", "refresh_token")
    entries = emulator.token_requests()
    return {
        f"{name} of request {entry['id']}": value
        for entry in entries
        for name, value in entry["form"]
        if name in secret
    }


def _assert_silent(play: Play, plays: Plays, sent: dict[str, str]) -> None:
    markers = Markers(sent)
    assert markers.in_text(play.output, "the output") == []
    log = plays.directory / "ansible.log"
    assert log.stat().st_size > 0
    assert markers.in_tree(log) == []
    assert markers.in_tree(play.home) == []


@pytest.mark.parametrize("status", [401, pytest.param(503, marks=pytest.mark.thorough)])
def test_what_was_sent_is_in_no_failure(
    plays: Plays, emulator: Emulator, given: dict[str, dict[str, str]], status: int
) -> None:
    """By the module with each credential, and by the lookup."""
    emulator.fault("echo", status=status, endpoint="token", times=None)
    tasks: list[dict[str, t.Any]] = [
        {"name": name, "entra.auth.app_token": {"cache": "none", **options}, "ignore_errors": True}
        for name, options in given.items()
    ]
    tasks.append({"name": "Look up", "ansible.builtin.debug": {"msg": f"{{{{ {LOOKUP} }}}}"}, "ignore_errors": True})
    env = {"ANSIBLE_LOG_PATH": str(plays.directory / "ansible.log"), "ENTRA_AUTH_RETRY_FOR": "0"}
    play = plays.run([{"tasks": tasks}], VERBOSE, record=True, env=env)
    assert play.returncode == 0, play.output
    sent = _sent(emulator)
    assert len(set(sent)) >= len(given) + 1
    _assert_silent(play, plays, sent)
    # What is no secret is told: the service's words are still of use.
    assert "AADSTS50012: It was" in play.result("client_secret")["msg"]
    assert play.result("client_secret")["error_codes"] == [50012]
