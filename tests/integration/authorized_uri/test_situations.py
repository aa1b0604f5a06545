# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One table of situations: api_request, the module and the role authorized_uri do the same in each of them.

Every situation is a host of each entry point's play, so that the situations run side by side. Each host has an app of
its own, and its requests carry its name, as do its faults. The role is the module and a task that sets a fact, so a
situation of each kind shows what it adds; its other rows are marked ``thorough``.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cache_tasks import gaps

from plays import Plays, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play

Task = dict[str, t.Any]

ENTRIES: t.Final = ("api_request", "module", "role")
SECRET: t.Final = "made-up~secret-of-a-situation"
ORGANIZATION: t.Final = "/v1.0/organization"
CLAIMS: t.Final = {"access_token": {"acrs": {"essential": True, "value": "c1"}}}
ENCODED_CLAIMS: t.Final = base64.b64encode(json.dumps(CLAIMS).encode()).decode()
CHALLENGE: t.Final = f'Bearer realm="", error="insufficient_claims", claims="{ENCODED_CLAIMS}"'
# Among several challenges and parameters, and without padding.
LONG_CHALLENGE: t.Final = (
    f'Bearer realm="", error="insufficient_claims", claims="{ENCODED_CLAIMS.rstrip("=")}", '
    'authorization_uri="https://a.a", PoP'
)
POST: t.Final = {"method": "POST", "body": {"a": 1}, "url": "/v1.0/things"}
_FORKS: t.Final = 6


@dataclasses.dataclass(frozen=True)
class Situation:
    """What an API does, what is asked of it, and what has to come of it.

    ``faults`` are arguments of ``Emulator.fault``; in texts, CASE stands for the name of the case, CLIENT for its app,
    FOREIGN and INSECURE for strangers. ``wire`` are the statuses of the requests that arrived, ``pause`` the least
    seconds between the first two, ``tokens`` the token requests, of which all but the first have claims if ``claims``.
    A failure has ``said`` in its message, and ``said_on_host`` if a host sent the request.
    """

    faults: tuple[Task, ...] = ()
    call: Task = dataclasses.field(default_factory=dict)
    wire: tuple[int | None, ...] = (200,)
    status: int | None = 200
    said: tuple[str, ...] = ()
    said_on_host: tuple[str, ...] = ()
    result: t.Any = ...
    pause: float = 0
    tokens: int = 1
    claims: bool = False

    @property
    def fails(self) -> bool:
        """Whether the task has to fail."""
        return bool(self.said)


def fault(status: int, **more: t.Any) -> Task:
    return {"action": "status", "status": status, **more}


def redirect(location: str, status: int = 302, **more: t.Any) -> Task:
    return {"action": "redirect", "location": location, "status": status, **more}


def content(body: str, content_type: str) -> tuple[Task, ...]:
    return (fault(200, body=body, content_type=content_type),)


BUSY: t.Final[dict[str, Situation]] = {
    "busy_429_in_seconds": Situation((fault(429, retry_after=2),), wire=(429, 200), pause=2),
    "busy_503_in_seconds": Situation((fault(503, retry_after=2),), wire=(503, 200), pause=2),
    "busy_504_in_seconds": Situation((fault(504, retry_after=2),), wire=(504, 200), pause=2),
    "busy_429_as_a_date": Situation((fault(429, retry_after=3, retry_after_as="date"),), wire=(429, 200), pause=1.9),
    "busy_503_as_a_date": Situation((fault(503, retry_after=3, retry_after_as="date"),), wire=(503, 200), pause=1.9),
    "busy_429_in_no_time": Situation((fault(429, retry_after=0),), wire=(429, 200), pause=1),
    "busy_503_without_a_word": Situation(
        (fault(503, body="<html>busy</html>", content_type="text/html"),), wire=(503, 200), pause=1
    ),
    "busy_503_unreadably": Situation((fault(503, headers={"Retry-After": "soon"}),), wire=(503, 200), pause=1),
    "busy_several_times": Situation(
        (fault(429, retry_after=1), fault(503, retry_after=1), fault(500)), wire=(429, 503, 500, 200), pause=1
    ),
    "busy_for_too_long": Situation(
        (fault(429, retry_after=600, times=None),),
        call={"retry_for": 5},
        wire=(429,),
        status=429,
        said=("responded with 429", "asks to wait 600 s, longer than is left of retry_for (5 s)"),
    ),
    "busy_until_retry_for_is_over": Situation(
        # The second attempt has 9 s to spare on a machine under load, and there is no time for a third one.
        (fault(503, retry_after=11, times=None),),
        call={"retry_for": 20},
        wire=(503, 503),
        status=503,
        pause=11,
        said=("asks to wait 11 s, longer than is left of retry_for (20 s)",),
    ),
    "busy_with_a_post": Situation((fault(503, retry_after=1),), call=POST, wire=(503, 404), status=404, said=("404",)),
    "failed_with_a_get": Situation((fault(500),), wire=(500, 200), pause=1),
    "failed_with_a_post": Situation((fault(500),), call=POST, wire=(500,), status=500, said=("responded with 500",)),
    "timed_out_with_a_post": Situation((fault(504),), call=POST, wire=(504,), status=504, said=("responded with 504",)),
}

