# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One api_request against an API that answers as no good one does, with a token that the emulator issues."""

from __future__ import annotations

import json
import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.entra.auth.plugins.plugin_utils._api.call import TaskContext, execute
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import TokenHolder
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import (
    api_request_options,
    split_arguments,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

if t.TYPE_CHECKING:
    import pathlib
    import socket

    from entra_emulator.client import Emulator

Result = dict[str, t.Any]
ROTTEN: t.Final = "http://["
OK: t.Final = json_answer(200, {"fine": True})
CREATED: t.Final = json_answer(201, {"id": "7"})
VALUE: t.Final = {"value": "made-up~s3cret"}
MASKED: t.Final = {"value": "********"}


class Caller(t.Protocol):
    """Makes an api_request of a server."""

    def __call__(
        self, server: CannedServer, *, check_mode: bool = False, diff_mode: bool = False, **arguments: t.Any
    ) -> Result:
        """What the task would return."""


@pytest.fixture
def call(reader: Result, messages: t.Any) -> Caller:
    def asked(server: CannedServer, *, check_mode: bool = False, diff_mode: bool = False, **arguments: t.Any) -> Result:
        own, shared = split_arguments({"url": "/v1.0/things", **arguments})
        options = AppTokenOptions(**{**reader, "api_base_url": server.url, **shared})
        run = TaskContext(messages, UnreachableHost({}), check_mode, diff_mode, find_file=str)
        return execute(api_request_options(own), options, run)

    return asked


def echoed(server: CannedServer, status: int, **headers: str) -> t.Callable[[socket.socket], None]:
    """An answer whose headers and body repeat the token, in place of TOKEN."""

    def send(connection: socket.socket) -> None:
        token = server.received[-1].headers["authorization"].removeprefix("Bearer ")
        repeated = {name: value.replace("TOKEN", token) for name, value in headers.items()}
        connection.sendall(json_answer(status, {"error": {"message": token}}, **repeated))

    return send


def bodies(server: CannedServer) -> list[str]:
    return [received.body for received in server.received]


# --- statuses -----------------------------------------------------------------------------------------------------


def test_a_good_status_that_was_not_expected_is_a_failure_that_helps(call: Caller) -> None:
    with (
        CannedServer(OK) as server,
        pytest.raises(ApiError, match=r"was answered 200.*add 200 to status_code") as failed,
    ):
        call(server, method="POST", body={}, status_code=[201])
    assert failed.value.to_fields()["status"] == 200


@pytest.mark.parametrize(
    ("given", "status"), [("200,404", 404), ("200, 404", 200), ([404, "200"], 404), ("404", 404), (404, 404)]
)
def test_statuses_are_taken_as_ansible_takes_lists(call: Caller, given: t.Any, status: int) -> None:
    with CannedServer(json_answer(status, {})) as server:
        assert call(server, status_code=given)["status"] == status


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("canned", "result"),
    [
        (answer(304, ETag='"1"'), None),
        (json_answer(404, {"error": {"code": "NotFound"}}), {"error": {"code": "NotFound"}}),
        (answer(404, "gone", Content_Type="text/plain"), "gone"),
        (answer(404, "<h1>No</h1>", Content_Type="text/html"), None),
        (json_answer(404, {"value": [1]}), [1]),
    ],
)
def test_a_file_holds_no_answer_but_a_2xx(call: Caller, tmp_path: pathlib.Path, canned: bytes, result: t.Any) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("as it was")
    with CannedServer(canned) as server:
        returned = call(server, dest=str(path), status_code=[200, 304, 404], headers={"If-None-Match": '"1"'})
    assert path.read_text() == "as it was"
    assert list(tmp_path.glob(".kept*")) == []
    assert (returned["changed"], returned["result"]) == (False, result)
    assert "dest" not in returned


