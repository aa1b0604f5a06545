# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of authorized_uri: every one of ansible.builtin.uri is taken, handed on, or set by the module itself."""

from __future__ import annotations

import typing as t

import pytest
from ansible.plugins.loader import fragment_loader, module_loader
from ansible.utils.plugin_docs import get_plugin_docs

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import (
    URI_OPTIONS,
    parse_uri_options,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.uri import OWNED_OPTIONS


def parse(**arguments: t.Any) -> t.Any:
    return parse_uri_options({"url": "/v1.0/users", **arguments})


def test_every_option_of_uri_has_its_place() -> None:
    documentation = get_plugin_docs("ansible.builtin.uri", "module", module_loader, fragment_loader, False)[0]
    places = {*URI_OPTIONS, *OWNED_OPTIONS, *OPTIONS}
    assert set(documentation["options"]) <= places


def test_no_option_has_two_places() -> None:
    names = [*URI_OPTIONS, *OWNED_OPTIONS, *OPTIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "given_", "value"),
    [
        ("method", "post", "POST"),
        ("headers", '{"Prefer": "x"}', {"Prefer": "x"}),
        ("headers", {"a": 1}, {"a": "1"}),
        ("body", {"a": [1, None]}, {"a": [1, None]}),
        ("status_code", 404, [404]),
        ("status_code", "200, 404", [200, 404]),
        ("status_code", ["200", 404], [200, 404]),
        ("allowed_hosts", "a.example,b.example", ["a.example", "b.example"]),
        ("return_content", "yes", True),
        ("jmespath", "", None),
        ("access_token", "x", "x"),
    ],
)
def test_an_option_is_taken_in_each_shape(name: str, given_: t.Any, value: t.Any) -> None:
    assert getattr(parse(**{name: given_}), name) == value


def test_defaults() -> None:
    options = parse()
    assert (options.method, options.body_format, options.status_code) == ("GET", "json", [])
    assert options.given == {"url"}
    assert options.passed == {}


@pytest.mark.parametrize(("codes", "good", "bad"), [([], [200, 299], [199, 300, 404]), ([404], [404], [200])])
def test_a_success_is_a_2xx_unless_statuses_are_named(codes: list[int], good: list[int], bad: list[int]) -> None:
    options = parse(status_code=codes)
    assert all(map(options.expects, good))
    assert not any(map(options.expects, bad))


def test_what_concerns_the_host_is_handed_on_as_it_is() -> None:
    options = parse(dest="/x", mode="0600", attr="+i", use_proxy=False, ciphers=["a"], creates="")
    assert options.passed == {"dest": "/x", "mode": "0600", "attributes": "+i", "use_proxy": False, "ciphers": ["a"]}


@pytest.mark.parametrize("name", OWNED_OPTIONS)
def test_what_the_module_sets_itself_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=rf"sets {name} of ansible\.builtin\.uri itself") as refused:
        parse(**{name: "hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"ulr": "x", "methd": "GET"}, "'ulr' and 'methd' are not options of authorized_uri", "url instead of ulr"),
        ({"tenant_idd": "x"}, "'tenant_idd' is not an option of authorized_uri", "tenant_id instead of tenant_idd"),
        ({"url": ""}, "needs a url", "/v1.0/users"),
        ({"method": "GET /x"}, "one word", "method"),
        ({"method": "POST", "body": "a", "src": "b"}, "body and src exclude each other", "Remove body or src"),
        ({"dest": "/x", "jmespath": "a"}, "dest and jmespath exclude each other", "Remove dest or jmespath"),
        ({"headers": {"authorization": "x"}}, "can't replace Authorization", "Remove it"),
        ({"headers": {"a": "b\r\nc"}}, "line break", "one-line"),
        ({"status_code": "ok"}, "status_code", "status_code"),
        ({"body_format": "form-multipart", "body": [1]}, "body has to be a mapping", "with filename"),
        ({"body_format": "form"}, "not one of json, raw, form-urlencoded, form-multipart", "body_format"),
    ],
)
def test_what_can_t_work_is_refused_with_its_fix(arguments: dict[str, t.Any], message: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(**arguments)
    assert message in refused.value.message
    assert hint in refused.value.hint
