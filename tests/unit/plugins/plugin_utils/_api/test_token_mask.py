# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token that an API sends back is masked: whole, in parts, and in the usual spellings."""

from __future__ import annotations

import base64
import html
import json
import typing as t
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwts import encode_segment

from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask

MASK: t.Final = "********"


HEADER: t.Final = encode_segment(json.dumps({"typ": "JWT", "alg": "RS256", "kid": "made-up-key-of-the-tests"}))
PAYLOAD: t.Final = encode_segment(json.dumps({"aud": "https://graph.microsoft.com", "oid": "4711", "roles": ["A.All"]}))
SIGNATURE: t.Final = encode_segment("made-up signature, which is the secret part of a token of the tests")
TOKEN: t.Final = f"{HEADER}.{PAYLOAD}.{SIGNATURE}"
OPAQUE: t.Final = "EwB0A8l6BAAURSN-made-up-opaque-token"
mask = TokenMask([TOKEN, OPAQUE])


def parts_of(text: str) -> set[str]:
    """Every part of 20 characters of a token without the header, which all tokens of an issuer share."""
    return {text[at : at + 20] for at in range(len(text) - 19)}


SECRET_PARTS: t.Final = parts_of(f"{PAYLOAD}.{SIGNATURE}") | parts_of(OPAQUE)


def shows_token(text: str) -> bool:
    return any(part in text for part in SECRET_PARTS)


SPELLINGS: t.Final[dict[str, t.Callable[[str], str]]] = {
    "plain": str,
    "json": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "json_in_part": lambda text: text.replace("e", "\\u0065"),
    "python": lambda text: "".join(f"\\x{ord(character):02x}" for character in text),
    "percent": lambda text: "".join(f"%{ord(character):02X}" for character in text),
    "percent_twice": lambda text: urllib.parse.quote("".join(f"%{ord(c):02x}" for c in text)),
    "html": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "html_hexadecimal": lambda text: "".join(f"&#x{ord(character):x};" for character in text),
    "html_escaped": html.escape,
    "utf16_as_utf8": lambda text: text.encode("utf-16-le").decode("utf-8"),
}


@pytest.mark.parametrize("token", [TOKEN, OPAQUE])
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_token_is_masked_in_each_spelling(spell: t.Callable[[str], str], token: str) -> None:
    assert mask.mask_text(f"before {spell(token)} after") == f"before {MASK} after"


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("part", [TOKEN[: len(TOKEN) // 2], TOKEN[len(TOKEN) // 2 :], SIGNATURE[5:25], OPAQUE[3:24]])
def test_a_part_of_a_token_is_masked(part: str, spell: t.Callable[[str], str]) -> None:
    masked = mask.mask_text(f"<{spell(part)}>")
    assert MASK in masked
    assert not shows_token(masked)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bearer",
        HEADER,
        f"another token: {HEADER}.{encode_segment('{}')}.{encode_segment('other')}",
        SIGNATURE[:19],
        "a%20b%2Fc",
        "C:\\users\\x64\\u0041bc",
        "&#65;&#x42;",
        "00000000-0000-0000-0000-000000000003" * 50,
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert mask.mask_text(text) is text or mask.mask_text(text) == text
    assert mask.mask_bytes(text.encode()) == text.encode()


def test_escapes_beside_a_plain_token_stay_as_they_are() -> None:
    assert mask.mask_text(f"a%20b {TOKEN} \\u0041") == f"a%20b {MASK} \\u0041"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("escapes", [False, True])
def test_json_is_masked_in_each_encoding_once_it_is_parsed(encoding: str, escapes: bool) -> None:
    text = json.dumps({"a": [TOKEN, {TOKEN: 1}], "b": "c"})
    body = (text.replace("e", "\\u0065") if escapes else text).encode(encoding)
    masked = mask.mask_bytes(body)
    content = mask.mask_json(json.loads(masked), masked)
    assert content["b"] == "c"
    assert MASK in content["a"][0]
    assert not shows_token(json.dumps(content))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("before", ["", "a\nb", "100%", "&", "\u00e9"])
def test_an_escaped_token_is_found_in_json_with_other_escapes(before: str, spelling: str) -> None:
    body = json.dumps([before, f"x {SPELLINGS[spelling](TOKEN)} y", before]).encode()
    masked = mask.mask_bytes(body)
    content = mask.mask_json(json.loads(masked), masked)
    assert MASK in content[1]
    assert not shows_token(content[1])
    assert (content[0], content[2]) == (before, before)


def test_a_short_token_is_masked_in_a_body_as_a_whole() -> None:
    assert TokenMask(["short-token"]).mask_bytes(b"a short-token, a short-tok") == f"a {MASK}, a short-tok".encode()


def test_data_without_texts_is_returned_as_it_is() -> None:
    assert mask.mask_data([1, 2.5, None, True, {"a": (1,)}]) == [1, 2.5, None, True, {"a": [1]}]


@pytest.mark.parametrize("before", ["", "a", "ab", "Authorization: Bearer "])
@pytest.mark.parametrize("token", [TOKEN, OPAQUE])
def test_the_base64_of_a_message_with_a_token_is_masked(token: str, before: str) -> None:
    encoded = base64.b64encode(f"{before}{token}\r\n".encode()).decode()
    masked = mask.mask_text(f"echo {encoded}")
    assert masked.count(MASK) == 1
    assert len(masked) <= len(f"echo {MASK}") + len(before) * 4 // 3 + 12
    assert mask.mask_bytes(json.dumps({"echo": encoded}).encode()) == json.dumps({"echo": masked[5:]}).encode()


def test_the_name_of_a_header_is_masked() -> None:
    assert mask.mask_headers({TOKEN: "x", f"X-{OPAQUE}": "y"}) == {MASK: "x", f"X-{MASK}": "y"}


def test_headers_are_masked() -> None:
    assert mask.mask_headers({"X-Echo": f"Bearer {TOKEN}", "Date": "x"}) == {"X-Echo": f"Bearer {MASK}", "Date": "x"}


def test_a_mask_without_tokens_changes_nothing() -> None:
    nothing = TokenMask(["", ""])
    assert nothing.mask_text(TOKEN) == TOKEN
    assert nothing.mask_bytes(TOKEN.encode()) == TOKEN.encode()
    assert nothing.mask_json({"a": "%41"}, b'{"a": "%41"}') == {"a": "%41"}


@given(st.text(max_size=80), st.integers(0, len(TOKEN)), st.integers(0, len(TOKEN)), st.text(max_size=80))
def test_no_part_of_a_token_passes_in_any_surroundings(before: str, start: int, end: int, after: str) -> None:
    text = f"{before}{TOKEN[start:end]}{after}"
    assert not shows_token(mask.mask_text(text))
    assert not shows_token(mask.mask_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass"))


@given(st.text(max_size=200))
def test_a_text_without_a_token_is_unchanged(text: str) -> None:
    assert mask.mask_text(text) == text
