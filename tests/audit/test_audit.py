# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit: all scenarios, with each callback and every switch that makes Ansible talk: no secret in any channel."""

from __future__ import annotations

import html
import json
import re
import typing as t

import pytest
from audit import table
from audit.scenarios import SCENARIOS, playbook
from audit.world import CALLBACKS_WITHOUT_WARNINGS, CORE_MASKS
from channels import KEEP
from leaks import Markers

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from audit.runs import Audit, Audited
    from audit.scenarios import Scenario
    from channels import Outlets
    from leaks import Leak

# By the name of the callback that prints; tree, junit and a recorder of all that callbacks get run with each.
CALLBACKS: t.Final = {
    "default": "ansible.builtin.default",
    "minimal": "ansible.builtin.minimal",
    "oneline": "ansible.builtin.oneline",
    "json": "ansible.posix.json",
}
# Stock actions that scenarios give a token: those of ansible-core's masking exist on a core that masks.
_GIVEN_TOKENS: t.Final = {f"ansible.builtin.{name}" for name in ("uri", *(("debug", "set_fact") if CORE_MASKS else ()))}
# Lines of ansible-core's debugging output: a stock module's arguments, and its answer with an API's echo of a token.
_DEBUGGED: t.Final = (
    rb"(done with _execute_module \(ansible\.(legacy|builtin)\.uri, "
    rb"|_low_level_execute_command\(\) done: rc=0, stdout=\r?\n\{\"content\": \"\{\\\"(echo|body)\\\": )"
)


@pytest.mark.parametrize("callback", [*CALLBACKS, "awx_display"])
def test_nothing_leaks(audit: Audit, callback: str) -> None:
    """Not with -vvvvv, a log, arguments shown and all tracebacks; and whoever reads it is told what is wrong."""
    audited = audit.job("-vvvvv") if callback == "awx_display" else audit.play(CALLBACKS[callback], "-vvvvv")
    leaks = _leaks_but_stock_arguments(audited)
    table.add(callback, audited, leaks)
    _assert_played(audited)
    _assert_readable(audited)
    _assert_warned(audited, callback)
    assert not leaks, "\n".join(str(leak) for each in leaks.values() for leak in each)


def test_nothing_leaks_from_a_quiet_run(audit: Audit) -> None:
    """Without -v a lookup keeps an encrypted record of its inputs beside the cache."""
    audited = audit.play(CALLBACKS["default"], plays=playbook(KEEP))
    leaks = audited.leaks()
    table.add("default, quiet", audited, leaks)
    _assert_played(audited)
    _assert_readable(audited, [scenario for scenario in SCENARIOS if scenario.ends != "ok"])
    assert not leaks, "\n".join(str(leak) for each in leaks.values() for leak in each)


def test_debugging_shows_what_a_stock_module_was_given_and_no_more(audit: Audit) -> None:
    """The known exceptions, both ansible-core's and of switches for its developers.

    ANSIBLE_DEBUG prints the arguments of each module that a stock action runs, those of uri with its token, and what
    the module answers. ANSIBLE_KEEP_REMOTE_FILES keeps each module with its arguments, in a directory that only its
    user may read.
    """
    switches = {"ANSIBLE_DEBUG": "1", "ANSIBLE_KEEP_REMOTE_FILES": "1"}
    audited = audit.play(CALLBACKS["default"], "-vvvvv", **switches)
    kept = [path for path in audit.plays.home.rglob("AnsiballZ_*.py") if path.is_file()]
    leaks = audited.leaks(Markers(audited.markers, but_lines=_DEBUGGED), but=kept)
    table.add("default, debug", audited, leaks)
    _assert_played(audited)
    assert not leaks, "\n".join(str(leak) for each in leaks.values() for leak in each)
    debugged = audited.leaks(but=kept)
    assert set(debugged) == {"stdout"}, "ansible-core shows less: shorten guide_secrecy"
    markers = {leak.marker.partition(" ")[0] for each in debugged.values() for leak in each}
    assert markers == {"token"}
    assert {path.parent.stat().st_mode & 0o777 for path in kept} == {0o700}
    # How long an asynchronous task's wrapper stays is between it and its task.
    names = {path.name.removeprefix("AnsiballZ_").removesuffix(".py") for path in kept}
    assert names - {"async_wrapper"} == {"managed_identity_token", "uri"}


def _leaks_but_stock_arguments(audited: Audited) -> dict[str, list[Leak]]:
    """With display_args_to_stdout, job events have the arguments of a stock action as they were evaluated.

    The known exception of ansible-runner, which ansible-core's masking does not reach: that field is passed over, and
    the rest of such an event is searched.
    """
    events = {
        path: json.loads(path.read_text()) for path in audited.outlets.play.directory.glob("job/**/job_events/*.json")
    }
    of_stock_actions = {path: event for path, event in events.items() if _action(event) in _GIVEN_TOKENS}
    leaks = audited.leaks(but=of_stock_actions)
    markers = Markers(audited.markers)
    for path, event in of_stock_actions.items():
        event["event_data"].pop("task_args", None)
        if found := markers.in_text(json.dumps(event), str(path)):
            leaks.setdefault("directory", []).extend(found)
    return leaks


def _action(event: dict[str, t.Any]) -> str:
    return str(event.get("event_data", {}).get("task_action", ""))


def _assert_played(audited: Audited, scenarios: Iterable[Scenario] = SCENARIOS) -> None:
    """Each scenario ran on each of its hosts, and ended as it should: a search in nothing finds nothing."""
    ends = audited.ends()
    wanted = {(scenario.name, host): scenario.ends for scenario in scenarios for host in scenario.hosts}
    wrong = [f"{key}: {ends.get(key)}, not {end}" for key, end in wanted.items() if ends.get(key) != end]
    assert not wrong, "\n".join([*wrong, audited.outlets.play.output[-3000:]])


def _assert_readable(audited: Audited, scenarios: Iterable[Scenario] = SCENARIOS) -> None:
    """Every failure says what is wrong, in what is printed and in what is kept."""
    for channel in ("stdout", "logs", "junit"):
        shown = _plain(audited.outlets, channel)
        missing = [f"{one.name}: {one.says}" for one in scenarios if _plain_text(one.says) not in shown]
        assert missing == [], channel


def _assert_warned(audited: Audited, callback: str) -> None:
    """Only a warning says that a renewal was refused; it is shown and kept in the log."""
    for shown in (_plain_text(audited.outlets.play.output), _plain(audited.outlets, "logs")):
        is_shown = _plain_text("A token could not be renewed") in shown
        assert is_shown == (callback not in CALLBACKS_WITHOUT_WARNINGS)


def _plain(outlets: Outlets, channel: str) -> str:
    texts = outlets.texts.get(channel) or [path.read_bytes() for path in outlets.trees[channel].iterdir()]
    return _plain_text(html.unescape(b"".join(texts).decode("utf-8", "replace")))


def _plain_text(text: str) -> str:
    """Without what differs between callbacks: escapes and white space."""
    return re.sub(r"[\\\s]+", "", text)
