# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value from a playbook, the environment or a file gets its type, or an error that repeats no secret."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, OptionSpec
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import (
    convert,
    is_blank,
    strip_line_breaks,
    to_plain,
)

SECRET = "hunter2-and-more"
SECRET_OPTIONS = [name for name, spec in OPTIONS.items() if spec.secret]


class TaggedText(str):
    """Stands in for Ansible's own strings, which carry more than their text."""

    __slots__ = ("origin",)

    def __str__(self) -> str:  # pylint: disable=invalid-str-returned  # a subclass of str is one, too
        return self


def converted(type_: str, value: t.Any) -> t.Any:
    return convert(OptionSpec("some_option", type_), value, "option some_option")


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("str", "text", "text"),
        ("str", " kept as it is ", " kept as it is "),
        ("str", "two\nlines\r\n\n", "two\nlines"),
        ("str", "{{ x }} %d + & # ' \" é 漢", "{{ x }} %d + & # ' \" é 漢"),
        ("str", 12, "12"),
        ("str", 1.5, "1.5"),
        ("path", "/a/b", "/a/b"),
        ("path", "~/token", "/home/of/test/token"),
        ("path", "$PLACE/token", "/some/place/token"),
        ("bool", True, True),
        ("bool", "yes", True),
        ("bool", "no", False),
        ("bool", "1", True),
        ("bool", 0, False),
        ("bool", " TRUE ", True),
        ("int", 300, 300),
        ("int", "300", 300),
        ("int", 300.0, 300),
        ("int", " 0 ", 0),
        ("float", 1, 1.0),
        ("float", "2.5", 2.5),
        ("float", 0, 0.0),
        ("list", ["a", "b"], ["a", "b"]),
        ("list", ("a", 1), ["a", "1"]),
        ("list", "a,b", ["a", "b"]),
        ("list", " a , , b ", ["a", "b"]),
        ("list", ["a,b"], ["a,b"]),
        ("list", [], []),
        ("dict", {"A": "b"}, {"A": "b"}),
        ("dict", {"A": 1, 2: "x"}, {"A": "1", "2": "x"}),
        ("dict", '{"A": "b"}', {"A": "b"}),
        ("dict", {}, {}),
    ],
)
def test_a_value_gets_its_type(type_: str, value: t.Any, expected: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of/test")
    monkeypatch.setenv("PLACE", "/some/place")
    result = converted(type_, value)
    assert result == expected
    assert result.__class__ is type(expected)


@pytest.mark.parametrize(
    ("type_", "value", "wanted"),
    [
        ("str", True, "text"),
        ("str", ["a"], "text"),
        ("str", {"a": 1}, "text"),
        ("str", b"bytes", "text"),
        ("str", "\udc80", "text"),
        ("path", ["a"], "a path"),
        ("bool", "perhaps", "true or false"),
        ("bool", 2, "true or false"),
        ("bool", {}, "true or false"),
        ("int", "soon", "a whole number, 0 or more"),
        ("int", 1.5, "a whole number, 0 or more"),
        ("int", -1, "a whole number, 0 or more"),
        ("int", True, "a whole number, 0 or more"),
        ("int", "nan", "a whole number, 0 or more"),
        ("int", "inf", "a whole number, 0 or more"),
        ("int", "1e999", "a whole number, 0 or more"),
        ("float", "soon", "a number of seconds"),
        ("float", -0.1, "a number of seconds"),
        ("float", "nan", "a number of seconds"),
        ("float", "inf", "a number of seconds"),
        ("float", True, "a number of seconds"),
        ("list", {"a": 1}, "a list of texts"),
        ("list", [["a"]], "a list of texts"),
        ("list", [True], "a list of texts"),
        ("dict", "not json", "a mapping of names to texts"),
        ("dict", "[1]", "a mapping of names to texts"),
        ("dict", {"a": ["b"]}, "a mapping of names to texts"),
        ("dict", {"a": None}, "a mapping of names to texts"),
        ("dict", ["a"], "a mapping of names to texts"),
        ("dict", 5, "a mapping of names to texts"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_option_origin_and_want(type_: str, value: t.Any, wanted: str) -> None:
    with pytest.raises(InputError) as refused:
        converted(type_, value)
    assert refused.value.message.startswith(f"some_option (from option some_option) has to be {wanted}")
    assert refused.value.hint == "Correct option some_option."


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        ("float", "soon", "'soon'"),
        ("float", -2, "'-2'"),
        ("float", ["soon"], "a list"),
        ("float", {"a": 1}, "a mapping"),
        ("float", "a\x1b[31m", "text"),
        ("float", None, "nothing"),
        ("dict", 5, "'5'"),
        ("float", object(), "a value of another kind"),
    ],
)
def test_a_refusal_names_the_value_or_its_kind(type_: str, value: t.Any, shown: str) -> None:
    with pytest.raises(InputError) as refused:
        converted(type_, value)
    assert refused.value.message.endswith(f", not {shown}.")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true or false"),
        ({"a": SECRET}, "a mapping"),
        ([SECRET], "a list"),
        (SECRET.encode(), "a value of another kind"),
        (f"{SECRET}\udc80", "text"),
    ],
)
def test_a_refusal_names_only_the_kind_of_a_secret(value: t.Any, shown: str) -> None:
    with pytest.raises(InputError) as refused:
        convert(OptionSpec("some_secret", "str", secret=True), value, "option some_secret")
    assert refused.value.message == f"some_secret (from option some_secret) has to be text, not {shown}."


