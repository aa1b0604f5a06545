# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every known Entra error has a hint a reader can act on, and unknown ones degrade to what ``error`` says."""

from __future__ import annotations

import dataclasses
import re

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._entra import aadsts

# Written out here, not read from the table, so that a row that gets lost is noticed.
# fmt: off
CODES_BY_KIND = {
    aadsts.Kind.CREDENTIAL: [
        7000215, 7000222, 7000218, 700025, 700027, 700024, 700030, 700021, 700023, 7000232, 50012, 50048,
    ],
    aadsts.Kind.APPLICATION: [
        700016, 7000229, 7000112, 70001, 90002, 900023, 90019, 50059, 9001023, 50049, 900382, 900432, 90038, 90051,
        900439, 500011, 50001, 500014, 650052, 650056, 650057, 501051, 50105, 65001, 90094, 65004, 100007, 1000031,
        1000610, 1000611, 1000612, 1000613, 1000614,
    ],
    aadsts.Kind.REQUEST: [
        7000110, 1002012, 70011, 28002, 28003, 700022, 900144, 90014, 90013, 9002313, 900561, 901002, 70003, 100040,
        7000113, 7000114, 51000,
    ],
    aadsts.Kind.FEDERATION: [
        70021, 700211, 700212, 700213, 7002137, 7002138, 7002121, 700222, 700226, 700227, 700229, 5000811, 50013,
        500131, 500133,
    ],
    aadsts.Kind.POLICY: [
        53003, 53000, 53001, 53002, 530032, 530035, 530034, 530084, 50076, 50079, 50074, 50072, 50078, 50158, 500021,
        500022,
    ],
    aadsts.Kind.TRANSIENT: [50196, 90055, 90033, 90006, 90012, 90024, 50033, 50087, 90090, 50000],
    aadsts.Kind.USER: [
        50034, 90072, 50020, 51004, 500341, 50057, 50055, 50053, 50126, 50173, 70008, 700082, 700084, 70043, 70000,
        50089, 54005, 700003, 70016, 70018, 70019, 70020, 500207,
    ],
}
# fmt: on
ALL_CODES = [code for codes in CODES_BY_KIND.values() for code in codes]

ERRORS = {
    "access_denied": aadsts.Kind.POLICY,
    "authorization_declined": aadsts.Kind.USER,
    "authorization_pending": aadsts.Kind.USER,
    "bad_verification_code": aadsts.Kind.USER,
    "consent_required": aadsts.Kind.APPLICATION,
    "expired_token": aadsts.Kind.USER,
    "interaction_required": aadsts.Kind.POLICY,
    "invalid_client": aadsts.Kind.CREDENTIAL,
    "invalid_grant": aadsts.Kind.USER,
    "invalid_instance": aadsts.Kind.APPLICATION,
    "invalid_request": aadsts.Kind.REQUEST,
    "invalid_resource": aadsts.Kind.APPLICATION,
    "invalid_scope": aadsts.Kind.REQUEST,
    "login_required": aadsts.Kind.USER,
    "server_error": aadsts.Kind.TRANSIENT,
    "slow_down": aadsts.Kind.TRANSIENT,
    "temporarily_unavailable": aadsts.Kind.TRANSIENT,
    "unauthorized_client": aadsts.Kind.APPLICATION,
    "unsupported_grant_type": aadsts.Kind.REQUEST,
    "unsupported_response_type": aadsts.Kind.REQUEST,
}

# The words with an underscore a hint may use: options of the collection, and values of its option credential.
OPTIONS = {
    "claims_challenge",
    "client_certificate",
    "client_id",
    "client_secret",
    "device_code",
    "federated_token",
    "federated_token_file",
    "federated_token_source",
    "force_refresh",
    "managed_identity",
    "managed_identity_client_id",
    "refresh_token",
    "refresh_token_file",
    "retry_for",
    "send_certificate_chain",
    "tenant_id",
}

UNKNOWN_CODE = 99999999


def assert_readable(hint: aadsts.Hint) -> None:
    """A clause and one whole sentence, in plain words that name real options and hold nothing to be filled in."""
    assert re.fullmatch(r"[a-z].*[^.!?:;,\s]", hint.cause), hint.cause
    assert re.fullmatch(r"[A-Z].*[^.!?:;,\s]\.", hint.fix), hint.fix
    for text in (hint.cause, hint.fix):
        assert text.isascii()
        assert text.isprintable()
        assert "  " not in text
        assert not re.search(r"[.!?]\s", text), f"more than one sentence: {text}"
        assert not re.search(r"[<>{}%$*]|\bx{3,}\b|\byour?[-_]secret|\.\.\.", text, re.IGNORECASE), text
        assert set(re.findall(r"\w*_\w*", text)) <= OPTIONS


def test_the_table_holds_exactly_these_codes() -> None:
    assert sorted(aadsts.HINTS) == sorted(ALL_CODES)


def test_no_code_stands_in_two_rows() -> None:
    in_rows = [code for rows in aadsts._ROWS.values() for codes, _cause, _fix in rows for code in codes]
    assert len(in_rows) == len(set(in_rows))


@pytest.mark.parametrize(
    ("code", "kind"),
    [pytest.param(code, kind, id=str(code)) for kind, codes in CODES_BY_KIND.items() for code in codes],
)
def test_every_code_has_a_readable_hint(code: int, kind: aadsts.Kind) -> None:
    hint = aadsts.find_hint([code], None)
    assert hint is not None
    assert hint is aadsts.HINTS[code]
    assert hint.kind is kind
    assert_readable(hint)


@pytest.mark.parametrize(("error", "kind"), ERRORS.items())
def test_an_unknown_code_falls_back_to_the_error(error: str, kind: aadsts.Kind) -> None:
    hint = aadsts.find_hint([UNKNOWN_CODE], error)
    assert hint is not None
    assert hint.kind is kind
    assert hint == aadsts.find_hint([], error)
    assert_readable(hint)


def test_no_fallback_is_untested() -> None:
    assert set(aadsts._BY_ERROR) == set(ERRORS)


def test_the_first_known_code_wins() -> None:
    assert aadsts.find_hint([UNKNOWN_CODE, 7000222, 7000215], "invalid_client") is aadsts.HINTS[7000222]
    assert aadsts.find_hint((7000215, 7000222), "invalid_client") is aadsts.HINTS[7000215]


def test_a_known_code_beats_the_error() -> None:
    assert aadsts.find_hint([53003], "invalid_grant") is aadsts.HINTS[53003]


@pytest.mark.parametrize("error", [None, "", "no_such_error"])
@pytest.mark.parametrize("error_codes", [[], [UNKNOWN_CODE]])
def test_nothing_known_gives_no_hint(error_codes: list[int], error: str | None) -> None:
    assert aadsts.find_hint(error_codes, error) is None


def test_a_wrong_secret_says_where_the_right_one_is() -> None:
    hint = aadsts.HINTS[7000215]
    assert "secret ID" in hint.cause
    assert "Value" in hint.fix
    assert "client_secret" in hint.fix


def test_hints_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        aadsts.HINTS[7000215].fix = "Changed."  # type: ignore[misc]
    with pytest.raises(TypeError):
        aadsts.HINTS[UNKNOWN_CODE] = aadsts.HINTS[7000215]  # type: ignore[index]
