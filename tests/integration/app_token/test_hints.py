# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user reads when Entra says no: for each AADSTS code what it means and what to do, and for unknown ones too."""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._entra.aadsts import HINTS
from entra_emulator import aadsts

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

# Of which no retry or client flow of ours asks again, so that each answer is the last.
ENV: t.Final = {"ENTRA_AUTH_RETRY_FOR": "0", "ENTRA_AUTH_CACHE": "none"}


def _client_id(code: int) -> str:
    """A client of its own for each answer."""
    return f"dddddddd-0000-4000-8000-{code:012d}"


def _refusals(
    plays: Plays, codes: t.Iterable[int], face: dict[str, t.Any], **more: t.Any
) -> tuple[Play, dict[int, dict[str, t.Any]]]:
    """A play in which Entra answers each code once, and what was told of each."""
    task = {
        "name": "Get",
        **face,
        "loop": list(codes),
        "ignore_errors": True,
        "vars": {"padded": "{{ '%012d' | format(item) }}"},
    }
    play = plays.run([{"tasks": [task]}], record=True, env={**ENV, **more})
    assert play.returncode == 0, play.output
    failed = [event["result"] for event in play.events() if event["event"] == "item_failed"]
    return play, {result["item"]: result for result in failed}


_MODULE: t.Final = {"entra.auth.app_token": {"client_id": "dddddddd-0000-4000-8000-{{ padded }}"}}
_LOOKUP: t.Final = {
    "ansible.builtin.debug": {
        "msg": "{{ lookup('entra.auth.app_token', client_id='dddddddd-0000-4000-8000-' ~ padded) | length }}"
    }
}


def test_every_code_that_entra_is_known_to_answer_is_in_the_table() -> None:
    """The emulator's own table was written without looking at ours."""
    assert set(aadsts.TABLE) - set(HINTS) == set()
    assert len(HINTS) > 120


def test_each_code_is_told_with_cause_and_fix(plays: Plays, emulator: Emulator) -> None:
    """In the message, and the code, the fix and the ids as fields."""
    for code in HINTS:
        emulator.fault("error", code=code, client_id=_client_id(code))
    play, told = _refusals(plays, HINTS, _MODULE)
    assert set(told) == set(HINTS)
    for code, hint in HINTS.items():
        result = told[code]
        refusal = aadsts.TABLE.get(code, aadsts.UNKNOWN)
        message = result["msg"]
        assert message.startswith(f"Entra refused the token request: AADSTS{code}: ")
        assert f"({refusal.error}): {hint.cause}." in message
        assert f" To fix it: {hint.fix} Asked with credential client_secret, " in message
        assert f"client {_client_id(code)}, scope graph." in message
        assert (
            f"For support: correlation id {result['correlation_id']}, trace id {result['trace_id']}, at 20" in message
        )
        assert (result["error"], result["error_codes"], result["hint"]) == (refusal.error, [code], hint.fix)
        assert "Timestamp:" not in message
        assert len(message) < 1500
    sent = emulator.token_requests()
    assert len(sent) == len(HINTS)
    # Entra repeats the id that was sent, and has it in the log that an administrator looks into.
    ids = {
        dict(entry["form"])["client_id"]: {k.lower(): v for k, v in entry["headers"]}["client-request-id"]
        for entry in sent
    }
    assert ids == {_client_id(code): result["correlation_id"] for code, result in told.items()}
    assert emulator.client_secret not in play.output


def test_the_lookup_tells_the_same(plays: Plays, emulator: Emulator) -> None:
    """In the message of the expression that failed; some of each kind of fault will do."""
    codes = [7000215, 7000222, 700016, 90002, 500011, 1002012, 53003, 700213, 700082, 90033]
    for code in codes:
        emulator.fault("error", code=code, client_id=_client_id(code))
    # A task each: before ansible-core 2.19 an expression that fails ends the whole loop.
    tasks = [{"name": str(code), **_LOOKUP, "ignore_errors": True, "vars": {"padded": f"{code:012}"}} for code in codes]
    play = plays.run([{"tasks": tasks}], record=True, env=ENV)
    assert play.returncode == 0, play.output
    for code in codes:
        message = play.result(str(code))["msg"]
        assert f"AADSTS{code}: " in message
        assert HINTS[code].cause in message
        assert HINTS[code].fix in message


def test_older_answers_with_line_breaks_are_told_alike(plays: Plays, emulator: Emulator) -> None:
    """Neither the breaks nor the ids behind them are in the sentence."""
    emulator.configure(error_separator="crlf")
    emulator.fault("error", code=7000222, client_id=_client_id(7000222))
    _play, told = _refusals(plays, [7000222], _MODULE)
    message = told[7000222]["msg"]
    assert f"(invalid_client): {HINTS[7000222].cause}." in message
    assert "\n" not in message
    assert "\r" not in message
    assert "Trace ID" not in message


def test_what_is_not_known_degrades_well(plays: Plays, emulator: Emulator) -> None:
    """An unknown code is explained by its error; an unknown error is told, with the ids; and so is no answer."""
    known, unknown, silent, text, broken = 9990001, 9990002, 9990003, 9990004, 9990005
    emulator.fault("error", code=known, error="invalid_client", client_id=_client_id(known))
    emulator.fault("error", code=unknown, error="made_up_error", client_id=_client_id(unknown))
    emulator.fault("status", status=400, body={}, client_id=_client_id(silent))
    emulator.fault("status", status=502, body="<html>Bad gateway</html>", client_id=_client_id(text))
    body = {"error": {"code": "made-up"}, "error_description": ["made-up"], "error_codes": "made-up"}
    emulator.fault("status", status=400, body=body, client_id=_client_id(broken))
    play, told = _refusals(plays, [known, unknown, silent, text, broken], _MODULE)
    assert set(told) == {known, unknown, silent, text, broken}
    assert (
        f"AADSTS{known}: The request was refused (invalid_client): the app's credential was refused."
        in told[known]["msg"]
    )
    assert "then replace client_secret" in told[known]["hint"]
    assert told[known]["error_codes"] == [known]
    message = told[unknown]["msg"]
    assert message.startswith(
        f"Entra refused the token request: AADSTS{unknown}: The request was refused (made_up_error)."
    )
    assert "To fix it" not in message
    assert f"correlation id {told[unknown]['correlation_id']}" in message
    assert told[unknown]["hint"] is None
    for item, status in ((silent, 400), (text, 502), (broken, 400)):
        assert told[item]["msg"].startswith(
            f"The token endpoint answered {status} without a reason that could be read."
        )
        assert "check authority and the proxy" in told[item]["hint"]
    assert "Bad gateway" not in play.output
    assert "nobody foresaw" not in play.output
