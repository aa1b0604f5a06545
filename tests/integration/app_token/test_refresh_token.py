# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refresh token of a user: redeemed, rotated, kept, and never redeemed twice."""

from __future__ import annotations

import os
import stat
import typing as t

import pytest
from cache_tasks import LOOKUP, get

from entra_emulator.directory import DEFAULT_SCOPES
from plays import show, uri, wait_until

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Plays

ME: t.Final = "{{ lookup('env', 'ENTRA_AUTH_API_BASE_URL') }}/v1.0/me"
GRAPH: t.Final = "https://graph.microsoft.com/.default"


class SignedIn(t.NamedTuple):
    """A user's sign-in to an app; ``env`` has the app and nothing else."""

    client_id: str
    refresh_token: str
    env: dict[str, str | None]


@pytest.fixture
def public(emulator: Emulator) -> SignedIn:
    """A sign-in to an app that has no secret; each redemption ends the refresh token."""
    emulator.configure(refresh_token_rotation="strict")
    client_id = emulator.add_app(public=True)["client_id"]
    env = {"ENTRA_AUTH_CLIENT_ID": client_id, "ENTRA_AUTH_CLIENT_SECRET": None}
    return SignedIn(client_id, emulator.add_refresh_token(client_id), env)


def redeemed(emulator: Emulator) -> list[str]:
    """The refresh tokens of all redemptions, which have all succeeded."""
    sent = emulator.token_requests()
    assert [entry["status"] for entry in sent] == [200] * len(sent)
    return [dict(entry["form"])["refresh_token"] for entry in sent]


def test_a_public_client_redeems_with_exactly_these_fields(plays: Plays, emulator: Emulator, public: SignedIn) -> None:
    """No secret; the token is the user's, and its successor is in the result."""
    call = uri(ME, f"{LOOKUP}, output='uri', refresh_token='{public.refresh_token}')")
    play = plays.run(
        [{"tasks": [get(refresh_token=public.refresh_token), call, show(token="token")]}], record=True, env=public.env
    )
    assert play.returncode == 0, play.output
    (sent,) = emulator.token_requests()
    assert sorted(map(tuple, sent["form"])) == [
        ("client_id", public.client_id),
        ("grant_type", "refresh_token"),
        ("refresh_token", public.refresh_token),
        ("scope", GRAPH),
    ]
    token = play.shown()["token"]
    assert token["credential"] == "refresh_token"
    assert token["claims"]["scp"] == "User.Read User.Read.All"
    assert token["refresh_token"] not in ("", public.refresh_token)
    assert play.result("Call")["json"]["userPrincipalName"] == "user0001@contoso.example"
    for secret in (token["access_token"], token["refresh_token"]):
        assert not any(secret in str(event["result"]) for event in play.events() if event["task"] != "Show")


def test_a_confidential_client_proves_itself_as_well(plays: Plays, emulator: Emulator) -> None:
    """With its secret in the same form; permissions of the user may be named one by one."""
    app = emulator.add_app(secret="made-up~secret-of-the-app")
    options = {
        "client_id": app["client_id"],
        "client_secret": "made-up~secret-of-the-app",
        "refresh_token": emulator.add_refresh_token(app["client_id"]),
    }
    named = ["https://graph.microsoft.com/User.Read", "offline_access"]
    tasks = [get(**options), get("named", **options, scope=named), show(claims="[token.claims.scp, named.claims.scp]")]
    play = plays.run([{"tasks": tasks}], record=True)
    assert play.returncode == 0, play.output
    assert play.shown()["claims"] == ["User.Read User.Read.All", "User.Read"]
    first, second = (dict(entry["form"]) for entry in emulator.token_requests())
    assert first["client_secret"] == second["client_secret"] == "made-up~secret-of-the-app"
    assert (first["scope"], second["scope"]) == (GRAPH, " ".join(named))