def test_a_refusal_shows_a_text_that_is_no_secret() -> None:
    with pytest.raises(InputError, match="not 'soon'"):
        converted("float", "soon")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_survives_without_the_line_breaks_at_its_end(text: str) -> None:
    assert converted("str", text) == strip_line_breaks(text) == text.rstrip("\r\n")


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.lists(st.text()), st.none(), st.booleans()))
@pytest.mark.parametrize("type_", ["str", "path", "bool", "int", "float", "list", "dict"])
def test_any_value_at_all_is_converted_or_refused(type_: str, value: t.Any) -> None:
    kinds: dict[str, type] = {"str": str, "path": str, "bool": bool, "int": int, "float": float}
    try:
        result = converted(type_, value)
    except InputError:
        return
    assert result.__class__ is kinds.get(type_, list if type_ == "list" else dict)


def test_ansible_s_own_strings_become_plain_ones() -> None:
    tagged = TaggedText("value")
    assert converted("str", tagged).__class__ is str
    assert [type(item) for item in converted("list", [tagged])] == [str]
    assert [type(part) for pair in converted("dict", {tagged: tagged}).items() for part in pair] == [str, str]


@pytest.mark.parametrize("name", SECRET_OPTIONS)
@pytest.mark.parametrize("value", [[SECRET], {SECRET: SECRET}, SECRET.encode(), (SECRET,), f"{SECRET}\udc80"])
def test_a_refused_secret_is_shown_nowhere(name: str, value: t.Any) -> None:
    with pytest.raises(InputError) as refused:
        convert(OPTIONS[name], value, f"variable app_token_{name}")
    error: BaseException | None = refused.value
    while error:
        assert SECRET not in f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__
    assert f"{name} (from variable app_token_{name}) has to be" in refused.value.message


def test_no_refusal_drags_the_value_along_as_its_context() -> None:
    with pytest.raises(InputError) as refused:
        converted("dict", '{"Cookie": "hunter2-and-more"')
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("option", "value", "suggestion"),
    [
        ("credential", "client-secret", "client_secret"),
        ("cloud", "usgv", "usgov"),
        ("cloud", "AzureGov", "usgov"),
        ("credential", "Client_Secret", "client_secret"),
        ("run_on", "controler", "controller"),
        ("credential", "xyzzy", None),
    ],
)
def test_an_unknown_choice_is_refused_with_all_choices(option: str, value: str, suggestion: str | None) -> None:
    with pytest.raises(InputError) as refused:
        convert(OPTIONS[option], value, f"option {option}")
    message, hint = refused.value.message, str(refused.value.hint)
    choices = ", ".join(OPTIONS[option].choices)
    assert message == f"{option} (from option {option}) is '{value}', which is not one of {choices}."
    assert hint == (f"Use {suggestion}." if suggestion else f"Correct option {option}.")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("cloud", "AzureUSGovernment", "usgov"),
        ("cloud", "PUBLIC", "public"),
        ("credential", "client_secret", "client_secret"),
        ("run_on", "target", "target"),
    ],
)
def test_a_choice_is_taken(option: str, value: str, expected: str) -> None:
    assert convert(OPTIONS[option], value, "option") == expected


# --- every form that a place can give --------------------------------------------------------------------------------

OMIT = "__omit_place_holder__0123456789abcdef"


