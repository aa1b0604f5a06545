# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every refusal has a fix that a reader can act on: by its code, by its error, or by reading what the service says."""

from __future__ import annotations

import re

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._entra import aadsts_directory, aadsts_requests, hints
from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import (
    BY_CODE,
    PROOFS,
    Issuer,
    find_code_hint,
    find_hint,
    identify_issuer,
)

UNKNOWN_CODE = 99999999
ERRORS = (
    "access_denied",
    "authorization_declined",
    "authorization_pending",
    "bad_verification_code",
    "consent_required",
    "expired_token",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_instance",
    "invalid_request",
    "invalid_resource",
    "invalid_scope",
    "login_required",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
)

# The words with an underscore that a hint may use: options of the collection, and values of its option credential.
OPTIONS = {
    "claims_challenge",
    "client_certificate",
    "client_certificate_path",
    "client_id",
    "client_secret",
    "client_secret_file",
    "device_code",
    "federated_token",
    "federated_token_file",
    "federated_token_request_url",
    "federated_token_source",
    "force_refresh",
    "managed_identity",
    "managed_identity_client_id",
    "refresh_token",
    "refresh_token_file",
    "retry_for",
    "send_certificate_chain",
    "tenant_id",
}
# What a user of one proof must not be told to do.
FOREIGN = {
    "secret": ["federated_token_file", "federated_token_source", "client_certificate"],
    "certificate": ["federated_token", "client_secret"],
    "given": ["client_secret", "client_certificate"],
    "file": ["federated_token_source", "fixed federated_token", "client_secret", "client_certificate"],
    "platform": ["federated_token_file", "fixed federated_token", "client_secret", "client_certificate"],
    "identity": ["federated_token_file", "fixed federated_token", "client_secret", "client_certificate"],
}
# Another proof is needed: the token of a managed identity in place of another one of Entra.
WANTS_ANOTHER = {700222, 700226, 700227, 700229}


def assert_readable(hint: hints.Hint) -> None:
    """A clause and one whole sentence, in plain words that name real options and hold nothing to be filled in."""
    assert re.fullmatch(r"([a-z].*[^.!?:;,\s])?", hint.cause), hint.cause
    assert re.fullmatch(r"[A-Z].*[^.!?:;,\s]\.", hint.fix), hint.fix
    for text in (hint.cause, hint.fix):
        assert text.isascii()
        assert text.isprintable()
        assert "  " not in text
        assert not re.search(r"[.!?]\s", text), f"more than one sentence: {text}"
        assert not re.search(r"[<>{}%$*]|\bx{3,}\b|\byour?[-_]secret|\.\.\.", text, re.IGNORECASE), text
        assert set(re.findall(r"\w*_\w*", text)) <= OPTIONS, text


# --- codes ------------------------------------------------------------------------------------------------------


def test_no_code_is_in_two_rows() -> None:
    tables = (aadsts_requests, aadsts_directory)
    rows = [row for table in tables for name, rows in vars(table).items() if name.isupper() for row in rows
            if isinstance(rows, tuple) and isinstance(row, tuple)]  # fmt: skip
    codes = [code for codes, _cause, _fix in rows for code in codes]
    assert len(codes) == len(set(codes))
    assert sorted(codes) == sorted(BY_CODE)
    assert len(codes) > 200


@pytest.mark.parametrize("proof", ["?", *PROOFS, "an option of the future"])
def test_every_code_has_a_readable_hint_for_every_proof(proof: str) -> None:
    for code in sorted(BY_CODE):
        hint = find_code_hint([code], proof)
        assert hint
        assert hint.cause
        assert_readable(hint)


@pytest.mark.parametrize("proof", [proof for proof in PROOFS if proof])
def test_no_advice_is_about_a_proof_that_is_not_in_use(proof: str) -> None:
    used = PROOFS[proof]
    is_federated = used.group in ("given", "file", "platform", "identity")
    rows = (*aadsts_requests.CREDENTIAL, *(aadsts_requests.FEDERATION if is_federated else ()))
    checked = 0
    for code in [code for codes, _cause, _fix in rows for code in codes]:
        hint = find_code_hint([code], proof)
        if hint and code not in WANTS_ANOTHER:
            checked += 1
            advice = hint.fix.replace(used.words, "")
            assert not [words for words in FOREIGN[used.group] if words in advice], (code, hint.fix)
    assert checked > 20


