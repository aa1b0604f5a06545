# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client certificate in every form a user may have it in, and what is refused before any request."""

from __future__ import annotations

import base64
import hashlib
import typing as t
import urllib.parse

import jwt
import pytest
from canned_server import CannedServer, token_answer
from certificates import Issued, issue
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from leaks import Markers

from plays import show

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Plays

PASSWORD: t.Final = "made-up~pass'w\"ord+{}"
_NO_SECRET: t.Final = {"ENTRA_AUTH_CLIENT_SECRET": None, "ENTRA_AUTH_CACHE": "none"}
Options = dict[str, t.Any]


class Chain(t.NamedTuple):
    """A certificate with those above it."""

    leaf: Issued
    intermediate: Issued
    root: Issued


@pytest.fixture(scope="module")
def chain() -> Chain:
    """Made once: keys take their time."""
    root = issue("Made-up Root CA")
    intermediate = issue("Made-up Issuing CA", issuer=root)
    return Chain(issue("deployer.contoso.example", issuer=intermediate), intermediate, root)


@pytest.fixture
def secrets(chain: Chain) -> Markers:
    """The private key, as any of its formats has it, and the password."""
    pems = {"PKCS#8": chain.leaf.key_pem(), "PKCS#1": chain.leaf.key_pem(traditional=True)}
    lines = {name: pem.splitlines()[10] for name, pem in pems.items()}
    exponent = chain.leaf.key.private_numbers().d
    return Markers({**lines, "password": PASSWORD, "number": str(exponent), "hexadecimal": f"{exponent:x}"})


def _write(directory: Path, name: str, content: str | bytes) -> str:
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def _accepted(chain: Chain, directory: Path) -> dict[str, Options]:
    """Every form, by what is special about it."""
    leaf, ca = chain.leaf, chain.intermediate.certificate_pem
    certificate = leaf.certificate_pem
    old_key = leaf.key_pem(traditional=True)
    assert "BEGIN RSA PRIVATE KEY" in old_key
    pfx = leaf.pfx(PASSWORD, [chain.intermediate, chain.root])
    bags = f"Bag Attributes\n    friendlyName: app\n{certificate}Bag Attributes: <No Attributes>\n{leaf.key_pem()}"
    opened = {"client_certificate_password": PASSWORD}
    expired = issue("deployer.contoso.example", leaf.key, issuer=chain.intermediate, days=(-40, -1))
    return {
        "key first": {"client_certificate": leaf.pem()},
        "certificate first": {"client_certificate": certificate + leaf.key_pem()},
        "key among the chain, leaf last": {"client_certificate": ca + leaf.key_pem() + certificate},
        "PKCS#1": {"client_certificate": old_key + certificate},
        "PKCS#8, encrypted": {"client_certificate": leaf.pem(PASSWORD), **opened},
        "PKCS#1, encrypted": {"client_certificate": leaf.key_pem(PASSWORD, traditional=True) + certificate, **opened},
        "a password that is not needed": {"client_certificate": leaf.pem(), **opened},
        "literal \\n": {"client_certificate": leaf.pem().replace("\n", "\\n")},
        "literal \\r\\n": {"client_certificate": leaf.pem().replace("\n", "\\r\\n")},
        "blank lines": {"client_certificate": leaf.pem().replace("\n", "\n\n")},
        "UTF-16": {"client_certificate_path": _write(directory, "utf16.pem", leaf.pem().encode("utf-16"))},
        "PEM in base64": {"client_certificate": base64.encodebytes(leaf.pem().encode()).decode()},
        "two keys": {"client_certificate": chain.root.key_pem() + leaf.pem()},
        "renewed, old certificate first": {"client_certificate": expired.certificate_pem + leaf.pem()},
        "renewed, old certificate last": {"client_certificate": leaf.pem() + expired.certificate_pem},
        "Windows line ends": {"client_certificate": leaf.pem().replace("\n", "\r\n")},
        "text of openssl around it": {"client_certificate": bags},
        "a PEM file": {"client_certificate_path": _write(directory, "app.pem", leaf.pem())},
        "an encrypted PEM file": {"client_certificate_path": _write(directory, "e.pem", leaf.pem(PASSWORD)), **opened},
        "a PFX file": {"client_certificate_path": _write(directory, "app.pfx", leaf.pfx())},
        "a PFX file, encrypted": {"client_certificate_path": _write(directory, "e.pfx", pfx), **opened},
        "a PFX in base64": {"client_certificate": base64.b64encode(leaf.pfx()).decode()},
        "a PFX in wrapped base64": {"client_certificate": base64.encodebytes(pfx).decode(), **opened},
        "by its alias": {"certificate_path": str(directory / "app.pem")},
    }


