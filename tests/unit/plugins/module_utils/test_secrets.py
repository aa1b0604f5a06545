# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No form and no large part of a secret stays in a text, everything else does, and ansible-core learns of it."""

from __future__ import annotations

import base64
import html
import importlib
import json
import sys
import types
import typing as t
import urllib.parse

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils import _secrets
from ansible_collections.entra.auth.plugins.module_utils._secrets import (
    MASK,
    mask_content,
    mask_secrets,
    register_secrets,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

AWKWARD = "s3cr&t+=/%\u00e9 \\\"'<x>"
FORMS: dict[str, t.Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda text: urllib.parse.quote(text, safe=""),
    "percent-encoded but for slashes": urllib.parse.quote,
    "form-encoded": urllib.parse.quote_plus,
    "percent-encoded in lower case": lambda text: "".join(
        part.lower() if part.startswith("%") else part for part in (urllib.parse.quote(char, safe="") for char in text)
    ),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON with escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "Python": lambda text: repr(text)[1:-1],
}
secrets = st.text(st.characters(codec="utf-8"), min_size=6, max_size=60).filter(lambda text: len(text.strip()) >= 6)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("secret", [AWKWARD, "plain-secret", f" {AWKWARD}\n", "abcdef", "eyJhbGciOi.J9.e30_-" * 100])
def test_each_form_of_a_secret_is_masked(secret: str, form: t.Callable[[str], str]) -> None:
    assert mask_secrets(f"before {form(secret)}, after", [secret]) in (
        f"before {MASK}, after",
        f"before  {MASK}{form(secret)[-1]}, after",  # white space around a secret may stay
        f"before {form(' ')}{MASK}{form(secret[-1])}, after",
    )


@given(secrets, st.sampled_from(sorted(FORMS)))
def test_no_secret_in_any_form_stays(secret: str, name: str) -> None:
    form = FORMS[name](secret)
    assume(form not in MASK * 20)
    assert form not in mask_secrets(f"<<{form}>>{form}", [secret])


@given(st.text(max_size=80), secrets)
def test_a_text_without_the_secret_stays_as_it_is(text: str, secret: str) -> None:
    assume(not any(part in text for part in (secret.strip(), *(form(secret) for form in FORMS.values()))))
    assume(len(secret) < 24)
    assert mask_secrets(text, [secret]) == text


@pytest.mark.parametrize(
    "secret",
    ["8Q~" + "abcdefghijklmnopqrstuvwxyz0123456789~"[:37], "".join(f"{number:x}.Zx" for number in range(999, 1400))],
)
@pytest.mark.parametrize("share", [0, 0.05, 0.5, 0.9])
def test_a_part_of_a_secret_is_masked(secret: str, share: float) -> None:
    size = max(12, int(len(secret) * share) + 1)
    for part in (secret[:size], secret[-size:], *(secret[at : at + size] for at in range(1, 8) if at + size < 40)):
        assert mask_secrets(f"Refused: '{part}' (cut)", [secret]) == f"Refused: '{MASK}' (cut)"


def test_a_secret_in_lines_of_a_log_is_masked() -> None:
    secret = "".join(f"{number:x}.Zx" for number in range(999, 1400))
    lines = [secret[at : at + 64] for at in range(0, len(secret), 64)]
    assert mask_secrets("\n".join(lines), [secret]) == "\n".join([MASK] * len(lines))


@pytest.mark.parametrize("before", ["", "a", "ab", "client_secret="])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_base64_of_a_message_with_a_secret_shows_no_part_of_it(
    before: str, encode: t.Callable[[bytes], bytes]
) -> None:
    secret = "8Q~>?>?" + "abcdefghijklmnopqrstuvwxyz0123456789~"
    masked = mask_secrets(encode(f"{before}{secret}&grant".encode()).decode(), [secret])
    assert MASK in masked
    assert len(masked.replace(MASK, "")) <= len(encode(f"{before}&grant".encode())) + 4


def test_a_short_part_of_a_secret_stays() -> None:
    secret = "abcdefghijklmnopqrstuvwxyz0123456789~"
    assert mask_secrets("cdefghijklm and lmnopqrstuv", [secret]) == "cdefghijklm and lmnopqrstuv"


def test_overlapping_secrets_are_masked_together() -> None:
    assert mask_secrets("see abcdefghijkl!", ["abcdefgh", "efghijkl"]) == f"see {MASK}!"
    assert mask_secrets("see abcdefgh-long!", ["abcdefgh", "abcdefgh-long"]) == f"see {MASK}!"
    assert mask_secrets("abcdefabcdef", ["abcdef"]) == MASK


@pytest.mark.parametrize("secret", [None, "", "abc", "five5"])
def test_what_is_too_short_for_a_secret_stays(secret: str | None) -> None:
    assert mask_secrets("abc five5 and more", [secret]) == "abc five5 and more"


def test_many_repetitions_take_no_time() -> None:
    assert mask_secrets("a" * 1_000_000, ["a" * 40]) == MASK


def test_the_strings_and_names_of_decoded_json_are_masked() -> None:
    content = {"hunter2!": [{"a": "is hunter2!"}, 5, None, True, 1.5], "b": {"c": ["hunter2!"]}, "d": "other"}
    assert mask_content(content, ["hunter2!"]) == {
        MASK: [{"a": f"is {MASK}"}, 5, None, True, 1.5],
        "b": {"c": [MASK]},
        "d": "other",
    }


# --- ansible-core 2.22 ------------------------------------------------------------------------------------------


@pytest.fixture
def core_2_22(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """ansible-core's own masking as 2.22 has it: the texts that were registered."""
    registered: list[str] = []
    module = types.ModuleType("ansible.module_utils.secrets")

    def register_secret(text: str) -> str:
        registered.append(text)
        return text

    vars(module)["register_secret"] = register_secret
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        importlib.reload(_secrets)
        yield registered
    importlib.reload(_secrets)


@pytest.fixture
def core_before_2_22(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ansible.module_utils.secrets", None)
        importlib.reload(_secrets)
        yield
    importlib.reload(_secrets)


def test_a_core_that_masks_learns_each_secret(core_2_22: list[str]) -> None:
    _secrets.register_secrets("hunter2-first", None, "", "hunter2-second", "short", "  abc  ")
    assert core_2_22 == ["hunter2-first", "hunter2-second"]


def test_an_older_core_is_no_obstacle(core_before_2_22: None) -> None:
    _secrets.register_secrets("hunter2-first")
    assert _secrets.mask_secrets("hunter2-first", ["hunter2-first"]) == MASK


def test_registering_changes_nothing_else() -> None:
    secret = base64.b64encode(b"hunter2-first").decode()
    register_secrets(secret)
    assert mask_secrets(f"a {secret}", []) == f"a {secret}"
