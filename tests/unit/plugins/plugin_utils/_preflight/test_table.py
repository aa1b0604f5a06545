# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as a table."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._preflight.table import build_table

UNTIL: t.Final = "2026-11-23T22:14:28Z"
CALL: t.Final = {"url": "https://graph.microsoft.com/v1.0/organization", "response": "Contoso"}


def api(scope: str = "graph", **more: t.Any) -> dict[str, t.Any]:
    known = {"client_id": "c", "tenant_id": "t", "roles": [], "missing_roles": [], "expires_at": UNTIL, "calls": []}
    return {"scope": scope, **known, **more}


def report(*apis: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    credentials = {"read": False, "note": "it was not asked for", "expirations": [], "expired": 0}
    return {"apis": apis, "problems": [], "warnings": [], "credentials": credentials, **more}


def test_an_api_is_a_line_with_more_lines_for_roles_and_calls() -> None:
    other = {"url": "/v1.0/users", "response": "Ann"}
    lines = build_table(report(api(roles=["A", "B"], missing_roles=["C"], calls=[CALL, other])))
    assert lines[:4] == [
        "API    App  Tenant  Roles       Token valid until     Response",
        f"graph  c    t       A           {UNTIL}  /v1.0/organization: Contoso",
        "                    B                                 /v1.0/users: Ann",
        "                    missing: C",
    ]


def test_a_single_call_is_shown_without_its_path() -> None:
    assert build_table(report(api(calls=[CALL])))[1].endswith(f"{UNTIL}  Contoso")


def test_roles_in_azure_are_not_in_the_token() -> None:
    assert "by Azure RBAC" in build_table(report(api("arm")))[1]
    assert "none" in build_table(report(api("graph")))[1]


def test_an_api_without_a_token_says_so() -> None:
    line = build_table(report(api("arm", expires_at=None)))[1]
    assert line.split() == ["arm", "c", "t", "unknown", "no", "token"]
    assert build_table(report(api()))[1].endswith("not called")


def test_a_url_that_can_not_be_split_is_shown() -> None:
    calls = [{"url": "http://[", "response": "no response"}, CALL]
    assert "/: no response" in build_table(report(api(calls=calls)))[1]


def test_expirations_and_warnings_follow() -> None:
    expirations = [{"kind": "secret", "name": "automation", "days_left": 21}]
    known = {"read": True, "note": None, "expirations": expirations, "expired": 0}
    lines = build_table(report(warnings=["w"], problems=["p"], credentials=known))
    assert lines[-2:] == ["Expiration of secrets and certificates: secret 'automation' in 21 days", "Warning: w"]
    assert build_table(report())[-1].endswith("not known, because it was not asked for")
    assert build_table(report(credentials={**known, "expirations": []}))[-1].endswith("none expires")


@pytest.mark.parametrize(
    ("expirations", "said"),
    [
        ([], ": 2 expired"),
        ([{"kind": "secret", "name": None, "days_left": 3}], ": secret without a name in 3 days, 2 expired"),
    ],
)
def test_expired_entries_are_counted_and_a_missing_name_is_said(expirations: list[dict[str, t.Any]], said: str) -> None:
    known = {"read": True, "note": None, "expirations": expirations, "expired": 2}
    assert build_table(report(credentials=known))[-1].endswith(said)
