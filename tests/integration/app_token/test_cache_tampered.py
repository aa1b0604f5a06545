# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries and directories that another user has changed: no token is served that the credential did not buy."""

from __future__ import annotations

import os
import sys
import textwrap
import typing as t
import uuid

import pytest
from cache_tasks import get
from light_runs import LightRuns
from redis_server import RedisServer

from plays import show, squeeze, wait_until

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Plays

_PREFIX: t.Final = "entra.auth:"
_OTHER_UID: t.Final = 65534
_OTHER_SECRET: t.Final = "made-up~another-secret"

# Does to the one entry of the run's cache what its argument says.
_TAMPER: t.Final = """
    import os, sys
    from pathlib import Path

    def flip(path, content):
        path.write_bytes(bytes([*content[:-20], content[-20] ^ 1, *content[-19:]]))

    def older_format(path, content):
        path.write_bytes(content.replace(b"cache 2", b"cache 1", 1))

    def link(path, content):
        elsewhere = Path("elsewhere")
        elsewhere.write_bytes(content)
        path.unlink()
        path.symlink_to(elsewhere.resolve())

    def give_away(path, content):
        os.chown(path, 65534, 65534)

    def directory(path, content):
        path.unlink()
        path.mkdir()

    entries = [path for path in Path.home().rglob("entra_auth/*") if not path.suffix]
    assert len(entries) == 1, entries
    globals()[sys.argv[1]](entries[0], entries[0].read_bytes())
"""
_DAMAGES: t.Final = ("flip", "older_format", "link", *(("give_away",) if os.geteuid() == 0 else ()))


def _tamper(plays: Plays, damage: str) -> dict[str, t.Any]:
    script = plays.directory / "tamper.py"
    script.write_text(textwrap.dedent(_TAMPER))
    command = f"{sys.executable} {script} {damage}"
    return {"name": damage, "ansible.builtin.debug": {"msg": f"{{{{ lookup('pipe', '{command}') }}}}"}}


def test_a_tampered_entry_is_never_served(plays: Plays, emulator: Emulator) -> None:
    """Damaged, of an older format, replaced by a link or by another user's file, it is a miss, and is replaced.

    Where it can't be replaced, the token is handed out all the same, with a warning.
    """
    tasks = [get("first")]
    for damage in _DAMAGES:
        tasks += [_tamper(plays, damage), get(damage), get(f"{damage}_again")]
    tasks += [_tamper(plays, "directory"), get("directory")]
    names = [*(f"{damage}{more}" for damage in _DAMAGES for more in ("", "_again")), "directory"]
    shown = show(first="first.source", **{name: f"{name}.source" for name in names})
    play = plays.run([{"tasks": [*tasks, shown]}], record=True)
    assert play.returncode == 0, play.output
    values = play.shown()
    assert {name: values[name] for name in names} == {
        name: "cache" if name.endswith("_again") else "network" for name in names
    }
    assert play.output.count("could not be stored in the cache") == 1
    assert len(emulator.token_requests()) == 2 + len(_DAMAGES)


# --- between two runs -------------------------------------------------------------------------------------------


class Kept:
    """The entries of a cache by name, to be read and replaced as another program could."""

    def __init__(self, directory: Path | None, server: RedisServer | None) -> None:
        self._directory = directory
        self._server = server
        self.option = server.url if server else "user"

    def read(self) -> dict[str, bytes]:
        """Read all entries, no locks."""
        if self._server:
            everything = self._server.contents()
        else:
            assert self._directory
            # Those with a dot may go away before they are read.
            files = [path for path in self._directory.iterdir() if "." not in path.name and path.is_file()]
            everything = {path.name: path.read_bytes() for path in files}
        return {name: content for name, content in everything.items() if "." not in name.removeprefix(_PREFIX)}

    def write(self, name: str, content: bytes) -> None:
        """Put something in an entry's place."""
        if self._server:
            self._server.client.set(name, content)
        else:
            assert self._directory
            (self._directory / name).write_bytes(content)


@pytest.fixture(params=["user", "redis"])
def kept(request: pytest.FixtureRequest, plays: Plays) -> t.Iterator[Kept]:
    """A cache of either kind."""
    if request.param == "user":
        yield Kept(plays.home / ".cache/entra_auth", None)
        return
    with RedisServer(plays.directory) as server:
        yield Kept(None, server)


@pytest.fixture
def runs(plays: Plays) -> t.Iterator[LightRuns]:
    """Starts runs."""
    with LightRuns(plays) as started:
        yield started


def _flip(content: bytes, at: int) -> bytes:
    return bytes([*content[:at], content[at] ^ 1, *content[at:][1:]])


