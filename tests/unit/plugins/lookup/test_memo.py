# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lookup remembers saves the way of the token, and never gives another one than that way would."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import typing as t

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar
from as_template import as_template

from ansible_collections.entra.auth.plugins.lookup import app_token
from ansible_collections.entra.auth.plugins.module_utils._options import OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils import _faces

if t.TYPE_CHECKING:
    import pathlib

    from ansible_collections.entra.auth.plugins.module_utils._options import AppTokenOptions
    from entra_emulator.client import Emulator

Options = dict[str, t.Any]


def look_up(*terms: str, variables: Options | None = None, **options: t.Any) -> t.Any:
    templar = Templar(loader=DataLoader(), variables=variables or {})
    lookup = lookup_loader.get("entra.auth.app_token", loader=DataLoader(), templar=templar)
    return lookup.run(list(terms), variables=variables or {}, **options)[0]


class Call:
    """A call that is remembered, from the moment it is made ``known``."""

    def __init__(self, options: Options, ways: list[str], directory: pathlib.Path) -> None:
        self.options = options
        self._ways = ways
        self._directory = directory

    def known(self) -> Call:
        """By the first token, from the network, it is not yet remembered."""
        # pytest keeps its stage in the environment, on which a call depends: so this is none of a fixture.
        assert [self.is_remembered() for _number in range(3)] == [False, False, True]
        return self

    def is_remembered(self, **change: t.Any) -> bool:
        """Make the call, in which something may be different."""
        self._ways.clear()
        look_up(**{**self.options, **change})
        return not self._ways

    @property
    def memo(self) -> pathlib.Path:
        """The file of the only call that is remembered."""
        (path,) = self._directory.rglob("*.memo")
        return path

    @property
    def entry(self) -> pathlib.Path:
        """The file of its token in the cache."""
        return self.mark.with_suffix("")

    @property
    def mark(self) -> pathlib.Path:
        """The file that tells which token is the newest."""
        (path,) = self._directory.rglob("*.mark")
        return path


@pytest.fixture
def call(reader: Options, went: list[str], run_directory: pathlib.Path) -> Call:
    """A call in a new run."""
    return Call(reader, went, run_directory)


def test_it_looks_at_all_that_an_option_may_come_from() -> None:
    assert set(app_token._OPTIONS) == set(OPTIONS)
    assert {spec.variable for spec in OPTIONS.values()} == {f"app_token_{name}" for name in app_token._OPTIONS}


@pytest.mark.parametrize("output", ["access_token", "authorization", "headers", "uri"])
def test_a_call_is_remembered_in_the_shape_it_had(output: str, reader: Options, went: list[str]) -> None:
    items = [look_up(**reader, output=output, extra_headers={"X-Name": "\u00fc"}) for _number in range(4)]
    assert items == items[:1] * 4
    assert len(went) == 2


def test_terms_are_remembered_one_by_one(reader: Options, went: list[str], emulator: Emulator) -> None:
    for _number in range(3):
        assert look_up("graph", **reader) != look_up("arm", **reader)
    assert (len(went), len(emulator.token_requests())) == (4, 2)