REFUSED: t.Final[dict[str, Situation]] = {
    "refused_with_403": Situation(
        (fault(403),),
        wire=(403,),
        status=403,
        said=("responded with 403", "The token has the roles: ", "admin consent"),
    ),
    "refused_plainly": Situation((fault(401),), wire=(401, 200), tokens=2),
    "refused_with_claims": Situation(
        (fault(401, headers={"WWW-Authenticate": CHALLENGE}),), wire=(401, 200), tokens=2, claims=True
    ),
    "refused_with_claims_and_then_plainly": Situation(
        (fault(401, headers={"WWW-Authenticate": LONG_CHALLENGE}), fault(401)),
        wire=(401, 401, 200),
        tokens=3,
        claims=True,
    ),
    "refused_again": Situation(
        (fault(401, times=None),),
        wire=(401, 401),
        status=401,
        tokens=2,
        said=("responded with 401", "A new token was refused as well", "CLIENT", "scope names"),
    ),
    "refused_for_its_audience": Situation(
        call={"url": "/subscriptions", "query": "api-version=2022-12-01"},
        wire=(401,),
        status=401,
        said=("responded with 401", "for another API", "Set scope to the API that is called: arm"),
    ),
    "accepted_although_refused": Situation(
        (fault(401),), call={"status_code": [401]}, wire=(401,), status=401, result=...
    ),
}

REDIRECTED: t.Final[dict[str, Situation]] = {
    "redirected_within_the_api": Situation((redirect(f"{ORGANIZATION}?case=CASE#fragment"),), wire=(302, 200)),
    "redirected_elsewhere": Situation(
        (redirect("FOREIGN/x?case=CASE"),), wire=(302,), status=None, said=("leads to FOREIGN, which gets no token",)
    ),
    "redirected_elsewhere_in_the_clear": Situation(
        (redirect("INSECURE/x?case=CASE"),), wire=(302,), status=None, said=("leads to INSECURE, which gets no token",)
    ),
    "redirected_in_the_clear": Situation(
        (redirect("http://api.contoso.example/x"),), wire=(302,), status=None, said=("which is not https",)
    ),
    "redirected_with_a_body": Situation(
        (redirect("/v1.0/others?case=CASE", 307, match="/v1.0/things"),),
        call={**POST, "status_code": [404]},
        wire=(307, 404),
        status=404,
    ),
    "redirected_as_a_get": Situation(
        (redirect("/v1.0/others?case=CASE", 303),), call=POST, wire=(303,), status=303, said=("responded with 303",)
    ),
    "redirected_in_a_circle": Situation(
        (redirect(f"{ORGANIZATION}?case=CASE", times=None),),
        wire=(302,) * 6,
        status=302,
        said=("more than 5 redirects",),
    ),
}

