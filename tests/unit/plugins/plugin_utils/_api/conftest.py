# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests of ``api_request``."""

from __future__ import annotations

import typing as t

import pytest
from api_calls import ApiCaller


@pytest.fixture
def call(reader: dict[str, t.Any], messages: t.Any) -> ApiCaller:
    """Executes an api_request of a server."""
    return ApiCaller(reader, messages)
