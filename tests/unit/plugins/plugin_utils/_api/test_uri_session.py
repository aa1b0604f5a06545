# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each request is one run of ansible.builtin.uri: its arguments, and what its result stands for."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_result import (
    NOT_SENT,
    UNREADABLE,
    UriResponse,
    describe_uri_failure,
    describe_uri_response,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_session import UriSession
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import parse_uri_options

Result = dict[str, t.Any]
TOKEN: t.Final = "made-up-token-of-this-test-0123456789"
URL: t.Final = "https://api.example/x"
OK: t.Final = {"status": 200, "url": URL, "changed": False, "content_type": "application/json", "content": '{"a": 1}'}


class Holder:
    """Holds one token."""

    can_renew = True
    values = (TOKEN,)

    def get_token(self) -> Token:
        """The token."""
        return Token(TOKEN, 0, 1)

    def renew(self, claims: str | None) -> None:
        """Keep it."""

    def describe_request(self) -> str:
        """What it was requested with."""
        return "client c"

    def describe_roles(self) -> str:
        """Its roles."""
        return "The token has the roles: A."

    def describe_end(self) -> str:
        """Nothing to say."""
        return ""


class Uri:
    """Stands in for the action uri: returns the next result, and the last one for all that follow."""

    def __init__(self, *results: Result) -> None:
        self._results = list(results)
        self.arguments: list[Result] = []
        self.limits: list[float] = []

    def __call__(self, arguments: Result, seconds: float) -> Result:
        self.arguments.append(arguments)
        self.limits.append(seconds)
        return self._results.pop(0) if len(self._results) > 1 else self._results[0]


def open_session(uri: Uri, *, options: AppTokenOptions | None = None, **arguments: t.Any) -> UriSession:
    """A session for a call with these arguments."""
    call = parse_uri_options({"url": "/x", **arguments})
    return UriSession(
        Holder(),
        HostPin("s", ("api.example", "http://localhost:8080")),
        call,
        options or AppTokenOptions(retry_for=0),
        uri,
        host="h001",
        log_progress=lambda _text: None,
    )


def send(*results: Result, method: str = "GET", **arguments: t.Any) -> UriResponse:
    """The response to a request for which uri returns these results."""
    session = open_session(Uri(*results), method=method, **arguments)
    return t.cast("UriResponse", session.send(ApiRequest(method, URL), accept=(NOT_SENT,)))


def fail(*results: Result, method: str = "GET", **arguments: t.Any) -> ApiError:
    """The error of such a request."""
    with pytest.raises(ApiError) as failed:
        send(*results, method=method, **arguments)
    return failed.value


# --- arguments --------------------------------------------------------------------------------------------------


def get_arguments(options: AppTokenOptions | None = None, **arguments: t.Any) -> Result:
    uri = Uri(OK)
    session = open_session(uri, options=options, **arguments)
    session.send(ApiRequest(arguments.get("method", "GET"), URL, {"Prefer": "x"}))
    return uri.arguments[0]


def test_the_token_is_sent_and_masked_and_goes_nowhere_else() -> None:
    sent = get_arguments()
    assert sent["headers"] == {"Prefer": "x", "Authorization": f"Bearer {TOKEN}"}
    assert sent["url_password"] == TOKEN
    assert sent["use_netrc"] is False
    assert sent["follow_redirects"] == "none"
    assert set(sent["unredirected_headers"]) == {"Prefer", "Authorization"}
    assert not {"url_username", "force_basic_auth"} & set(sent)


@pytest.mark.parametrize("url", ["http://localhost:8080/x", "HTTP://localhost:8080/x"])
def test_no_proxy_sees_a_token_that_is_sent_to_the_host_itself(url: str) -> None:
    uri = Uri({**OK, "url": url})
    open_session(uri, use_proxy=True).send(ApiRequest("GET", url))
    assert uri.arguments[0]["use_proxy"] is False
    assert "use_proxy" not in get_arguments()


@pytest.mark.parametrize(("timeout", "seconds"), [(30.0, 30), (0.2, 1), (4.1, 5), (600.0, 600)])
def test_the_timeout_of_the_option_is_that_of_uri(timeout: float, seconds: int) -> None:
    assert get_arguments(AppTokenOptions(timeout=timeout, retry_for=0))["timeout"] == seconds


@pytest.mark.parametrize(
    ("timeout", "retry_for", "limit"), [(30.0, 120.0, 40), (2.0, 60.0, 12), (2.0, 3.0, 6), (2.0, 0.0, 3)]
)
def test_a_slow_host_may_take_longer_to_start_but_the_call_keeps_its_bound(
    timeout: float, retry_for: float, limit: float
) -> None:
    uri = Uri(OK)
    open_session(uri, options=AppTokenOptions(timeout=timeout, retry_for=retry_for)).send(ApiRequest("GET", URL))
    assert uri.limits == [pytest.approx(limit, abs=0.5)]


