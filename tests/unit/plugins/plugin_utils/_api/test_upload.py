# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every byte of a file is sent, in pieces that the service takes, and the upload's end is told by the service."""

from __future__ import annotations

import typing as t

import pytest
from api_calls import ScriptedSession, build_response, ends_in_value_or_error, headers_with, json_with
from canned_server import CannedServer, answer, json_answer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.upload import upload

if t.TYPE_CHECKING:
    import pathlib

    from api_calls import ApiCaller, Result

    from ...conftest import Clock

CREATED: t.Final = json_answer(201, {"id": "7"})
CONTENT: t.Final = b"0123456789"
DRIVE: t.Final = "/v1.0/drives/d/items/i/createUploadSession"
MAIL: t.Final = "/v1.0/me/messages/m/attachments/createUploadSession"


def missing(position: int, status: int = 202) -> bytes:
    return json_answer(status, {"nextExpectedRanges": [f"{position}-"]})


class Uploader(t.Protocol):
    """Uploads a file to a storage server by the session that another server begins."""

    def __call__(self, storage: CannedServer, retry_for: float = 0, url: str = DRIVE, **arguments: t.Any) -> Result:
        """Return the result of the task."""


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "sent.bin"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def send(call: ApiCaller, path: pathlib.Path) -> Uploader:
    def send(storage: CannedServer, retry_for: float = 0, url: str = DRIVE, **arguments: t.Any) -> Result:
        with CannedServer(json_answer(200, {"uploadUrl": f"{storage.url}/u"})) as server:
            return call(server, url=url, method="POST", src=str(path), retry_for=retry_for, **arguments)

    return send


def list_ranges(storage: CannedServer) -> list[str]:
    return [received.headers["content-range"] for received in storage.received if received.method == "PUT"]


@pytest.mark.parametrize("status", [200, 202])
def test_open_ranges_are_sent_whatever_the_status_says(send: Uploader, status: int) -> None:
    with CannedServer(missing(3, status), missing(6, status), missing(9, status), CREATED) as storage:
        assert send(storage)["json"] == {"id": "7"}
    assert [received.body for received in storage.received] == ["0123456789", "3456789", "6789", "9"]
    assert all("authorization" not in received.headers for received in storage.received)


@pytest.mark.parametrize(("url", "limit"), [(MAIL, 4_000_000), (DRIVE, 10_485_760)])
def test_a_piece_is_no_larger_than_the_service_takes(send: Uploader, path: pathlib.Path, url: str, limit: int) -> None:
    size = 11_000_000
    path.write_bytes(bytes(size))
    unit = 3_932_160 if url == MAIL else 10_485_760
    with CannedServer(*[missing(start, 200) for start in range(unit, size, unit)], CREATED) as storage:
        assert send(storage, url=url)["status"] == 201
    lengths = [int(received.headers["content-length"]) for received in storage.received]
    assert max(lengths) <= limit
    assert sum(lengths) == size


@pytest.mark.parametrize(("positions", "retry_for", "sent"), [((0,), 0, 1), ((0,), 4, 3), ((5, 0), 4, 4)])
def test_an_upload_without_progress_ends_with_retry_for(
    send: Uploader, clock: Clock, positions: tuple[int, ...], retry_for: float, sent: int
) -> None:
    with CannedServer(*map(missing, positions)) as storage, pytest.raises(ApiError, match="no progress at 0 bytes"):
        send(storage, retry_for)
    assert len(storage.received) == sent


def test_a_piece_that_had_arrived_is_not_sent_again(send: Uploader) -> None:
    with CannedServer(answer(416), missing(4, 200), CREATED) as storage:
        send(storage)
    assert [received.method for received in storage.received] == ["PUT", "GET", "PUT"]
    assert list_ranges(storage) == ["bytes 0-9/10", "bytes 4-9/10"]


