# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task of authorized_uri: what is refused before any request, and what is returned."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, InputError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_call import UriCall, UriTask
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import parse_uri_options
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken

Result = dict[str, t.Any]
BASE: t.Final = "https://graph.microsoft.com"
USERS: t.Final = {"value": [{"displayName": "Ann"}, {"displayName": "Bob"}]}


def respond(status: int, content: t.Any = None, content_type: str = "application/json", **headers: str) -> Result:
    """A result of uri; content that is not text is JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    failed = {} if 200 <= status < 300 else {"failed": True}
    return {"status": status, "changed": False, "content": text, "content_type": content_type, **headers, **failed}


class Host:
    """Stands in for the task's host: uri returns the next of its results, and the last one to all that follow."""

    def __init__(self, messages: t.Any, *results: Result) -> None:
        self.arguments: list[Result] = []
        self.acquired: list[AppTokenOptions] = []
        self.messages = messages
        self._results = list(results)

    def run_uri(self, arguments: Result, _seconds: float) -> Result:
        """Run uri."""
        self.arguments.append(arguments)
        return self._results.pop(0) if len(self._results) > 1 else self._results[0]

    def acquire(self, options: AppTokenOptions) -> AppToken:
        """Acquire a token."""
        self.acquired.append(options)
        now = time.time()
        token = Token("made-up-token-of-the-host", issued_on=now, expires_on=now + 3600)
        return AppToken(token, options, "client_secret", Identity(), "s", None, "network")

    def call(self, url: str = "/v1.0/users", *, check: bool = False, diff: bool = False, **arguments: t.Any) -> Result:
        """The result of a task with these arguments."""
        headers = arguments.pop("extra_headers", {})
        options = AppTokenOptions(retry_for=0, extra_headers=headers)
        task = UriTask(self.messages, self.acquire, self.run_uri, host="h001", check_mode=check, diff_mode=diff)
        return UriCall(parse_uri_options({"url": url, **arguments}), options, task).run()

    @property
    def sent(self) -> list[str]:
        """The methods and paths of all requests."""
        return [f"{sent['method']} {sent['url'].removeprefix(BASE)}" for sent in self.arguments]


@pytest.fixture
def host(messages: t.Any) -> t.Callable[..., Host]:
    def make(*results: Result) -> Host:
        return Host(messages, *results)

    return make


# --- results ----------------------------------------------------------------------------------------------------


def test_the_fields_of_uri_and_the_result_are_returned(host: t.Any) -> None:
    result = host(respond(200, USERS, x_ms_request_id="r")).call(jmespath="value[].displayName")
    assert result["result"] == ["Ann", "Bob"]
    assert result["json"] == USERS
    assert (result["status"], result["changed"], result["x_ms_request_id"]) == (200, False, "r")
    assert "content" not in result
    assert "failed" not in result


@pytest.mark.parametrize(
    ("content", "content_type", "result"),
    [
        ({"a": 1}, "application/json", {"a": 1}),
        ("Grüße", "text/plain", "Grüße"),
        ("<a/>", "application/xml", "<a/>"),
        ("", "application/json", None),
        ("", "", None),
        ('{"a": 1}', "", {"a": 1}),
    ],
)
def test_the_content_is_the_result_whatever_its_type(
    host: t.Any, content: t.Any, content_type: str, result: t.Any
) -> None:
    assert host(respond(200, content, content_type)).call()["result"] == result


def test_the_content_is_returned_as_text_if_the_task_wants_it(host: t.Any) -> None:
    result = host(respond(200, "<html>x</html>", "text/html")).call(return_content=True)
    assert (result["content"], result["result"]) == ("<html>x</html>", None)


@pytest.mark.parametrize(
    ("content", "content_type", "message"),
    [
        ("<html>x</html>", "text/html", "and HTML"),
        ("\0\1", "image/png", "and image/png, not JSON"),
        ('{"a":', "application/json", "may be cut off"),
    ],
)
def test_content_of_another_kind_is_an_error_with_the_fields(
    host: t.Any, content: str, content_type: str, message: str
) -> None:
    with pytest.raises(ApiError, match=message) as failed:
        host(respond(200, content, content_type)).call(method="POST", body={})
    fields = failed.value.to_fields()
    assert (fields["status"], fields["changed"], fields["result"]) == (200, True, None)


