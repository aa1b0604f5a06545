# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An error reads as one text: what happened, what to do, what was requested, and the ids for support."""

from __future__ import annotations

import ast
import pathlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    InputError,
    MissingLibraryError,
    NetworkError,
    TokenRequestRefused,
    printable,
)

PLUGINS = pathlib.Path(__file__).resolve().parents[4] / "plugins"
ANSWER = ErrorResponse(
    error="invalid_client",
    error_codes=(7000215, 50012),
    correlation_id="c-1",
    trace_id="t-1",
    timestamp="2026-01-02 03:04:05Z",
)


def test_a_text_has_all_parts_in_the_order_a_reader_needs_them() -> None:
    error = TokenRequestRefused("It said no.", hint="Say please.", response=ANSWER)
    error.request_summary = "credential client_secret, cloud public"
    assert str(error) == (
        "It said no. To fix it: Say please. Requested with credential client_secret, cloud public. "
        "For support: correlation id c-1, trace id t-1, at 2026-01-02 03:04:05Z."
    )


@pytest.mark.parametrize(
    ("request_summary", "answer", "text"),
    [
        (None, None, "It failed. To fix it: Try again."),
        ("scope x", None, "It failed. To fix it: Try again. Requested with scope x."),
        (None, ErrorResponse(trace_id="t-2"), "It failed. To fix it: Try again. For support: trace id t-2."),
        (None, ErrorResponse(error="invalid_grant"), "It failed. To fix it: Try again."),
    ],
)
def test_parts_that_are_not_known_leave_no_gap(
    request_summary: str | None, answer: ErrorResponse | None, text: str
) -> None:
    error = EntraAuthError("It failed.", hint="Try again.", response=answer)
    error.request_summary = request_summary
    assert str(error) == text


def test_the_fields_of_a_failed_task_are_plain_data() -> None:
    assert TokenRequestRefused("No.", hint="Do.", response=ANSWER).to_fields() == {
        "error": "invalid_client",
        "error_codes": [7000215, 50012],
        "hint": "Do.",
        "correlation_id": "c-1",
        "trace_id": "t-1",
    }


def test_the_fields_are_there_when_the_service_said_nothing() -> None:
    assert InputError("No.", hint="Do.").to_fields() == {
        "error": None,
        "error_codes": [],
        "hint": "Do.",
        "correlation_id": None,
        "trace_id": None,
    }


@pytest.mark.parametrize("kind", [InputError, NetworkError, TokenRequestRefused, MissingLibraryError])
def test_every_error_of_the_collection_can_be_caught_as_one(kind: type[EntraAuthError]) -> None:
    with pytest.raises(EntraAuthError, match=r"^It failed\. To fix it: Do\.$"):
        raise kind("It failed.", hint="Do.")


# --- a fix for every error --------------------------------------------------------------------------------------


Nodes = list[tuple[str, ast.AST]]


def read_nodes() -> Nodes:
    """Everything in the plugins, each with the file it is in."""
    return [
        (str(path.relative_to(PLUGINS)), node)
        for path in sorted(PLUGINS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


def find_error_classes(nodes: Nodes) -> set[str]:
    """The names of all classes below EntraAuthError, in any file of the plugins."""
    names = {"EntraAuthError"}
    classes = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)})
        for _file, node in nodes
        if isinstance(node, ast.ClassDef)
    ]
    while found := {name for name, bases in classes if bases & names and name not in names}:
        names |= found
    return names


def find_calls(nodes: Nodes, names: set[str]) -> dict[str, ast.Call]:
    """The calls of functions or classes with these names, by file and line."""
    return {
        f"{file}:{node.lineno}:{node.col_offset}": node
        for file, node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    }


def test_every_error_has_a_fix() -> None:
    nodes = read_nodes()
    names = find_error_classes(nodes)
    assert {"InputError", "NetworkError", "TokenRequestRefused", "ApiError"} <= names
    calls = find_calls(nodes, names)
    assert len(calls) > 60
    for place, call in calls.items():
        hints = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg == "hint"]
        assert hints, f"{place} has no hint"
        assert hints[0] not in ("None", "''"), f"{place} has an empty hint"


@pytest.mark.parametrize("kind", [InputError, NetworkError, TokenRequestRefused])
def test_an_error_without_a_fix_can_not_be_constructed(kind: t.Any) -> None:
    with pytest.raises(TypeError, match="hint"):
        kind("It failed.")


# --- a peer's text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\r\nb", "a b"),
        ("\x1b[31mred\x07", "[31mred"),
        ("  a \t\u200b b  ", "a b"),
        ("caf\u00e9", "caf\u00e9"),
        ("", ""),
        (None, ""),
        (5, ""),
        (["a"], ""),
        ({"a": "b"}, ""),
        (b"a", ""),
    ],
)
def test_a_text_is_shown_as_one_printable_line(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_a_text_is_cut_at_its_limit() -> None:
    assert printable("x" * 60_000, 20) == "x" * 19 + "\u2026"
    assert printable("x" * 20, 20) == "x" * 20
    assert len(printable("y" * 60_000)) == 500


@given(st.text(), st.integers(1, 50))
def test_no_text_breaks_the_line_or_the_limit(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
