# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How preflight judges what it found."""

from __future__ import annotations

import datetime
import email.utils
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils import _preflight
from ansible_collections.entra.auth.plugins.plugin_utils._preflight import plan, report, table

GRAPH: t.Final = "https://graph.microsoft.com"


def token(item: str = "graph", **more: t.Any) -> dict[str, t.Any]:
    """A result of the loop over app_token."""
    known = {"api_url": GRAPH, "cloud": "public", "tenant_id": "t", "client_id": "c", "credential": "client_secret"}
    return {"item": item, "access_token": "secret", "expires_at": "soon", "scope": item, "claims": {}, **known, **more}


def judged(
    *tokens: dict[str, t.Any], calls: t.Sequence[t.Any] = (), days: int = 30, **answer: t.Any
) -> dict[str, t.Any]:
    """The report where each call is given the same answer."""
    planned = plan(tokens, calls, [], days)
    return report(tokens, [{"__preflight_call": call, **answer} for call in planned], {}, {}, days)


def test_what_is_planned_has_no_token() -> None:
    planned = plan(
        [token(), token("arm", access_token=None)], [{"url": "v1.0/users?$top=1"}, {"url": "/", "scope": "arm"}], [], 1
    )
    assert [call["url"].partition("?")[0] for call in planned] == [
        f"{GRAPH}/v1.0/users",
        f"{GRAPH}/v1.0/applications(appId='c')",
    ]
    assert "secret" not in str(planned)
    assert abs(planned[0].pop("planned_on") - time.time()) < 60
    assert planned[0] == {
        "scope": "graph",
        "url": f"{GRAPH}/v1.0/users?$top=1",
        "status_code": [200],
        "of": "call",
        "objection": "",
    }


@pytest.mark.parametrize(
    ("status", "note"),
    [(403, "Application.Read.All would allow it"), (404, "another tenant than t"), (-1, "Graph answered -1")],
)
def test_an_app_that_can_t_be_read_is_no_problem(status: int, note: str) -> None:
    found = judged(token(), status=status, json={})
    assert found["ok"]
    assert note in found["credentials"]["note"]
    assert note in table(found, problems=True)[-1]


def test_ends_are_read_as_graph_writes_them() -> None:
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3, hours=1)
    entry = {"displayName": None, "keyId": "k", "endDateTime": f"{ends:%Y-%m-%dT%H:%M:%S}.1234567Z"}
    found = judged(token(), status=200, json={"passwordCredentials": [entry, {"endDateTime": None}]})
    assert [end["days_left"] for end in found["credentials"]["ends"]] == [3]
    assert "in 3 days. To fix it: " in found["warnings"][0]


def test_an_api_that_is_not_reached_is_a_problem() -> None:
    found = judged(token(), calls=[{"url": "/v1.0/users?$search=hidden"}], days=0, status=-1, msg="Connection refused")
    assert found["problems"] == [f"GET {GRAPH}/v1.0/users brought no answer: Connection refused"]
    assert table(found, problems=True)[-1] == f"Problem: {found['problems'][0]}"
    assert found["credentials"]["note"] == "preflight_warn_days is 0"


@pytest.mark.parametrize(("seconds", "word"), [(900, "behind"), (-900, "ahead of")])
def test_a_clock_that_is_off_is_a_warning(seconds: int, word: str) -> None:
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)
    found = judged(token(), calls=[{"url": "/"}], days=0, status=200, date=date)
    assert word in found["warnings"][0]
    assert judged(token(), calls=[{"url": "/"}], status=200, date=email.utils.formatdate(usegmt=True))["warnings"] == []


def test_a_long_wait_does_not_turn_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=900)
    (planned,) = plan([token()], [{"url": "/"}], (), 0)
    answers = [{"__preflight_call": planned, "status": 429, "date": email.utils.formatdate(usegmt=True)}]
    monkeypatch.setattr(_preflight, "_now", lambda: later)
    assert report([token()], answers, {}, {}, 0)["warnings"] == []


@pytest.mark.parametrize("year", ["99999", "9" * 40])
def test_a_date_that_is_none_tells_nothing(year: str) -> None:
    found = judged(token(), calls=[{"url": "/"}], days=0, status=200, date=f"Mon, 01 Jan {year} 00:00:00 GMT")
    assert found["warnings"] == []


def test_answers_are_told_in_a_few_words() -> None:
    said = [
        judged(token(), calls=[{"url": "/"}], days=0, status=200, json=content)["apis"][0]["calls"][0]["answer"]
        for content in ({"value": [{"name": "a"}, {"id": "b"}, {}, {}]}, {"value": []}, {"displayName": "d"}, None, [1])
    ]
    assert said == ["a, b, 2 more", "nothing", "d", "answered", "answered"]
