# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation runs, and every message in it is one that a user sees."""

from __future__ import annotations

import base64
import collections
import contextlib
import re
import threading
import typing as t

import certifi
import pytest
from certificates import Issued, issue
from documents import GUIDES, README, ROLE_READMES, ROOT, Block, blocks, plugins
from redis_server import RedisServer

from entra_emulator import seed
from plays import Plays, role

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator

# A block that is marked as not run is counted here, so that none drops out unnoticed.
NOT_RUN = {
    "README.md": 5,
    "docs/docsite/rst/guide_api_request.rst": 2,
    "docs/docsite/rst/guide_benchmarks.rst": 1,
    "docs/docsite/rst/guide_awx.rst": 4,
    "docs/docsite/rst/guide_cache.rst": 2,
    "docs/docsite/rst/guide_credential_client_certificate.rst": 2,
    "docs/docsite/rst/guide_credential_client_secret.rst": 2,
    "docs/docsite/rst/guide_credential_device_code.rst": 2,
    "docs/docsite/rst/guide_credential_federated.rst": 7,
    "docs/docsite/rst/guide_credential_kubernetes.rst": 3,
    "docs/docsite/rst/guide_credential_managed_identity.rst": 2,
    "docs/docsite/rst/guide_credentials.rst": 2,
    "docs/docsite/rst/guide_examples.rst": 5,
    "docs/docsite/rst/guide_execution_environment.rst": 6,
    "docs/docsite/rst/guide_from_powershell.rst": 9,
    "docs/docsite/rst/guide_getting_started.rst": 7,
    "docs/docsite/rst/guide_header_patterns.rst": 2,
    "docs/docsite/rst/guide_preflight.rst": 4,
    "roles/authorized_uri/README.md": 1,
    "roles/preflight/README.md": 2,
}

_RST = ROOT / "docs/docsite/rst"
_DOCUMENTS = {README, *ROLE_READMES, *GUIDES, *plugins()}
# A public app must not send a secret, and a page on another credential has none: these run without one.
WITHOUT_SECRET = {
    *_RST.glob("guide_credential*.rst"),
    _RST / "guide_cache.rst",
    _RST / "guide_from_powershell.rst",
    _RST / "guide_run_on_target.rst",
    ROOT / "plugins/modules/app_token.py",
    ROOT / "plugins/modules/managed_identity_token.py",
}
_NO_SECRET = {"ENTRA_AUTH_CLIENT_SECRET": None}


class Group(t.NamedTuple):
    """Documents whose examples run as one play, and the platforms on which that believes to be."""

    documents: set[Path]
    managed_identity: str = ""
    ci: tuple[str, ...] = ()

    def env(self, emulator: Emulator) -> dict[str, str | None]:
        """What differs from the environment of other plays."""
        if not self.managed_identity:
            return {}
        of_ci = [emulator.ci_environment(name) for name in self.ci]
        env: dict[str, str | None] = {**_NO_SECRET, **emulator.managed_identity_environment(self.managed_identity)}
        return {**env, **{name: value for variables in of_ci for name, value in variables.items()}}


GROUPS = {
    "readmes": Group({README, *ROLE_READMES}),
    "guides and plugins": Group(_DOCUMENTS - WITHOUT_SECRET - {README, *ROLE_READMES}),
    "credentials": Group(WITHOUT_SECRET, "imds", ("github_actions", "azure_pipelines")),
    "App Service": Group({_RST / "guide_credential_managed_identity.rst"}, "app_service"),
}

ISSUER: t.Final = "https://ci.contoso.example"
SUBJECT: t.Final = "playbooks"
AUDIENCE: t.Final = "api://AzureADTokenExchange"
GITHUB: t.Final = "https://token.actions.githubusercontent.com"
PASSWORD: t.Final = "made-up~password"