CUT: t.Final[dict[str, Situation]] = {
    "cut_off_in_json": Situation(({"action": "truncated_json"},), said=("responded with 200", "may be cut off")),
    "cut_off_in_the_body": Situation(({"action": "reset_mid_body"},), wire=(200, 200)),
    "cut_off_in_the_body_each_time": Situation(
        ({"action": "reset_mid_body", "times": None},),
        call={"retry_for": 0},
        status=-1,
        said=("connection",),
        said_on_host=("got no response on CASE: the connection was lost",),
    ),
    "lost_with_a_get": Situation(({"action": "drop"},), wire=(None, 200)),
    "lost_with_a_post": Situation(
        ({"action": "drop"},), call=POST, wire=(None,), status=-1, said=("Check whether the request took effect",)
    ),
    "lost_with_a_delete_that_took_effect": Situation(
        ({"action": "drop"},),
        call={"method": "DELETE", "url": "/v1.0/things"},
        wire=(None, 404),
        status=404,
        said=("responded with 404", "may have taken effect"),
    ),
    "without_an_answer": Situation(
        call={"url": "https://127.0.0.1:9/x", "allowed_hosts": ["127.0.0.1:9"], "retry_for": 0},
        wire=(),
        status=-1,
        said=("127.0.0.1:9", "To fix it: "),
    ),
    "dripping": Situation(
        ({"action": "drip", "interval": 0.3, "seconds": 60},),
        call={"timeout": 2, "retry_for": 0},
        wire=(200,),
        status=-1,
        said=("timeout",),
    ),
}

CONTENT: t.Final[dict[str, Situation]] = {
    "text": Situation(content("Grüße", "text/plain; charset=utf-8"), result="Grüße"),
    "xml": Situation(content("<a>ü</a>", "application/xml"), result="<a>ü</a>"),
    "letters_beyond_ascii": Situation(content('{"name": "Grüße €"}', "application/json"), result={"name": "Grüße €"}),
    "byte_order_mark": Situation(content('\ufeff{"a": 1}', "application/json"), result={"a": 1}),
    "json_without_a_type": Situation(content('{"a": 1}', ""), result={"a": 1}),
    "nothing": Situation(content("", "application/json"), result=None),
    "html": Situation(content("<html>x</html>", "text/html"), said=("and HTML",)),
    "binary": Situation(content("\x01\x02", "image/png"), said=("and image/png, not JSON",)),
    "nested_too_deeply": Situation(content("[" * 250 + "]" * 250, "application/json"), said=("more than 200 levels",)),
    "an_error_with_a_good_status": Situation(
        content('{"error": {"code": "Partial", "message": "Some."}}', "application/json"),
        said=("responded with 200 and an error: Some (Partial)", "Correct what the message says"),
    ),
    "letters_beyond_ascii_and_a_hash_in_the_url": Situation(
        call={"url": "/v1.0/things/Grüße%23"}, wire=(404,), status=404, said=("Gr%C3%BC%C3%9Fe%23 responded with 404",)
    ),
    "an_error_that_is_allowed": Situation(
        call={"url": "/v1.0/things", "status_code": [200, 404]}, wire=(404,), status=404
    ),
    "an_error_of_the_api": Situation(
        call={"url": "/v1.0/things"},
        wire=(404,),
        status=404,
        said=("(Request_ResourceNotFound)", "add 404 to status_code"),
    ),
}

SELECTED: t.Final[dict[str, Situation]] = {
    "selected": Situation(call={"jmespath": "value[].id | length(@)"}, result=1),
    "selected_by_nonsense": Situation(
        call={"jmespath": "value["}, wire=(), status=None, tokens=0, said=("'value[' is not a JMESPath expression",)
    ),
    "selected_by_an_unknown_function": Situation(
        call={"jmespath": "nothing(@)"}, wire=(), status=None, tokens=0, said=("there is no function nothing()",)
    ),
    "selected_wrongly_after_a_post": Situation(
        (fault(201, body='{"a": 1}', content_type="application/json"),),
        call={**POST, "jmespath": "max(@)"},
        wire=(201,),
        status=201,
        said=("can't be applied to the data",),
    ),
    "not_sent_without_a_version": Situation(
        call={"url": "https://graph.microsoft.com/users", "allowed_hosts": ["graph.microsoft.com"], "plain": True},
        wire=(),
        status=None,
        tokens=0,
        said=("begin with /v1.0 or /beta", "Write /v1.0/users."),
    ),
    "not_sent_with_a_hash": Situation(
        call={"url": "/v1.0/users/a#EXT#@b", "plain": True},
        wire=(),
        status=None,
        tokens=0,
        said=("holds a #", "%23"),
    ),
    "not_sent_with_another_authorization": Situation(
        call={"headers": {"authorization": "Basic made-up"}},
        wire=(),
        status=None,
        tokens=0,
        said=("headers can't replace Authorization",),
    ),
}