def test_an_expression_that_does_not_fit_loses_no_response(host: t.Any) -> None:
    with pytest.raises(ApiError, match="can't be applied to the data") as failed:
        host(respond(201, {"a": 1})).call(method="POST", body={}, jmespath="max(@)")
    fields = failed.value.to_fields()
    assert (fields["json"], fields["status"], fields["changed"]) == ({"a": 1}, 201, True)


@pytest.mark.parametrize(
    ("method", "status", "changed"),
    [
        ("GET", 200, False),
        ("HEAD", 200, False),
        ("POST", 201, True),
        ("DELETE", 204, True),
        ("DELETE", 404, False),
        ("PUT", 304, False),
    ],
)
def test_a_request_that_took_effect_is_a_change(host: t.Any, method: str, status: int, changed: bool) -> None:
    result = host(respond(status, "", "")).call(method=method, status_code=[status])
    assert result["changed"] is changed


def test_a_file_that_uri_wrote_is_a_change(host: t.Any) -> None:
    written = {"status": 200, "changed": True, "path": "/x", "content_type": "application/json"}
    result = host(written).call(dest="/x")
    assert (result["changed"], result["path"], result["result"]) == (True, "/x", None)


def test_a_request_that_creates_has_made_unnecessary_is_not_an_error(host: t.Any) -> None:
    result = host({"changed": False, "stdout": "skipped, since '/x' exists"}).call(creates="/x")
    assert (result["changed"], result["result"], result["stdout"]) == (False, None, "skipped, since '/x' exists")


NEXT: t.Final = {
    "graph": ({**USERS, "@odata.nextLink": "https://x"}, {}),
    "arm": ({**USERS, "nextLink": "https://x"}, {}),
    "link_header": ([1], {"link": '<https://x>; rel="next"'}),
    "devops": (USERS, {"x_ms_continuationtoken": "t"}),
    "table": (USERS, {"x_ms_continuation_nextpartitionkey": "k"}),
    "office": ([1], {"nextpageuri": "https://x"}),
}


@pytest.mark.parametrize(("content", "headers"), NEXT.values(), ids=NEXT)
def test_a_first_page_is_returned_with_a_warning(host: t.Any, content: t.Any, headers: Result) -> None:
    result = host(respond(200, content, **headers)).call()
    (warning,) = result["warnings"]
    assert "only the first page" in warning
    assert "entra.auth.api_request" in warning


@pytest.mark.parametrize(
    ("content", "headers"),
    [(USERS, {}), ({"nextLink": ""}, {}), ([1], {"link": '<https://x>; rel="prev"'}), (None, {})],
)
def test_a_whole_response_has_no_warning(host: t.Any, content: t.Any, headers: Result) -> None:
    assert "warnings" not in host(respond(200, content, **headers)).call()


# --- before any request -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jmespath": "value["}, "is not a JMESPath expression"),
        ({"url": "/users"}, "begin with /v1.0 or /beta"),
        ({"url": "https://stranger.example/"}, "gets no token"),
        ({"allowed_hosts": ["https://x"]}, "is not the name of a host"),
        ({"access_token": "Bearer x"}, "no bearer token has"),
    ],
)
def test_what_can_t_work_costs_neither_token_nor_request(host: t.Any, arguments: Result, message: str) -> None:
    untouched = host(respond(200))
    with pytest.raises(InputError, match=message):
        untouched.call(**arguments)
    assert untouched.acquired == []
    assert untouched.arguments == []


def test_a_given_token_is_sent_and_none_is_acquired(host: t.Any) -> None:
    used = host(respond(200, {}))
    used.call(access_token="made-up-token-from-elsewhere")
    assert used.acquired == []
    assert used.arguments[0]["headers"]["Authorization"] == "Bearer made-up-token-from-elsewhere"


def test_a_given_token_that_is_refused_is_not_renewed(host: t.Any) -> None:
    used = host(respond(401, {}))
    with pytest.raises(ApiError, match="can't be read and can't be renewed"):
        used.call(access_token="made-up-token-from-elsewhere")
    assert len(used.arguments) == 1


def test_headers_of_all_calls_are_sent_and_those_of_the_task_win(host: t.Any) -> None:
    used = host(respond(200, {}))
    common = {"X-Gateway": "g", "Prefer": "all", "authorization": "Basic x"}
    used.call(extra_headers=common, headers={"prefer": "own"})
    assert used.arguments[0]["headers"] == {
        "X-Gateway": "g", "prefer": "own", "Authorization": "Bearer made-up-token-of-the-host",
    }  # fmt: skip