def test_half_of_a_surrogate_pair_is_written_as_it_came(call: Caller, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "listed.jsonl"
    with CannedServer(json_answer(200, {"value": ["\ud83d", "é"]})) as server:
        assert call(server, dest=str(path))["count"] == 2
    assert path.read_bytes() == b'"\\ud83d"\n"\xc3\xa9"\n'


def test_a_listing_too_large_for_a_page_is_told_how_to_get_to_its_file(call: Caller, tmp_path: pathlib.Path) -> None:
    huge = answer(200, "{}", Content_Type="application/json", Content_Length=str(1 << 30))
    with CannedServer(huge) as server:
        with pytest.raises(ApiError) as failed:
            call(server, dest=str(tmp_path / "x"))
        assert "paginate to false" in str(failed.value.hint)
        assert "with dest" not in str(failed.value.hint)
        with pytest.raises(ApiError, match="with dest"):
            call(server)


def test_a_file_to_send_is_looked_at_before_any_request(call: Caller, tmp_path: pathlib.Path) -> None:
    with CannedServer(OK) as server, pytest.raises(InputError, match=r"can't be read: Is a directory\. To fix it"):
        call(server, method="PUT", src=str(tmp_path))
    assert server.received == []


# --- what is shown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "scope"),
    [("/secrets/x", "key_vault"), ("/keys/x", "https://vault.azure.net/.default"), ("/v1.0/s/1/secrets", "graph")],
)
def test_what_a_vault_is_to_keep_is_masked(call: Caller, url: str, scope: str) -> None:
    old = json_answer(200, {"value": "made-up~old-s3cret", "id": "1"})
    arguments = {"url": url, "method": "PUT", "scope": [scope], "body": {**VALUE, "contentType": "text"}}
    with CannedServer(old) as server:
        result = call(server, check_mode=True, diff_mode=True, **arguments)
    assert "s3cret" not in json.dumps(result)
    assert result["body"] == {**MASKED, "contentType": "text"}
    assert (result["diff"]["before"], result["diff"]["after"]) == (MASKED, result["body"])


def test_a_token_that_is_sent_back_is_shown_nowhere(call: Caller) -> None:
    with CannedServer(OK) as server:
        server._answers = [echoed(server, 200, X_Echo="Bearer TOKEN", request_id="TOKEN")]
        result = call(server)
        token = server.received[0].headers["authorization"].removeprefix("Bearer ")
        assert result["headers"]["x-echo"] == "Bearer ********"
        assert token not in json.dumps(result)
        server._answers = [echoed(server, 400, client_request_id="TOKEN", request_id="TOKEN", Date="TOKEN")]
        with pytest.raises(ApiError, match=r"\*{8}") as failed:
            call(server)
    assert token not in str(failed.value)
    assert token not in json.dumps(failed.value.to_fields())


def test_a_token_in_what_is_no_answer_is_not_quoted(call: Caller) -> None:
    with CannedServer(OK) as server:

        def garbled(connection: socket.socket) -> None:
            connection.sendall(server.received[-1].headers["authorization"].encode() + b"\r\n\r\n")

        server._answers = [garbled]
        with pytest.raises(NetworkError) as failed:
            call(server)
        assert server.received[0].headers["authorization"].removeprefix("Bearer ")[:20] not in str(failed.value)


@pytest.mark.parametrize(
    ("content_type", "sent", "text"),
    [
        ("text/plain; charset=ISO-8859-1", b"Gr\xfc\xdfe", "Grüße"),
        ('text/csv; charset="utf-16"', "Grüße".encode("utf-16"), "Grüße"),
        ("text/plain", "Grüße".encode(), "Grüße"),
        ("text/plain; charset=made-up", "Grüße".encode(), "Grüße"),
        ("text/plain; charset=base64", b"abc", "abc"),
    ],
)
def test_text_is_read_in_its_charset(call: Caller, content_type: str, sent: bytes, text: str) -> None:
    with CannedServer(answer(200, sent, Content_Type=content_type)) as server:
        assert call(server)["result"] == text


# --- where it leads -----------------------------------------------------------------------------------------------


def test_a_write_is_not_taken_elsewhere(call: Caller, tmp_path: pathlib.Path) -> None:
    with CannedServer(OK) as other, CannedServer(answer(307, Location=f"{other.url}/x")) as server:
        with pytest.raises(InputError, match=r"The redirect of POST .* gets no token"):
            call(server, method="POST", body={"a": 1}, dest=str(tmp_path / "x"))
        assert other.received == []
        assert call(server, dest=str(tmp_path / "x"))["changed"] is True
    (followed,) = other.received
    assert "authorization" not in followed.headers


