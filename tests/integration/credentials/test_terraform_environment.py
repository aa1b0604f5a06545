# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of a Terraform run works unchanged: module, lookup and role find the credential by ARM_* alone."""

from __future__ import annotations

import base64
import os
import typing as t

import pytest
from certificates import issue

from plays import role, show

if t.TYPE_CHECKING:
    from certificates import Issued

    from entra_emulator.client import Emulator
    from plays import Plays

AUDIENCE: t.Final = "api://AzureADTokenExchange"
ISSUER: t.Final = "https://ci.example"
SUBJECT: t.Final = "project:deploy"
GITHUB: t.Final = ("https://token.actions.githubusercontent.com", "repo:contoso/playbooks:ref:refs/heads/main")
PIPELINES: t.Final = (
    "https://vstoken.dev.azure.com/dddddddd-0000-4000-8000-000000000001",
    "sc://contoso/playbooks/azure",
)
SECRET: t.Final = "made-up~secret-of-terraform"
PASSWORD: t.Final = "made-up~pfx-password"
PLATFORM_SECRET: t.Final = "made-up~platform-secret"

Environment = dict[str, str]


@pytest.fixture(scope="module")
def certificate() -> Issued:
    """Made once: keys take their time."""
    return issue("terraform.contoso.example")


@pytest.fixture
def environments(plays: Plays, emulator: Emulator, certificate: Issued) -> dict[str, tuple[str, Environment]]:
    """The variables of each way in which Terraform's providers sign in, with the kind of credential they mean."""
    trusted = [{"issuer": issuer, "subject": subject, "audience": AUDIENCE}
               for issuer, subject in ((ISSUER, SUBJECT), GITHUB, PIPELINES)]  # fmt: skip
    app = emulator.add_app(
        secret=SECRET, certificates=[certificate.certificate_pem], federated=trusted, subscriptions=[]
    )
    client = {"ARM_TENANT_ID": emulator.tenant_id, "ARM_CLIENT_ID": app["client_id"], "ARM_USE_CLI": "false"}
    files = {
        "client": app["client_id"],
        "secret": f"{SECRET}\n",
        "pem": certificate.pem(),
        "assertion": emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCE),
    }
    for name, content in files.items():
        (plays.directory / name).write_text(content)
    pfx = base64.b64encode(certificate.pfx(PASSWORD)).decode()
    github = emulator.ci_environment("github_actions")
    pipelines = emulator.ci_environment("azure_pipelines")
    oidc = {**client, "ARM_USE_OIDC": "true"}
    return {
        "secret": ("client_secret", {**client, "ARM_CLIENT_SECRET": SECRET}),
        "secret in a file": (
            "client_secret",
            {
                **{name: value for name, value in client.items() if name != "ARM_CLIENT_ID"},
                "ARM_CLIENT_ID_FILE_PATH": str(plays.directory / "client"),
                "ARM_CLIENT_SECRET_FILE_PATH": str(plays.directory / "secret"),
            },
        ),
        "certificate": (
            "client_certificate",
            {**client, "ARM_CLIENT_CERTIFICATE": pfx, "ARM_CLIENT_CERTIFICATE_PASSWORD": PASSWORD},
        ),
        "certificate in a file": (
            "client_certificate",
            {**client, "ARM_CLIENT_CERTIFICATE_PATH": str(plays.directory / "pem")},
        ),
        "OIDC token": ("federated", {**oidc, "ARM_OIDC_TOKEN": files["assertion"]}),
        "OIDC token in a file": (
            "federated",
            {**oidc, "ARM_OIDC_TOKEN_FILE_PATH": str(plays.directory / "assertion")},
        ),
        "OIDC request": (
            "federated",
            {
                **oidc,
                "ARM_OIDC_REQUEST_URL": github["ACTIONS_ID_TOKEN_REQUEST_URL"],
                "ARM_OIDC_REQUEST_TOKEN": github["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
            },
        ),
        "OIDC request in Azure Pipelines": (
            "federated",
            {
                **oidc,
                "ARM_OIDC_REQUEST_URL": pipelines["SYSTEM_OIDCREQUESTURI"],
                "ARM_OIDC_REQUEST_TOKEN": pipelines["SYSTEM_ACCESSTOKEN"],
                "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": pipelines["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            },
        ),
    }


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        pytest.param("secret in a file", marks=pytest.mark.thorough),
        pytest.param("certificate", marks=pytest.mark.thorough),
        pytest.param("certificate in a file", marks=pytest.mark.thorough),
        pytest.param("OIDC token", marks=pytest.mark.thorough),
        pytest.param("OIDC token in a file", marks=pytest.mark.thorough),
        pytest.param("OIDC request", marks=pytest.mark.thorough),
        "OIDC request in Azure Pipelines",
    ],
)
def test_the_environment_of_terraform_gets_a_token_everywhere(
    plays: Plays, emulator: Emulator, environments: dict[str, tuple[str, Environment]], name: str
) -> None:
    """One token request for module, lookup and role; no secret of the environment is shown."""
    kind, environment = environments[name]
    tasks = [
        {"name": "Module", "entra.auth.app_token": {}, "register": "by_module"},
        role("app_token", app_token_fact="by_role"),
        show(
            module="by_module.credential",
            role="by_role.credential",
            lookup="lookup('entra.auth.app_token', output='token').credential",
            client="by_module.claims.appid",
        ),
    ]
    nothing = dict.fromkeys(("ENTRA_AUTH_TENANT_ID", "ENTRA_AUTH_CLIENT_ID", "ENTRA_AUTH_CLIENT_SECRET"))
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env={**nothing, **environment})
    assert play.returncode == 0, play.output
    client = environment.get("ARM_CLIENT_ID") or (plays.directory / "client").read_text()
    assert play.shown() == {**dict.fromkeys(("module", "role", "lookup"), kind), "client": client}
    assert [entry["status"] for entry in emulator.token_requests()] == [200]
    shown = [secret for secret in (SECRET, PASSWORD, PLATFORM_SECRET) if secret in play.output]
    assert shown == []


