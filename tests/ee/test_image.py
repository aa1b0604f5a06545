# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs in the image, in containers as AWX starts them on its nodes, with nothing but the emulator to talk to."""

from __future__ import annotations

import json
import subprocess
import typing as t

import pytest
from awx_jobs import Awx, Credential
from certificates import issue
from channels import secrets

from plays import role, uri

if t.TYPE_CHECKING:
    from awx_jobs import Job

    from entra_emulator.client import Emulator

AWKWARD: t.Final = "made-up~{{ 7 * 7 }} {% raw %}'\"\\$HOME %20#<>&`{#"
ROLES: t.Final = {"graph": ["User.Read.All"]}
# All faces, and what needs each of the packages.
PLAY: t.Final = [
    role("app_token"),
    uri("{{ app_token.api_url }}/v1.0/users?$top=1", "app_token_uri"),
    {"name": "Module", "entra.auth.app_token": {}, "register": "module"},
    role("authorized_uri", authorized_uri_url="/v1.0/users?$top=1", authorized_uri_jmespath="value[].mail"),
    {"name": "Mail", "ansible.builtin.debug": {"msg": "{{ authorized_uri_result.result }}"}},
]
# A request to anywhere but this machine would fail.
OFFLINE: t.Final = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


def in_image(image: str, *command: str) -> str:
    """What a command in a container of the image prints."""
    start = ["podman", "run", "--rm", "--pull=never", "--network=none", "--user=root", image]
    return subprocess.run([*start, *command], capture_output=True, text=True, check=True).stdout


def assert_it_worked(job: Job, emulator: Emulator, **given: str) -> None:
    """One token request for all faces, an answer of the API, and nothing of it in what the job leaves."""
    assert job.status == "successful", job.output
    assert [entry["status"] for entry in emulator.token_requests()] == [200]
    assert job.result("Mail")["msg"] == ["user0001@contoso.example"]
    assert list((job.artifacts / "fact_cache").iterdir())
    tokens = {name: value for name, value in secrets(emulator).items() if name.startswith("access token")}
    assert tokens
    assert job.leaks(secrets=given, tokens=tokens) == []


def test_the_collection_is_in_it_with_all_it_needs(image: str) -> None:
    """At the place where collections of an execution environment are, and no package is in conflict with another."""
    collections = json.loads(in_image(image, "ansible-galaxy", "collection", "list", "--format", "json"))
    assert "entra.auth" in collections["/usr/share/ansible/collections/ansible_collections"]
    assert "No broken requirements" in in_image(image, "python3", "-m", "pip", "check")
    assert "app_token" in in_image(image, "ansible-doc", "-t", "lookup", "-l", "entra.auth")


@pytest.mark.parametrize("verbosity", [0, 5])
def test_the_built_in_credential(awx: Awx, emulator: Emulator, verbosity: int) -> None:
    """The environment of the job comes by ansible-runner's list of variables."""
    client = emulator.add_app(secret=AWKWARD, roles=ROLES)["client_id"]
    inputs = {"subscription": "any", "tenant": emulator.tenant_id, "client": client, "secret": AWKWARD}
    job = awx.run(PLAY, Credential("azure_rm", inputs), verbosity=verbosity, env=OFFLINE)
    assert_it_worked(job, emulator, secret=AWKWARD)


def test_a_certificate_as_a_file(awx: Awx, emulator: Emulator) -> None:
    """Text of many lines, by its path in the container."""
    certificate = issue("my-automation")
    client = emulator.add_app(certificates=[certificate.certificate_pem], roles=ROLES)["client_id"]
    inputs = {"tenant_id": emulator.tenant_id, "client_id": client, "certificate": certificate.pem(AWKWARD)}
    credential = Credential("client_certificate", {**inputs, "password": AWKWARD})
    job = awx.run(PLAY, credential, env=OFFLINE)
    assert job.safe_env["ENTRA_AUTH_CLIENT_CERTIFICATE_PATH"].startswith("/runner/env/")
    assert_it_worked(job, emulator, key=certificate.key_pem(), password=AWKWARD)
