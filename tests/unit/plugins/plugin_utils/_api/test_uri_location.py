# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Location leads to the same place on every ansible-core."""

from __future__ import annotations

import itertools
import posixpath
import typing as t
import urllib.parse

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_location import correct_location

URLS: t.Final = [
    "https://api.example/a/b",
    "https://api.example/a/b?x=1",
    "https://api.example/a/b?next=/a/b",
    "https://api.example/?x=1",
    "https://api.example/",
    "https://api.example?x=1",
]
SENT: t.Final = ["/c", "/c?y=/2", "c", "c/d?y=2", "https://other.example/a/b?x=1", "https://api.example/c"]
PAIRS: t.Final = list(itertools.product(URLS, SENT))
# The older releases join a relative reference to a host without a path in a way that can't be told apart.
NOT_CORRECTED: t.Final = [("https://api.example?x=1", sent) for sent in ("c", "c/d?y=2")]


def join_as_before_2_18(url: str, location: str) -> str:
    """What uri of the older releases makes of a Location."""
    if "://" in location:
        return location
    if location.startswith("/"):
        return url.replace(urllib.parse.urlsplit(url).path, "") + location
    return f"{posixpath.dirname(url)}/{location}"


@pytest.mark.parametrize(("url", "sent"), PAIRS)
def test_the_place_of_rfc_3986_is_kept(url: str, sent: str) -> None:
    right = urllib.parse.urljoin(url, sent)
    assert correct_location(url, right) == right


@pytest.mark.parametrize(("url", "sent"), [pair for pair in PAIRS if pair not in NOT_CORRECTED])
def test_what_the_older_releases_make_of_it_leads_to_the_same_place(url: str, sent: str) -> None:
    assert correct_location(url, join_as_before_2_18(url, sent)) == urllib.parse.urljoin(url, sent)