def test_a_secret_of_the_call_comes_before_a_refresh_token_of_the_environment(plays: Plays, emulator: Emulator) -> None:
    """And the other way round; a named kind is used."""
    env = {"ENTRA_AUTH_REFRESH_TOKEN": emulator.add_refresh_token(emulator.client_id)}
    tasks = [
        get("secret", client_secret="{{ lookup('env', 'ENTRA_AUTH_CLIENT_SECRET') }}"),
        get("auto"),
        get("named", credential="client_secret"),
        show(kinds="[secret.credential, auto.credential, named.credential]"),
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown()["kinds"] == ["client_secret", "refresh_token", "client_secret"]
    assert [dict(entry["form"])["grant_type"] for entry in emulator.token_requests()] == [
        "client_credentials",
        "refresh_token",
    ]


# --- in a file --------------------------------------------------------------------------------------------------


class Start(t.NamedTuple):
    """What a file holds before the first run, in which runs a refresh token is given, and whether it has successors."""

    content: str | None
    given: tuple[bool, bool]
    rotates: bool


_OWN: t.Final = "the refresh token itself"
_STARTS: t.Final = {
    "given_once": Start(None, (True, False), rotates=True),
    "given_with_an_empty_file": Start("", (True, True), rotates=True),
    "in_the_file": Start(_OWN, (False, False), rotates=False),
    "given_once_without_successor": Start(None, (True, False), rotates=False),
}


class Kept(t.NamedTuple):
    """A sign-in of a user to an app of its own, and the file for its refresh token."""

    client_id: str
    refresh_token: str
    path: Path

    def build_variables(self, *, is_given: bool) -> dict[str, str]:
        """Return the variables of the host that redeems it."""
        own = {"app_token_client_id": self.client_id, "app_token_refresh_token_file": str(self.path)}
        return {**own, **({"app_token_refresh_token": self.refresh_token} if is_given else {})}

    def list_redeemed(self, emulator: Emulator) -> list[str]:
        """Return the refresh tokens of its redemptions, which have all succeeded."""
        sent = [entry for entry in emulator.token_requests() if ["client_id", self.client_id] in entry["form"]]
        assert [entry["status"] for entry in sent] == [200] * len(sent)
        return [dict(entry["form"])["refresh_token"] for entry in sent]


def _prepare(plays: Plays, emulator: Emulator, name: str, start: Start) -> Kept:
    client_id = emulator.add_app(public=True)["client_id"]
    scopes = [scope for scope in DEFAULT_SCOPES if start.rotates or scope != "offline_access"]
    kept = Kept(client_id, emulator.add_refresh_token(client_id, scopes=scopes), plays.home / name / "refresh token")
    kept.path.parent.mkdir()
    if start.content is not None:
        kept.path.write_text(kept.refresh_token if start.content is _OWN else start.content)
        kept.path.chmod(0o600 if start.content else 0o644)
    return kept


def test_the_newest_refresh_token_is_kept_in_its_file(plays: Plays, emulator: Emulator) -> None:
    """From the first run on, for its owner alone; later runs need nothing else, and leave no rubbish beside it.

    What is in the file goes before what is given. Without a successor, the newest one is the one that was redeemed.
    """
    cases = {name: _prepare(plays, emulator, name, start) for name, start in _STARTS.items()}
    tasks = [get(), get("arm", scope="arm"), show(newest="[token.refresh_token, arm.refresh_token]")]
    newest = {name: [kept.refresh_token] for name, kept in cases.items()}
    for run in range(2):
        hosts = {name: kept.build_variables(is_given=_STARTS[name].given[run]) for name, kept in cases.items()}
        play = plays.run([{"tasks": tasks}], hosts=hosts, record=True, env={"ENTRA_AUTH_CLIENT_SECRET": None})
        assert play.returncode == 0, play.output
        for name, kept in cases.items():
            newest[name] += play.shown(name)["newest"]
            assert kept.path.read_text() == newest[name][-1]
            _assert_tidy(kept.path)
    for name, kept in cases.items():
        # Each redemption has taken the newest one.
        assert kept.list_redeemed(emulator) == newest[name][:-1], name
        assert len(set(newest[name])) == (5 if _STARTS[name].rotates else 1), name
        _assert_forgotten(kept, set(newest[name][:-1]) - {newest[name][-1]})


def _assert_tidy(path: Path) -> None:
    beside = {other.name: other for other in path.parent.iterdir()}
    assert beside.keys() == {path.name, f"{path.name}.lock", f"{path.name}.key"}
    assert {stat.S_IMODE(other.stat().st_mode) for other in beside.values()} == {0o600}


def _assert_forgotten(kept: Kept, former: set[str]) -> None:
    """Check that no file has a refresh token that was replaced."""
    contents = [path.read_bytes() for path in kept.path.parent.iterdir()]
    assert not any(token.encode() in content for token in former for content in contents)


def test_a_successor_is_on_the_disk_before_the_access_token_is_used(
    plays: Plays, emulator: Emulator, public: SignedIn
) -> None:
    """Killed during the first call of an API, the run has already kept what the next one needs."""
    path = plays.home / "refresh_token"
    env = {**public.env, "ENTRA_AUTH_REFRESH_TOKEN": public.refresh_token, "ENTRA_AUTH_REFRESH_TOKEN_FILE": str(path)}
    emulator.fault("slow", endpoint="graph", seconds=60)
    tasks = [uri(ME, f"{LOOKUP}, output='uri')")]
    with plays.start([{"tasks": tasks}], env=env) as running:
        wait_until(lambda: emulator.requests(listener="api"))
        kept = path.read_text()
        running.kill(then=emulator.forget_faults)
    assert kept not in ("", public.refresh_token)
    assert path.read_text() == kept
    play = plays.run([{"tasks": tasks}], record=True, env={**env, "ENTRA_AUTH_REFRESH_TOKEN": None})
    assert play.returncode == 0, play.output
    assert redeemed(emulator) == [public.refresh_token, kept]


def test_a_run_killed_while_it_redeems_locks_no_other_run_out(
    plays: Plays, emulator: Emulator, public: SignedIn
) -> None:
    """The next one redeems what is in the file, which is whole."""
    emulator.configure(refresh_token_rotation="keep_old")  # as Entra does
    path = plays.home / "refresh_token"
    path.write_text(public.refresh_token + "\n")
    path.chmod(0o600)
    env = {**public.env, "ENTRA_AUTH_REFRESH_TOKEN_FILE": str(path), "ENTRA_AUTH_TIMEOUT": "60"}
    emulator.fault("slow", seconds=60)
    with plays.start([{"tasks": [get()]}], env=env) as running:
        wait_until(emulator.token_requests)
        running.kill(then=emulator.forget_faults)
    play = plays.run([{"tasks": [get(), show(newest="token.refresh_token")]}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert path.read_text() == play.shown()["newest"]
    assert sorted(other.name for other in plays.home.glob("refresh*")) == [
        *("refresh_token", "refresh_token.key", "refresh_token.lock"),
    ]


def test_two_runs_at_once_share_a_file(plays: Plays, emulator: Emulator, public: SignedIn) -> None:
    """However the redemptions fall, each takes the newest one, and none is refused."""
    path = plays.home / "refresh_token"
    env = {**public.env, "ENTRA_AUTH_REFRESH_TOKEN": public.refresh_token, "ENTRA_AUTH_REFRESH_TOKEN_FILE": str(path)}
    emulator.configure(latency=0.5)
    playbook = plays.write([{"tasks": [get(), get("arm", scope="arm")]}])
    with plays.start(playbook, hosts=2, env=env) as one, plays.start(playbook, hosts=2, env=env) as other:
        ended = [one.finish(), other.finish()]
    assert [play.returncode for play in ended] == [0, 0], ended[0].output + ended[1].output
    sent = redeemed(emulator)
    assert len(sent) == len(set(sent)) == 4
    assert path.read_text() not in sent


def test_a_file_that_can_not_be_used_is_said_before_anything_is_redeemed(
    plays: Plays, emulator: Emulator, public: SignedIn
) -> None:
    """Missing, empty, a directory, in no directory, in a file: one sentence with the path, and nothing half-written."""
    state = plays.home / "state"
    state.joinpath("directory").mkdir(parents=True)
    state.joinpath("empty").touch(mode=0o600)
    given = {"refresh_token": public.refresh_token}
    wrong = {
        "missing": ("missing", {}),
        "empty": ("empty", {}),
        "directory": ("directory", {}),
        "seeded_directory": ("directory", given),
        "nowhere": ("nowhere/refresh_token", given),
        "in_a_file": ("empty/refresh_token", given),
        "unwritable": ("/proc/refresh_token", given),
    }
    tasks = [
        {**get(name, refresh_token_file=str(state / path), **more), "ignore_errors": True}
        for name, (path, more) in wrong.items()
    ]
    before = sorted(state.rglob("*"))
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env=public.env)
    assert play.returncode == 0, play.output
    for name, (path, _more) in wrong.items():
        failure = play.result(f"Get {name}")
        assert str(state / path) in failure["msg"], name
        assert failure["hint"], name
    assert "does not exist or is empty" in play.result("Get missing")["msg"]
    assert "does not exist or is empty" in play.result("Get empty")["msg"]
    assert "can't be written: No such file or directory" in play.result("Get nowhere")["msg"]
    assert emulator.requests() == []
    assert {path for path in state.rglob("*") if path.suffix not in (".lock", ".key")} == set(before)
    assert public.refresh_token not in play.output
    assert "Traceback" not in play.output


@pytest.mark.parametrize(
    "kind", ["link", pytest.param("foreign", marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs root"))]
)
def test_a_file_that_is_not_ours_is_refused_by_name(
    plays: Plays, emulator: Emulator, public: SignedIn, kind: str
) -> None:
    """A link, and another user's file: neither followed nor read nor replaced, and not taken for a missing one."""
    real, path = plays.home / "real", plays.home / kind
    real.write_text(public.refresh_token)
    if kind == "link":
        path.symlink_to(real)
    else:
        real.rename(path)
        os.chown(path, 65534, 65534)
    tasks = [
        {**get(name, refresh_token_file=str(path), **more), "ignore_errors": True}
        for name, more in {"alone": {}, "seeded": {"refresh_token": public.refresh_token}}.items()
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=public.env)
    assert play.returncode == 0, play.output
    for name in ("alone", "seeded"):
        failure = play.result(f"Get {name}")
        assert str(path) in failure["msg"]
        assert "does not exist" not in failure["msg"]
        assert "regular file that belongs to the user" in failure["hint"]
    assert emulator.requests() == []
    assert path.read_text() == public.refresh_token


def test_a_refresh_token_that_has_had_its_time_is_refused_readably(
    plays: Plays, emulator: Emulator, public: SignedIn
) -> None:
    """With Entra's words and what to do; the file keeps what it had."""
    ended = emulator.add_refresh_token(public.client_id, expires_in=-1)
    path = plays.home / "refresh_token"
    path.write_text(ended)
    path.chmod(0o600)
    play = plays.run([{"tasks": [get(refresh_token_file=str(path))]}], "-vvv", record=True, env=public.env)
    assert play.returncode == 2
    failure = play.result("Get token")
    assert (failure["error"], failure["error_codes"]) == ("invalid_grant", [70008])
    assert failure["hint"]
    assert ended not in play.output
    assert path.read_text() == ended


# --- from fact to fact ------------------------------------------------------------------------------------------


def test_a_fact_hands_the_successor_over(plays: Plays, emulator: Emulator, public: SignedIn) -> None:
    """Each task redeems what the one before it got; every redemption takes the newest one."""
    tasks = [
        get("first", refresh_token=public.refresh_token),
        get("second", refresh_token="{{ first.refresh_token }}", scope="arm"),
        get("third", refresh_token="{{ second.refresh_token }}", force_refresh=True),
        show(tokens="[first.refresh_token, second.refresh_token, third.refresh_token]"),
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=public.env)
    assert play.returncode == 0, play.output
    assert redeemed(emulator) == [public.refresh_token, *play.shown()["tokens"][:2]]


def test_a_given_refresh_token_serves_every_scope_from_its_own_entries(
    plays: Plays, emulator: Emulator, public: SignedIn
) -> None:
    """Entra still redeems it after the first time; a result from the cache has the successor it was bought with."""
    emulator.configure(refresh_token_rotation="keep_old")
    given = {"refresh_token": public.refresh_token}
    tasks = [
        get("graph", **given),
        get("arm", scope="arm", **given),
        get("again", **given),
        show(tokens="[graph.refresh_token, again.refresh_token]", source="again.source"),
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=public.env)
    assert play.returncode == 0, play.output
    assert play.shown()["source"] == "cache"
    assert play.shown()["tokens"][0] == play.shown()["tokens"][1] != public.refresh_token
    assert redeemed(emulator) == [public.refresh_token] * 2


# --- many at once -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", ["file", "given"])
def test_many_hosts_redeem_once_per_scope(plays: Plays, emulator: Emulator, public: SignedIn, kept: str) -> None:
    """Two scopes on twenty hosts and ten forks: two redemptions, and those of a file in a chain, none refused."""
    env = {**public.env, "ENTRA_AUTH_REFRESH_TOKEN": public.refresh_token}
    if kept == "file":
        env["ENTRA_AUTH_REFRESH_TOKEN_FILE"] = str(plays.home / "refresh_token")
    emulator.configure(latency=0.5, refresh_token_rotation="strict" if kept == "file" else "keep_old")
    both = {"ansible.builtin.assert": {"that": f"{LOOKUP}, 'graph', 'arm', wantlist=True) | unique | length == 2"}}
    scope = "{{ ['graph', 'arm'][inventory_hostname[-1] | int % 2] }}"
    play = plays.run([{"strategy": "free", "tasks": [get(scope=scope), both]}], hosts=20, forks=10, env=env)
    assert play.returncode == 0, play.output
    assert len(redeemed(emulator)) == 2
    assert len(set(redeemed(emulator))) == (2 if kept == "file" else 1)
