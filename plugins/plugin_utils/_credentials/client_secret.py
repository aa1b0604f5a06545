# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client secret (Learn, "OAuth 2.0 client credentials flow", first case).

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import OAuthCredential, TokenRequest

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings


class ClientSecret(OAuthCredential):
    """Sends a password of the app in the form."""

    kind = "client_secret"
    selecting_options = ("client_secret",)

    def get_sealing_secret(self) -> str:
        return self.options.client_secret or ""

    def build_client_authentication(self, request: TokenRequest, network: NetworkSettings) -> dict[str, str]:
        return {"client_secret": self.options.client_secret or ""}


__all__ = ("ClientSecret",)
