# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache across runs of a user, and across machines by Redis; and what becomes of it where it can't be used."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from pathlib import Path

from cache_tasks import get, look_up, open_to_others
from leaks import Markers
from light_runs import open_files

from plays import Plays, role, show, squeeze, wait_until

if t.TYPE_CHECKING:
    from redis_server import RedisServer

    from entra_emulator.client import Emulator

# Longer than anything here may last.
_EVER: t.Final = 1200
_HOSTS: t.Final = ("h001", "h002", "h003")
_FALLS_BACK: t.Final = "The cache for this run alone is used. "
_FIX: t.Final = "To fix it: Check the URL in cache, and the server."
_ISSUER: t.Final = "https://issuer.example"
_SUBJECT: t.Final = "playbooks"
_AUDIENCE: t.Final = "api://AzureADTokenExchange"


def test_five_playbooks_at_once_make_one_request(tmp_path: Path, emulator: Emulator) -> None:
    """Each with a home of its own, and one cache directory, in which all is encrypted; a later run makes none."""
    emulator.fault("slow", seconds=_EVER)
    cache = tmp_path / "cache"
    env = {"XDG_CACHE_HOME": str(cache), "ENTRA_AUTH_CACHE": "user", "ENTRA_AUTH_TIMEOUT": str(_EVER)}
    tasks = [get(), look_up(), show(token="token.access_token")]
    places = [tmp_path / str(number) for number in range(5)]
    for place in places:
        place.mkdir()
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(Plays(place, emulator).start([{"tasks": tasks}], env=env)) for place in places]
        wait_until(lambda: all(_has_lock_open(place, cache) for place in places))
        emulator.forget_faults()
        plays = [running.finish() for running in started]
    assert [play.returncode for play in plays] == [0] * 5, [play.output for play in plays if play.returncode]
    assert len(emulator.token_requests()) == 1
    (token,) = {play.shown()["token"] for play in plays}
    assert open_to_others(cache / "entra_auth") == []
    assert Markers({"token": token, "secret": emulator.client_secret}).in_tree(cache) == []
    later = tmp_path / "later"
    later.mkdir()
    play = Plays(later, emulator).run([{"tasks": [*tasks, role("app_token")]}], record=True, env=env)
    assert (play.returncode, play.shown()["token"]) == (0, token), play.output
    assert len(emulator.token_requests()) == 1


def _has_lock_open(place: Path, cache: Path) -> bool:
    """Whether a process of the run in a directory has come as far as the lock of the cache."""
    links = [link for link in Path("/proc").glob("[0-9]*/cwd") if _leads_to(link, place)]
    names = [name for link in links for name in open_files(int(link.parent.name))]
    return any(name.startswith(str(cache)) and name.endswith(".lock") for name in names)


def _leads_to(link: Path, place: Path) -> bool:
    try:
        return link.readlink() == place
    except OSError:  # the process has ended, or belongs to another user
        return False


def test_a_redis_that_can_not_be_used_is_a_warning(plays: Plays, emulator: Emulator, redis_server: RedisServer) -> None:
    """Refused or down: each run says so once, in words with the fix and without the URL, and makes one request."""
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        reasons = {
            redis_server.url_with("made-up~wrong-password"): "it refused the user name or password",
            f"redis://:made-up~lost-password@127.0.0.1:{shut.getsockname()[1]}/0": "it could not be reached",
        }
        for url, reason in reasons.items():
            emulator.forget_requests()
            tasks = [get(), look_up(), show(source="token.source")]
            play = plays.run([{"tasks": tasks}], hosts=3, record=True, env={"ENTRA_AUTH_CACHE": url})
            assert play.returncode == 0, play.output
            assert sorted(play.shown(host)["source"] for host in _HOSTS) == ["cache", "cache", "network"]
            assert len(emulator.token_requests()) == 1
            assert set(play.warnings()) == {squeeze(f"{_FALLS_BACK}Redis can't be used: {reason}. {_FIX}")}
            assert "password@" not in play.output
            assert "-password" not in play.output
    assert redis_server.contents() == {}


def test_a_directory_that_is_not_the_users_alone_is_a_warning(plays: Plays, emulator: Emulator) -> None:
    """It is named with the fix, nothing is put into it, and the run makes one request."""
    cache = plays.directory / "cache"
    directory = cache / "entra_auth"
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    env = {"XDG_CACHE_HOME": str(cache), "ENTRA_AUTH_CACHE": "user"}
    play = plays.run([{"tasks": [get(), look_up()]}], hosts=3, record=True, env=env)
    assert play.returncode == 0, play.output
    assert len(emulator.token_requests()) == 1
    told = (
        f"{_FALLS_BACK}The cache directory {directory} is not a directory that belongs to this user alone. "
        f"To fix it: Remove it, or run: chmod 700 {directory}, or set XDG_CACHE_HOME to another directory."
    )
    assert set(play.warnings()) == {squeeze(told)}
    assert list(directory.iterdir()) == []


def test_a_credential_without_a_secret_needs_a_cache_key(plays: Plays, emulator: Emulator) -> None:
    """Without one federated and managed identities warn, and ask once a run; with one they ask once for all runs."""
    emulator.add_issuer(_ISSUER)
    app = emulator.add_app(federated=[{"issuer": _ISSUER, "subject": _SUBJECT, "audience": _AUDIENCE}])
    assertion = plays.directory / "assertion"
    assertion.write_text(emulator.mint_assertion(_ISSUER, _SUBJECT, _AUDIENCE))
    federated = {"client_id": app["client_id"], "federated_token_file": str(assertion), "credential": "federated"}
    tasks = [
        get("federated", **federated, client_secret=""),
        get("identity", credential="managed_identity"),
        show(federated="federated.source", identity="identity.source"),
    ]
    env = {"ENTRA_AUTH_CACHE": "user", **emulator.managed_identity_environment("imds")}

    def sources(**more: str) -> tuple[dict[str, t.Any], list[str]]:
        play = plays.run([{"tasks": tasks}], record=True, env={**env, **more})
        assert play.returncode == 0, play.output
        return play.shown(), play.warnings()

    for _run in range(2):
        got, told = sources()
        assert got == {"federated": "network", "identity": "network"}
        for kind in ("federated", "managed_identity"):
            words = f"{_FALLS_BACK}A {kind} credential has no secret that could encrypt a shared one."
            assert len([warning for warning in told if squeeze(words) in warning]) == 1
    for source in ("network", "cache"):
        got, told = sources(ENTRA_AUTH_CACHE_KEY="made-up~long-random-key-of-everyone")
        assert (got, told) == ({"federated": source, "identity": source}, [])
    got, _told = sources(ENTRA_AUTH_CACHE_KEY="made-up~another-long-random-key-here")
    assert got == {"federated": "network", "identity": "network"}
