# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assertions signed with a certificate: what real clients send, and each refusal in the order it is checked."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import time
import typing as t
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from entra_emulator import certificates, seed

if t.TYPE_CHECKING:
    import requests
    from conftest import Client

    from entra_emulator.certificates import Made

_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclasses.dataclass(frozen=True)
class Pki:
    """A certificate to upload, and one of a CA with an intermediate."""

    own: Made
    root: Made
    middle: Made
    issued: Made


@pytest.fixture(scope="module")
def pki() -> Pki:
    """Certificates made once, keys cost time."""
    root = certificates.make("root", is_ca=True)
    middle = certificates.make("middle", root, is_ca=True)
    return Pki(certificates.make("own"), root, middle, certificates.make("app.contoso.example", middle))


@pytest.fixture
def app(client: Client, pki: Pki) -> str:
    """An app with the certificate uploaded."""
    return str(client.emulator.add_app(certificates=[pki.own.pem])["client_id"])


def der(made: Made) -> bytes:
    """The certificate in DER."""
    return made.certificate.public_bytes(serialization.Encoding.DER)


def b64(data: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(made: Made) -> dict[str, t.Any]:
    """The header Entra's documentation asks for."""
    return {"x5t#S256": b64(hashlib.sha256(der(made)).digest())}


def claims(client: Client, app: str, **more: t.Any) -> dict[str, t.Any]:
    """Good claims with some replaced, or left out (None)."""
    now = int(time.time())
    audience = f"{client.emulator.urls.login}/contoso.example/oauth2/v2.0/token"
    good = {"aud": audience, "iss": app, "sub": app, "jti": str(uuid.uuid4()), "nbf": now, "exp": now + 600}
    return {name: value for name, value in {**good, **more}.items() if value is not None}


def present(client: Client, app: str | None, assertion: str, **fields: t.Any) -> requests.Response:
    """A token request with that assertion in place of the secret."""
    proof = {"client_secret": None, "client_assertion": assertion, "client_assertion_type": _TYPE}
    return client.ask(**{"client_id": app, **proof, **fields})


def sign(made: Made, body: dict[str, t.Any], algorithm: str = "PS256", **header: t.Any) -> str:
    """The assertion as the documentation describes it."""
    return jwt.encode(body, made.key, algorithm, {**thumbprint(made), **header})


def by_hand(made: Made, header: dict[str, t.Any], body: dict[str, t.Any], encode: t.Callable[[bytes], bytes]) -> str:
    """A PS256 JWS with segments in another encoding than RFC 7515's."""
    segments = [encode(json.dumps(part).encode()) for part in ({"alg": "PS256", **header}, body)]
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = made.key.sign(b".".join(segments), scheme, hashes.SHA256())
    return b".".join([*segments, encode(signature)]).decode()


def test_the_documented_form_is_taken_and_logged(client: Client, app: str, pki: Pki) -> None:
    body = claims(client, app)
    answer = present(client, app, sign(pki.own, body))
    assert answer.status_code == 200, answer.text
    token = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (token["appid"], token["appidacr"]) == (app, "2")
    logged = client.emulator.token_requests()[-1]["assertion"]
    assert logged["claims"] == body
    assert logged["header"] == {"alg": "PS256", "typ": "JWT", **thumbprint(pki.own)}


@pytest.mark.parametrize(
    "audience",
    ["{}/contoso.example/oauth2/token", f"{{}}/{seed.CONTOSO.id}/oauth2/v2.0/token", f"{{}}/{seed.CONTOSO.id}/v2.0"],
)
def test_audiences(client: Client, app: str, pki: Pki, audience: str) -> None:
    body = claims(client, app, aud=audience.format(client.emulator.urls.login))
    assert present(client, app, sign(pki.own, body)).status_code == 200


def test_what_msal_python_sends(client: Client, app: str, pki: Pki) -> None:
    now = time.time()
    header = {"x5t": base64.urlsafe_b64encode(hashlib.sha1(der(pki.own)).digest()).decode()}  # noqa: S324
    assert header["x5t"].endswith("=")
    body = claims(client, app, nbf=None, iat=now, exp=now + 600)
    assert present(client, app, jwt.encode(body, pki.own.key, "RS256", header)).status_code == 200


def test_what_others_send(client: Client, app: str, pki: Pki) -> None:
    now = int(time.time())
    standard = {"x5t#S256": base64.b64encode(hashlib.sha256(der(pki.own)).digest()).decode()}
    assert present(client, app, by_hand(pki.own, standard, claims(client, app), base64.b64encode)).status_code == 200
    text = claims(client, app, nbf=str(now), exp=str(now + 600))
    padded = by_hand(pki.own, thumbprint(pki.own), text, base64.urlsafe_b64encode)
    assert present(client, app, padded).status_code == 200
    one_string = sign(pki.own, claims(client, app), x5c=base64.b64encode(der(pki.own)).decode())
    assert present(client, app, one_string).status_code == 200


@pytest.mark.parametrize(
    "assertion",
    ["x", "a.b", "a.b.c", "e30.e30.!", "e30.W10.", "e30.bnVsbA.", "e30.gIA.", "e30.e30.e30.e30"],
)
def test_unparsable(client: Client, app: str, assertion: str) -> None:
    client.refused(present(client, app, assertion), 400, "invalid_request", 9002313)


@pytest.mark.parametrize(
    ("more", "status", "error", "code"),
    [
        ({"aud": "https://login.elsewhere.example/t/oauth2/v2.0/token", "iss": "x"}, 401, "invalid_client", 700023),
        ({"aud": None}, 401, "invalid_client", 700023),
        ({"iss": "another", "sub": "x"}, 401, "invalid_client", 700021),
        ({"iss": None}, 401, "invalid_client", 700021),
        ({"sub": "another", "exp": 1}, 400, "invalid_request", 50048),
        ({"sub": None}, 400, "invalid_request", 50048),
        ({"jti": None}, 400, "invalid_request", 9002313),
        ({"exp": True}, 400, "invalid_request", 9002313),
        ({"exp": "soon"}, 400, "invalid_request", 9002313),
        ({"exp": None}, 401, "invalid_client", 700024),
        ({"exp": 1}, 401, "invalid_client", 700024),
        ({"nbf": 9999999999, "exp": 99999999999}, 401, "invalid_client", 700024),
    ],
)
def test_refused_claims(
    client: Client, app: str, pki: Pki, more: dict[str, t.Any], status: int, error: str, code: int
) -> None:
    client.refused(present(client, app, sign(pki.own, claims(client, app, **more))), status, error, code)


def test_another_tenants_token_url_is_no_audience(client: Client, app: str, pki: Pki) -> None:
    body = claims(client, app, aud=f"{client.emulator.urls.login}/fabrikam.example/oauth2/v2.0/token")
    client.refused(present(client, app, sign(pki.own, body)), 401, "invalid_client", 700023)


def test_unknown_certificates_and_bad_signatures(client: Client, app: str, pki: Pki) -> None:
    unknown = sign(pki.issued, claims(client, app, aud="x"))
    text = client.refused(present(client, app, unknown), 401, "invalid_client", 700027)["error_description"]
    assert hashlib.sha256(der(pki.issued)).hexdigest().upper() in text
    other_key = jwt.encode(claims(client, app), pki.issued.key, "PS256", thumbprint(pki.own))
    client.refused(present(client, app, other_key), 401, "invalid_client", 700027)
    algorithm = jwt.encode(claims(client, app), pki.own.key, "RS512", thumbprint(pki.own))
    client.refused(present(client, app, algorithm), 401, "invalid_client", 700027)
    nameless = jwt.encode(claims(client, app), pki.own.key, "PS256")
    client.refused(present(client, app, nameless), 401, "invalid_client", 700027)
    assert client.emulator.token_requests()[-1]["assertion"] is None


def test_expired_certificate(client: Client) -> None:
    old = certificates.make("old", starts=-7200, ends=-3600)
    app = client.emulator.add_app(certificates=[old.pem])["client_id"]
    body = client.refused(present(client, app, sign(old, claims(client, app))), 401, "invalid_client", 700027)
    assert "has expired" in body["error_description"]


def test_clock_skew(client: Client, app: str, pki: Pki) -> None:
    late = sign(pki.own, claims(client, app, nbf=None, exp=int(time.time()) - 60))
    client.refused(present(client, app, late), 401, "invalid_client", 700024)
    client.emulator.configure(clock_skew=300)
    assert present(client, app, late).status_code == 200
    client.emulator.configure(clock_offset=-1000)
    client.refused(present(client, app, sign(pki.own, claims(client, app))), 401, "invalid_client", 700024)


def test_form_fields(client: Client, app: str, pki: Pki) -> None:
    good = sign(pki.own, claims(client, app))
    client.refused(present(client, None, good), 401, "invalid_client", 7000110)
    client.refused(present(client, app, good, client_assertion_type=None), 400, "invalid_request", 900144)
    client.refused(present(client, app, good, client_assertion_type="other"), 400, "invalid_request", 9002313)
    client.refused(present(client, seed.PUBLIC, good), 401, "invalid_client", 700025)


def chained(client: Client, app: str, made: Made, *chain: Made, **header: t.Any) -> requests.Response:
    """A request whose assertion carries that chain."""
    x5c = [base64.b64encode(der(one)).decode() for one in chain]
    return present(client, app, sign(made, claims(client, app), x5c=x5c, **header))


@pytest.mark.parametrize("subject", ["app.contoso.example", "CN=app.contoso.example"])
def test_trusted_subject_name(client: Client, pki: Pki, subject: str) -> None:
    trust = {"issuer_pem": pki.root.pem, "subject": subject}
    app = client.emulator.add_app(trusted_subjects=[trust])["client_id"]
    assert chained(client, app, pki.issued, pki.issued, pki.middle).status_code == 200
    assert chained(client, app, pki.issued, pki.issued, pki.middle, pki.root).status_code == 200
    middle_alone = {**trust, "issuer_pem": pki.middle.chain_pem}
    other = client.emulator.add_app(trusted_subjects=[middle_alone])["client_id"]
    with_line_ends = "".join(pki.issued.pem.splitlines(keepends=True)[1:-1])
    leaf_alone = present(client, other, sign(pki.issued, claims(client, other), x5c=[with_line_ends]))
    assert leaf_alone.status_code == 200
    wrong_order = chained(client, app, pki.issued, pki.middle, pki.issued)
    client.refused(wrong_order, 401, "invalid_client", 700027)
    client.refused(chained(client, app, pki.issued), 401, "invalid_client", 700027)
    client.refused(chained(client, app, pki.issued, pki.issued), 401, "invalid_client", 700027)
    client.refused(chained(client, app, pki.own, pki.own), 401, "invalid_client", 700027)
    garbage = present(client, app, sign(pki.issued, claims(client, app), x5c=["AAAA"]))
    client.refused(garbage, 401, "invalid_client", 700027)


def test_subject_nobody_trusts(client: Client, pki: Pki) -> None:
    trust = {"issuer_pem": pki.root.pem, "subject": "other.example"}
    app = client.emulator.add_app(trusted_subjects=[trust])["client_id"]
    client.refused(chained(client, app, pki.issued, pki.issued, pki.middle), 401, "invalid_client", 700030)


def test_graph_tells_when_certificates_end(client: Client, app: str, pki: Pki) -> None:
    listed = client.get(f"/v1.0/applications?$filter=appId eq '{app}'", client.token()).json()["value"]
    credential = listed[0]["keyCredentials"][0]
    assert credential["customKeyIdentifier"] == hashlib.sha1(der(pki.own)).hexdigest().upper()  # noqa: S324
    assert credential["endDateTime"] == f"{pki.own.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
