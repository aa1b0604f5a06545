# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A library that is not installed is no traceback: what needs it can be imported and says what to install."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._http import transport
from ansible_collections.entra.auth.plugins.plugin_utils._api import selection
from ansible_collections.entra.auth.plugins.plugin_utils._cache import encryption, redis_store
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import certificate_file, certificate_formats

if t.TYPE_CHECKING:
    import types


@pytest.mark.parametrize(
    ("module", "library", "switch"),
    [
        (selection, "jmespath", "HAS_JMESPATH"),
        (transport, "requests", "HAS_REQUESTS"),
        (transport, "urllib3", "HAS_REQUESTS"),
        (certificate_file, "jwt", "HAS_PYJWT"),
        (certificate_file, "cryptography.exceptions", "HAS_CRYPTOGRAPHY"),
        (certificate_formats, "cryptography.exceptions", "HAS_CRYPTOGRAPHY"),
        (encryption, "cryptography.exceptions", "HAS_CRYPTOGRAPHY"),
        (redis_store, "redis", "HAS_REDIS"),
    ],
)
def test_a_module_can_be_imported_without_its_library(
    module: types.ModuleType, library: str, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert getattr(module, switch) is True
    spec = importlib.util.spec_from_file_location("without_library", str(pathlib.Path(str(module.__file__))))
    assert spec
    assert spec.loader
    without = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "without_library", without)
    monkeypatch.setitem(sys.modules, library, None)
    spec.loader.exec_module(without)
    assert getattr(without, switch) is False