SITUATIONS: t.Final = {**BUSY, **REFUSED, **REDIRECTED, **CUT, **CONTENT, **SELECTED}
CASES: t.Final = [f"{name}_by_{entry}" for name in SITUATIONS for entry in ENTRIES]
# A situation of each kind.
FOR_THE_ROLE: t.Final = (
    *("busy_several_times", "refused_with_claims", "redirected_elsewhere", "lost_with_a_post"),
    *("an_error_of_the_api", "letters_beyond_ascii", "selected", "not_sent_with_a_hash"),
)
# ansible-core differs in how it hands over a failed result of uri.
ON_EACH_CORE: t.Final = ("refused_with_claims", "lost_with_a_post", "an_error_of_the_api")


def split_case(case: str) -> tuple[str, str]:
    """Return the name of the situation and that of the entry point."""
    name, _by, entry = case.rpartition("_by_")
    return name, entry


def build_row(case: str) -> t.Any:
    """Return the parameter of a test."""
    name, entry = split_case(case)
    further = [pytest.mark.thorough] if entry == "role" and name not in FOR_THE_ROLE else []
    return pytest.param(case, marks=[*further, *([pytest.mark.entry_point] if name in ON_EACH_CORE else [])])


def list_selected_cases(session: pytest.Session) -> list[str]:
    """Return the cases whose tests are to run; all of them if only tests without a case are."""
    items = [item for item in session.items if item.path == Path(__file__) and isinstance(item, pytest.Function)]
    return [item.callspec.params["case"] for item in items if hasattr(item, "callspec")] or CASES


def build_variables(name: str, situation: Situation) -> Task:
    """Return the options of a call by their names."""
    call = {"url": ORGANIZATION, **situation.call}
    query, is_plain = call.pop("query", None), call.pop("plain", False)
    pairs = [pair for pair in (query, f"case={name}") if pair]
    url = call.pop("url") if is_plain else f"{call.pop('url')}?{'&'.join(pairs)}"
    return {"url": url, **call}


def build_playbook() -> list[Task]:
    """Return a play for each entry point, on the hosts of its cases; the last task shows the outcome."""
    names = ("url", "method", "headers", "body", "status_code", "jmespath", "allowed_hosts", "retry_for", "timeout")
    options = {name: "{{ call." + name + " | default(omit) }}" for name in names}
    how = {"register": "called", "ignore_errors": True}
    role = {
        "ansible.builtin.include_role": {"name": "entra.auth.authorized_uri"},
        "vars": {f"authorized_uri_{name}": value for name, value in options.items()},
    }
    tasks: dict[str, list[Task]] = {
        "api_request": [{"entra.auth.api_request": options, **how}, show(outcome="called")],
        "module": [{"entra.auth.authorized_uri": options, **how}, show(outcome="called")],
        "role": [
            {"block": [role], "rescue": [{"ansible.builtin.debug": {}}]},
            show(outcome="authorized_uri_result | default('')"),
        ],
    }
    return [{"hosts": f"*_by_{entry}", "tasks": tasks[entry]} for entry in ENTRIES]


