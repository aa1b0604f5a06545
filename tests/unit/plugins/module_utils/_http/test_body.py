# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A body arrives in pieces or as a whole, within its bound; JSON is what Ansible can handle."""

from __future__ import annotations

import gzip
import json
import typing as t

import pytest
import requests
from canned_server import CannedServer, answer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._http.body import (
    ResponseTooLargeError,
    iterate_body,
    parse_json,
    read_body,
)

if t.TYPE_CHECKING:
    from canned_server import Canned


def get(response: Canned, read: t.Callable[[requests.Response], t.Any]) -> t.Any:
    with CannedServer(response) as server, requests.get(server.url, stream=True, timeout=30) as received:
        return read(received)


@pytest.mark.parametrize("content", [b"", b"x", b"fine" * 100_000])
def test_the_pieces_of_a_body_are_the_body(content: bytes) -> None:
    pieces = get(answer(200, content), lambda response: list(iterate_body(response)))
    assert b"".join(pieces) == content
    assert len(pieces) >= len(content) / 65536
    packed = answer(200, gzip.compress(content), Content_Encoding="gzip")
    assert get(packed, lambda response: b"".join(iterate_body(response))) == content


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,gzip", "br", "zstd", "utf-8", "GZIP ,deflate"])
def test_a_body_that_is_packed_in_another_way_stays_packed(coding: str) -> None:
    bomb = gzip.compress(gzip.compress(bytes(1_000_000)))
    assert get(answer(200, bomb, Content_Encoding=coding), read_body) == bomb


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxxx"
    with pytest.raises(Exception, match="IncompleteRead"):
        get(broken, read_body)


@pytest.mark.parametrize(("size", "limit"), [(10, 10), (0, 0), (1024 * 1024, 1024 * 1024)])
def test_a_body_within_its_limit_is_read(size: int, limit: int) -> None:
    assert len(get(answer(200, b"x" * size), lambda response: read_body(response, limit))) == size


def test_a_body_beyond_its_limit_is_refused() -> None:
    with pytest.raises(ResponseTooLargeError):
        get(answer(200, b"x" * 11), lambda response: read_body(response, 10))
    with pytest.raises(ResponseTooLargeError):
        get(answer(200, b"x" * (1024 * 1024 + 1)), read_body)


def nest(levels: int, kind: str) -> str:
    opening, closing = {"lists": ("[", "]"), "objects": ('{"a":', "}"), "both": ('[{"a":', "}]")}[kind]
    count = levels // 2 if kind == "both" else levels
    return opening * count + "1" + closing * count


@pytest.mark.parametrize("kind", ["lists", "objects", "both"])
def test_json_is_refused_beyond_200_levels(kind: str) -> None:
    assert parse_json(nest(200, kind)) is not None
    for levels in (202, 300, 900, 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json(nest(levels, kind))


def test_one_deep_branch_among_many_is_found() -> None:
    wide = json.dumps([{"a": [1, 2], "b": {"c": None}}] * 1000)
    assert parse_json(wide) == json.loads(wide)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(f"[{wide[1:-1]}, {nest(200, 'lists')}]")


@pytest.mark.parametrize("text", ["", "{", "nan", "'a'", b"\xff\xfe{}", b"\xff", "[" * 100_000, "[1] x"])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one is Python's matter
        parse_json(text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_is_what_it_says(content: t.Any) -> None:
    assert parse_json(json.dumps(content)) == content
    assert parse_json(json.dumps(content).encode()) == content
