# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The device code: a person signs in once, anywhere, and what comes of it serves unattended from then on.

RFC 8628; Learn, "OAuth 2.0 device authorization grant flow".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.module_utils._credentials._base import Credential, TokenRequest
from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token


class DeviceCode(Credential):
    """Never chosen by itself, because somebody has to be there to sign in."""

    kind = "device_code"
    given_by = ()
    delegated = True

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        from ansible_collections.entra.auth.plugins.module_utils._device_authorization import sign_in

        return sign_in(request, network, self.tell)

    def options_for_target(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        raise InputError(
            "A device code can't be asked for from the target.",
            hint="Leave run_on at controller, where the person is who signs in.",
        )


__all__ = ("DeviceCode",)