def test_what_uri_takes_is_handed_to_it() -> None:
    passed = {"unix_socket": "/run/x", "mode": "0600", "decompress": False, "creates": "/tmp/x", "http_agent": "a"}
    assert passed.items() <= get_arguments(**passed).items()


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {}),
        ({"body_format": "json"}, {}),
        ({"method": "POST", "body": {"a": 1}}, {"body": {"a": 1}, "body_format": "json"}),
        ({"method": "POST", "body": "a", "body_format": "raw"}, {"body": "a", "body_format": "raw"}),
        ({"method": "PUT", "src": "a.bin"}, {"src": "a.bin"}),
    ],
)
def test_a_body_is_sent_only_if_there_is_one(arguments: Result, sent: Result) -> None:
    found = get_arguments(**arguments)
    assert {name: found[name] for name in ("body", "body_format", "src") if name in found} == sent


def test_a_body_is_whole_for_each_attempt(clock: t.Any) -> None:
    """The action uri replaces file names in it by those on the host."""
    seen: list[Result] = []

    def run(arguments: Result, _seconds: float) -> Result:
        seen.append(json.loads(json.dumps(arguments["body"])))
        arguments["body"]["file"]["filename"] = "/tmp/on-the-host"
        return {"status": 503, "failed": True}

    session = open_session(
        t.cast("Uri", run),
        options=AppTokenOptions(retry_for=10),
        method="POST",
        body={"file": {"filename": "a.txt"}},
        body_format="form-multipart",
    )
    with pytest.raises(ApiError, match="503"):
        session.send(ApiRequest("POST", URL))
    assert len(seen) > 1
    assert all(body == {"file": {"filename": "a.txt"}} for body in seen)


def test_ca_and_verification_concern_the_host_only_if_the_task_gives_them() -> None:
    options = AppTokenOptions(retry_for=0, ca_path="/ca.pem", validate_certs=False)
    given_by_task = {"ca_path": "option ca_path", "validate_certs": "option validate_certs"}
    given_elsewhere = {"ca_path": "variable app_token_ca_path", "validate_certs": "environment X"}
    sent = get_arguments(dataclasses.replace(options, origins=given_by_task))
    assert (sent["ca_path"], sent["validate_certs"]) == ("/ca.pem", False)
    assert not {"ca_path", "validate_certs"} & set(get_arguments(dataclasses.replace(options, origins=given_elsewhere)))


@pytest.mark.parametrize(
    ("given_", "statuses"), [({}, set(range(200, 300))), ({"status_code": [200, 404]}, {200, 404})]
)
def test_uri_takes_the_same_statuses_for_a_success(given_: Result, statuses: set[int]) -> None:
    assert set(get_arguments(**given_)["status_code"]) == statuses


@pytest.mark.parametrize(
    ("arguments", "returned"), [({}, True), ({"dest": "/x"}, False), ({"dest": "/x", "return_content": True}, True)]
)
def test_the_content_is_returned_unless_it_goes_to_a_file(arguments: Result, returned: bool) -> None:
    assert get_arguments(**arguments)["return_content"] is returned


# --- responses --------------------------------------------------------------------------------------------------


def test_headers_status_and_content_are_read() -> None:
    response = send({**OK, "x_ms_request_id": "r", "retry_after": "7", "date": "Mon, 05 Jan 2026 10:00:00 GMT"})
    assert response.status == 200
    assert response.headers["X-MS-Request-Id"] == "r"
    assert response.retry_after == 7
    assert response.parse_json() == {"a": 1}


@pytest.mark.parametrize(
    ("content_type", "content", "expected"),
    [
        ("application/json; charset=utf-16", '{"a": "Grüße"}', {"a": "Grüße"}),
        ("application/json", '\ufeff{"a": 1}', {"a": 1}),
        ("application/json", '{"a": "\\ud83d"}', {"a": "\ud83d"}),
    ],
)
def test_json_is_read_from_the_text_that_uri_has_decoded(content_type: str, content: str, expected: t.Any) -> None:
    assert send({**OK, "content_type": content_type, "content": content}).parse_json() == expected


def test_text_is_read_as_uri_has_decoded_it() -> None:
    assert send({**OK, "content_type": "text/plain; charset=utf-16", "content": "\ufeffGrüße"}).decode_text() == "Grüße"


def test_without_content_the_json_of_uri_counts() -> None:
    assert send({"status": 200, "content_type": "application/json", "json": [1]}).parse_json() == [1]


def test_a_request_that_uri_did_not_send_is_no_error() -> None:
    assert send({"changed": False, "stdout": "skipped, since '/x' exists"}).status == NOT_SENT


