# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each credential type of the collection and AWX's built-in one as a job has it: rendered by AWX, run as AWX does."""

from __future__ import annotations

import base64
import json
import stat
import typing as t

import pytest
import yaml
from awx_jobs import CREDENTIAL_TYPES, Awx, Credential
from canned_server import CannedServer, json_answer
from certificates import issue
from channels import secrets
from cores import CORE_MASKS

from entra_emulator import seed
from plays import role, uri

if t.TYPE_CHECKING:
    from awx_jobs import Job

    from entra_emulator.client import Emulator

# Templates, quotes, and all else that a shell, YAML or Jinja would make something of.
AWKWARD: t.Final = "made-up~{{ 7 * 7 }} {% raw %}'\"\\$HOME %20#<>&`{#"
AUDIENCE: t.Final = "api://AzureADTokenExchange"
VAULT: t.Final = "https://vault.contoso.example/v1/identity/oidc"
ENTITY: t.Final = "11111111-aaaa-4000-8000-000000000001"

# No playbook needs an option, whatever the type of the credential.
PLAY: t.Final = [
    role("app_token"),
    uri("{{ app_token.api_url }}/v1.0/users?$top=1", "app_token_uri"),
    role("authorized_uri", authorized_uri_url="/v1.0/users?$top=1"),
]


def app(emulator: Emulator, **proof: t.Any) -> str:
    """An app that may read users."""
    return str(emulator.add_app(roles={"graph": ["User.Read.All"]}, **proof)["client_id"])


def azure_rm_of_another_app() -> Credential:
    """The built-in credential, attached for other tasks of the job."""
    inputs = {"subscription": "any", "tenant": seed.FABRIKAM.id, "client": seed.FABRIKAM_READER}
    return Credential("azure_rm", {**inputs, "secret": "made-up~secret-of-fabrikam-reader"})


def assert_it_worked(job: Job, emulator: Emulator, credential: str, **given: str) -> None:
    """One token request by that kind of credential, both calls answered, and nothing of it anywhere."""
    assert job.status == "successful", job.output
    assert [entry["status"] for entry in emulator.token_requests()] == [200]
    assert [entry["status"] for entry in emulator.requests(listener="api")] == [200, 200]
    assert job.result("Call")["json"]["value"][0]["mail"] == "user0001@contoso.example"
    assert f"credential {credential}" in job.output
    assert list((job.artifacts / "fact_cache").iterdir()), "fact storage is off, so the search proves nothing"
    tokens = {name: value for name, value in secrets(emulator).items() if name.startswith("access token")}
    assert tokens
    assert job.leaks(secrets=given, tokens=tokens) == []
    assert not [value for value in given.values() if value in str(job.safe_env)]


def test_client_secret(awx: Awx, emulator: Emulator) -> None:
    """A secret that is a template, too, arrives as it was typed; and all that Ansible can say shows nothing of it."""
    client = app(emulator, secret=AWKWARD)
    inputs = {"tenant_id": emulator.tenant_id, "client_id": client, "client_secret": AWKWARD}
    job = awx.run(PLAY, Credential("client_secret", inputs), azure_rm_of_another_app(), verbosity=5)
    assert_it_worked(job, emulator, "client_secret", secret=AWKWARD)


@pytest.mark.parametrize("form", ["PEM", "PFX"])
def test_client_certificate(awx: Awx, emulator: Emulator, form: str) -> None:
    """Text of many lines comes as a file; a password of an encrypted key beside it."""
    certificate = issue("my-automation")
    client = app(emulator, certificates=[certificate.certificate_pem])
    pem, pfx = certificate.pem(AWKWARD), base64.b64encode(certificate.pfx(AWKWARD)).decode()
    text = pem if form == "PEM" else pfx
    inputs = {"tenant_id": emulator.tenant_id, "client_id": client, "certificate": text, "password": AWKWARD}
    job = awx.run(PLAY, azure_rm_of_another_app(), Credential("client_certificate", inputs), verbosity=1)
    assert_it_worked(job, emulator, "client_certificate", password=AWKWARD, key=text)


