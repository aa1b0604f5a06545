# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every store can do what the cache needs."""

from __future__ import annotations

import inspect
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._cache.base import LastingStore, Store
from ansible_collections.entra.auth.plugins.plugin_utils._cache.directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.redis_store import RedisStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.stores import NoStore
from ansible_collections.entra.auth.plugins.plugin_utils._cache.user_store import UserStore


def list_methods(kind: type) -> set[str]:
    return {name for name, _method in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [(NoStore, Store), (DirectoryStore, Store), (UserStore, LastingStore), (RedisStore, LastingStore)],
)
def test_a_store_has_every_method_with_the_same_parameters(kind: type, protocol: type) -> None:
    for name in list_methods(protocol):
        wanted: t.Any = getattr(protocol, name)
        assert inspect.signature(getattr(kind, name)).parameters == inspect.signature(wanted).parameters, name


def test_a_lasting_store_can_do_more() -> None:
    assert list_methods(LastingStore) - list_methods(Store) == {"list_entries", "clear"}
