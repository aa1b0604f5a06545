# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secret options are marked for the cores that mask them, and older ones see no mark."""

from __future__ import annotations

import importlib.util
import pathlib
import runpy

import pytest
import yaml

from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS

FRAGMENT = pathlib.Path(__file__).resolve().parents[4] / "plugins" / "doc_fragments" / "_app_token_secrets.py"


@pytest.mark.parametrize("masks", [True, False])
def test_every_secret_option_is_marked_where_the_core_masks_it(masks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = object() if masks else None
    monkeypatch.setattr(importlib.util, "find_spec", {"ansible.module_utils.secrets": found}.get)
    marked = yaml.safe_load(runpy.run_path(str(FRAGMENT))["ModuleDocFragment"].DOCUMENTATION)["options"]
    assert marked == ({name: {"secret": True} for name, spec in OPTIONS.items() if spec.secret} if masks else {})