@pytest.mark.parametrize(
    ("elements", "value", "expected"),
    [
        ("str", '["a", "b"]', ["a", "b"]),
        ("str", "['a', 'b']", ["a", "b"]),
        ("str", "[a, b]", ["a", "b"]),
        ("str", " [a]\n", ["a"]),
        ("str", "[]", []),
        ("str", "a,b\n", ["a", "b"]),
        ("str", 5, ["5"]),
        ("str", ["a\n", OMIT, None, "", "b"], ["a", "b"]),
        ("int", [200, "404"], [200, 404]),
        ("int", "200,404", [200, 404]),
        ("int", "200", [200]),
        ("int", 200, [200]),
        ("int", "[200, 404]", [200, 404]),
        ("dict", [{"url": "/a", "id": 1}], [{"url": "/a", "id": 1}]),
        ("dict", '[{"url": "/a", "headers": {"A": "b"}}]', [{"url": "/a", "headers": {"A": "b"}}]),
        ("dict", ["url=/a id=1"], [{"url": "/a", "id": "1"}]),
        ("dict", {"url": "/a"}, [{"url": "/a"}]),
        ("dict", '{"url": "/a"}', [{"url": "/a"}]),
    ],
)
def test_a_list_in_any_form(elements: str, value: t.Any, expected: list[t.Any]) -> None:
    assert convert(OptionSpec("some_option", "list", elements=elements), value, "option") == expected


@pytest.mark.parametrize(
    ("elements", "value", "expected"),
    [
        ("str", '{"A": "b", "C": 1}', {"A": "b", "C": "1"}),
        ("str", "{A: b, C: 1}", {"A": "b", "C": "1"}),
        ("str", "{'A': 'b'}", {"A": "b"}),
        ("str", "A=b", {"A": "b"}),
        ("str", "A=b,C=d=e", {"A": "b", "C": "d=e"}),
        ("str", "A=b C='d e', E=\"f, g\"\n", {"A": "b", "C": "d e", "E": "f, g"}),
        ("str", {"A": "b\n", "C": OMIT, "E": ""}, {"A": "b", "E": ""}),
        ("raw", {"$top": 5, "a": [True, None]}, {"$top": 5, "a": [True, None]}),
        ("raw", '{"$top": 5}', {"$top": 5}),
        ("raw", "$top=5", {"$top": "5"}),
    ],
)
def test_a_mapping_in_any_form(elements: str, value: t.Any, expected: dict[str, t.Any]) -> None:
    assert convert(OptionSpec("some_option", "dict", elements=elements), value, "option") == expected


@pytest.mark.parametrize(
    ("type_", "elements", "value", "wanted"),
    [
        ("list", "str", "[a", "a list of texts"),
        ("list", "str", True, "a list of texts"),
        ("list", "int", "200,x", "a list of whole numbers"),
        ("list", "int", [True], "a list of whole numbers"),
        ("list", "dict", "a,b", "a list of mappings"),
        ("list", "dict", [["a"]], "a list of mappings"),
        ("dict", "str", "{a", "a mapping of names to texts"),
        ("dict", "str", "A='b", "a mapping of names to texts"),
        ("dict", "str", "=b", "a mapping of names to texts"),
        ("dict", "raw", ["a"], "a mapping of names to values"),
        ("dict", "raw", {"a": b"x"}, "a mapping of names to values"),
    ],
)
def test_a_list_or_mapping_of_another_form_is_refused(type_: str, elements: str, value: t.Any, wanted: str) -> None:
    with pytest.raises(InputError, match=f"has to be {wanted}, not ") as refused:
        convert(OptionSpec("some_option", type_, elements=elements), value, "option some_option")
    assert refused.value.__context__ is None


def test_deeply_nested_text_is_refused() -> None:
    with pytest.raises(InputError, match="a list of texts"):
        converted("list", "[" * 100_000)


@pytest.mark.parametrize(
    ("value", "blank"),
    [(None, True), ("", True), (" \t\n", True), (OMIT, True), ("a", False), (0, False), (False, False), ([], False)],
)
def test_nothing_blank_text_and_omit_are_not_given(value: t.Any, blank: bool) -> None:
    assert is_blank(value) is blank


def test_raw_text_is_kept_with_its_line_breaks() -> None:
    """The body of a request."""
    assert converted("raw", {"text": "line\n", "list": ("a\n",)}) == {"text": "line\n", "list": ["a\n"]}
    assert to_plain("line\n") == "line\n"
    with pytest.raises(TypeError):
        to_plain(b"x")
