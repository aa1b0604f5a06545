# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which headers an option may hold."""

from __future__ import annotations

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.headers import refuse_broken_headers


@pytest.mark.parametrize("headers", [{}, {"Prefer": "return=minimal"}, {"If-Match": '"1"\t'}, {"X-Name": "Grüße"}])
def test_sendable_headers_are_accepted(headers: dict[str, str]) -> None:
    refuse_broken_headers("headers", headers)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", "x", "'' is not a header name"),
        ("a b", "x", "'a b' is not a header name"),
        ("Prefer:", "x", "'Prefer:' is not a header name"),
        ("Prefer", "a\r\nX-Other: b", "its value holds a line break"),
        ("Prefer", " a", "the value of 'Prefer' begins with a blank"),
        ("Prefer", "日本", "a character that no header can carry"),
        ("authorization", "Bearer x", "can't replace Authorization"),
    ],
)
def test_a_broken_header_is_refused_by_name(name: str, value: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as failure:
        refuse_broken_headers("headers", {name: value})
    assert failure.value.message.startswith("headers")
    assert failure.value.hint