def test_a_download_does_not_go_on_in_the_clear(call: Caller, tmp_path: pathlib.Path) -> None:
    clear = answer(302, Location="http://files.example.com/x")
    with (
        CannedServer(clear) as other,
        CannedServer(answer(302, Location=f"{other.url}/x")) as server,
        pytest.raises(ApiError, match=r"leads to http://files\.example\.com, which is not https"),
    ):
        call(server, dest=str(tmp_path / "x"))
    assert len(other.received) == 1


@pytest.mark.parametrize("url", ["/v1.0/users/a_b.com#EXT#@c.com", "http://127.0.0.1/#"])
def test_a_url_is_not_cut_off(call: Caller, url: str) -> None:
    with CannedServer(OK) as server, pytest.raises(InputError, match=r"holds a #.*%23"):
        call(server, url=url, method="PATCH", body={})
    assert server.received == []


@pytest.mark.parametrize("link", [ROTTEN, "https://\ud83d/", "//[x"])
def test_a_rotten_link_is_a_failure_of_the_api(call: Caller, link: str) -> None:
    with (
        CannedServer(json_answer(200, {"value": [], "nextLink": link})) as server,
        pytest.raises(ApiError, match="The link to page 2 is no address that can be read"),
    ):
        call(server)


@pytest.mark.parametrize(
    ("canned", "said"),
    [
        (answer(302, Location=ROTTEN), "The redirect of "),
        (answer(202, Location=ROTTEN), "The address of the operation"),
        (answer(202, Azure_AsyncOperation=ROTTEN), "The address of the operation"),
        (json_answer(200, {"uploadUrl": ROTTEN}), "without an https address"),
    ],
)
def test_a_rotten_address_is_a_failure_of_the_api(
    call: Caller, tmp_path: pathlib.Path, canned: bytes, said: str
) -> None:
    path = tmp_path / "sent"
    path.write_text("content")
    upload = {"url": "/v1.0/d/createUploadSession", "method": "POST", "src": str(path)}
    with CannedServer(canned) as server, pytest.raises(ApiError, match=said):
        call(server, **(upload if "https" in said else {"wait": True}))


# --- tokens -------------------------------------------------------------------------------------------------------


def test_one_new_token_is_enough_for_all_whose_token_was_refused(
    emulator: Emulator, reader: Result, messages: t.Any
) -> None:
    held = [
        TokenHolder(AppTokenOptions(**reader), lambda options: get_app_token(options, messages, UnreachableHost({})))
        for _dummy in range(10)
    ]
    refused = {one.get_token().access_token for one in held}
    for one in held:
        one.renew(None)
    renewed = {one.current_value for one in held}
    assert (len(refused), len(renewed), refused & renewed) == (1, 1, set())
    assert len(emulator.token_requests()) == 2


# --- batches ------------------------------------------------------------------------------------------------------


def batch_answer(count: int, status: int = 201) -> bytes:
    return json_answer(200, {"responses": [{"id": str(n), "status": status} for n in range(1, count + 1)]})


def test_a_batch_that_breaks_off_tells_what_was_done(call: Caller) -> None:
    requests = [{"url": "/users", "method": "POST", "body": {}}] * 40
    with (
        CannedServer(batch_answer(20), json_answer(500, {})) as server,
        pytest.raises(ApiError, match=r"was answered 500.* 20 of 40 requests were answered before") as failed,
    ):
        call(server, url=None, requests=requests)
    fields = failed.value.to_fields()
    assert [one["id"] for one in fields["responses"]] == [str(n) for n in range(1, 21)]
    assert (fields["count"], fields["pages"], fields["status"], fields["changed"]) == (20, 2, 500, True)


def test_a_batch_that_breaks_off_at_once_has_changed_nothing_it_knows_of(call: Caller) -> None:
    with CannedServer(json_answer(500, {})) as server, pytest.raises(ApiError) as failed:
        call(server, url=None, requests=[{"url": "/users", "method": "POST"}])
    assert (failed.value.to_fields()["responses"], failed.value.to_fields()["changed"]) == ([], False)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"headers": "abc"}, r"headers \(from requests: 1\) has to be a mapping"),
        ({"headers": {"a": {}}}, r"headers \(from requests: 1\) has to be a mapping"),
        ({"headers": {"Authorization": "x"}}, "requests: 1: headers can't replace Authorization"),
        ({"headers": {"a": "b\r\nc: d"}}, "requests: 1: headers: 'a'"),
        ({"dependsOn": {"a": "b"}}, "requests: 1 has no list in dependsOn"),
        ({"dependsOn": 7}, "requests: 1 depends on 7, which is none of them"),
        ({"url": "/users/a_b.com#EXT#@c.com"}, r"requests: 1 has a # in its url.*%23"),
    ],
)
def test_a_request_of_a_batch_is_taken_or_refused_in_words(call: Caller, request_: Result, said: str) -> None:
    with CannedServer(OK) as server, pytest.raises(InputError, match=said):
        call(server, url=None, requests=[{"url": "/users", **request_}])
    assert server.received == []