# --- check mode and differences ---------------------------------------------------------------------------------


def test_check_mode_reads_without_writing_the_file(host: t.Any) -> None:
    used = host(respond(200, USERS))
    used.call(check=True, dest="/x")
    assert "dest" not in used.arguments[0]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "text/html"])
def test_a_download_of_any_kind_is_read_in_check_mode_too(host: t.Any, kind: str, check: bool) -> None:
    used = host(respond(200, "\0\1", kind))
    result = used.call(check=check, dest="/x")
    assert (result["status"], result["result"]) == (200, None)
    assert used.arguments[0]["return_content"] is False


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "MERGE"])
def test_check_mode_shows_a_write_and_does_not_send_it(host: t.Any, method: str) -> None:
    used = host(respond(200))
    result = used.call(check=True, method=method, body={"a": 1, "password": "hunter2"})
    assert result == {
        "changed": True, "method": method, "url": f"{BASE}/v1.0/users", "body": {"a": 1, "password": "********"},
    }  # fmt: skip
    assert used.arguments == []
    assert len(used.acquired) == 1


@pytest.mark.parametrize("check", [False, True])
def test_a_difference_shows_the_old_value_without_secrets(host: t.Any, check: bool) -> None:
    used = host(respond(200, {"a": 0, "secret": "old", "b": 2}), respond(200, {}))
    result = used.call("/v1.0/users/x", check=check, diff=True, method="PATCH", body={"a": 1, "secret": "new"})
    assert result["diff"]["before"] == {"a": 0, "secret": "********"}
    assert result["diff"]["after"] == {"a": 1, "secret": "********"}
    assert used.sent == ["GET /v1.0/users/x"] + ([] if check else ["PATCH /v1.0/users/x"])


def test_the_request_for_the_old_value_changes_nothing(host: t.Any) -> None:
    used = host(respond(404, {}), respond(201, {}))
    main = {"creates": "/c", "dest": "/d", "status_code": [201], "headers": {"If-Match": "*", "Prefer": "x"}}
    result = used.call("/v1.0/x", diff=True, method="PUT", body={"a": 1}, **main)
    reading = used.arguments[0]
    assert not {"creates", "dest", "body", "body_format"} & set(reading)
    assert "If-Match" not in reading["headers"]
    assert reading["headers"]["Prefer"] == "x"
    assert result["diff"]["before"] == {}


def test_without_the_old_value_there_is_no_difference_and_the_write_goes_on(host: t.Any, messages: t.Any) -> None:
    used = host(respond(403, {}), respond(200, {}))
    result = used.call("/v1.0/x", diff=True, method="PATCH", body={"a": 1})
    assert result["diff"] == {}
    assert used.sent == ["GET /v1.0/x", "PATCH /v1.0/x"]
    assert "the old value can't be read" in " ".join(messages.on("v"))


@pytest.mark.parametrize("arguments", [{"method": "POST", "body": {}}, {"method": "PUT", "body": "text"}, {}])
def test_other_requests_have_no_difference(host: t.Any, arguments: Result) -> None:
    used = host(respond(200, {}))
    assert "diff" not in used.call(diff=True, **arguments)
    assert len(used.arguments) == 1


def test_progress_is_shown_in_the_collection_s_name(host: t.Any, messages: t.Any, clock: t.Any) -> None:
    used = host({**respond(429, {}), "retry_after": "5"}, respond(200, {}))
    task = UriTask(messages, used.acquire, used.run_uri, host="h001", check_mode=False, diff_mode=False)
    UriCall(parse_uri_options({"url": "/v1.0/x"}), AppTokenOptions(retry_for=60), task).run()
    assert messages.on("v") == ["entra.auth: waits 5 s before it sends the request again"]
    assert clock.slept == [5]


def test_a_token_that_can_t_be_acquired_fails_before_any_request(messages: t.Any) -> None:
    def refuse(options: AppTokenOptions) -> AppToken:
        raise EntraAuthError("No.", hint="Yes.")

    used = Host(messages, respond(200))
    task = UriTask(messages, refuse, used.run_uri, host="h001", check_mode=True, diff_mode=False)
    with pytest.raises(EntraAuthError, match="No"):
        UriCall(parse_uri_options({"url": "/v1.0/x", "method": "POST"}), AppTokenOptions(), task).run()
    assert used.arguments == []