@pytest.mark.parametrize(
    ("code", "proof", "words"),
    [
        (7000215, "client_secret", "secret's Value as client_secret"),
        (7000215, "client_secret_file", "as the content of client_secret_file"),
        (7000222, "client_secret", "Create a new secret"),
        (700024, "client_certificate", "clock"),
        (700024, "federated_token", "federated_token_file or federated_token_source in place of"),
        (700024, "federated_token_file", "Have the issuer renew the token in federated_token_file"),
        (700024, "github_actions", "Run the job again"),
        (700213, "federated_token_file", "the sub of the token in federated_token_file"),
        (700213, "azure_pipelines", "the sub of the token of the Azure Pipelines job"),
        (70025, "github_actions", "Add a federated credential"),
        (70023, "federated_token", "at most 24 hours"),
        (50027, "federated_token_file", "whole JWT"),
        (7000216, "", "Give client_secret, client_certificate or federated_token"),
        (7000216, "client_secret", "Check that client_secret is not empty"),
        (1000502, "client_certificate_path", "Renew the certificate in client_certificate_path"),
        (5002723, "client_certificate", "Check authority"),
        (700025, "client_secret", "Do not give client_secret, or register"),
        (5000225, "client_secret", "Microsoft support"),
    ],
)
def test_a_hint_is_for_the_proof_in_use(code: int, proof: str, words: str) -> None:
    hint = find_code_hint([code], proof)
    assert hint
    assert words in hint.fix


def test_the_first_known_code_decides() -> None:
    assert find_code_hint([UNKNOWN_CODE, 7000222, 7000215]) == find_code_hint([7000222])
    assert find_hint((7000215, 7000222), "invalid_client") == find_code_hint([7000215])
    assert find_code_hint([UNKNOWN_CODE]) is None
    assert find_code_hint([]) is None


# --- errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_without_a_code_has_a_readable_hint(error: str) -> None:
    for proof in ("?", *PROOFS):
        hint = find_hint([], error, proof=proof)
        assert hint.cause, proof
        assert_readable(hint)


def test_no_error_is_untested() -> None:
    assert sorted(hints._BY_ERROR) == list(ERRORS)


@pytest.mark.parametrize("error", [*ERRORS, "no_such_error", "", None])
def test_an_unknown_code_is_explained_by_the_service_alone(error: str | None) -> None:
    """What its error usually means may be wrong."""
    hint = find_hint([UNKNOWN_CODE], error)
    assert hint.cause == ""
    assert f"https://login.microsoftonline.com/error?code={UNKNOWN_CODE}" in hint.fix


@pytest.mark.parametrize("error", ["no_such_error", "", None])
def test_an_unknown_error_has_a_fix_too(error: str | None) -> None:
    hint = find_hint([], error)
    assert "what the message names" in hint.fix
    assert hint.cause == ""
    assert_readable(hint)


# --- other issuers ----------------------------------------------------------------------------------------------

AD_FS = "https://adfs.contoso.com/adfs/oauth2/token"
B2C = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_x/oauth2/v2.0/token"
ENTRA = "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
OF_ENTRA_ALONE = ("Entra", "set cloud", "cloud,", "az ad sp", "tenant_id")


@pytest.mark.parametrize(
    ("url", "description", "issuer"),
    [
        (ENTRA, "AADSTS7000215: No.", Issuer.ENTRA),
        (ENTRA, "", Issuer.ENTRA),
        (B2C, "AADB2C90079: Clients must send a client_secret.", Issuer.B2C),
        (B2C, "", Issuer.B2C),
        (B2C, "AADSTS50049: Unknown.", Issuer.ENTRA),
        (AD_FS, "MSIS9622: Client authentication failed.", Issuer.AD_FS),
        ("https://gateway.test/token", "MSIS9622: Client authentication failed.", Issuer.AD_FS),
        (AD_FS, "", Issuer.AD_FS),
        ("https://contoso.ciamlogin.com/contoso.onmicrosoft.com/oauth2/v2.0/token", "", Issuer.ENTRA),
        ("https://b2clogin.com.test/token", "", Issuer.ENTRA),
    ],
)
def test_an_issuer_is_known_by_its_codes_and_its_url(url: str, description: str, issuer: Issuer) -> None:
    assert identify_issuer(url, description) is issuer


@pytest.mark.parametrize("error", [*ERRORS, "no_such_error", "", None])
@pytest.mark.parametrize("issuer", [Issuer.AD_FS, Issuer.B2C])
def test_another_issuer_has_advice_of_its_own(issuer: Issuer, error: str | None) -> None:
    for proof in PROOFS:
        hint = find_hint([], error, issuer, proof)
        assert_readable(hint)
        assert not [words for words in OF_ENTRA_ALONE if words in hint.fix], f"{proof}: {hint.fix}"
        if error not in hints._OF_SIGN_IN:
            assert issuer.value.removeprefix("Azure AD ") in hint.fix, proof
