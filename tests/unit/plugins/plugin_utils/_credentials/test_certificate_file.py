# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of all that a file holds, the certificate that is valid today signs; what Entra would refuse is refused by name."""

from __future__ import annotations

import datetime
import itertools
import types
import typing as t

import certificates
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, MissingLibraryError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials import certificate_file
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.certificate_file import load_client_certificate

if t.TYPE_CHECKING:
    from certificates import Issued

PASSWORD = "hunter2-é"


def refused(content: bytes | str, password: str | None = None) -> InputError:
    with pytest.raises(InputError) as error:
        load_client_certificate(content.encode() if isinstance(content, str) else content, password, "the_option")
    assert error.value.hint
    assert "the_option" in error.value.message
    assert error.value.__context__ is None
    assert "hunter2" not in str(error.value)
    assert "BEGIN" not in str(error.value)
    return error.value


# --- the one that signs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_several_certificates_for_one_key_the_one_that_is_valid_today_signs(
    order: tuple[int, ...], leaf: Issued
) -> None:
    """As after a renewal with the same key; neither the one that stands first nor the one that ends last."""
    issued = [certificates.issue("app", leaf.key, days=days) for days in ((-40, -1), (-2, 30), (5, 60))]
    content = leaf.key_pem() + "".join(issued[number].certificate_pem for number in order)
    assert load_client_certificate(content.encode(), None).chain == (issued[1].der,)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_valid_certificates_the_one_that_ends_last_signs(order: tuple[int, ...], leaf: Issued) -> None:
    issued = [certificates.issue("app", leaf.key, days=days) for days in ((-2, 30), (-1, 60))]
    content = leaf.key_pem() + "".join(issued[number].certificate_pem for number in order)
    assert load_client_certificate(content.encode(), None).chain == (issued[1].der,)


def test_of_several_that_have_expired_the_last_one_is_named(leaf: Issued) -> None:
    issued = [certificates.issue("app", leaf.key, days=days) for days in ((-40, -20), (-30, -1))]
    content = leaf.key_pem() + issued[0].certificate_pem + issued[1].certificate_pem
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    assert f"expired on {yesterday:%Y-%m-%d}" in refused(content).message


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_keys_the_one_that_fits_a_certificate_signs(
    order: tuple[int, ...], leaf: Issued, other: Issued
) -> None:
    parts = [other.key_pem(), leaf.key_pem(), leaf.certificate_pem]
    loaded = load_client_certificate("".join(parts[number] for number in order).encode(), None)
    assert loaded.chain == (leaf.der,)
    assert loaded.private_key.private_numbers() == leaf.key.private_numbers()


@pytest.mark.parametrize("encrypted", ["other", "leaf"])
def test_a_key_that_can_t_be_opened_counts_only_if_it_is_needed(encrypted: str, leaf: Issued, other: Issued) -> None:
    passwords = {"leaf": None, "other": None, encrypted: PASSWORD}
    content = other.key_pem(passwords["other"]) + leaf.key_pem(passwords["leaf"]) + leaf.certificate_pem
    if encrypted == "other":
        assert load_client_certificate(content.encode(), None).chain == (leaf.der,)
    else:
        assert "no password is given" in refused(content).message


def test_a_key_of_another_kind_beside_the_right_one_does_no_harm(leaf: Issued) -> None:
    elliptic = certificates.issue("app", ec.generate_private_key(ec.SECP256R1()))
    assert load_client_certificate((elliptic.pem() + leaf.pem()).encode(), None).chain == (leaf.der,)


# --- the chain --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_issuers_with_one_name_the_one_that_signed_is_in_the_chain(
    order: tuple[int, ...], ca: Issued, leaf: Issued, other: Issued
) -> None:
    """As after the renewal of a CA with another key, which ends later."""
    renewed = certificates.issue("Nobody's CA", other.key, days=(-1, 90))
    issuers = [ca, renewed]
    content = leaf.pem() + "".join(issuers[number].certificate_pem for number in order)
    assert ca.certificate.subject == renewed.certificate.subject
    assert load_client_certificate(content.encode(), None).chain == (leaf.der, ca.der)


def test_the_chain_is_put_in_order_and_what_does_not_belong_to_it_is_left_out(
    ca: Issued, leaf: Issued, other: Issued
) -> None:
    middle = certificates.issue("middle", other.key, issuer=ca)
    app = certificates.issue("app", leaf.key, issuer=middle)
    stranger = certificates.issue("stranger", ca.key)
    mixed = ca.certificate_pem + stranger.certificate_pem + app.pem() + middle.certificate_pem
    expected = (app.der, middle.der, ca.der)
    assert load_client_certificate(mixed.encode(), None).chain == expected
    assert load_client_certificate(app.pfx(chain=[ca, middle]), None).chain == expected


def test_a_chain_that_goes_in_a_circle_ends(ca: Issued) -> None:
    first = certificates.issue("first", ca.key)
    second = certificates.issue("second", ca.key, issuer=first)
    circle = certificates.issue("first", ca.key, issuer=second)
    content = ca.key_pem() + circle.certificate_pem + second.certificate_pem
    assert load_client_certificate(content.encode(), None).chain == (circle.der, second.der)


def test_another_one_s_key_is_refused(leaf: Issued, other: Issued) -> None:
    assert "does not belong" in refused(other.key_pem() + leaf.certificate_pem).message


def test_a_key_that_entra_does_not_take_is_refused() -> None:
    assert "not an RSA key" in refused(certificates.issue("app", ec.generate_private_key(ec.SECP256R1())).pem()).message


@pytest.mark.parametrize("size", [1024])
def test_a_key_that_is_too_short_for_entra_is_still_read(size: int) -> None:
    short = certificates.issue("app", rsa.generate_private_key(public_exponent=65537, key_size=size))
    assert load_client_certificate(short.pem().encode(), None).chain == (short.der,)


@pytest.mark.parametrize(
    ("days", "told"), [((-10, -1), "expired on "), ((1, 10), "not valid before ")], ids=["past", "future"]
)
def test_a_certificate_outside_of_its_time_is_refused(days: tuple[float, float], told: str, leaf: Issued) -> None:
    assert told in refused(certificates.issue("app", leaf.key, days=days).pem()).message


def test_only_the_leaf_has_to_be_valid_today(leaf: Issued, ca: Issued) -> None:
    old_ca = certificates.issue("Nobody's CA", ca.key, days=(-10, -1))
    chain = load_client_certificate((leaf.pem() + old_ca.certificate_pem).encode(), None).chain
    assert chain == (leaf.der, old_ca.der)


def test_a_private_key_is_not_in_what_is_printed(leaf: Issued) -> None:
    assert "private_key" not in repr(load_client_certificate(leaf.pem().encode(), None))


def test_a_missing_cryptography_says_what_to_install(leaf: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_file, "HAS_CRYPTOGRAPHY", False)
    with pytest.raises(MissingLibraryError, match="cryptography") as missing:
        load_client_certificate(leaf.pem().encode(), None)
    assert missing.value.hint.endswith("-m pip install cryptography")


def test_an_older_cryptography_is_understood() -> None:
    begins, ends = datetime.datetime(2026, 1, 1), datetime.datetime(2027, 1, 1)  # noqa: DTZ001 - as it hands them out
    older: t.Any = types.SimpleNamespace(not_valid_before=begins, not_valid_after=ends)
    utc = datetime.timezone.utc
    assert certificate_file._get_validity(older) == (begins.replace(tzinfo=utc), ends.replace(tzinfo=utc))