STEERING: t.Final = {
    "ansible_facts": {"app_token_authority": "x"},
    "ansible_stats": {},
    "add_host": {"host_name": "evil"},
    "add_group": "evil",
    "_ansible_no_log": False,
    "_ansible_delegated_vars": {},
    "skipped": True,
    "unreachable": True,
    "invocation": {"module_args": {"headers": TOKEN}},
    "exception": "Traceback",
    "module_stderr": "x",
    "results": [],
    "rc": 0,
}


def test_no_field_that_steers_ansible_passes() -> None:
    """A host may answer anything, and a service may name a header so."""
    response = send({**OK, **STEERING})
    assert set(describe_uri_response(response, parse_uri_options({"url": "/x"}))) == {
        *("status", "url", "changed", "content_type", "json"),
    }


@pytest.mark.parametrize("spelled", [TOKEN, TOKEN[3:30], "".join(f"\\u{ord(c):04x}" for c in TOKEN), "\0".join(TOKEN)])
def test_a_token_that_comes_back_is_masked_after_decoding(spelled: str) -> None:
    content = json.dumps({"echo": spelled}).replace("\\\\u", "\\u")
    result = {**OK, "content": content, "x_echo": spelled, "cookies": {"a": spelled}, spelled: 1}
    call = parse_uri_options({"url": "/x", "return_content": True})
    shown = repr(describe_uri_response(send(result), call)) + repr(describe_uri_failure(send(result), call))
    assert TOKEN[5:26] not in shown
    assert shown.count("********") >= 4


# --- errors -----------------------------------------------------------------------------------------------------


def test_an_error_of_the_api_has_its_words_and_the_fields_of_uri() -> None:
    body = {"error": {"code": "NotFound", "message": "Not there."}}
    error = fail({"status": 404, "failed": True, "msg": "Status code", "content": json.dumps(body), "request_id": "r"})
    assert str(error).startswith("GET https://api.example/x responded with 404: Not there (NotFound). To fix it: ")
    assert "Requested with client c." in str(error)
    fields = error.to_fields()
    assert (fields["status"], fields["request_id"], fields["result"]) == (404, "r", None)
    assert "msg" not in fields


LOST: t.Final = {
    "refused": ("Connection failure: [Errno 111] Connection refused", "firewall and proxy between h001"),
    "name": ("<urlopen error [Errno -2] Name or service not known>", "name servers of h001"),
    "timeout": ("Connection failure: The read operation timed out", "raise timeout (now 30 s)"),
    "untrusted": ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "Install the CA on h001"),
    "expired": ("certificate verify failed: certificate has expired", "clock of h001"),
    "other_name": ("certificate verify failed: Hostname mismatch, certificate is not valid", "Check url"),
    "proxy": ("<urlopen error Tunnel connection failed: 403 Forbidden>", "HTTPS_PROXY and NO_PROXY"),
    "closed": ("Connection failure: Remote end closed connection without response", "ends connections"),
    "odd": ("BadStatusLine('GIBBERISH of a peer')", "ends connections"),
}


@pytest.mark.parametrize(("words", "fix"), LOST.values(), ids=LOST)
def test_a_request_without_a_response_is_an_error_with_a_fix(words: str, fix: str) -> None:
    error = fail({"status": -1, "failed": True, "msg": f"Status code was -1 and not [200]: {words}"})
    assert error.message.startswith("GET https://api.example/x got no response on h001: ")
    assert fix in error.hint
    assert "GIBBERISH" not in str(error)
    assert error.to_fields()["status"] == -1


@pytest.mark.parametrize(("method", "warned"), [("GET", False), ("PUT", False), ("POST", True), ("PATCH", True)])
def test_a_write_without_a_response_may_have_taken_effect(method: str, warned: bool) -> None:
    error = fail({"status": -1, "failed": True, "msg": "timed out"}, method=method)
    assert error.hint.startswith("Check whether the request took effect") is warned


@dataclasses.dataclass(frozen=True)
class Event:
    """An exception as ansible-core 2.19 and newer describe it: its text without its name; ``chain`` has its cause."""

    msg: str
    chain: t.Any = None


@dataclasses.dataclass(frozen=True)
class Summary:
    """A summary of an exception, and a link of a chain: each holds an event."""

    event: Event


