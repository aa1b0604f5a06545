# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The federated credential: an assertion of another issuer, which the app trusts, in place of a secret.

Learn, "Workload identity federation". The assertions of CI systems live about five minutes, so each token request has
its own.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, TokenRequestRefused
from ansible_collections.entra.auth.plugins.module_utils._secrets import register_secrets
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import (
    AssertionCredential,
    TokenRequest,
    choose_option,
    is_chosen,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings
    from ansible_collections.entra.auth.plugins.module_utils._token import Token

# The variables by which a platform that mints assertions is recognized.
_PLATFORM_VARIABLES = {
    "github_actions": ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    "azure_pipelines": ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"),
}
# No federated credential of the app matches. A new one is not known everywhere at once (Learn, "Important
# considerations and restrictions for federated identity credentials").
_NO_MATCH = frozenset({70021, 700211, 700212, 700213})
_MISMATCHES = _NO_MATCH | {7002121, 7002137, 7002138}
_PAUSES_SECONDS = (2.0, 4.0)


class Federated(AssertionCredential):
    """Presents an assertion that is given, read from a file, or minted by the platform this runs on."""

    kind = "federated"

    _GIVEN = ("federated_token", "federated_token_file")
    # The assertion that was sent last.
    _sent = ""

    @classmethod
    def is_offered(cls) -> bool:
        return _detect_platform() is not None

    def get_proof_fingerprint(self) -> str:
        """Return a digest of an assertion that is given, so that a wrong one never receives another one's token.

        The assertions of a platform are new for each request, and every caller on that platform may have them. What
        the caller chooses there, a managed identity, tells callers apart.
        """
        source = self._choose_source()
        if source == "given":
            assertion = self._read_given_assertion()
            return _hash_text(assertion) if assertion else ""
        return f"{source} {self._describe_choice(source)}"

    def _describe_choice(self, source: str | None) -> str:
        """Return what a call chooses at a platform that mints assertions."""
        options = self.options
        if source == "managed_identity":
            return "|".join(map(str, options.selected_identity))
        if source == "request_url" and is_chosen(options, "federated_token_request_token"):
            return _hash_text(f"{options.federated_token_request_url}\n{options.federated_token_request_token}")
        return ""

    def request_token(self, request: TokenRequest, network: NetworkSettings) -> Token:
        """Request a token; a refusal that a new federated credential may cause is retried for some seconds."""
        until = time.monotonic() + network.retry_for
        totals = itertools.accumulate(_PAUSES_SECONDS)
        pauses = [pause for pause, total in zip(_PAUSES_SECONDS, totals, strict=True) if total <= network.retry_for]
        for number, pause in enumerate(pauses):
            try:
                return super().request_token(request, network)
            except TokenRequestRefused as exc:
                refusal = exc
            left = until - time.monotonic() - pause
            if left < 0 or not self._sent or _NO_MATCH.isdisjoint(refusal.response.error_codes):
                raise refusal
            if number == 0:
                self._show_retry(refusal, sum(pauses))
            time.sleep(pause)
            network = dataclasses.replace(network, retry_for=left)
        return super().request_token(request, network)

    def name_proof(self) -> str:
        source = self._choose_source()
        return source if source != "given" else choose_option(self.options, *self._GIVEN) or self.kind

    def explain_refusal(self, refusal: TokenRequestRefused) -> TokenRequestRefused:
        # Without an assertion the platform that mints them has refused, and not the login host.
        if self._sent and not _MISMATCHES.isdisjoint(refusal.response.error_codes):
            from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import (
                describe_assertion,
                describe_subject_form,
            )

            sentences = f"The assertion has {describe_assertion(self._sent)}. {describe_subject_form(self._sent)}"
            refusal.message += f" {sentences.strip()}"
        return refusal

    def create_assertion(self, request: TokenRequest, network: NetworkSettings) -> str:
        source = self._choose_source()
        if source != "given":
            return self._record(self._mint(source, network))
        assertion = self._read_given_assertion()
        if assertion:
            return self._record(assertion)
        raise InputError(
            "federated_token_source is given, but neither federated_token nor federated_token_file is.",
            hint="Give one of them, or name the platform that mints assertions as federated_token_source.",
        )

    def _mint(self, source: str, network: NetworkSettings) -> str:
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import parse_assertion
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_sources import (
            ASSERTION_SOURCES,
        )

        platform = ASSERTION_SOURCES[source]
        minted = platform.mint(CLOUDS[self.options.cloud].federation_audience, self.options, network)
        return parse_assertion(minted, f"The response of {platform.name}")

    def _record(self, assertion: str) -> str:
        register_secrets(assertion)
        self._sent = assertion
        return assertion

    def _show_retry(self, refusal: TokenRequestRefused, seconds: float) -> None:
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import (
            describe_assertion,
        )

        code = next(code for code in refusal.response.error_codes if code in _NO_MATCH)
        self.show(
            f"entra.auth: no federated credential of the app matches (AADSTS{code}): {describe_assertion(self._sent)}. "
            f"Trying again for {seconds:g} s, because a new one is not known everywhere at once."
        )

    def _choose_source(self) -> str:
        """Return who mints the assertion; ``given`` if the options hold it or no platform is here."""
        options = self.options
        chosen = choose_option(options, "federated_token_source", *self._GIVEN, "federated_token_request_url")
        if chosen == "federated_token_source":
            return str(options.federated_token_source)
        if chosen == "federated_token_request_url":
            return "request_url"
        return "given" if chosen else _detect_platform() or "given"

    def _read_given_assertion(self) -> str | None:
        """Return the assertion that an option holds or names; None without one. Raises InputError."""
        options = self.options
        chosen = choose_option(options, *self._GIVEN)
        if chosen is None:
            return None
        from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import parse_assertion
        from ansible_collections.entra.auth.plugins.plugin_utils._options.file_content import read_text

        if chosen == "federated_token":
            origin = options.origins.get(chosen, "option federated_token")
            return parse_assertion(str(options.federated_token), f"federated_token (from {origin})")
        path = str(options.federated_token_file)
        return parse_assertion(read_text(chosen, path), f"federated_token_file {path}")


def _detect_platform() -> str | None:
    """Return the platform that mints assertions for this process; None without one."""
    found = (name for name, needed in _PLATFORM_VARIABLES.items() if all(os.environ.get(one) for one in needed))
    return next(found, None)


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


__all__ = ("Federated",)
