# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit itself: what is planted in a channel is found in that channel, with each callback."""

from __future__ import annotations

import sys
import typing as t

import pytest
from audit.runs import TOKEN_VARIABLES
from audit.scenarios import AUTH
from audit.test_audit import CALLBACKS
from audit.world import CALLBACKS_WITHOUT_WARNINGS
from cores import CORE_MASKS

if t.TYPE_CHECKING:
    from audit.runs import Audit

_REDIS: t.Final = "import sys, redis; redis.Redis.from_url(sys.argv[1]).set('planted', sys.stdin.read())"
_LONG_ENOUGH_TO_BE_SEEN: t.Final = "import time; time.sleep(2)"
# A token, and a secret in the forms that programs give to one. ansible-core 2.22 masks the token, and not the secret,
# which no task of the collection is given.
_FORMS: t.Final = {"base64": "b64encode", "URL": "urlencode", "JSON": "to_json"}
_EACH: t.Final = [
    *("{{ token.access_token }}", "{{ given.certificate_password }}"),
    *("it is {{ given.certificate_password | " + name + " }}" for name in _FORMS.values()),
]
_VARIABLES: t.Final = {"planted": " ".join(_EACH)}
_IT: t.Final = "{{ planted }}"


def _planted(python: str) -> list[dict[str, t.Any]]:
    """A play that leaks its token and its secret in all the ways there are."""
    builtin = "ansible.builtin."
    copies = ("{{ lookup('env', 'HOME') }}", "{{ lookup('env', 'TMPDIR') }}", "{{ channel_cache }}")
    tasks: list[dict[str, t.Any]] = [
        {AUTH: {}, "register": "token"},
        {"name": "Print", f"{builtin}debug": {"msg": _IT}},
        {
            "name": "Pass on",
            f"{builtin}command": {"argv": [python, "-c", _LONG_ENOUGH_TO_BE_SEEN, "{{ item }}"]},
            "environment": {"PLANTED": "{{ item }}"},
            "loop": _EACH,
        },
        *({"name": "Leave", f"{builtin}copy": {"content": _IT, "dest": f"{place}/planted"}} for place in copies),
        {
            "name": "Redis",
            f"{builtin}command": {"argv": [python, "-c", _REDIS, "{{ given.redis_url }}"], "stdin": _IT},
        },
        {"name": "Fact", f"{builtin}set_fact": {"kept": _IT, "cacheable": True}},
        {"name": "Variable of a role", f"{builtin}set_fact": {"tried": _IT}},
        {"name": "Variables", f"{builtin}debug": {"msg": "{{ lookup('keep_variables') }}"}},
        {"name": "Warn", f"{builtin}debug": {"msg": "{{ lookup('warn', given.wrong_secret) }}"}},
        {"name": "Blurt", f"{builtin}debug": {"msg": "{{ lookup('blurt', planted) }}"}},
        {"name": "Fail", f"{builtin}fail": {"msg": _IT}},
    ]
    play = {"hosts": "client_secret", "gather_facts": False, "vars": _VARIABLES}
    # Nothing but the task's arguments holds this secret.
    quiet = {f"{builtin}assert": {"that": "true", "quiet": True, "fail_msg": "{{ given.expired_secret }}"}}
    free = {**play, "strategy": "ansible.builtin.free", "tasks": [{"name": "Arguments", **quiet}]}
    return [free, {**play, "tasks": tasks}]


@pytest.mark.parametrize("callback", [*CALLBACKS, "awx_display"])
def test_a_leak_is_found_in_every_channel(audit: Audit, callback: str) -> None:
    """Each of them gives it away in every form; a channel that can't would make the audit's zero worthless."""
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
    for channel, each in leaks.items():
        found = {leak.form for leak in each if leak.marker == "certificate password"}
        missing = [form for form in _FORMS if not any(form in one for one in found)]
        # Before ansible-core 2.22 modules mask what is between a colon and an @ before they send it to syslog.
        assert missing == (["JSON"] if channel == "syslog" and not CORE_MASKS else []), channel
    with_token = {channel for channel, each in leaks.items() if any(leak.marker.startswith("token") for leak in each)}
    if CORE_MASKS:
        assert not with_token & {"stdout", "stderr", "logs", "junit", "tree"}
    else:
        # Where tokens are by design, they are no leak.
        assert with_token == expected - {TOKEN_VARIABLES}
    warned = {channel for channel, each in leaks.items() if "wrong secret" in {leak.marker for leak in each}}
    assert bool(warned & {"stdout", "stderr"}) == ("logs" in warned) == (callback not in CALLBACKS_WITHOUT_WARNINGS)
    shown = {channel for channel, each in leaks.items() if "expired secret" in {leak.marker for leak in each}}
    # What shows arguments with the strategy free.
    assert ("stdout" in shown) == (callback in ("default", "awx_display"))
