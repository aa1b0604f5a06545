# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs, queries and bodies as they go over the wire, and links as services write them."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, answer, json_answer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import (
    add_query,
    decode_body,
    encode_body,
    resolve_link,
    set_query,
)
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError

if t.TYPE_CHECKING:
    from api_calls import ApiCaller

OK: t.Final = json_answer(200, {"fine": True})


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("/v1.0/users/a_b.com#EXT#@c.com", "url holds a #", "%23"),
        ("https://a.example/#", "url holds a #", "%23"),
        ("/v1.0/users?$filter=a eq 'b'", "url holds a blank", "%20"),
        ("/v1.0/us\ners", "url holds a blank or a line break", "%20"),
    ],
)
def test_a_character_that_can_not_be_sent_is_refused_before_any_request(
    call: ApiCaller, url: str, message: str, hint: str
) -> None:
    with CannedServer(OK) as server, pytest.raises(InputError, match=message) as failure:
        call(server, url=url, method="PATCH", body={})
    assert hint in failure.value.hint
    assert server.received == []


@pytest.mark.parametrize(
    ("url", "query", "full"),
    [
        ("https://x/a", {}, "https://x/a"),
        ("https://x/a?b=c", {"d": "e f&g"}, "https://x/a?b=c&d=e%20f%26g"),
        ("https://x/a", {"$select": ["a", "b"], "tag": ["c", "d"]}, "https://x/a?$select=a%2Cb&tag=c&tag=d"),
        ("https://x/a", {"$count": True, "none": None, "empty": "", "n": 1}, "https://x/a?$count=true&n=1"),
    ],
)
def test_a_query_is_encoded(url: str, query: dict[str, t.Any], full: str) -> None:
    assert add_query(url, query) == full


def test_empty_values_are_not_sent(call: ApiCaller) -> None:
    with CannedServer(OK) as server:
        call(server, query={"$filter": "", "$select": ["", "id"], "a": None, "b": "", "n": 0, "c": False})
    assert server.received[0].target == "/v1.0/things?$select=id&n=0&c=false"


def test_a_mapping_has_no_place_in_a_query() -> None:
    with pytest.raises(InputError, match="'a' is a mapping"):
        add_query("https://x/", {"a": [{}]})


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("https://x/a", "https://x/a?t=1%2F2"),
        ("https://x/a?b=c&T=old&$top=1", "https://x/a?b=c&$top=1&t=1%2F2"),
        ("https://x/a?%74=old", "https://x/a?t=1%2F2"),
    ],
)
def test_a_parameter_is_replaced(url: str, full: str) -> None:
    assert set_query(url, {"t": "1/2"}) == full


def test_a_body_is_encoded() -> None:
    assert encode_body({"a": [1, None, True]}, "json") == b'{"a": [1, null, true]}'
    assert encode_body("{}", "json") == b"{}"
    assert encode_body({"a": ["b c", 1], "d": True, "e": ""}, "form") == b"a=b+c&a=1&d=true&e="
    assert encode_body("é", "raw") == "é".encode()
    with pytest.raises(InputError, match="has to be text"):
        encode_body({"a": 1}, "raw")


@pytest.mark.parametrize(
    ("content_type", "sent", "text"),
    [
        ("text/plain; charset=ISO-8859-1", b"Gr\xfc\xdfe", "Grüße"),
        ('text/csv; charset="utf-16"', "Grüße".encode("utf-16"), "Grüße"),
        ("text/plain", "Grüße".encode(), "Grüße"),
        ("text/plain;charset=utf-8", b"\xef\xbb\xbf893", "893"),
        ("text/plain; charset=made-up", "Grüße".encode(), "Grüße"),
        ("text/plain; charset=base64", b"abc", "abc"),
        ("text/plain; charset=punycode", b"x-" + b"a" * 1_000_000, "x-" + "a" * 1_000_000),
        ("text/plain; charset=IDNA", b"xn--4ca", "xn--4ca"),
    ],
)
def test_text_is_decoded_in_its_charset(call: ApiCaller, content_type: str, sent: bytes, text: str) -> None:
    with CannedServer(answer(200, sent, Content_Type=content_type)) as server:
        assert call(server)["result"] == text
    assert decode_body(sent, content_type) == text


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/a?b=c", "https://x/a?b=c"),
        ("https://y/a%20b?c=%23", "https://y/a%20b?c=%23"),
        ("/a?$skipToken=~wk==#RT:1#TRC:100", "https://x/a?$skipToken=~wk==%23RT:1%23TRC:100"),
        ("/a?$filter='v/id' eq '/s'", "https://x/a?$filter='v/id'%20eq%20'/s'"),
        ('/a?t=[{"b":"<c>"}]', "https://x/a?t=[%7B%22b%22:%22%3Cc%3E%22%7D]"),
        ("/a?t=100%|^`\\", "https://x/a?t=100%25%7C%5E%60%5C"),
        ("/größe", "https://x/gr%C3%B6%C3%9Fe"),
        ("/größe".encode().decode("latin-1"), "https://x/gr%C3%B6%C3%9Fe"),
        ("/a\tb", "https://x/a%09b"),
        (" /a ", "https://x/a"),
    ],
)
def test_no_part_of_a_link_is_lost(link: str, url: str) -> None:
    assert resolve_link("https://x/z?y", link, "The link") == url


@pytest.mark.parametrize("link", ["http://[", "https://\ud83d/", "//[x"])
def test_a_broken_link_is_an_error_of_the_api(link: str) -> None:
    with pytest.raises(ApiError, match="The link is not a valid URL"):
        resolve_link("https://x/", link, "The link")


@given(st.text())
def test_a_link_becomes_a_url_in_ascii_or_an_error(link: str) -> None:
    try:
        url = resolve_link("https://x/", link, "The link")
    except ApiError:
        return
    assert url.isascii()
    assert not set(url) & set('# "<>\\^`{|}\n\t')
