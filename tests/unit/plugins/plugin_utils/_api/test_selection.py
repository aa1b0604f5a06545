# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A JMESPath expression is checked before any request."""

from __future__ import annotations

import typing as t

import pytest
from canned_server import CannedServer, json_answer

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:
    from api_calls import ApiCaller

CREATED: t.Final = json_answer(201, {"id": "7"})


@pytest.mark.parametrize("expression", ["value[].nothing(@)", "sort_by(value, &nothing(a))", "[?nothing(a) == `1`]"])
def test_an_unknown_function_costs_no_request(call: ApiCaller, expression: str) -> None:
    with CannedServer(CREATED) as server, pytest.raises(InputError, match=r"there is no function nothing\(\)"):
        call(server, method="POST", body={}, jmespath=expression)
    assert server.received == []
