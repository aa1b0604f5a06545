# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A response is a page of a listing by its content or its headers, and the last one only if neither says otherwise."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._api.next_page import (
    has_next_page,
    is_link,
    is_listing,
    names_next_page,
)


@pytest.mark.parametrize(
    "content",
    [
        {"id": "1", "businessPhones": ["1"], "nextLinkPolicy": "x"},
        {"id": "1", "continuationToken": "t"},
        {"id": "1", "nextUrl": "/x"},
        {"id": "1", "isLast": False, "next": "/x", "nextToken": "t", "hasMore": True},
        {"id": "1", "phones": ["1"], "hasMore": False, "truncated": "false", "isLast": True, "next": None},
        {"id": "1", "nextLink": None},
        {"value": "a secret"},
        "text",
        None,
    ],
)
def test_a_single_resource_is_not_a_listing(content: t.Any) -> None:
    assert not is_listing(content, {})


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        ({"value": [], "@odata.nextLink": "/p2"}, {}),
        ({"nextLink": 5}, {}),
        ({"d": {"results": [], "__next": "/p2"}}, {}),
        ({"value": [], "hasMore": True}, {}),
        ({"value": [], "has_next_page": "true"}, {}),
        ({"value": [], "next": "https://api.test/p2"}, {}),
        ({"value": [], "_links": {"next": {"href": "/p2"}}}, {}),
        ({"value": [], "nextPageToken": "t"}, {}),
        ({"things": [], "last": False}, {}),
        ([], {"Link": "</p2>; rel=next"}),
        ("text", {"x-ms-continuationtoken": "t"}),
        ({"value": []}, {"x-ms-continuation-token": "t"}),
    ],
)
def test_a_page_names_the_next_one(content: t.Any, headers: dict[str, str]) -> None:
    assert names_next_page(content, headers)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        ({"value": [], "@odata.nextLink": ""}, {}),
        ({"value": [], "hasMore": False, "last": True, "next": None, "nextToken": ""}, {}),
        ({"value": [], "_links": {"self": {"href": "/p1"}, "next": None}, "links": []}, {}),
        ({"value": [], "next": {"id": 1}, "lastName": False, "moreInfo": "true"}, {}),
        ({"id": "1", "nextToken": "t"}, {}),
        ([], {"Link": "</p1>; rel=prev", "X-Next-Page": ""}),
        (None, {}),
    ],
)
def test_a_last_page_names_none(content: t.Any, headers: dict[str, str]) -> None:
    assert not names_next_page(content, headers)


def test_a_link_is_no_content_of_a_listing() -> None:
    assert [name for name in ("nextLink", "next", "$skipToken", "value", "nextStep") if is_link(name)] == [
        "nextLink",
        "next",
        "$skipToken",
    ]
    assert not has_next_page({})
