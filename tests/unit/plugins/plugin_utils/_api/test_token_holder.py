# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of a call: held, acquired again, and renewed."""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import TokenHolder
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator


def test_one_new_token_is_enough_for_all_whose_token_was_refused(
    emulator: Emulator, reader: dict[str, t.Any], messages: t.Any
) -> None:
    held = [
        TokenHolder(AppTokenOptions(**reader), lambda options: get_app_token(options, messages, UnreachableHost({})))
        for _dummy in range(10)
    ]
    refused = {one.get_token().access_token for one in held}
    for one in held:
        one.renew(None)
    renewed = {one.current_value for one in held}
    assert (len(refused), len(renewed), refused & renewed) == (1, 1, set())
    assert len(emulator.token_requests()) == 2
