# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the secrets and certificates of an app expire, as far as Graph says it."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from api_calls import JSON, json_with
from hypothesis import given

from ansible_collections.entra.auth.plugins.plugin_utils._preflight.expirations import (
    build_unread,
    read_expirations,
    warn_of_expirations,
)

LIST: t.Final = "passwordCredentials"


def in_days(days: float, suffix: str = "Z") -> str:
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return f"{moment:%Y-%m-%dT%H:%M:%S}{suffix}"


def read(*entries: t.Any) -> t.Any:
    return read_expirations({LIST: list(entries)}, LIST, "secret", "c")


def test_an_expiration_is_read_as_graph_writes_it() -> None:
    entry = {"displayName": "automation", "keyId": "k", "endDateTime": in_days(3.5, ".1234567Z")}
    (expiration,) = read(entry)["expirations"]
    assert (expiration["days_left"], expiration["name"], expiration["key_id"]) == (3, "automation", "k")


def test_the_first_to_expire_is_first_and_expired_ones_are_counted() -> None:
    found = read(*({"keyId": str(days), "endDateTime": in_days(days + 0.5)} for days in (9, -2, 3)))
    assert [one["key_id"] for one in found["expirations"]] == ["3", "9"]
    assert found["expired"] == 1


def test_only_near_expirations_are_warned_of_with_a_fix() -> None:
    found = read(*({"keyId": str(days), "endDateTime": in_days(days + 0.5)} for days in (20, 40)))
    (warning,) = warn_of_expirations(found, 30)
    assert "The secret without a name (key id 20) of the app c expires on" in warning
    assert "in 20 days. To fix it: Create a new one" in warning
    assert warn_of_expirations(build_unread("it was not read"), 30) == []


@pytest.mark.parametrize(
    "entry",
    [{}, {"endDateTime": None}, {"endDateTime": "soon"}, {"endDateTime": 5}, 5, {"endDateTime": "9" * 30}],
)
def test_an_entry_that_can_not_be_read_is_left_out(entry: t.Any) -> None:
    assert read(entry)["expirations"] == []


@pytest.mark.parametrize("content", [{}, {LIST: None}, {LIST: True}, [], None])
def test_a_registration_without_the_list_does_not_mean_that_nothing_expires(content: t.Any) -> None:
    found = read_expirations(content, LIST, "secret", "c")
    assert (found["read"], found["note"]) == (False, "the response of Graph has no list passwordCredentials")


@given(JSON | json_with(LIST, "endDateTime", "displayName", "keyId"))
def test_any_registration_is_read_without_control_characters(content: t.Any) -> None:
    for one in read_expirations(content, LIST, "secret", "c")["expirations"]:
        assert str(one["name"]).isprintable()
