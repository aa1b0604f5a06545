# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each credential, by each face, given in each way, in each cloud: exactly what arrives at the wire."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import typing as t
import urllib.parse

import pytest
from certificates import Issued, issue

from plays import role, show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

ASSERTION_TYPE: t.Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE_GRANT: t.Final = "urn:ietf:params:oauth:grant-type:device_code"
PUBLIC_APP: t.Final = "aaaaaaaa-0000-4000-8000-000000000004"
IDENTITY: t.Final = "aaaaaaaa-0000-4000-8000-000000000102"
ISSUER: t.Final = "https://ci.example"
SUBJECT: t.Final = "repo:contoso/playbooks"
KINDS: t.Final = (
    *("client_secret", "client_certificate", "federated", "managed_identity"),
    *("refresh_token", "device_code"),
)


class Cloud(t.NamedTuple):
    """What differs between clouds; the lookup asks for ARM, and all else for Graph."""

    graph: str
    arm: str
    arm_url: str
    audience: str


CLOUDS: t.Final = {
    "public": Cloud(
        *("https://graph.microsoft.com", "https://management.azure.com", "https://management.azure.com"),
        "api://AzureADTokenExchange",
    ),
    "usgov": Cloud(
        *("https://graph.microsoft.us", "https://management.core.usgovcloudapi.net"),
        *("https://management.usgovcloudapi.net", "api://AzureADTokenExchangeUSGov"),
    ),
    "china": Cloud(
        *("https://microsoftgraph.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
        *("https://management.chinacloudapi.cn", "api://AzureADTokenExchangeChina"),
    ),
}
Options = dict[str, t.Any]


@pytest.fixture(scope="module")
def leaf() -> Issued:
    """The app's certificate."""
    return issue("app")


@pytest.fixture
def options_of(emulator: Emulator, leaf: Issued, cloud: str, given: str) -> dict[str, Options]:
    """For each credential all options that it takes, and no other."""
    audience = CLOUDS[cloud].audience
    federated = [{"issuer": ISSUER, "subject": SUBJECT, "audience": audience}]
    trusted = {"secret": "made-up~s3cret", "certificates": [leaf.certificate_pem], "federated": federated}
    client_id = str(emulator.add_app(**trusted)["client_id"])
    scopes = [f"{CLOUDS[cloud].graph}/User.Read", f"{CLOUDS[cloud].arm}/user_impersonation", "offline_access"]
    shared = {"tenant_id": emulator.tenant_id, "cloud": cloud, "authority": emulator.urls.login}
    app = {**shared, "client_id": client_id}
    public = {**shared, "client_id": PUBLIC_APP}
    # The environment holds one app, which is not public.
    signed_in = app if given == "environment" else public
    refresh_token = emulator.add_refresh_token(signed_in["client_id"], scopes=scopes)
    return {
        "client_secret": {**app, "client_secret": "made-up~s3cret"},
        "client_certificate": {**app, "client_certificate": leaf.pem()},
        "federated": {**app, "federated_token": emulator.mint_assertion(ISSUER, SUBJECT, audience)},
        "managed_identity": {"cloud": cloud, "managed_identity_client_id": IDENTITY},
        "refresh_token": {**signed_in, "refresh_token": refresh_token},
        "device_code": {**public, "credential": "device_code"},
    }


def _by_all_faces(kind: str, options: Options) -> list[dict[str, t.Any]]:
    """Tasks that get four tokens: by the module, the lookup (of ARM), the role, and the header the role leaves."""
    lookup = "lookup('entra.auth.app_token', 'arm', output='token', **direct)"
    about = "[{0}.credential, {0}.cloud, {0}.api_url]".format
    shown = show(
        module=about("token"),
        lookup=about("looked_up"),
        role=about("app_token"),
        header="app_token_headers.Authorization[:7]",
    )
    return [
        {"name": f"Module {kind}", "entra.auth.app_token": options, "register": "token"},
        {
            "name": f"Lookup {kind}",
            "ansible.builtin.set_fact": {"looked_up": "{{ " + lookup + " }}"},
            "vars": {"direct": options},
            "no_log": True,
        },
        role("app_token", **{f"app_token_{name}": value for name, value in options.items()}),
        shown,
    ]


def _run(plays: Plays, emulator: Emulator, given: str, options_of: dict[str, Options]) -> Play:
    """A play on one host for each credential, one after the other."""
    env: dict[str, str | None] = {
        **{name: None for name in emulator.environment() if name.startswith("ENTRA_AUTH_")},
        **emulator.managed_identity_environment("imds"),
        "ENTRA_AUTH_CACHE": "none",
    }
    variables: dict[str, Options] = {kind: {} for kind in KINDS}
    if given == "variable":
        variables = options_of
    elif given == "environment":
        # All at once, so which of them is meant has to be said, and for the device code the app that is public.
        for options in reversed(options_of.values()):
            env |= {f"ENTRA_AUTH_{name.upper()}": value for name, value in options.items() if name != "credential"}
        variables = {kind: {"credential": kind} for kind in KINDS}
        variables["device_code"]["client_id"] = PUBLIC_APP
    places = plays.directory / "host_vars"
    places.mkdir()
    for number, kind in enumerate(KINDS, 1):
        named = {f"app_token_{name}": value for name, value in variables[kind].items()}
        places.joinpath(f"h{number:03}.yml").write_text(json.dumps(named))
    direct = options_of if given == "directly" else {kind: {} for kind in KINDS}
    return plays.run(
        [
            {"hosts": f"h{number:03}", "tasks": _by_all_faces(kind, direct[kind])}
            for number, kind in enumerate(KINDS, 1)
        ],
        hosts=len(KINDS),
        record=True,
        env=env,
    )


def _kind_of(entry: dict[str, t.Any]) -> str:
    """Which credential made a request."""
    form = dict(entry["form"])
    if entry["listener"] == "platform":
        return "managed_identity"
    if entry["path"].endswith("/devicecode") or form["grant_type"] == DEVICE_GRANT:
        return "device_code"
    if form["grant_type"] == "refresh_token":
        return "refresh_token"
    if "client_secret" in form:
        return "client_secret"
    return "federated" if entry["assertion"]["claims"]["iss"] == ISSUER else "client_certificate"


def _without_assertion(entry: dict[str, t.Any]) -> list[tuple[str, str]]:
    """The fields of a form, all of them and as often as they came, but for the value of an assertion."""
    pairs = [
        ("client_assertion", "…") if name == "client_assertion" else (name, value) for name, value in entry["form"]
    ]
    return sorted(pairs)


def _assert_signed(entries: list[dict[str, t.Any]], leaf: Issued, client_id: str, login: str, begun: int) -> None:
    """The assertions, whose signatures the emulator has verified with the certificate."""
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(leaf.der).digest()).rstrip(b"=").decode()
    for entry in entries:
        assert entry["assertion"]["header"] == {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}
        claims = entry["assertion"]["claims"]
        assert set(claims) == {"aud", "iss", "sub", "jti", "iat", "nbf", "exp"}
        assert claims["aud"] == login + entry["path"]
        assert claims["iss"] == claims["sub"] == client_id
        assert begun <= claims["iat"] <= time.time()
        assert claims["iat"] - 300 <= claims["nbf"] < claims["iat"]
        assert 300 <= claims["exp"] - claims["iat"] <= 600
    ids = {entry["assertion"]["claims"]["jti"] for entry in entries}
    assert len(ids) == len(entries)