class Run:
    """The plays of some cases, in one run, and the requests that they sent."""

    def __init__(self, emulator: Emulator, plays: Plays, cases: list[str]) -> None:
        self.emulator = emulator
        self.clients: dict[str, str] = {}
        hosts = {case: self._prepare(case, SITUATIONS[split_case(case)[0]]) for case in cases}
        self.play: Play = plays.run(
            build_playbook(), "-vvv", hosts=hosts, forks=_FORKS, record=True, app_token_client_secret=SECRET
        )
        self.log = emulator.requests()

    def _prepare(self, case: str, situation: Situation) -> Task:
        """Set up the faults and the app of a case, and return the variables of its host."""
        roles = {"graph": ["Organization.Read.All", "User.Read.All"]}
        self.clients[case] = self.emulator.add_app(secret=SECRET, roles=roles)["client_id"]
        for arguments in situation.faults:
            chosen = {"endpoint": "api", "match": f"case={case}(&|$)", **arguments}
            texts = {name: self.fill(value, case) for name, value in chosen.items()}
            if "match" in arguments:
                texts["match"] = f"{arguments['match']}.*case={case}(&|$)"
            self.emulator.fault(**texts)
        return {"call": build_variables(case, situation), "app_token_client_id": self.clients[case]}

    def fill(self, value: t.Any, case: str) -> t.Any:
        """Return a text of a situation with the values of a case; other values as they are."""
        if not isinstance(value, str):
            return value
        urls = self.emulator.urls
        words = {"CASE": case, "CLIENT": self.clients[case], "FOREIGN": urls.foreign, "INSECURE": urls.foreign_http}
        for word, text in words.items():
            value = value.replace(word, text)
        return value

    def outcome(self, case: str) -> Task:
        """Return the result that the task registered or the role set."""
        return t.cast("Task", self.play.shown(case)["outcome"])

    def requests(self, case: str) -> list[Task]:
        """Return the requests of a case at any listener."""
        return [entry for entry in self.log if parse_qs(entry["query"]).get("case") == [case]]

    def token_requests(self, case: str) -> list[Task]:
        """Return the forms of its token requests."""
        forms = [dict(entry["form"]) for entry in self.log if entry["path"].endswith("/token")]
        return [form for form in forms if form.get("client_id") == self.clients[case]]


@pytest.fixture(scope="module")
def run(running_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Run:
    """Return the run, once for all tests of this file that are selected."""
    running_emulator.reset()
    plays = Plays(tmp_path_factory.mktemp("situations"), running_emulator)
    return Run(running_emulator, plays, list_selected_cases(request.session))


@pytest.mark.parametrize("case", [build_row(case) for case in CASES])
def test_a_situation_ends_in_the_same_way_by_every_entry_point(run: Run, case: str) -> None:
    situation, outcome = SITUATIONS[split_case(case)[0]], run.outcome(case)
    requests = run.requests(case)
    assert tuple(entry["status"] for entry in requests) == situation.wire, outcome
    assert all(gap >= situation.pause for gap in gaps(requests)[:1])
    assert bool(outcome.get("failed")) is situation.fails, outcome
    assert outcome.get("status") == (situation.status if situation.status is not None else outcome.get("status"))
    for part in situation.said + (() if case.endswith("_by_api_request") else situation.said_on_host):
        assert run.fill(part, case) in outcome["msg"]
    if situation.fails:
        assert "To fix it: " in outcome["msg"]
        assert "\n" not in outcome["msg"]
        assert "case=" not in outcome["msg"], "a query may be secret"
    elif situation.result is not ...:
        assert outcome["result"] == situation.result
    assert_tokens(run, case, requests)


def assert_tokens(run: Run, case: str, requests: list[Task]) -> None:
    """Each request has one, and each token request but the first has the claims that the API asked for."""
    situation = SITUATIONS[split_case(case)[0]]
    claims = [json.loads(form.get("claims", "null")) for form in run.token_requests(case)]
    renewed = [CLAIMS if situation.claims else None] * (situation.tokens - 1)
    assert claims == [None, *renewed][: situation.tokens]
    sent = [dict(entry["headers"]).get("Authorization", "") for entry in requests]
    assert all(value.startswith("Bearer ") for value in sent)
    assert len(set(sent)) == min(situation.tokens, len(sent))


def test_no_stranger_got_a_token_and_no_secret_was_shown(run: Run) -> None:
    assert run.emulator.tokens_at_strangers() == []
    assert "Traceback" not in run.play.output
    tokens = [token for token in run.emulator.issued()["token"] if token]
    assert len(tokens) >= len(run.clients) / 2
    assert [secret for secret in (SECRET, *tokens) if secret in run.play.output] == []
