# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The device code: a person signs in once on any device, and later runs use the refresh token.

RFC 8628; Learn, "OAuth 2.0 device authorization grant flow".

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    MAX_SIGN_IN_SECONDS,
    MISSING_SCOPES_HINT,
    Credential,
    TokenRequest,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token


class DeviceCode(Credential):
    """Asks a person to sign in; ``credential: auto`` never chooses it."""

    kind = "device_code"
    delegated = True
    sign_in_seconds = MAX_SIGN_IN_SECONDS
    missing_roles_hint = MISSING_SCOPES_HINT

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.device_code_flow import sign_in

        return sign_in(request, network, self.show)


__all__ = ("DeviceCode",)