@pytest.mark.parametrize(
    ("given", "cloud"),
    [
        *(("directly", cloud) for cloud in CLOUDS),
        *(("variable", "public"), ("environment", "public")),
        # Of the cloud and of the source, each is in another row.
        *(
            pytest.param(given, cloud, marks=pytest.mark.thorough)
            for given in ("variable", "environment")
            for cloud in ("usgov", "china")
        ),
    ],
)
def test_the_wire(
    plays: Plays, emulator: Emulator, leaf: Issued, options_of: dict[str, Options], given: str, cloud: str
) -> None:
    """Fields by name and value and no others, where they go, and the header and claims of assertions."""
    emulator.configure(device_code_approve_after=0)
    begun = int(time.time())
    play = _run(plays, emulator, given, options_of)
    assert play.returncode == 0, play.output
    there = CLOUDS[cloud]
    for number, kind in enumerate(KINDS, 1):
        shown = play.shown(f"h{number:03}")
        assert shown["module"] == shown["role"] == [kind, cloud, there.graph]
        assert shown["lookup"] == [kind, cloud, there.arm_url]
        assert shown["header"] == "Bearer "

    # Whoever is a virtual machine's service refuses a request that has nothing in it.
    log = [entry for entry in emulator.requests() if entry["query"] or entry["form"]]
    assert {entry["status"] for entry in log} == {200}
    sent = {kind: [entry for entry in log if _kind_of(entry) == kind] for kind in KINDS}
    scopes = [f"{there.graph}/.default", f"{there.arm}/.default", *[f"{there.graph}/.default"] * 2]
    client_id = options_of["client_secret"]["client_id"]
    token_path = f"/{emulator.tenant_id}/oauth2/v2.0/token"

    def forms(*fields: tuple[str, str], grant: str = "client_credentials", client: str = client_id) -> list[t.Any]:
        common = [("grant_type", grant), ("client_id", client), *fields]
        return [sorted([*common, ("scope", scope)]) for scope in scopes]

    assertion = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", "…")]
    assert [_without_assertion(entry) for entry in sent["client_secret"]] == forms(("client_secret", "made-up~s3cret"))
    assert [_without_assertion(entry) for entry in sent["client_certificate"]] == forms(*assertion)
    _assert_signed(sent["client_certificate"], leaf, client_id, emulator.urls.login, begun)

    assert [_without_assertion(entry) for entry in sent["federated"]] == forms(*assertion)
    given_assertion = options_of["federated"]["federated_token"]
    assert {dict(entry["form"])["client_assertion"] for entry in sent["federated"]} == {given_assertion}
    assert {entry["assertion"]["claims"]["aud"] for entry in sent["federated"]} == {there.audience}

    refresh_token = ("refresh_token", options_of["refresh_token"]["refresh_token"])
    redeemed = forms(refresh_token, grant="refresh_token", client=PUBLIC_APP)
    if given == "environment":
        # It proves itself as well, by the strongest of its credentials.
        redeemed = forms(refresh_token, *assertion, grant="refresh_token")
        _assert_signed(sent["refresh_token"], leaf, client_id, emulator.urls.login, begun)
    assert [_without_assertion(entry) for entry in sent["refresh_token"]] == redeemed

    codes = [record["device_code"] for record in emulator.device_codes()]
    asked, polled = sent["device_code"][::2], sent["device_code"][1::2]
    assert [entry["path"] for entry in asked] == [f"/{emulator.tenant_id}/oauth2/v2.0/devicecode"] * 4
    assert [sorted(map(tuple, entry["form"])) for entry in asked] == [
        [("client_id", PUBLIC_APP), ("scope", f"{scope} offline_access")] for scope in scopes
    ]
    assert [sorted(map(tuple, entry["form"])) for entry in polled] == [
        [("client_id", PUBLIC_APP), ("device_code", code), ("grant_type", DEVICE_GRANT)] for code in codes
    ]
    posts = [entry for kind in KINDS if kind != "managed_identity" for entry in sent[kind] if entry not in asked]
    assert {(entry["method"], entry["path"]) for entry in posts} == {("POST", token_path)}
    assert len(posts) == 20

    resources = [scope.removesuffix("/.default") for scope in scopes]
    assert [urllib.parse.parse_qsl(entry["query"]) for entry in sent["managed_identity"]] == [
        [("api-version", "2018-02-01"), ("resource", resource), ("client_id", IDENTITY)] for resource in resources
    ]
    assert {(entry["method"], entry["path"], entry["body"]) for entry in sent["managed_identity"]} == {
        ("GET", "/metadata/identity/oauth2/token", "")
    }
