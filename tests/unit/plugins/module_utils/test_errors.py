# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An error reads as one text: what happened, what to do, what was asked, and the ids for support."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    InputError,
    MissingLibraryError,
    NetworkError,
    TokenRequestRefused,
)

ANSWER = ErrorResponse(
    error="invalid_client",
    error_codes=(7000215, 50012),
    correlation_id="c-1",
    trace_id="t-1",
    timestamp="2026-01-02 03:04:05Z",
)


def test_a_text_has_all_parts_in_the_order_a_reader_needs_them() -> None:
    error = TokenRequestRefused("It said no.", hint="Say please.", response=ANSWER)
    error.request_summary = "credential client_secret, cloud public"
    assert str(error) == (
        "It said no. To fix it: Say please. Asked with credential client_secret, cloud public. "
        "For support: correlation id c-1, trace id t-1, at 2026-01-02 03:04:05Z."
    )


@pytest.mark.parametrize(
    ("hint", "asked", "answer", "text"),
    [
        (None, None, None, "It failed."),
        ("Try again.", None, None, "It failed. To fix it: Try again."),
        (None, "scope x", None, "It failed. Asked with scope x."),
        (None, None, ErrorResponse(trace_id="t-2"), "It failed. For support: trace id t-2."),
        (None, None, ErrorResponse(error="invalid_grant"), "It failed."),
    ],
)
def test_parts_that_are_not_known_leave_no_gap(
    hint: str | None, request_summary: str | None, answer: ErrorResponse | None, text: str
) -> None:
    error = EntraAuthError("It failed.", hint=hint, response=answer)
    error.request_summary = request_summary
    assert str(error) == text


def test_the_fields_of_a_failed_task_are_plain_data() -> None:
    assert TokenRequestRefused("No.", hint="Do.", response=ANSWER).fields() == {
        "error": "invalid_client",
        "error_codes": [7000215, 50012],
        "hint": "Do.",
        "correlation_id": "c-1",
        "trace_id": "t-1",
    }


def test_the_fields_are_there_when_the_service_said_nothing() -> None:
    assert InputError("No.").fields() == {
        "error": None,
        "error_codes": [],
        "hint": None,
        "correlation_id": None,
        "trace_id": None,
    }


@pytest.mark.parametrize("kind", [InputError, NetworkError, TokenRequestRefused, MissingLibraryError])
def test_every_error_of_the_collection_can_be_caught_as_one(kind: type[EntraAuthError]) -> None:
    with pytest.raises(EntraAuthError, match=r"^It failed\.$"):
        raise kind("It failed.")
