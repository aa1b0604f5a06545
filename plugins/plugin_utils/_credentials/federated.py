# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The federated credential: an assertion of another issuer, which the app trusts, in place of a secret.

Learn, "Workload identity federation". The assertions of CI systems live some five minutes, so each token request gets
its own.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_sources import (
    ASSERTION_SOURCES,
    describe_assertion,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    AssertionCredential,
    TokenRequest,
    read_file,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

# No federated credential of the app matches. Right after one was made that passes within minutes (Learn, "Important
# considerations and restrictions for federated identity credentials").
_NO_MATCH = frozenset({70021, 700211, 700212, 700213})
_MISMATCHES = _NO_MATCH | {7002121, 7002137, 7002138}


class Federated(AssertionCredential):
    """Presents an assertion that was given, read from a file, or minted by the platform this runs on."""

    kind = "federated"
    selecting_options = ("federated_token", "federated_token_file", "federated_token_source")
    transient_codes = _NO_MATCH

    @classmethod
    def is_given(cls, options: AppTokenOptions) -> bool:
        return super().is_given(options) or _detect_platform() is not None

    def get_proof_fingerprint(self) -> str:
        """Return a digest of an assertion that is given, so that a wrong one never receives another one's token.

        The assertions of a platform are new for each request, and every caller on that platform may have them. What
        the caller chooses there, a managed identity, tells callers apart.
        """
        source = self._choose_source()
        if source == "managed_identity":
            options = self.options
            given = (
                options.managed_identity_client_id,
                options.managed_identity_object_id,
                options.managed_identity_resource_id,
            )
            return "|".join(map(str, given))
        if source and source != "given":
            return source
        assertion = self._read_given_assertion()
        return hashlib.sha256(assertion.encode()).hexdigest() if assertion else ""

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        try:
            return super().request_token(request, network)
        except TokenRequestRefused as exc:
            refusal = exc
        if not _MISMATCHES.isdisjoint(refusal.response.error_codes):
            refusal.message += f" What was sent: {describe_assertion(self._sent)}."
        raise refusal

    def create_assertion(self, request: TokenRequest, network: NetworkSettings) -> str:
        self._sent = self._mint(network)
        return self._sent

    def _mint(self, network: NetworkSettings) -> str:
        source = self._choose_source()
        if source and source != "given":
            audience = CLOUDS[self.options.cloud].federation_audience
            return ASSERTION_SOURCES[source].mint(audience, self.options, network)
        assertion = self._read_given_assertion()
        if assertion:
            return assertion
        raise InputError(
            "Neither federated_token nor federated_token_file is given, and no platform that mints assertions is here.",
            hint="Give one of them, or name the platform as federated_token_source.",
        )

    def _choose_source(self) -> str | None:
        options = self.options
        is_given = bool(options.federated_token or options.federated_token_file)
        return options.federated_token_source or (None if is_given else _detect_platform())

    def _read_given_assertion(self) -> str | None:
        options = self.options
        if options.federated_token:
            return options.federated_token.strip()
        if options.federated_token_file:
            content = read_file("federated_token_file", options.federated_token_file)
            return content.decode(errors="replace").strip()
        return None


def _detect_platform() -> str | None:
    """The platform that mints assertions for what runs here, by the variables it sets."""
    sources = ((name, source.variables) for name, source in ASSERTION_SOURCES.items() if source.variables)
    return next((name for name, needed in sources if all(os.environ.get(one) for one in needed)), None)


__all__ = ("Federated",)