def test_federated_by_the_identity_of_the_job(awx: Awx, emulator: Emulator) -> None:
    """AWX's job identity token signs in to HashiCorp Vault, and Vault's own identity token is the assertion."""
    federated = {"issuer": emulator.add_issuer(VAULT), "subject": ENTITY, "audience": AUDIENCE}
    client = app(emulator, federated=[federated])
    assertion = emulator.mint_assertion(VAULT, ENTITY, AUDIENCE)
    login = json_answer(200, {"auth": {"client_token": "made-up~vault-token"}})
    answers = (login, json_answer(200, {"data": {"token": assertion, "ttl": 300}}), json_answer(200, {}))
    with CannedServer(*answers) as vault:
        sign_in = {"default_auth_path": "jwt", "jwt_role": "awx", "workload_identity_token": "made-up~job-identity"}
        secret = {"secret_path": "identity/oidc/token/entra", "secret_key": "token"}
        arguments = {"url": vault.url, "namespace": "", "api_version": "v1", **sign_in, **secret}
        lookups = {"federated_token": {"plugin": "hashivault_kv_oidc_plugin", "arguments": arguments}}
        credential = Credential("federated", {"tenant_id": emulator.tenant_id, "client_id": client}, lookups)
        job = awx.run(PLAY, credential, azure_rm_of_another_app(), verbosity=1)
    assert_it_worked(job, emulator, "federated", assertion=assertion)
    asked = [(request.method, request.target) for request in vault.received]
    assert asked[:2] == [("POST", "/v1/auth/jwt/login"), ("GET", "/v1/identity/oidc/token/entra")]
    assert '"jwt": "made-up~job-identity"' in vault.received[0].body


def test_federated_by_a_file(awx: Awx, emulator: Emulator, tmp_path: t.Any) -> None:
    """An assertion that something outside of the job renews."""
    federated = {"issuer": emulator.add_issuer(), "subject": "system:serviceaccount:awx:jobs", "audience": AUDIENCE}
    client = app(emulator, federated=[federated])
    (tmp_path / "token").write_text(emulator.mint_assertion(*federated.values()))
    inputs = {"tenant_id": emulator.tenant_id, "client_id": client, "federated_token_file": str(tmp_path / "token")}
    job = awx.run(PLAY, Credential("federated", inputs), verbosity=1)
    assert_it_worked(job, emulator, "federated", assertion=(tmp_path / "token").read_text())


@pytest.mark.parametrize(
    ("client", "jobs"), [(seed.PUBLIC, 2), (seed.CONFIDENTIAL, 1)], ids=["public app", "confidential app"]
)
def test_refresh_token(awx: Awx, emulator: Emulator, tmp_path: t.Any, client: str, jobs: int) -> None:
    """The first one from AWX, its successors in a file that outlives the job: the second job redeems that."""
    first = emulator.add_refresh_token(client)
    secret = "made-up~secret-of-confidential" if client == seed.CONFIDENTIAL else ""
    newest = tmp_path / "state/refresh_token"
    newest.parent.mkdir(0o700)
    inputs = {"tenant_id": emulator.tenant_id, "client_id": client, "client_secret": secret}
    inputs |= {"refresh_token": first, "refresh_token_file": str(newest)}
    for redeemed in (first, None)[:jobs]:
        expected = redeemed or newest.read_text().strip()
        emulator.forget_requests()
        job = awx.run(PLAY, Credential("refresh_token", inputs), verbosity=1)
        assert_it_worked(job, emulator, "refresh_token", **{"first": first, **({"secret": secret} if secret else {})})
        assert ["refresh_token", expected] in emulator.token_requests()[0]["form"]
        assert job.leaks(secrets={"newest": newest.read_text().strip()}, tokens={}) == []


def built_in(emulator: Emulator, **more: str) -> Credential:
    """A credential of AWX's type "Microsoft Azure Resource Manager" as people fill it in."""
    own = {"tenant": emulator.tenant_id, "client": app(emulator, secret=AWKWARD), "secret": AWKWARD}
    return Credential("azure_rm", {"subscription": "any", **own, **more})


