# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit itself: what is planted in a channel is found in that channel, with each callback."""

from __future__ import annotations

import sys
import typing as t

import pytest
from audit.scenarios import AUTH
from audit.test_audit import CALLBACKS

if t.TYPE_CHECKING:
    from audit.runs import Audit

_TOKEN: t.Final = "{{ token.access_token }}"
_REDIS: t.Final = "import sys, redis; redis.Redis.from_url(sys.argv[1]).set('planted', sys.stdin.read())"


def _planted(python: str) -> list[dict[str, t.Any]]:
    """A play that leaks its token in all the ways there are."""
    builtin = "ansible.builtin."
    headers, home = "{{ token.headers }}", "{{ lookup('env', 'HOME') }}/planted"
    stored = f"{python} -c {{{{ program | quote }}}} {{{{ given.redis_url | quote }}}}"
    tasks: list[dict[str, t.Any]] = [
        {AUTH: {}, "register": "token"},
        {"name": "Print", f"{builtin}debug": {"msg": _TOKEN}},
        {"name": "Log", f"{builtin}uri": {"url": "{{ places.api }}/v1.0/users?$top=1", "headers": headers}},
        {
            "name": "Pass on",
            f"{builtin}command": f"sleep 0.3 {_TOKEN}",
            "environment": {"TOKEN": _TOKEN},
            "ignore_errors": True,
        },
        {"name": "Leave", f"{builtin}copy": {"content": _TOKEN, "dest": home}},
        {"name": "Scratch", f"{builtin}copy": {"content": _TOKEN, "dest": "{{ lookup('env', 'TMPDIR') }}/planted"}},
        {"name": "Cache", f"{builtin}copy": {"content": _TOKEN, "dest": "{{ channel_cache }}/planted"}},
        {"name": "Redis", f"{builtin}command": stored, "args": {"stdin": _TOKEN}, "vars": {"program": _REDIS}},
        {"name": "Fact", f"{builtin}set_fact": {"planted": _TOKEN, "cacheable": True}},
        {"name": "Blurt", f"{builtin}debug": {"msg": "{{ lookup('blurt', token.access_token) }}"}},
        {"name": "Fail", f"{builtin}fail": {"msg": _TOKEN}},
    ]
    return [{"hosts": "client_secret", "gather_facts": False, "tasks": tasks}]


@pytest.mark.parametrize("callback", [*CALLBACKS, "awx_display"])
def test_a_leak_is_found_in_every_channel(audit: Audit, callback: str) -> None:
    """Each of them gives it away; a channel that can't would make the audit's zero worthless."""
    planted = _planted(sys.executable)
    audited = (
        audit.job("-vvv", plays=planted)
        if callback == "awx_display"
        else audit.play(CALLBACKS[callback], "-vvv", plays=planted)
    )
    leaks = audited.leaks()
    expected = {*audited.outlets.texts, *audited.outlets.trees}
    if callback == "awx_display":
        # ansible-runner takes both streams for one, and the fact cache is in its artifacts.
        expected -= {"stderr", "facts"}
        assert {"job_events", "fact_cache", "stdout"} <= {
            part for leak in leaks["directory"] for part in leak.where.split("/")
        }
    assert set(leaks) == expected
