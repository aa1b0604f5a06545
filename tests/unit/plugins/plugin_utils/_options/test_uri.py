# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option of ansible.builtin.uri is known, and a task that is converted is told what takes its place."""

from __future__ import annotations

import pytest
from ansible.plugins.loader import fragment_loader, module_loader
from ansible.utils.plugin_docs import get_plugin_docs

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import (
    API_OPTIONS,
    parse_api_request_options,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTION_NAMES
from ansible_collections.entra.auth.plugins.plugin_utils._options.uri import find_hint


def list_options_of_uri() -> list[str]:
    """Return the options of the installed uri that api_request does not have, with their aliases."""
    doc = get_plugin_docs("ansible.builtin.uri", "module", module_loader, fragment_loader, False)[0]
    names = (name for option, spec in doc["options"].items() for name in (option, *spec.get("aliases", ())))
    return [name for name in names if name not in (*API_OPTIONS, *OPTION_NAMES)]


@pytest.mark.parametrize("name", list_options_of_uri())
def test_an_option_that_api_request_lacks_is_answered(name: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_api_request_options({"url": "/v1.0/x", name: "x"})
    assert refused.value.hint == find_hint([name])
    assert str(refused.value.hint).startswith(f"Remove {name}")


def test_what_no_module_takes_is_not_sent_to_another_one() -> None:
    assert "authorized_uri" not in str(find_hint(["use_netrc", "creates"]))
    assert find_hint(["creates", "made_up"]) is find_hint(["use_netrc", "made_up"]) is None
