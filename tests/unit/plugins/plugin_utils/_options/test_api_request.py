# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of api_request, in every shape in which Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest
from api_calls import JSON, ends_in_value_or_error
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import (
    API_OPTIONS,
    is_upload_session,
    parse_api_request_options,
)

Options = dict[str, t.Any]


def parse(**arguments: t.Any) -> t.Any:
    return parse_api_request_options({"url": "/v1.0/users", **arguments})


@pytest.mark.parametrize(
    ("name", "given_", "value"),
    [
        ("method", "post", "POST"),
        ("query", {"$top": 5, "a": [1, None]}, {"$top": 5, "a": [1, None]}),
        ("query", '{"$top": 5, "a": ["b", "c"]}', {"$top": 5, "a": ["b", "c"]}),
        ("status_code", "200, 404", [200, 404]),
        ("status_code", [404, "200"], [404, 200]),
        ("status_code", 404, [404]),
        ("status_code", "[200, 404]", [200, 404]),
        ("max_items", "10", 10),
        ("requests", '[{"url": "/a"}]', [{"url": "/a"}]),
        ("requests", {"url": "/a"}, [{"url": "/a"}]),
        ("allowed_hosts", "a.example, b.example", ["a.example", "b.example"]),
        ("headers", '{"Prefer": "x"}', {"Prefer": "x"}),
        ("wait_timeout", "5", 5.0),
        ("hide_result", "yes", True),
        ("paginate", "false", False),
    ],
)
def test_an_option_is_taken_in_each_shape(name: str, given_: t.Any, value: t.Any) -> None:
    assert getattr(parse(**{name: given_}), name) == value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_items": -1}, "max_items .*has to be a whole number"),
        ({"max_items": 0}, "max_items is 0"),
        ({"max_items": True}, "max_items .*has to be a whole number"),
        ({"query": "a b"}, "query .*has to be a mapping"),
        ({"query": [1]}, "query .*has to be a mapping"),
        ({"status_code": "2xx"}, "status_code .*has to be a list of whole numbers"),
        ({"status_code": True}, "status_code"),
        ({"requests": "x"}, "requests .*has to be a list of mappings"),
        ({"requests": [1]}, "requests .*has to be a list of mappings"),
        ({"method": "FETCH"}, "method"),
        ({"headers": {"Authorization": "x"}}, "headers can't replace Authorization"),
        ({"body": {}}, "A GET has no body"),
        ({"dest": "x", "wait": True}, "dest and wait exclude each other"),
        ({"requests": [{}], "query": {"a": 1}}, "query and requests exclude each other"),
        ({"src": "x", "body": {}, "method": "PUT"}, "body and src exclude each other"),
        ({"url": " "}, "api_request needs a url"),
    ],
)
def test_a_value_that_can_not_work_is_refused_by_name(arguments: Options, message: str) -> None:
    with pytest.raises(InputError, match=message) as failure:
        parse(**arguments)
    assert "seconds" not in failure.value.message


def test_a_misspelt_option_may_be_one_of_app_token() -> None:
    with pytest.raises(InputError, match="'tenant_ID' is not an option of api_request") as failure:
        parse(tenant_ID="x")
    assert failure.value.hint == "Write tenant_id instead of tenant_ID."


def test_a_batch_is_a_post_that_reads_if_its_requests_do() -> None:
    options = parse_api_request_options({"requests": [{"url": "/a"}, {"url": "/b", "method": "head"}]})
    assert (options.url, options.method, options.is_safe) == ("/v1.0/$batch", "POST", True)
    assert not parse_api_request_options({"requests": [{"url": "/a", "method": "delete"}]}).is_safe


@pytest.mark.parametrize(
    ("url", "is_session"),
    [
        ("/v1.0/d/createUploadSession?x=1", True),
        ("/D/CREATEUPLOADSESSION", True),
        ("/v1.0/createUploadSession/x", False),
    ],
)
def test_an_upload_session_is_known_by_its_url(url: str, is_session: bool) -> None:
    assert is_upload_session(url) is is_session


@pytest.mark.parametrize(
    ("status", "expected", "content"), [(200, True, True), (202, True, False), (204, True, False), (206, True, False)]
)
def test_not_every_success_has_content(status: int, expected: bool, content: bool) -> None:
    assert (parse().expects(status), parse().has_content(status)) == (expected, content)


def test_the_token_from_elsewhere_is_a_secret() -> None:
    assert API_OPTIONS["access_token"].secret
    assert "made-up" not in repr(parse(access_token="made-up.token"))


@given(st.dictionaries(st.sampled_from(list(API_OPTIONS)), JSON))
def test_any_arguments_end_in_options_or_an_error(arguments: Options) -> None:
    ends_in_value_or_error(lambda: parse_api_request_options(arguments))


def test_an_option_of_uri_is_not_taken_for_another_one() -> None:
    with pytest.raises(InputError, match="'return_content' is not an option of api_request") as refused:
        parse(url="/x", return_content=True)
    assert refused.value.hint.startswith("Remove return_content, or use entra.auth.authorized_uri")