def test_every_form_is_accepted(plays: Plays, emulator: Emulator, chain: Chain, secrets: Markers) -> None:
    """One request each, signed by the key of that certificate; nothing of the key is shown at -vvv."""
    client_id = emulator.add_app(certificates=[chain.leaf.certificate_pem])["client_id"]
    accepted = _accepted(chain, plays.directory)
    tasks = [{"name": name, "entra.auth.app_token": options} for name, options in accepted.items()]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env={**_NO_SECRET, "ENTRA_AUTH_CLIENT_ID": client_id})
    assert play.returncode == 0, play.output
    sent = emulator.token_requests()
    assert [entry["status"] for entry in sent] == [200] * len(accepted)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(chain.leaf.der).digest()).rstrip(b"=").decode()
    headers = [entry["assertion"]["header"] for entry in sent]
    assert headers == [{"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}] * len(accepted)
    assert len({entry["assertion"]["claims"]["jti"] for entry in sent}) == len(accepted)
    assert secrets.in_text(play.output, "output") == []
    assert secrets.in_tree(play.home) == []


@pytest.mark.parametrize(
    "names",
    [
        ("AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        ("ARM_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_CERTIFICATE_PASSWORD"),
    ],
    ids=["azure-identity", "terraform"],
)
def test_an_encrypted_pem_that_the_environment_of_another_tool_names(
    plays: Plays, emulator: Emulator, chain: Chain, secrets: Markers, names: tuple[str, str]
) -> None:
    """As azure.azcollection can't; the variables need no option beside them."""
    client_id = emulator.add_app(certificates=[chain.leaf.certificate_pem])["client_id"]
    path = _write(plays.directory, "encrypted.pem", chain.leaf.pem(PASSWORD))
    env = {**_NO_SECRET, "ENTRA_AUTH_CLIENT_ID": client_id, **dict(zip(names, (path, PASSWORD), strict=True))}
    tasks = [{"name": "Get", "entra.auth.app_token": {}, "register": "token"}, show(kind="token.credential")]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env=env)
    assert play.returncode == 0, play.output
    assert play.shown() == {"kind": "client_certificate"}
    assert [entry["status"] for entry in emulator.token_requests()] == [200]
    assert secrets.in_text(play.output, "output") == []


def _refused(chain: Chain, directory: Path) -> dict[str, tuple[Options, list[str]]]:
    """What can't work, by what is wrong about it, with the words that have to be in the message."""
    leaf, other = chain.leaf, chain.root
    expired, early = issue("app", leaf.key, days=(-10, -5)), issue("app", leaf.key, days=(5, 10))
    elliptic = issue("app", ec.generate_private_key(ec.SECP256R1()))
    over, begins = expired.certificate.not_valid_after_utc, early.certificate.not_valid_before_utc
    missing = str(directory / "missing.pem")
    wrong = {"client_certificate_password": "made-up~wrong"}
    forms = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    openssh = leaf.key.private_bytes(*forms).decode()
    pfx = base64.b64encode(leaf.pfx(PASSWORD)).decode()
    needed = ["encrypted", "no password", "Set client_certificate_password"]
    opens_not = ["password does not open", "client_certificate_password"]
    mismatch = ["key does not belong to the client certificate"]
    return {
        "mismatch": ({"client_certificate": leaf.key_pem() + other.certificate_pem}, mismatch),
        "expired": ({"client_certificate": expired.pem()}, [f"expired on {over:%Y-%m-%d}", "Upload a new certificate"]),
        "expired, PFX": ({"client_certificate": base64.b64encode(expired.pfx()).decode()}, [f"{over:%Y-%m-%d}"]),
        "not yet valid": (
            {"client_certificate": early.pem()},
            [f"not valid before {begins:%Y-%m-%d %H:%M} UTC", "clock"],
        ),
        "no key": ({"client_certificate": leaf.certificate_pem}, ["without a private key"]),
        "no certificate": ({"client_certificate": leaf.key_pem()}, ["no certificate"]),
        "EC key": ({"client_certificate": elliptic.pem()}, ["not an RSA key", "RSA key of 2048 bits"]),
        "wrong password": ({"client_certificate": leaf.pem(PASSWORD), **wrong}, opens_not),
        "wrong password, PFX": ({"client_certificate": pfx, **wrong}, opens_not),
        "missing password": ({"client_certificate": leaf.pem(PASSWORD)}, needed),
        "missing password, PFX": ({"client_certificate": pfx}, needed),
        # Of a secret option, so from 2.22 ansible-core masks it in the rest of the play; no other case has this path.
        "a path": (
            {"client_certificate": str(directory / "in place of the content.pem")},
            ["holds a path", "client_certificate_path"],
        ),
        "a certificate in DER": (
            {"client_certificate_path": _write(directory, "public.cer", leaf.der)},
            [f"client_certificate_path {directory}/public.cer holds a certificate in DER without its private key"],
        ),
        "an OpenSSH key": ({"client_certificate": openssh}, ["format of OpenSSH", "ssh-keygen -p -m PEM"]),
        "JSON": (
            {"client_certificate": '{"value": "made-up"}'},
            ["JSON around the certificate (with the keys 'value')"],
        ),
        "a key in place of a path": ({"client_certificate_path": leaf.pem()}, ["holds the content of a file"]),
        "missing file": ({"client_certificate_path": missing}, [missing, "No such file", "client_certificate_path"]),
        "a directory": ({"client_certificate_path": str(directory)}, [str(directory), "Is a directory"]),
        "garbage": ({"client_certificate": "made-up"}, ["can't be read as PEM or PFX"]),
        "a broken key": ({"client_certificate": leaf.pem().replace("\nMII", "\nAAA", 1)}, ["can't be read as PEM"]),
    }


def test_what_entra_could_not_take_is_refused_by_name(
    plays: Plays, emulator: Emulator, chain: Chain, secrets: Markers
) -> None:
    """With what to do about it, before any request, and without a word of key or password."""
    refused = _refused(chain, plays.directory)
    tasks = [
        {"name": name, "entra.auth.app_token": options, "ignore_errors": True}
        for name, (options, _words) in refused.items()
    ]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env=_NO_SECRET)
    assert play.returncode == 0, play.output
    failed = {event["task"]: event["result"] for event in play.events() if event["event"] == "failed"}
    assert set(failed) == set(refused)
    for name, (_options, words) in refused.items():
        result = failed[name]
        assert [word for word in words if word not in result["msg"]] == [], f"{name}: {result['msg']}"
        assert result["hint"] in result["msg"]
        assert "client_certificate" in result["msg"]
    assert emulator.requests() == []
    assert secrets.in_text(play.output, "output") == []
    assert "made-up~wrong" not in play.output


def test_the_lookup_refuses_in_the_same_words(plays: Plays, emulator: Emulator, chain: Chain, secrets: Markers) -> None:
    """An expression that fails shows its cause, and no part of a certificate."""
    pem = chain.leaf.key_pem() + chain.root.certificate_pem
    expression = "{{ lookup('entra.auth.app_token', client_certificate=pem) }}"
    task = {"name": "Look up", "ansible.builtin.debug": {"msg": expression}, "vars": {"pem": pem}}
    play = plays.run([{"tasks": [task]}], "-vvv", record=True, env=_NO_SECRET)
    assert play.returncode == 2
    assert "The private key does not belong to the client certificate" in play.result("Look up")["msg"]
    assert emulator.requests() == []
    assert secrets.in_text(play.output, "output") == []


def test_the_chain_goes_leaf_first_whatever_order_it_was_given_in(
    plays: Plays, emulator: Emulator, chain: Chain
) -> None:
    """For apps that trust a subject name of an issuer; the emulator follows the chain as Entra does."""
    trusted = [{"issuer_pem": chain.root.certificate_pem, "subject": "deployer.contoso.example"}]
    client_id = emulator.add_app(trusted_subjects=trusted)["client_id"]
    certificates = [one.certificate_pem for one in (chain.root, chain.leaf, chain.intermediate)]
    pem = certificates[0] + chain.leaf.key_pem() + "".join(certificates[1:])
    pfx = base64.b64encode(chain.leaf.pfx(PASSWORD, [chain.root, chain.intermediate])).decode()
    given = {"client_id": client_id, "send_certificate_chain": True}
    tasks = [
        {"name": "PEM", "entra.auth.app_token": {**given, "client_certificate": pem}},
        {
            "name": "PFX",
            "entra.auth.app_token": {**given, "client_certificate": pfx, "client_certificate_password": PASSWORD},
        },
        {
            "name": "Without",
            "entra.auth.app_token": {**given, "client_certificate": pem, "send_certificate_chain": False},
            "ignore_errors": True,
        },
    ]
    play = plays.run([{"tasks": tasks}], record=True, env=_NO_SECRET)
    assert play.returncode == 0, play.output
    *good, without = emulator.token_requests()
    expected = [base64.b64encode(one.der).decode() for one in chain]
    assert [entry["status"] for entry in good] == [200, 200]
    assert [entry["assertion"]["header"]["x5c"] for entry in good] == [expected, expected]
    assert jwt.get_unverified_header(dict(without["form"])["client_assertion"]).keys() == {"alg", "typ", "x5t#S256"}
    assert play.result("Without")["error_codes"] == [700027]


def test_ad_fs_gets_the_signature_and_thumbprint_that_it_knows(plays: Plays, emulator: Emulator, chain: Chain) -> None:
    """RS256 and x5t, at its own token URL."""
    with CannedServer(token_answer()) as server:
        options = {"authority": f"{server.url}/adfs", "client_certificate": chain.leaf.pem()}
        play = plays.run([{"tasks": [{"name": "Get", "entra.auth.app_token": options}]}], record=True, env=_NO_SECRET)
    assert play.returncode == 0, play.output
    (received,) = server.received
    assert (received.method, received.target) == ("POST", "/adfs/oauth2/token")
    assertion = dict(urllib.parse.parse_qsl(received.body))["client_assertion"]
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(chain.leaf.der).digest()).rstrip(b"=").decode()  # noqa: S324
    assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT", "x5t": thumbprint}
    audience = f"{server.url}/adfs/oauth2/token"
    claims = jwt.decode(assertion, chain.leaf.key.public_key(), algorithms=["RS256"], audience=audience)
    assert claims["iss"] == claims["sub"] == emulator.client_id


def test_a_file_that_was_renewed_is_used_by_the_next_request(plays: Plays, emulator: Emulator, chain: Chain) -> None:
    """In the middle of a play, with the cache on: another key never finds the token of the former."""
    renewed = issue("app")
    path = _write(plays.directory, "app.pem", chain.leaf.pem())
    coming = _write(plays.directory, "coming.pem", renewed.pem())
    client_id = emulator.add_app(certificates=[chain.leaf.certificate_pem, renewed.certificate_pem])["client_id"]
    get = {"entra.auth.app_token": {"client_id": client_id, "client_certificate_path": path}}
    move = {"name": "Renew", "ansible.builtin.command": f"mv {coming} {path}"}
    tasks = [{"name": "Get", **get}, {"name": "Get again", **get}, move, {"name": "Get anew", **get}]
    play = plays.run([{"tasks": tasks}], record=True, env={**_NO_SECRET, "ENTRA_AUTH_CACHE": None})
    assert play.returncode == 0, play.output
    thumbprints = [entry["assertion"]["header"]["x5t#S256"] for entry in emulator.token_requests()]
    assert len(thumbprints) == len(set(thumbprints)) == 2