@pytest.mark.parametrize(
    ("cloud", "scope"),
    [
        pytest.param("", "https://graph.microsoft.com/.default", id="no cloud named", marks=pytest.mark.thorough),
        pytest.param("AzureUSGovernment", "https://graph.microsoft.us/.default", id="a national cloud"),
    ],
)
def test_the_built_in_credential(awx: Awx, emulator: Emulator, cloud: str, scope: str) -> None:
    """Nothing to set up: the type is AWX's own, and the cloud that it names is the one that is asked."""
    job = awx.run(PLAY, built_in(emulator, cloud_environment=cloud, username="", password=""), verbosity=5)
    assert_it_worked(job, emulator, "client_secret", secret=AWKWARD)
    assert ["scope", scope] in emulator.token_requests()[0]["form"]


def test_a_user_and_password_are_no_app(awx: Awx, emulator: Emulator) -> None:
    """The built-in type has fields for those too; the job then says what is missing, before any request."""
    job = awx.run(PLAY, Credential("azure_rm", {"subscription": "any", "username": "me", "password": AWKWARD}))
    assert job.status == "failed"
    assert "AZURE_CLIENT_ID" in job.result("Get the token")["msg"]
    assert emulator.requests() == []
    assert job.leaks(secrets={"password": AWKWARD}, tokens={"none": "no token at all"}) == []


def test_empty_fields_count_as_not_given(awx: Awx, emulator: Emulator) -> None:
    """Also in all types of the collection at once: AWX makes variables, and a file, even of what nobody filled in."""
    types = {path.stem: yaml.safe_load(path.read_text()) for path in CREDENTIAL_TYPES.glob("*.yml")}
    empty = [
        Credential(name, {field["id"]: "" for field in type_["inputs"]["fields"]}) for name, type_ in types.items()
    ]
    assert len(empty) == 5
    job = awx.run(PLAY, *empty, built_in(emulator), verbosity=1)
    assert_it_worked(job, emulator, "client_secret", secret=AWKWARD)


def test_the_search_finds_what_a_job_leaks(awx: Awx, emulator: Emulator) -> None:
    """Printed or kept as a fact, a secret and a token are found in each place where AWX would keep them.

    The events have the values themselves only before ansible-core 2.22, which does not know them in base64.
    """
    both = ("app_token.access_token", "lookup('env', 'ENTRA_AUTH_CLIENT_SECRET')")
    print_all = {"msg": " ".join(f"{{{{ {one} }}}} {{{{ {one} | b64encode }}}}" for one in both)}
    fact = {"kept": print_all["msg"], "cacheable": True}
    inputs = {"tenant_id": emulator.tenant_id, "client_id": emulator.client_id}
    credential = Credential("client_secret", {**inputs, "client_secret": emulator.client_secret})
    tasks = [
        role("app_token"),
        {"ansible.builtin.debug": print_all},
        {"ansible.builtin.set_fact": fact, "no_log": True},
    ]
    job = awx.run([*tasks, uri("{{ app_token.api_url }}/v1.0/users", "app_token_uri")], credential)
    assert job.status == "successful", job.output
    for values in ({"secrets": secrets(emulator), "tokens": {}}, {"secrets": {}, "tokens": secrets(emulator)}):
        found = job.leaks(**values)
        for place in ("fact_cache", "in stream"):
            assert [leak for leak in found if place in leak], place
            as_they_are = [leak for leak in found if place in leak and "(raw)" in leak]
            assert bool(as_they_are) == (place != "in stream" or not CORE_MASKS), place
    # Why these files may hold it: ansible-runner writes them for every job, whatever a play does.
    command = job.artifacts / "command"
    assert emulator.client_secret in json.loads(command.read_text())["env"].values()
    assert stat.S_IMODE(command.stat().st_mode) == 0o600
    assert stat.S_IMODE(job.directory.stat().st_mode) == 0o700