def test_a_deferred_file_is_committed(send: Uploader) -> None:
    with CannedServer(json_answer(202, {"nextExpectedRanges": []}), CREATED) as storage:
        assert send(storage, body={"deferCommit": True})["status"] == 201
    assert [(received.method, received.headers["content-length"]) for received in storage.received] == [
        ("PUT", "10"),
        ("POST", "0"),
    ]


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        ([missing(10)], "does not say which bytes are missing"),
        ([missing(99, 200)], "does not say which bytes are missing"),
        ([json_answer(200, {"nextExpectedRanges": ["x-"]})], "does not say which bytes are missing"),
        ([answer(416), answer(200)], "does not say which bytes are missing"),
        ([answer(202), answer(202)], "Every byte was sent, but .* responded with 202 and does not say"),
        ([answer(204)], "Every byte was sent, but .* responded with 204 and does not say"),
    ],
)
def test_an_end_that_is_not_told_is_not_a_success(send: Uploader, responses: list[bytes], message: str) -> None:
    with CannedServer(*responses) as storage, pytest.raises(ApiError, match=message) as failure:
        send(storage)
    assert failure.value.to_fields()["changed"] is True


def test_a_success_before_the_last_byte_is_asked_about(send: Uploader, path: pathlib.Path) -> None:
    path.write_bytes(bytes(11_000_000))
    with CannedServer(CREATED, missing(10_485_760, 200), CREATED) as storage:
        send(storage)
    assert [received.method for received in storage.received] == ["PUT", "GET", "PUT"]
    assert list_ranges(storage)[-1] == "bytes 10485760-10999999/11000000"


def test_an_empty_file_is_refused(send: Uploader, path: pathlib.Path) -> None:
    path.write_bytes(b"")
    with CannedServer(CREATED) as storage, pytest.raises(ApiError, match="src is an empty file"):
        send(storage)
    assert storage.received == []


def test_a_file_that_shrinks_is_named(send: Uploader, path: pathlib.Path) -> None:
    def shrink(connection: t.Any) -> None:
        path.write_bytes(CONTENT[:3])
        connection.sendall(missing(3))

    with CannedServer(shrink) as storage, pytest.raises(ApiError, match="src became shorter"):
        send(storage)


@pytest.mark.parametrize("content", [{"uploadUrl": "http://["}, {"uploadUrl": "http://storage.example/u"}, {}, [], 5])
def test_an_address_that_is_not_private_gets_nothing(call: ApiCaller, path: pathlib.Path, content: t.Any) -> None:
    with (
        CannedServer(json_answer(200, content)) as server,
        pytest.raises(ApiError, match="without an https address to upload to"),
    ):
        call(server, url=DRIVE, method="POST", src=str(path))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([200, 201, 202, 204, 404, 416]),
            headers_with("Location", "Retry-After"),
            st.fixed_dictionaries(
                {"nextExpectedRanges": json_with("0-") | st.lists(st.sampled_from(["0-", "5-9", "x"]))}
            )
            | json_with("nextExpectedRanges", "uploadUrl")
            | st.binary(max_size=9),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_responses_end_in_a_response_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, responses: list[tuple[int, dict[str, str], t.Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(CONTENT)
    request = ApiRequest("POST", "http://127.0.0.1:1/createUploadSession")
    begun = build_response(request, 200, {}, {"uploadUrl": "http://127.0.0.1:1/u"})
    session: t.Any = ScriptedSession(responses)
    ends_in_value_or_error(lambda: upload(session, begun, str(path), retry_for=0, log_progress=lambda _text: None))


def test_upload_refuses_an_empty_file_by_itself(path: pathlib.Path) -> None:
    path.write_bytes(b"")
    begun = build_response(ApiRequest("POST", "http://127.0.0.1:1/x"), 200, {}, {"uploadUrl": "http://127.0.0.1:1/u"})
    session: t.Any = ScriptedSession([(200, {}, {})])
    with pytest.raises(InputError, match="src is an empty file"):
        upload(session, begun, str(path), retry_for=0, log_progress=lambda _text: None)