def trust(emulator: Emulator, certificate: Issued) -> None:
    """Have the app of the examples accept every credential in them."""
    settings = emulator.configure()
    issuers = {
        ISSUER: SUBJECT,
        GITHUB: settings["github_actions_subject"],
        "https://vstoken.dev.azure.com/dddddddd-0000-4000-8000-000000000001": settings["azure_pipelines_subject"],
        f"{emulator.urls.login}/{emulator.tenant_id}/v2.0": seed.USER_IDENTITY.replace("aaaaaaaa", "bbbbbbbb"),
    }
    federated = [{"issuer": url, "subject": subject, "audience": AUDIENCE} for url, subject in issuers.items()]
    graph = ["User.ReadWrite.All", "Organization.Read.All", "Application.Read.All", "Group.Read.All", "Files.Read.All"]
    roles = {"graph": ["User.Read.All", *graph]}
    emulator.add_app(
        client_id=emulator.client_id,
        secret=emulator.client_secret,
        certificates=[certificate.certificate_pem],
        federated=federated,
        roles=roles,
        subscriptions=[subscription.id for subscription in seed.CONTOSO.subscriptions[:2]],
    )
    emulator.add_app(client_id=seed.app_id(20), secret="made-up~secret-of-guarded", roles=roles)
    emulator.revoke(seed.app_id(20), challenge=True)


