# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles' filter finds the work of each name, and loads no more than that."""

from __future__ import annotations

import importlib

import pytest
import yaml

from ansible_collections.entra.auth.plugins.filter import for_roles


def test_each_work_is_documented() -> None:
    documented = yaml.safe_load(for_roles.DOCUMENTATION)["options"]["work"]["choices"]
    assert documented == sorted(for_roles._WORK)


@pytest.mark.parametrize("work", for_roles._WORK)
def test_each_work_is_where_it_is_looked_for(work: str) -> None:
    module, function = for_roles._WORK[work]
    assert callable(getattr(importlib.import_module(f"{for_roles._UTILS}.{module}"), function))


def test_work_is_done_with_what_follows_its_name() -> None:
    assert for_roles.do_work({"status": 503}, "pause", 7) == 7