# What becomes of an entry, given what was there for another scope. The head of it ends with the second line.
_FORGERIES: t.Final[dict[str, t.Callable[[bytes, bytes], bytes]]] = {
    "swapped": lambda own, other: other,
    "first bit": lambda own, other: _flip(own, 0),
    "label": lambda own, other: own.replace(b"graph", b"grabh", 1),
    "nonce": lambda own, other: _flip(own, own.index(b"}\n") + 3),
    "token": lambda own, other: _flip(own, len(own) // 2 + 100),
    "last bit": lambda own, other: _flip(own, len(own) - 1),
    "cut": lambda own, other: own[:-1],
    "cut to the head": lambda own, other: own[: own.index(b"}\n") + 2],
    "longer": lambda own, other: own + b"\0",
    "empty": lambda own, other: b"",
    "garbage": lambda own, other: b"\xff" * 5000,
    "huge": lambda own, other: own + b"\0" * (2 << 20),
}


def test_a_forged_entry_is_a_miss(runs: LightRuns, emulator: Emulator, kept: Kept) -> None:
    """Whatever bit is flipped, however it is cut, and the entry of another scope: each costs a request, and heals."""
    graph, arm = {"cache": kept.option}, {"cache": kept.option, "scope": "arm"}
    runs.get(graph)
    (name,) = kept.read()
    runs.get(arm)
    (other,) = set(kept.read()) - {name}
    for number, (forgery, forge) in enumerate(_FORGERIES.items()):
        assert len(emulator.token_requests()) == 2 + number, forgery
        own = kept.read()
        kept.write(name, forge(own[name], own[other]))
        assert kept.read()[name] != own[name]
        assert [got["source"] for got in runs.get(graph, graph)] == ["network", "cache"], forgery
    assert runs.get(graph)[0]["source"] == "cache"
    assert [got["source"] for got in runs.get(arm)] == ["cache"]


def test_an_entry_of_another_credential_is_never_served(runs: LightRuns, emulator: Emulator, kept: Kept) -> None:
    """Another secret, tenant, client or scope finds nothing, and can't open what it is handed under its own name."""
    call = {"cache": kept.option}
    (bought,) = runs.get(call)
    (content,) = kept.read().values()
    abroad = emulator.add_tenant(domain="abroad.example")
    emulator.add_app(tenant_id=abroad["id"], client_id=emulator.client_id, secret=emulator.client_secret)
    app = emulator.add_app(client_id=str(uuid.uuid4()), secret=[emulator.client_secret, _OTHER_SECRET])
    others = {
        "secret": {"client_secret": "made-up~but-wrong"},
        "tenant": {"tenant_id": abroad["id"]},
        "client": {"client_id": app["client_id"]},
        "client and secret": {"client_id": app["client_id"], "client_secret": _OTHER_SECRET},
        "scope": {"scope": "arm"},
    }
    for kind, other in others.items():
        names = set(kept.read())
        emulator.forget_requests()
        (got,) = runs.get({**call, **other})
        assert got.get("access_token") != bought["access_token"], kind
        assert ("AADSTS7000215" in got.get("error", "")) == (kind == "secret")
        # As if its name could be guessed.
        for own in set(kept.read()) - names:
            kept.write(own, content)
            assert [one["source"] for one in runs.get({**call, **other})] == ["network"], kind
        assert len(emulator.token_requests()) == (1 if kind == "secret" else 2), kind
    (again,) = runs.get(call)
    assert (again["source"], again["access_token"]) == ("cache", bought["access_token"])


def _make_readable(directory: Path) -> None:
    directory.chmod(0o755)


def _make_link(directory: Path) -> None:
    directory.rename(directory.with_name("elsewhere"))
    directory.symlink_to("elsewhere")


def _give_away(directory: Path) -> None:
    os.chown(directory, _OTHER_UID, _OTHER_UID)


def _share_parent(directory: Path) -> None:
    directory.parent.chmod(0o777)


_NOT_PRIVATE: t.Final = "is not a directory that belongs to this user alone"
_REPLACEABLE: t.Final = "can be replaced by other users"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_make_readable, _NOT_PRIVATE),
        (_make_link, _NOT_PRIVATE),
        (_share_parent, _REPLACEABLE),
        *([(_give_away, _NOT_PRIVATE)] if os.geteuid() == 0 else []),
    ],
)
def test_a_directory_of_others_is_not_used(
    plays: Plays, runs: LightRuns, emulator: Emulator, change: t.Callable[[Path], None], words: str
) -> None:
    """Though it has a good entry: another user could have put it there."""
    (first,) = runs.get({"cache": "user"})
    change(plays.home / ".cache/entra_auth")
    (second,) = runs.get({"cache": "user"})
    assert (second["source"], len(emulator.token_requests())) == ("network", 2)
    assert second["access_token"] != first["access_token"]
    assert words in " ".join(runs.stderr().split())


def test_a_directory_that_is_replaced_during_a_request_redirects_nothing(
    plays: Plays, runs: LightRuns, emulator: Emulator
) -> None:
    """Another user renames it and puts a link to a directory of the victim there: nothing is removed or written."""
    victim = plays.directory / "victim"
    victim.mkdir(0o700)
    files = {name: victim / name for name in ("a" * 40, f"{'b' * 40}.lock", "id_ed25519")}
    for file in files.values():
        file.write_text("precious")
        os.utime(file, (1, 1))
    emulator.fault("slow", seconds=60)
    run = runs.start({"cache": "user", "timeout": 60})
    wait_until(emulator.token_requests)
    cache = plays.home / ".cache/entra_auth"
    cache.rename(cache.with_name("moved"))
    cache.symlink_to(victim)
    emulator.forget_faults()
    ((got,),) = run.finish()
    assert got["source"] == "network"
    assert {path.name: path.read_text() for path in victim.iterdir()} == dict.fromkeys(files, "precious")


def test_a_run_directory_that_others_can_replace_is_not_used(plays: Plays, emulator: Emulator) -> None:
    """ANSIBLE_LOCAL_TEMP names a directory that users share without the sticky bit: a warning names it and the fix."""
    shared = plays.directory / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    env = {"ANSIBLE_LOCAL_TEMP": str(shared)}
    tasks = [get("first"), get("second"), show(sources="[first.source, second.source]")]
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown()["sources"] == ["network", "network"]
    words = squeeze(play.output)
    assert squeeze(f"No cache is used for this run. The cache directory {shared}/ansible-local-") in words
    assert squeeze(f"chmod go-w {shared} (or, if users share it, chmod +t {shared})") in words
    shared.chmod(0o1777)
    play = plays.run([{"tasks": tasks}], record=True, env=env)
    assert play.shown()["sources"] == ["network", "cache"]