# --- uploads ------------------------------------------------------------------------------------------------------


def missing(*positions: int) -> list[bytes]:
    return [json_answer(202, {"nextExpectedRanges": [f"{position}-"]}) for position in positions]


@pytest.fixture
def upload(call: Caller, tmp_path: pathlib.Path) -> t.Callable[..., Result]:
    path = tmp_path / "sent.bin"
    path.write_bytes(b"0123456789")

    def sent(storage: CannedServer, retry_for: float = 0) -> Result:
        begun = json_answer(200, {"uploadUrl": f"{storage.url}/u"})
        with CannedServer(begun) as server:
            url = "/v1.0/d/createUploadSession"
            return call(server, url=url, method="POST", src=str(path), retry_for=retry_for)

    return sent


@pytest.mark.parametrize(("positions", "retry_for", "sent"), [((0,), 0, 1), ((0,), 4, 3), ((5, 0), 4, 4)])
def test_an_upload_that_does_not_get_on_ends_with_the_patience(
    upload: t.Callable[..., Result], clock: object, positions: tuple[int, ...], retry_for: float, sent: int
) -> None:
    with CannedServer(*missing(*positions)) as storage, pytest.raises(ApiError, match="does not get on at 0 bytes"):
        upload(storage, retry_for)
    assert len(storage.received) == sent


def test_an_upload_that_gets_on_does_not_wait(upload: t.Callable[..., Result]) -> None:
    with CannedServer(*missing(3, 6, 9), CREATED) as storage:
        assert upload(storage)["json"] == {"id": "7"}
    assert bodies(storage) == ["0123456789", "3456789", "6789", "9"]


def test_a_piece_that_had_arrived_is_passed_over(upload: t.Callable[..., Result]) -> None:
    with CannedServer(answer(416), *missing(4), CREATED) as storage:
        upload(storage)
    assert [received.method for received in storage.received] == ["PUT", "GET", "PUT"]


@pytest.mark.parametrize("position", [10, 99])
def test_bytes_that_the_file_does_not_have_can_t_be_missing(upload: t.Callable[..., Result], position: int) -> None:
    with CannedServer(*missing(position)) as storage, pytest.raises(ApiError, match="which bytes are missing"):
        upload(storage)


# --- selecting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("canned", "arguments", "kept"),
    [
        (CREATED, {"method": "POST", "body": {}}, {"json": {"id": "7"}, "changed": True}),
        (json_answer(200, {"value": ["a"]}), {}, {"value": ["a"], "changed": False}),
        (batch_answer(1), {"url": None, "requests": [{"url": "/u", "method": "POST"}]}, {"count": 1, "changed": True}),
    ],
)
def test_an_expression_that_does_not_fit_loses_no_answer(
    call: Caller, canned: bytes, arguments: Result, kept: Result
) -> None:
    with CannedServer(canned) as server, pytest.raises(ApiError, match="jmespath can't be applied") as failed:
        call(server, jmespath="abs('a')", **arguments)
    fields = failed.value.to_fields()
    assert {name: fields[name] for name in kept} == kept


@pytest.mark.parametrize("expression", ["value[].nothing(@)", "sort_by(value, &nothing(a))", "[?nothing(a) == `1`]"])
def test_an_unknown_function_costs_no_request(call: Caller, expression: str) -> None:
    with CannedServer(CREATED) as server, pytest.raises(InputError, match=r"there is no function nothing\(\)"):
        call(server, method="POST", body={}, jmespath=expression)
    assert server.received == []


# --- queries ------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_for_an_empty_value(call: Caller) -> None:
    with CannedServer(OK) as server:
        call(server, query={"$filter": "", "$select": ["", "id"], "a": None, "b": "", "n": 0, "c": False})
    assert server.received[0].target == "/v1.0/things?$select=id&n=0&c=false"