def test_an_option_comes_before_the_environment_of_terraform(
    plays: Plays, emulator: Emulator, environments: dict[str, tuple[str, Environment]], certificate: Issued
) -> None:
    """Of two ways to give the same thing as well: a path that the task names, and content in a variable."""
    other = issue("other.contoso.example")
    (plays.directory / "other.pem").write_text(other.pem())
    (plays.directory / "own-secret").write_text("made-up~own-secret\n")
    app = emulator.add_app(secret="made-up~own-secret", certificates=[other.certificate_pem])
    given: dict[str, t.Any] = {"client_id": app["client_id"], "cache": "none"}
    tasks = [
        {
            "name": "Certificate",
            "entra.auth.app_token": {**given, "client_certificate_path": str(plays.directory / "other.pem")},
        },
        {
            "name": "Secret",
            "entra.auth.app_token": {**given, "client_secret_file": str(plays.directory / "own-secret")},
        },
    ]
    for name in ("certificate", "secret"):
        environment = environments[name][1]
        env = {"ENTRA_AUTH_CLIENT_SECRET": None, "ENTRA_AUTH_CLIENT_ID": None, **environment}
        play = plays.run([{"tasks": tasks}], record=True, env=env)
        assert play.returncode == 0, play.output
    assert [entry["status"] for entry in emulator.token_requests()] == [200] * 4


def test_a_secret_in_a_file_is_read_again_at_each_request(plays: Plays, emulator: Emulator) -> None:
    """As a mounted secret is replaced while the play runs; a changed one never finds the former one's token."""
    path, coming = plays.directory / "secret", plays.directory / "coming"
    path.write_text("made-up~first\n")
    coming.write_text("made-up~second\n")
    app = emulator.add_app(secret=["made-up~first", "made-up~second"])
    get = {"entra.auth.app_token": {"client_id": app["client_id"], "client_secret_file": str(path)}}
    move = {"name": "Rotate", "ansible.builtin.command": f"mv {coming} {path}"}
    tasks = [{"name": "Get", **get}, {"name": "Get again", **get}, move, {"name": "Get with the new one", **get}]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env={"ENTRA_AUTH_CLIENT_SECRET": None})
    assert play.returncode == 0, play.output
    sent = [dict(entry["form"])["client_secret"] for entry in emulator.token_requests()]
    assert sent == ["made-up~first", "made-up~second"]
    assert "made-up~first" not in play.output
    assert "made-up~second" not in play.output


def test_a_file_is_read_in_each_form_and_from_each_place(plays: Plays, emulator: Emulator) -> None:
    """By module and lookup: as Windows and editors write it, below HOME, and in the directory of the run."""
    secret = "made-up~secret-in-each-form"
    app = emulator.add_app(secret=secret)
    forms = {
        "line": f"{secret}\n".encode(),
        "windows": f"{secret}\r\n".encode(),
        "mark": f"\ufeff{secret}".encode(),
        "utf16": f"{secret}\r\n".encode("utf-16"),
    }
    for name, content in forms.items():
        (plays.directory / name).write_bytes(content)
    (plays.home / "at-home").write_text(secret)
    paths = [*(str(plays.directory / name) for name in forms), "~/at-home", "line"]
    shared = {"client_id": app["client_id"], "cache": "none"}
    tasks = [
        task
        for path in paths
        for task in (
            {"name": path, "entra.auth.app_token": {**shared, "client_secret_file": path}},
            {
                "name": f"Look up {path}",
                "ansible.builtin.debug": {"msg": "{{ lookup('entra.auth.app_token', **given) | length }}"},
                "vars": {"given": {**shared, "client_secret_file": path}},
            },
        )
    ]
    play = plays.run([{"tasks": tasks}], record=True, env={"ENTRA_AUTH_CLIENT_SECRET": None})
    assert play.returncode == 0, play.output
    sent = [dict(entry["form"])["client_secret"] for entry in emulator.token_requests()]
    assert sent == [secret] * len(tasks)
    assert secret not in play.output


def test_a_file_that_can_t_be_used_is_refused_before_any_request(plays: Plays, emulator: Emulator) -> None:
    """With one sentence that names it; a secret in the place of the path is not shown."""
    directory = plays.directory
    secret = "abC8Q~made-up.secret_in~place-of-a-path"
    os.mkfifo(directory / "pipe")
    (directory / "empty").touch()
    (directory / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    reasons = {
        f"{directory}/gone": "can't be read: No such file or directory",
        f"{directory}": "can't be read: Is a directory",
        f"{directory}/pipe": "can't be read: it is not a regular file",
        f"{directory}/empty": "can't be read: it is empty",
        f"{directory}/large": "can't be read: it is larger than 1 MiB",
        secret: "does not name a file that exists",
    }
    tasks = [
        {"name": reason, "entra.auth.app_token": {"client_secret_file": path}, "ignore_errors": True}
        for path, reason in reasons.items()
    ]
    play = plays.run([{"tasks": tasks}], "-vvv", record=True, env={"ENTRA_AUTH_CLIENT_SECRET": None})
    for path, reason in reasons.items():
        message = play.result(reason)["msg"]
        assert message.startswith("client_secret_file "), message
        assert reason in message
        assert (path in message) is (path != secret)
    assert secret not in "".join(str(event["result"].get("msg")) for event in play.events())
    assert emulator.requests() == []
