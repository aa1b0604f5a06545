# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate signs an assertion that Entra and AD FS take, made anew for each request."""

from __future__ import annotations

import base64
import hashlib
import time
import typing as t

import jwt
import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import certificate_file
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import create_credential
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

if t.TYPE_CHECKING:
    import pathlib

    from certificates import Issued

    FormSent = t.Callable[..., dict[str, str]]
    Assertion = t.Callable[..., tuple[str, str]]


@pytest.fixture
def assertion(form_sent: FormSent) -> Assertion:
    """The assertion that arrived, and the URL where it did."""

    def sent(**options: t.Any) -> tuple[str, str]:
        form = form_sent("client_certificate", **options)
        assert set(form) == {"URL", "grant_type", "client_id", "scope", "client_assertion", "client_assertion_type"}
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert form["client_id"] == "the-client"
        return form["client_assertion"], form["URL"]

    return sent


def unverified(signed: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", jwt.decode(signed, options={"verify_signature": False}))


def thumbprint(leaf: Issued, algorithm: str) -> str:
    return base64.urlsafe_b64encode(hashlib.new(algorithm, leaf.der).digest()).rstrip(b"=").decode()


def test_entra_gets_a_pss_signature_and_a_sha_256_thumbprint(leaf: Issued, assertion: Assertion) -> None:
    signed, url = assertion(client_certificate=leaf.pem())
    header = jwt.get_unverified_header(signed)
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(leaf, "sha256")}
    claims = jwt.decode(signed, leaf.key.public_key(), algorithms=["PS256"], audience=url)
    assert url.endswith("/contoso.com/oauth2/v2.0/token")
    assert claims["aud"] == url
    assert claims["iss"] == claims["sub"] == "the-client"
    assert set(claims) == {"aud", "iss", "sub", "jti", "iat", "nbf", "exp"}


@pytest.mark.parametrize("path", ["/adfs", "/ADFS/"])
def test_ad_fs_gets_the_older_signature_and_thumbprint(path: str, leaf: Issued, assertion: Assertion) -> None:
    signed, url = assertion(client_certificate=leaf.pem(), path=path)
    assert jwt.get_unverified_header(signed) == {"alg": "RS256", "typ": "JWT", "x5t": thumbprint(leaf, "sha1")}
    assert jwt.decode(signed, leaf.key.public_key(), algorithms=["RS256"], audience=url)


def test_an_assertion_is_short_lived_and_allows_for_a_slow_clock(leaf: Issued, assertion: Assertion) -> None:
    claims = unverified(assertion(client_certificate=leaf.pem())[0])
    assert all(claims[name].__class__ is int for name in ("nbf", "iat", "exp"))
    assert claims["nbf"] < claims["iat"] <= time.time()
    assert 300 <= claims["exp"] - claims["iat"] <= 600


def test_each_request_has_an_assertion_of_its_own(leaf: Issued, assertion: Assertion) -> None:
    ids = [unverified(assertion(client_certificate=leaf.pem())[0])["jti"] for _dummy in range(2)]
    assert ids[0] != ids[1]


def test_the_chain_goes_along_only_where_it_is_wanted(leaf: Issued, ca: Issued, assertion: Assertion) -> None:
    pem = leaf.pem() + ca.certificate_pem
    with_chain, _dummy = assertion(client_certificate=pem, send_certificate_chain=True)
    without, _dummy = assertion(client_certificate=pem)
    expected = [base64.b64encode(der).decode() for der in (leaf.der, ca.der)]
    assert jwt.get_unverified_header(with_chain)["x5c"] == expected
    assert "x5c" not in jwt.get_unverified_header(without)


def test_an_encrypted_key_is_opened_with_its_password(leaf: Issued, assertion: Assertion) -> None:
    signed, url = assertion(client_certificate=leaf.pem("hunter2"), client_certificate_password="hunter2")
    assert jwt.decode(signed, leaf.key.public_key(), algorithms=["PS256"], audience=url)


def test_a_certificate_is_read_from_its_file_at_each_request(
    leaf: Issued, other: Issued, tmp_path: pathlib.Path, assertion: Assertion
) -> None:
    path = tmp_path / "app.pfx"
    path.write_bytes(leaf.pfx())
    first, _dummy = assertion(client_certificate_path=str(path))
    path.write_bytes(other.pfx())
    second, _dummy = assertion(client_certificate_path=str(path))
    thumbprints = [jwt.get_unverified_header(signed)["x5t#S256"] for signed in (first, second)]
    assert thumbprints == [thumbprint(leaf, "sha256"), thumbprint(other, "sha256")]


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"", "empty"), (b" \n", "empty")])
def test_a_file_that_can_t_be_used_is_named(
    content: bytes | None, reason: str, tmp_path: pathlib.Path, assertion: Assertion
) -> None:
    path = tmp_path / "app.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        assertion(client_certificate_path=str(path))
    assert refused.value.message.startswith(f"client_certificate_path {path} can't be read: ")
    assert reason in refused.value.message
    assert refused.value.hint


def test_the_cache_is_encrypted_with_the_private_key_without_showing_it(
    leaf: Issued, other: Issued, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "app.pem"
    path.write_text(leaf.pem())
    secrets = [
        create_credential("client_certificate", options).get_entry_secret()
        for options in (
            AppTokenOptions(client_certificate=leaf.pem()),
            AppTokenOptions(client_certificate_path=str(path)),
            AppTokenOptions(client_certificate=other.pem()),
            AppTokenOptions(client_certificate=leaf.pem(), client_certificate_password="p"),
        )
    ]
    assert secrets[0] == secrets[1]
    assert len(set(secrets)) == 3
    assert all(secret and "PRIVATE" not in secret for secret in secrets)


def test_a_missing_pyjwt_says_what_to_install(
    leaf: Issued, assertion: Assertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate_file, "HAS_PYJWT", False)
    with pytest.raises(MissingLibraryError, match="PyJWT") as refused:
        assertion(client_certificate=leaf.pem())
    assert refused.value.hint.endswith("-m pip install PyJWT")