def variables(emulator: Emulator, certificate: Issued, directory: Path) -> dict[str, str]:
    """What the examples take from the reader's own variables."""
    (directory / "state").mkdir()
    # A play may take longer than what a platform hands out lives.
    assertion = emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCE, lifetime=3600)
    github = emulator.ci_environment("github_actions")
    files = {"app.pem": certificate.pem().encode(), "app.pfx": certificate.pfx(PASSWORD), "token": assertion.encode()}
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return {
        "tenant": emulator.tenant_id,
        "client": emulator.client_id,
        "secret": emulator.client_secret,
        "vault_app_secret": emulator.client_secret,
        "wrong_secret": "not-the-secret-of-this-app",
        "other_client": seed.NO_ROLES,
        "other_secret": "made-up~secret-of-no-roles",
        "guarded_client": seed.app_id(20),
        "guarded_secret": "made-up~secret-of-guarded",
        "certificate_file": str(directory / "app.pem"),
        "pfx_file": str(directory / "app.pfx"),
        "certificate_password": PASSWORD,
        "vault_app_certificate": base64.b64encode(certificate.pfx()).decode(),
        "assertion_file": str(directory / "token"),
        "assertion": assertion,
        "issuer_url": github["ACTIONS_ID_TOKEN_REQUEST_URL"],
        "issuer_bearer": github["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
        "user_assigned_identity": seed.USER_IDENTITY,
        "identity_resource_id": seed.resource_id("Microsoft.ManagedIdentity/userAssignedIdentities/deployer"),
        "public_client": seed.PUBLIC,
        "first_refresh_token": emulator.add_refresh_token(seed.PUBLIC),
        "state_dir": str(directory / "state"),
        "vault_cache_key": "made-up~random-key-of-a-shared-cache",
        "user": "user0001@contoso.example",
        "group": "00000000-0000-4000-8000-000000000000",
        "drive": "documents",
        "subscription": seed.CONTOSO.subscriptions[0].id,
        "virtual_machine_id": seed.resource_id("Microsoft.Compute/virtualMachines/web-1"),
        "graph_url": emulator.urls.api,
        "arm_url": emulator.urls.api,
    }


@contextlib.contextmanager
def somebody_there(emulator: Emulator, *actions: str) -> t.Iterator[None]:
    """A person who does with each code, once a play waits for that, the next of the actions; the last one for good."""
    emulator.configure(device_code_interval=1)
    gone = threading.Event()

    def decide() -> None:
        left = collections.deque(actions)
        while not gone.wait(0.2):
            for code in emulator.device_codes():
                if code["state"] == "pending" and code["polls"]:
                    emulator.decide_device_code(code["user_code"], left.popleft() if len(left) > 1 else left[0])

    person = threading.Thread(target=decide)
    person.start()
    try:
        yield
    finally:
        gone.set()
        person.join()


def examples(document: Path) -> list[Block]:
    """The blocks of a document that a reader could paste into a playbook or an inventory."""
    return [block for block in blocks(document) if block.is_yaml and not block.not_run]


def as_plays(block: Block, host: str) -> list[dict[str, t.Any]]:
    """A block as plays: it holds plays, tasks, or variables for a task that needs no options."""
    content = block.content
    if isinstance(content, dict):
        plays: list[dict[str, t.Any]] = [{"vars": content, "tasks": [{"entra.auth.app_token": {}}]}]
    elif "hosts" in content[0]:
        plays = content
    else:
        plays = [{"tasks": content}]
    return [{**play, "hosts": host, "name": block.place} for play in plays]


@pytest.fixture(scope="module")
def certificate() -> Issued:
    """Made once: keys take their time."""
    return issue("my-automation")


def written(documents: t.Iterable[Path]) -> list[dict[str, t.Any]]:
    """All examples as plays. Each document has a host of its own, so facts stay apart."""
    return [
        play
        for number, document in enumerate(documents, 1)
        for block in examples(document)
        for play in as_plays(block, f"h{number:03}")
    ]


def test_every_example_runs(emulator: Emulator, certificate: Issued, tmp_path: Path) -> None:
    """As it stands, and without a secret or a token in the output. All groups at once, to be done sooner."""
    trust(emulator, certificate)
    with contextlib.ExitStack() as stack:
        stack.enter_context(somebody_there(emulator, "approve"))
        redis_url = stack.enter_context(RedisServer(tmp_path)).url
        running = {}
        for number, (name, group) in enumerate(GROUPS.items()):
            directory = tmp_path / f"group{number}"
            directory.mkdir()
            own = variables(emulator, certificate, directory)
            env = {**group.env(emulator), "ANSIBLE_STDOUT_CALLBACK": "default"}
            documents = sorted(group.documents)
            plays = Plays(directory, emulator)
            own["redis_url"] = redis_url
            running[name] = stack.enter_context(plays.start(written(documents), hosts=len(documents), env=env, **own))
        finished = {name: play.finish() for name, play in running.items()}
    for name, play in finished.items():
        assert play.returncode == 0, f"{name}:\n{play.output}"
        assert emulator.client_secret not in play.output
        assert "eyJ" not in play.output
    assert [code["state"] for code in emulator.device_codes()] == ["redeemed"]
    assert [entry["status"] for entry in emulator.token_requests() if entry["requested_claims"]] == [200]


def test_every_document_is_in_a_group_and_has_examples() -> None:
    """A new guide, role or plugin is run as well."""
    assert set().union(*(group.documents for group in GROUPS.values())) == _DOCUMENTS
    without = [_RST / f"guide_{name}.rst" for name in ("benchmarks", "comparison", "design", "threat_model")]
    assert [document for document in sorted(_DOCUMENTS) if not examples(document)] == without


def test_no_block_is_left_out_silently() -> None:
    """A block runs, is a message that a test shows, or says why it does not run; and of those the number is known."""
    every = [block for document in sorted(_DOCUMENTS) for block in blocks(document)]
    for block in every:
        assert block.is_yaml or block.not_run or block.shown_by, f"{block.place} is neither run nor marked"
        if block.is_yaml:
            assert block.content, block.place
    skipped = [block for block in every if block.not_run]
    print(*(f"not run: {block.place}: {block.not_run}" for block in skipped), sep="\n")
    assert collections.Counter(block.place.partition(":")[0] for block in skipped) == NOT_RUN


# --- messages ---------------------------------------------------------------------------------------------------

_NAMES = ("tenant_id", "client_id", "client_secret")


def token(client_id: str = seed.READER, client_secret: str = seed.AWKWARD_SECRET, **options: t.Any) -> dict[str, t.Any]:
    """A token task; an empty value counts as not given."""
    own = {"tenant_id": seed.CONTOSO.id, "client_id": client_id, "client_secret": client_secret}
    return {"entra.auth.app_token": {**own, **options}}


def call(url: str, client_id: str, client_secret: str) -> dict[str, t.Any]:
    """A call by the role authorized_uri."""
    own = {"tenant_id": seed.CONTOSO.id, "client_id": client_id, "client_secret": client_secret}
    return role("authorized_uri", authorized_uri_url=url, **{f"app_token_{name}": own[name] for name in _NAMES})


def mishaps(emulator: Emulator, certificate: Issued, directory: Path) -> dict[str, dict[str, t.Any]]:
    """The tasks that show the messages, by the names in the ``shown by`` marks."""
    return {
        **_of_the_app(emulator),
        **_of_certificates(emulator, certificate, directory),
        **_of_assertions(emulator, directory),
        **_of_the_host(emulator),
        **_of_users(emulator, directory),
    }


def _of_the_app(emulator: Emulator) -> dict[str, dict[str, t.Any]]:
    return {
        "missing": token(tenant_id="", client_secret=""),
        "missing_secret": token(client_secret="", credential="client_secret"),
        "empty_client": token("my automation"),
        "wrong_secret": token(client_secret="7c0e3c1d-5a52-4b9f-9a0e-2f6b1d3c4e5f"),
        "expired_secret": token(seed.EXPIRED, "made-up~secret-of-expired"),
        "unknown_app": token("aaaaaaaa-0000-4000-8000-0000000000ff"),
        "unknown_tenant": token(tenant_id="33333333-3333-4333-8333-333333333333"),
        "mistyped_scope": token(scope="grpah"),
        "unknown_resource": token(scope="https://api.unknown.example"),
        "unknown_ca": token(ca_path=certifi.where()),
        "unreachable": token(authority="https://localhost:1", retry_for=0),
        "proxy_refused": token(authority="https://login.microsoftonline.com", proxy="http://localhost:1", retry_for=0),
        "portal": token(seed.NO_SERVICE_PRINCIPAL),
        "throttled": token(seed.DISABLED, retry_for=5),
        "missing_role": token(required_roles=["User.Read.All", "Mail.Send"]),
        "forbidden": call("/v1.0/users", seed.NO_ROLES, "made-up~secret-of-no-roles"),
        "foreign_host": call(f"{emulator.urls.foreign}/collect", seed.READER, seed.AWKWARD_SECRET),
    }


def _of_certificates(emulator: Emulator, certificate: Issued, directory: Path) -> dict[str, dict[str, t.Any]]:
    client_id = emulator.add_app(certificates=[certificate.certificate_pem])["client_id"]
    expired = issue("my-automation", certificate.key, days=(-10, -5))
    other = issue("another", certificate.key)
    another_key = issue("another")
    encrypted = certificate.pem(PASSWORD)
    given: dict[str, dict[str, str]] = {
        "certificate_encrypted": {"client_certificate": encrypted},
        "certificate_wrong_password": {"client_certificate": encrypted, "client_certificate_password": "made-up~wrong"},
        "certificate_without_key": {"client_certificate": certificate.certificate_pem},
        "certificate_of_another_key": {"client_certificate": certificate.key_pem() + another_key.certificate_pem},
        "certificate_expired": {"client_certificate": expired.pem()},
        "certificate_file_missing": {"client_certificate_path": str(directory / "nowhere.pem")},
        "certificate_unknown": {"client_certificate": other.pem()},
    }
    return {name: token(client_id, "", **options) for name, options in given.items()}


def _of_assertions(emulator: Emulator, directory: Path) -> dict[str, dict[str, t.Any]]:
    federated = [{"issuer": GITHUB, "subject": "repo:contoso/playbooks:ref:refs/heads/main", "audience": AUDIENCE}]
    client_id = emulator.add_app(federated=federated)["client_id"]
    elsewhere = emulator.mint_assertion(GITHUB, "repo:contoso/playbooks:pull_request", AUDIENCE, lifetime=3600)
    stranger = emulator.mint_assertion(f"{ISSUER}/", SUBJECT, AUDIENCE, lifetime=3600)
    old = emulator.mint_assertion(GITHUB, federated[0]["subject"], AUDIENCE, lifetime=-60)
    given: dict[str, dict[str, t.Any]] = {
        "assertion_of_another_subject": {"federated_token": elsewhere, "retry_for": 0},
        "assertion_of_another_issuer": {"federated_token": stranger, "retry_for": 0},
        "assertion_expired": {"federated_token": old},
        "assertion_file_missing": {"federated_token_file": str(directory / "nowhere/token")},
        "github_without_permission": {"federated_token_source": "github_actions"},
        "pipelines_without_connection": {"federated_token_source": "azure_pipelines"},
    }
    return {name: token(client_id, "", **options) for name, options in given.items()}


def _of_the_host(emulator: Emulator) -> dict[str, dict[str, t.Any]]:
    azure = {"environment": emulator.managed_identity_environment("imds")}
    identity = {"credential": "managed_identity", "managed_identity_client_id": seed.NO_ROLES}
    return {
        "identity_not_here": {"entra.auth.app_token": {"credential": "managed_identity", "retry_for": 0}},
        "identity_unknown": {"entra.auth.app_token": {**identity, "run_on": "target"}, **azure},
        # Of an API that no other task requests: a token from the cache needs no Python on the host.
        "target_without_python": {
            "entra.auth.app_token": {"run_on": "target", "scope": "key_vault"},
            "vars": {"ansible_python_interpreter": "/nowhere/python3"},
        },
        "secret_on_target": token(credential="client_secret", run_on="target"),
    }


def _of_users(emulator: Emulator, directory: Path) -> dict[str, dict[str, t.Any]]:
    confidential = emulator.add_refresh_token(seed.CONFIDENTIAL)
    public = emulator.add_refresh_token(seed.PUBLIC)
    idle = emulator.add_refresh_token(seed.PUBLIC, refused_with=700082)
    another = emulator.add_app(public=True)["client_id"]
    missing = {"credential": "refresh_token", "refresh_token_file": str(directory / "user_refresh_token")}
    return {
        "refresh_token_refused": token(seed.PUBLIC, "", refresh_token="cut-short"),
        "refresh_token_expired": token(seed.PUBLIC, "", refresh_token=idle),
        "refresh_token_of_another_app": token(another, "", refresh_token=public),
        "refresh_token_file_missing": token(seed.PUBLIC, "", **missing),
        "public_app_with_secret": token(seed.PUBLIC, refresh_token=public),
        "confidential_app_without_secret": token(seed.CONFIDENTIAL, "", refresh_token=confidential),
        # In the order in which a person decides about them.
        "sign_in_declined": token(seed.PUBLIC, "", credential="device_code"),
        # Forced, because a person is asked once in a run.
        "sign_in_too_late": token(seed.PUBLIC, "", credential="device_code", force_refresh=True),
        "device_code_of_confidential_app": token(seed.CONFIDENTIAL, "", credential="device_code"),
    }


def test_every_message_in_the_guides_is_real(plays: Plays, emulator: Emulator, certificate: Issued) -> None:
    """What a guide quotes is what a user sees, but for ids, host names and what it leaves out with an ellipsis."""
    emulator.fault("status", client_id=seed.DISABLED, status=429, retry_after=60, times=None)
    emulator.fault("status", client_id=seed.NO_SERVICE_PRINCIPAL, status=200, body="<html>Sign in</html>", times=None)
    guide = {block.shown_by: block for document in GUIDES for block in blocks(document) if block.shown_by}
    tasks = mishaps(emulator, certificate, plays.directory)
    assert guide.keys() == tasks.keys()
    show = "{{ ansible_failed_result.msg }}"
    rescued = [
        {"name": name, "block": [task], "rescue": [{"name": name, "ansible.builtin.debug": {"msg": show}}]}
        for name, task in tasks.items()
    ]
    env: dict[str, str | None] = {f"ENTRA_AUTH_{name.upper()}": None for name in _NAMES}
    env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = "http://127.0.0.1:1"
    with somebody_there(emulator, "decline", "expire"):
        play = plays.run([{"tasks": rescued}], record=True, env=env)
    assert play.returncode == 0, play.output
    shown = {name: _with_real_hosts(str(play.result(name)["msg"]), emulator) for name in guide}
    wrong = [name for name, block in guide.items() if not _pattern(block.text).fullmatch(shown[name])]
    assert not wrong, "\n".join(f"{guide[name].place} quotes\n{guide[name].text}for\n{shown[name]}\n" for name in wrong)


def _with_real_hosts(message: str, emulator: Emulator) -> str:
    names = {
        emulator.urls.login: "login.microsoftonline.com",
        emulator.urls.api: "graph.microsoft.com",
        emulator.urls.foreign: "api.example.com",
        "https://localhost:1": "login.microsoftonline.com",
        "http://127.0.0.1:1": "169.254.169.254",
    }
    for url, host in sorted(names.items(), reverse=True):
        message = message.replace(url.partition("://")[2], host)
    return " ".join(message.replace("h001", "web-1").split())


def _pattern(text: str) -> re.Pattern[str]:
    parts = (re.escape(part.strip()) for part in " ".join(text.split()).split("…"))
    return re.compile(r"\s*.*?\s*".join(parts), re.DOTALL)


def test_awx_built_in_credential_suffices(plays: Plays, emulator: Emulator) -> None:
    """The README says that there is nothing else to set up."""
    awx: dict[str, str | None] = {f"ENTRA_AUTH_{name.upper()}": None for name in _NAMES}
    awx |= {
        "AZURE_CLIENT_ID": emulator.client_id,
        "AZURE_TENANT": emulator.tenant_id,
        "AZURE_SECRET": emulator.client_secret,
        "AZURE_SUBSCRIPTION_ID": "c0000000-0000-4000-8000-000000000001",
        "AZURE_CLOUD_ENVIRONMENT": "",
    }
    play = plays.run([{"tasks": [{"entra.auth.app_token": {}}]}], env=awx)
    assert play.returncode == 0, play.output