CRASHES: t.Final = (
    {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "ConnectionResetError: [Errno 104]"},
    {"failed": True, "msg": "HTTP Error while fetching https://x: IncompleteRead(5 bytes read)"},
    {"failed": True, "msg": "x", "exception": "http.client.IncompleteRead: IncompleteRead(5 bytes read)"},
    *(
        {"failed": True, "exception": Summary(Event(text))}
        for text in (
            "[Errno 104] Connection reset by peer",
            "[Errno 32] Broken pipe",
            "[Errno 103] Software caused connection abort",
            "Remote end closed connection without response",
            "The read operation timed out",
            "EOF occurred in violation of protocol (_ssl.c:2580)",
            "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac (_ssl.c:2580)",
            "[SSL] record layer failure (_ssl.c:2580)",
            "Compressed file ended before the end-of-stream marker was reached",
            "Error -3 while decompressing data: invalid block type",
            "Not a gzipped file (b'xx')",
        )
    ),
    {"failed": True, "exception": Summary(Event("Failed.", Summary(Event("[Errno 54] Connection reset by peer"))))},
)


@pytest.mark.parametrize("crash", CRASHES)
def test_a_body_that_is_cut_off_is_a_lost_response_and_repeated_for_reads(clock: t.Any, crash: Result) -> None:
    uri = Uri(crash, OK)
    session = open_session(uri, options=AppTokenOptions(retry_for=10))
    assert session.send(ApiRequest("GET", URL)).status == 200
    assert len(uri.arguments) == 2
    assert fail(crash, method="POST").to_fields()["status"] == -1


@pytest.mark.parametrize("message", ["Unable to open source file /x", "Destination /x is not writable", "", "bad body"])
def test_a_module_that_failed_by_itself_is_not_repeated(message: str) -> None:
    error = fail({"failed": True, "msg": message})
    assert "ansible.builtin.uri failed on h001" in error.message
    assert message in error.message
    assert "entra.auth.api_request" in error.hint
    assert error.to_fields()["status"] == -1


def test_the_words_of_an_exception_are_those_of_each_cause() -> None:
    exception = Summary(Event("Unable to open the socket.", Summary(Event(f"No such file {TOKEN}"))))
    error = fail({"failed": True, "exception": exception})
    assert error.message.endswith("failed on h001: Unable to open the socket. No such file ********.")


def test_the_words_of_a_module_are_one_line_without_the_token() -> None:
    error = fail({"failed": True, "msg": f"Bearer {TOKEN}\n\x1b[31mred"})
    assert TOKEN not in str(error)
    assert error.message.isprintable()


def test_no_request_is_sent_to_a_host_outside_of_the_pin() -> None:
    uri = Uri(OK)
    with pytest.raises(InputError, match="gets no token"):
        open_session(uri).send(ApiRequest("GET", "https://stranger.example/"))
    assert uri.arguments == []


VALUES: t.Final = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
NAMES: t.Final = st.sampled_from(
    [
        "status",
        "failed",
        "msg",
        "content",
        "json",
        "content_type",
        "location",
        "retry_after",
        "date",
        "exception",
        "url",
    ]
)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_result_of_a_host_is_a_response_or_an_error(result: Result) -> None:
    session = open_session(Uri(result))
    try:
        response = session.send(ApiRequest("POST", URL), accept=(NOT_SENT,))
    except (ApiError, InputError) as exc:
        said = str(exc)
    else:
        said = repr(response)
    assert said


# --- time ---------------------------------------------------------------------------------------------------------


def test_redirects_share_the_time_of_one_request(clock: t.Any) -> None:
    """uri gets the time that is left; without any it is not run again."""

    class SlowUri(Uri):
        def __call__(self, arguments: Result, seconds: float) -> Result:
            clock.sleep(9)
            return super().__call__(arguments, seconds)

    uri = SlowUri({"status": 302, "location": "/again", "url": URL, "msg": "HTTP Error 302"})
    with pytest.raises(ApiError, match="it was not complete in time") as late:
        open_session(uri, options=AppTokenOptions(timeout=10, retry_for=0)).send(ApiRequest("GET", URL))
    assert [arguments["timeout"] for arguments in uri.arguments] == [10, 1]
    assert late.value.to_fields()["status"] == -1


# --- a module that fails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "words", "advice"),
    [
        (
            {"failed": True, "exception": Summary(Event("unknown encoding: foo"))},
            "unknown encoding: foo",
            "entra.auth.api_request",
        ),
        ({"failed": True, "msg": "no python"}, "no python", "a host without Python"),
        ({"failed": True, "msg": UNREADABLE}, UNREADABLE, "write the response to a file with dest"),
        ({"failed": True}, "it did not say why", "Correct what the message says"),
    ],
)
def test_a_module_that_fails_is_quoted_in_its_words(result: Result, words: str, advice: str) -> None:
    error = fail(result)
    assert f"GET {URL} has no result, because ansible.builtin.uri failed on " in error.message
    assert error.message.endswith(f"{words}.")
    assert advice in error.hint


def test_a_write_that_may_have_taken_effect_says_so() -> None:
    hint = fail({"failed": True, "msg": "crashed"}, method="POST").hint
    assert hint.startswith("Check whether the request took effect before you repeat it. ")
