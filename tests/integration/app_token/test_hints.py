# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user reads when Entra says no: for each AADSTS code what it means and what to do, and for unknown ones too."""

from __future__ import annotations

import typing as t

import certificates
import jwt
import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import BY_CODE, Hint, find_code_hint
from entra_emulator import aadsts

if t.TYPE_CHECKING:
    from pathlib import Path

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


def _hint(code: int, proof: str = "client_secret") -> Hint:
    """What the collection says about a code, in words that are tested elsewhere."""
    hint = find_code_hint([code], proof)
    assert hint
    return hint


def test_every_code_that_entra_is_known_to_answer_is_in_the_table() -> None:
    """The emulator's own table was written without looking at ours."""
    assert set(aadsts.TABLE) - set(BY_CODE) == set()
    assert len(BY_CODE) > 200


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.thorough)])
def test_each_code_is_told_with_cause_and_fix(plays: Plays, emulator: Emulator, step: int) -> None:
    """In the message, and the code, the fix and the ids as fields; all codes, or one in ``step``."""
    codes = sorted(BY_CODE)[::step]
    for code in codes:
        emulator.fault("error", code=code, client_id=_client_id(code))
    play, told = _refusals(plays, codes, _MODULE)
    assert set(told) == set(codes)
    for code in codes:
        result, hint = told[code], _hint(code)
        refusal = aadsts.TABLE.get(code, aadsts.UNKNOWN)
        message = result["msg"]
        assert message.startswith(f"Entra refused the token request: AADSTS{code}: ")
        assert f"({refusal.error}): {hint.cause}." in message
        assert f" To fix it: {hint.fix} Requested with credential client_secret, " in message
        assert f"client {_client_id(code)}, scope https://graph.microsoft.com/.default." in message
        assert (
            f"For support: correlation id {result['correlation_id']}, trace id {result['trace_id']}, at 20" in message
        )
        assert (result["error"], result["error_codes"], result["hint"]) == (refusal.error, [code], hint.fix)
        assert "Timestamp:" not in message
        assert len(message) < 1500
    sent = emulator.token_requests()
    assert len(sent) == len(codes)
    # Entra repeats the id that was sent, and has it in the log that an administrator looks into.
    ids = {
        dict(entry["form"])["client_id"]: {k.lower(): v for k, v in entry["headers"]}["client-request-id"]
        for entry in sent
    }
    assert ids == {_client_id(code): result["correlation_id"] for code, result in told.items()}
    assert emulator.client_secret not in play.output


def test_causes_that_look_alike_have_fixes_of_their_own(plays: Plays, emulator: Emulator) -> None:
    """Whatever the error, the code says what is wrong; a code that is not known leaves the word to the service.

    Neither the line breaks of older answers nor the ids behind them are in the sentence.
    """
    emulator.configure(error_separator="crlf")
    causes = {
        70025: ("invalid_client", "the app has no federated credential at all"),
        70023: ("invalid_request", "the assertion is valid for more than 24 hours, or has no iat"),
        50027: ("invalid_client", "the assertion is not a valid JWT"),
        7000216: ("invalid_request", "neither a secret nor an assertion was sent"),
        1000502: ("invalid_client", "the certificate is not valid yet, or has expired"),
        5002723: ("invalid_client", "does not accept the thumbprint or the algorithm that the assertion names"),
    }
    unknown = 500571
    for code, (error, _cause) in {**causes, unknown: ("made_up", "")}.items():
        emulator.fault("error", code=code, error=error, status=401, client_id=_client_id(code))
    _play, told = _refusals(plays, [*causes, unknown], _MODULE)
    for code, (error, cause) in causes.items():
        assert cause in told[code]["msg"]
        assert told[code]["error"] == error
    assert len({result["hint"] for result in told.values()}) == len(causes) + 1
    assert f"error?code={unknown}" in told[unknown]["hint"]
    for result in told.values():
        assert not {"\n", "\r"} & set(result["msg"])
        assert "Trace ID" not in result["msg"]


def test_a_hint_is_for_the_credential_in_use(plays: Plays, emulator: Emulator, tmp_path: Path) -> None:
    """A user of a file is not told to use it, and a user of a certificate nothing about secrets."""
    certificate = certificates.issue("app")
    pem = tmp_path / "app.pem"
    pem.write_text(certificate.pem())
    assertion = jwt.encode({"iss": "https://issuer.test", "sub": "s", "aud": "a"}, certificate.key, algorithm="RS256")
    token = tmp_path / "token"
    token.write_text(assertion)
    given = {
        "client_secret": {},
        "client_certificate_path": {"credential": "client_certificate", "client_certificate_path": str(pem)},
        "federated_token": {"credential": "federated", "federated_token": assertion},
        "federated_token_file": {"credential": "federated", "federated_token_file": str(token)},
    }
    emulator.fault("error", code=700024, times=None)
    tasks = [{"name": name, "entra.auth.app_token": options, "ignore_errors": True} for name, options in given.items()]
    play = plays.run([{"tasks": tasks}], record=True, env=ENV)
    assert play.returncode == 0, play.output
    hints = {name: play.result(name)["hint"] for name in given}
    assert hints == {name: _hint(700024, name).fix for name in given}
    assert len(set(hints.values())) == 4
    assert assertion not in play.output


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
        assert _hint(code).cause in message
        assert _hint(code).fix in message
    assert emulator.client_secret not in play.output


def test_what_is_not_known_has_a_fix_too(plays: Plays, emulator: Emulator) -> None:
    """An unknown code or error is told in the service's own words, all of them; and so is no answer by its status."""
    known, unknown, silent, text, broken = 9990001, 9990002, 9990003, 9990004, 9990005
    said = "AADSTS9990001: First sentence. The second one has the cause."
    body: dict[str, t.Any] = {"error": "invalid_client", "error_description": said, "error_codes": [known]}
    emulator.fault("status", status=401, body=body, client_id=_client_id(known))
    ids = {"client-request-id": "c-1"}
    emulator.fault("status", status=400, body={"error": "made_up_error"}, headers=ids, client_id=_client_id(unknown))
    emulator.fault("status", status=400, body={}, client_id=_client_id(silent))
    emulator.fault("status", status=502, body="<html>Bad gateway</html>", client_id=_client_id(text))
    body = {"error": {"code": "made-up"}, "error_description": ["made-up"], "error_codes": "made-up"}
    emulator.fault("status", status=400, body=body, client_id=_client_id(broken))
    play, told = _refusals(plays, [known, unknown, silent, text, broken], _MODULE)
    assert set(told) == {known, unknown, silent, text, broken}
    assert f"Entra refused the token request: {said[:-1]} (invalid_client)." in told[known]["msg"]
    assert f"https://login.microsoftonline.com/error?code={known}" in told[known]["hint"]
    assert told[known]["error_codes"] == [known]
    message = told[unknown]["msg"]
    assert message.startswith("Entra refused the token request: it gave no description (made_up_error).")
    assert "To fix it: Correct what the message names" in message
    assert message.endswith("For support: correlation id c-1.")
    for item, status in ((silent, 400), (text, 502), (broken, 400)):
        assert told[item]["msg"].startswith(
            f"The token endpoint responded with {status} and no reason that could be read."
        )
        assert "check authority and the proxy" in told[item]["hint"]
    assert "Bad gateway" not in play.output
    assert "made-up" not in play.output
    assert "Unexpected error" not in play.output
