# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retry-After in each form that services send, and in forms that they should not."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after

_DATE = "Mon, 05 Jan 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *[("7", 7), (" 7 ", 7), ("0", 0), ("9" * 23, 1e9), ("9" * 400, 1e9)],
        *[("", None), ("soon", None), ("-1", None), ("1.5", None), ("\xb2", None)],
    ],
)
def test_seconds_are_read(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


def test_a_date_counts_from_the_date_of_the_response() -> None:
    assert parse_retry_after("Mon, 05 Jan 2026 10:00:07 GMT", _DATE) == 7
    assert parse_retry_after(_DATE, "Mon, 05 Jan 2026 10:00:07 GMT") == 0


def test_a_date_counts_from_now_without_a_date_in_the_response() -> None:
    until = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert parse_retry_after(until) == pytest.approx(100, abs=20)


@pytest.mark.parametrize("value", ["Mon, 01 Jan 99999 00:00:00 GMT", f"Mon, 01 Jan {'9' * 40} 00:00:00 GMT"])
def test_a_date_that_is_not_in_the_calendar_is_ignored(value: str) -> None:
    assert parse_retry_after(value) is None


@given(st.text(), st.text())
def test_any_text_is_a_wait_or_ignored(value: str, date: str) -> None:
    seconds = parse_retry_after(value, date)
    assert seconds is None or 0 <= seconds <= 1e9