def test_with_v_the_way_is_gone_each_time(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because the call tells where this token is from."""
    call.known()
    monkeypatch.setattr(app_token.display, "verbosity", 1)
    assert [call.is_remembered() for _number in range(3)] == [False] * 3


def test_the_whole_of_a_token_is_remembered_with_what_is_left_of_its_life(
    reader: Options, went: list[str], later: t.Any
) -> None:
    _from_network, cached, before = (look_up(**reader, output="token") for _number in range(3))
    later.seconds = 1000
    after = look_up(**reader, output="token")
    assert len(went) == 2
    assert 0 <= cached["expires_in"] - before["expires_in"] < 60
    assert 1000 <= before["expires_in"] - after["expires_in"] < 1060
    assert {**after, "expires_in": 0} == {**before, "expires_in": 0} == {**cached, "expires_in": 0}
    assert cached["source"] == "cache"


# --- another call -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"required_roles": ["User.Read.All"]},
        {"extra_headers": {"X-Name": "value"}},
        {"min_validity": 301},
        {"min_validity": "300"},
        {"cache": "none"},
        {"force_refresh": True},
        {"scope": "arm"},
        {"output": "headers"},
        {"validate_certs": True},
    ],
    ids=str,
)
def test_another_option_is_another_call(change: Options, call: Call) -> None:
    assert not call.known().is_remembered(**change)


def test_who_has_another_secret_is_given_nothing(call: Call) -> None:
    call.known()
    with pytest.raises(AnsibleLookupError, match="AADSTS7000215"):
        look_up(**{**call.options, "client_secret": "made-up~another"})


@pytest.mark.parametrize("name", ["min_validity", "scope", "client_secret", "extra_headers"])
def test_another_value_of_a_variable_is_another_call(name: str, reader: Options, went: list[str]) -> None:
    values = {"extra_headers": {"X-Name": "a"}, "min_validity": 200, **reader, "scope": "graph"}
    variables = {f"app_token_{other}": value for other, value in values.items()}
    variables |= {f"app_token_{name}": as_template("{{ inner }}"), "inner": values[name]}
    for _number in range(3):
        look_up(variables=variables)
    assert len(went) == 2
    variables["inner"] = {"extra_headers": {"X-Name": "b"}, "min_validity": 201, "scope": "arm"}.get(name, "wrong")
    with contextlib.suppress(AnsibleLookupError):
        look_up(variables=variables)
    assert len(went) == 3


@pytest.fixture
def templated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that Ansible was asked to evaluate."""
    texts: list[str] = []
    whole = Templar.template

    def counted(self: Templar, variable: t.Any, *more: t.Any, **options: t.Any) -> t.Any:
        texts.append(str(variable))
        return whole(self, variable, *more, **options)

    monkeypatch.setattr(Templar, "template", counted)
    return texts


def test_a_secret_that_a_variable_names_is_known_without_templating(
    reader: Options, went: list[str], templated: list[str]
) -> None:
    secret = as_template("{{ vault_app_secret }}")
    variables = {f"app_token_{name}": value for name, value in reader.items()}
    variables |= {"app_token_client_secret": secret, "vault_app_secret": reader["client_secret"]}
    for _number in range(2):
        look_up(variables=variables)
    templated.clear()
    look_up(variables=variables)
    assert (len(went), templated.count(secret)) == (2, 0)


@pytest.mark.parametrize("inner", ["{{ another }}", "{% if another != 'wrong' %}SECRET{% endif %}"])
def test_a_secret_that_is_named_by_way_of_another_template_counts_by_its_value(
    inner: str, reader: Options, went: list[str]
) -> None:
    variables = {f"app_token_{name}": value for name, value in reader.items()}
    variables |= {
        "app_token_client_secret": as_template("{{ vault_app_secret }}"),
        "vault_app_secret": as_template(inner.replace("SECRET", reader["client_secret"])),
        "another": reader["client_secret"],
    }
    for _number in range(3):
        look_up(variables=variables)
    assert len(went) == 2
    variables["another"] = "wrong"
    with pytest.raises(AnsibleLookupError, match=r"client_secret|AADSTS7000215"):
        look_up(variables=variables)


def test_a_variable_that_can_not_be_evaluated_fails_by_its_name(call: Call) -> None:
    variables = {"app_token_min_validity": as_template("{{ nothing_of_that_name }}")}
    with pytest.raises(AnsibleLookupError, match="app_token_min_validity"):
        look_up(variables=variables, **call.known().options)


def test_another_environment_is_another_call(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call.known()
    monkeypatch.setenv("ENTRA_AUTH_MIN_VALIDITY", "301")
    assert not call.is_remembered()


def test_another_configuration_is_another_call(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    config = tmp_path / "ansible.cfg"
    config.write_text("[entra_auth]\n", encoding="utf-8")
    monkeypatch.setattr(app_token, "_CONFIG_FILE", str(config))
    call.known()
    config.write_text("[entra_auth]\nmin_validity = 301\n", encoding="utf-8")
    assert not call.is_remembered()
    assert call.is_remembered()
    config.unlink()
    assert not call.is_remembered()
    assert not call.is_remembered()


# --- another token ----------------------------------------------------------------------------------------------


def test_a_token_that_replaces_another_is_handed_out_at_once(call: Call) -> None:
    before = look_up(**call.known().options)
    after = look_up(**call.options, force_refresh=True)
    assert after != before
    assert [look_up(**call.options) for _number in range(3)] == [after] * 3
    assert call.is_remembered()


def test_who_forces_a_new_token_is_not_given_the_one_before(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when it was another caller's new one, which lies in the cache."""
    obtained = _faces.app_token

    def found(options: AppTokenOptions, *more: t.Any) -> t.Any:
        unforced = obtained(dataclasses.replace(options, force_refresh=False), *more)
        return dataclasses.replace(unforced, options=options)

    monkeypatch.setattr(_faces, "app_token", found)
    assert [call.is_remembered(force_refresh=True) for _number in range(3)] == [False] * 3


@pytest.mark.parametrize("clock", ["seconds", "wall"])
def test_it_ends_when_the_token_is_due(clock: str, call: Call, later: t.Any) -> None:
    call.known()
    setattr(later, clock, 3599 - 300 - 60 - 30)
    assert call.is_remembered()
    setattr(later, clock, 3599 - 300 - 60)
    assert not call.is_remembered()


def test_a_clock_that_is_set_back_prolongs_nothing(call: Call, later: t.Any) -> None:
    call.known()
    later.seconds, later.wall = 3599 - 300 - 60, -86400
    assert not call.is_remembered()


@pytest.mark.parametrize("cache", ["none", "redis"])
def test_without_files_of_the_cache_there_is_none(cache: str, request: pytest.FixtureRequest, call: Call) -> None:
    url = request.getfixturevalue("redis_server").url if cache == "redis" else cache
    assert [call.is_remembered(cache=url) for _number in range(3)] == [False] * 3


def test_where_nothing_can_be_kept_nothing_is_lost(call: Call) -> None:
    memo = call.known().memo
    memo.unlink()
    lock = memo.with_name(f"{memo.name}.lock")
    lock.unlink()
    lock.mkdir()
    assert [call.is_remembered() for _number in range(3)] == [False] * 3


def test_a_credential_that_may_change_on_its_own_is_never_remembered(
    call: Call, emulator: Emulator, tmp_path: pathlib.Path
) -> None:
    """A file that is replaced, or a platform, is asked for its proof each time."""
    trusted = {"issuer": "https://issuer.test", "subject": "job", "audience": "api://AzureADTokenExchange"}
    path = tmp_path / "token"
    path.write_text(emulator.mint_assertion(**trusted), encoding="utf-8")
    app = emulator.add_app(federated=[trusted])
    federated = {"client_id": app["client_id"], "client_secret": "", "federated_token_file": str(path)}
    assert [call.is_remembered(**federated) for _number in range(3)] == [False] * 3
    assert len(emulator.token_requests()) == 1


# --- who meddles ------------------------------------------------------------------------------------------------


def flip(path: pathlib.Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def link(path: pathlib.Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


MEDDLING: dict[str, t.Callable[[pathlib.Path], object]] = {
    "first bit": lambda path: flip(path, 0),
    "middle bit": lambda path: flip(path, path.stat().st_size // 2),
    "last bit": lambda path: flip(path, -1),
    "truncated": lambda path: os.truncate(path, path.stat().st_size - 1),
    "longer": lambda path: os.truncate(path, path.stat().st_size + 1),
    "empty": lambda path: os.truncate(path, 0),
    "removed": lambda path: path.unlink(),
    "link": link,
    "for others": lambda path: path.chmod(0o644),
    "directory for others": lambda path: path.parent.chmod(0o755),
    "directory instead": lambda path: (path.unlink(), path.mkdir()),
    "pipe": lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    "another's": lambda path: os.chown(path, 12345, -1),
}


@pytest.mark.parametrize("meddle", MEDDLING.values(), ids=MEDDLING)
@pytest.mark.parametrize("file", ["memo", "entry", "mark"])
def test_a_memo_holds_while_it_and_the_files_of_the_cache_are_as_they_were(
    meddle: t.Callable[[pathlib.Path], object], file: str, call: Call, went: list[str], emulator: Emulator
) -> None:
    meddle(getattr(call.known(), file))
    token = None
    with contextlib.suppress(AnsibleLookupError):  # a directory that is open to others is refused
        token = look_up(**call.options)
    assert went
    assert token in (None, *emulator.issued()["token"])


def test_an_older_token_does_not_come_back_with_its_memo(call: Call, emulator: Emulator) -> None:
    older = {path: path.read_bytes() for path in (call.known().memo, call.entry)}
    first = look_up(**call.options)
    second = look_up(**call.options, force_refresh=True)
    for path, content in older.items():
        path.write_bytes(content)
    assert look_up(**call.options) not in (first, second)
    assert len(emulator.token_requests()) == 3


def test_it_lies_sealed_for_its_user_alone(call: Call, emulator: Emulator) -> None:
    call.known()
    (token,) = emulator.issued()["token"]
    for path in call.memo.parent.iterdir():
        content = path.read_bytes() + path.name.encode()
        for word in (token, call.options["client_secret"], call.options["client_id"], "Bearer"):
            assert word.encode() not in content
            assert base64.b64encode(word.encode()) not in content
        assert path.stat().st_mode & 0o077 == 0
