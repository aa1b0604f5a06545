# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation runs, and every message in it is one that a user sees."""

from __future__ import annotations

import collections
import re
import typing as t

import certifi
import pytest
from documents import GUIDES, README, ROLE_READMES, ROOT, Block, blocks, plugins

from entra_emulator import seed
from plays import role

if t.TYPE_CHECKING:
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Plays

# A block that is marked as not run is counted here, so that none drops out unnoticed.
NOT_RUN = {
    "README.md": 6,
    "docs/docsite/rst/guide_from_powershell.rst": 3,
    "docs/docsite/rst/guide_getting_started.rst": 7,
    "docs/docsite/rst/guide_header_patterns.rst": 1,
    "docs/docsite/rst/guide_refresh_tokens.rst": 1,
    "roles/authorized_uri/README.md": 1,
}

# A public app must not send a secret: these run without one in the environment.
WITHOUT_SECRET = {
    ROOT / "docs/docsite/rst/guide_from_powershell.rst",
    ROOT / "docs/docsite/rst/guide_refresh_tokens.rst",
    ROOT / "plugins/modules/app_token.py",
}
_DOCUMENTS = {README, *ROLE_READMES, *GUIDES, *plugins()}
GROUPS = {
    "readmes": {README, *ROLE_READMES},
    "guides and plugins": _DOCUMENTS - WITHOUT_SECRET - {README, *ROLE_READMES},
    "without a secret in the environment": WITHOUT_SECRET,
}


def variables(emulator: Emulator, directory: Path) -> dict[str, str]:
    """What the examples take from the reader's own variables."""
    (directory / "state").mkdir()
    return {
        "tenant": emulator.tenant_id,
        "client": emulator.client_id,
        "secret": emulator.client_secret,
        "vault_app_secret": emulator.client_secret,
        "wrong_secret": "not-the-secret-of-this-app",
        "other_client": seed.NO_ROLES,
        "other_secret": "made-up~secret-of-no-roles",
        "public_client": seed.PUBLIC,
        "first_refresh_token": emulator.add_refresh_token(seed.PUBLIC),
        "state_dir": str(directory / "state"),
        "graph_url": emulator.urls.api,
        "arm_url": emulator.urls.api,
    }


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


@pytest.mark.parametrize("group", GROUPS)
def test_every_example_runs(group: str, plays: Plays, emulator: Emulator, tmp_path: Path) -> None:
    """As it stands, and without a secret or a token in the output. Each document has a host, so facts stay apart."""
    documents = sorted(GROUPS[group])
    written = [
        play
        for number, document in enumerate(documents, 1)
        for block in examples(document)
        for play in as_plays(block, f"h{number:03}")
    ]
    env = {"ENTRA_AUTH_CLIENT_SECRET": None} if documents[0] in WITHOUT_SECRET else {}
    play = plays.run(written, hosts=len(documents), env=env, **variables(emulator, tmp_path))
    assert play.returncode == 0, play.output
    assert emulator.client_secret not in play.output
    assert "eyJ" not in play.output


def test_every_document_is_in_a_group_and_has_examples() -> None:
    """A new guide, role or plugin is run as well."""
    assert set().union(*GROUPS.values()) == _DOCUMENTS
    design = ROOT / "docs/docsite/rst/guide_design.rst"
    assert [document for document in sorted(_DOCUMENTS) if not examples(document)] == [design]


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


def mishaps(emulator: Emulator) -> dict[str, dict[str, t.Any]]:
    """The tasks that show the messages, by the names in the ``shown by`` marks."""
    confidential = emulator.add_refresh_token(seed.CONFIDENTIAL)
    public = emulator.add_refresh_token(seed.PUBLIC)
    return {
        "missing": token(tenant_id="", client_secret=""),
        "wrong_secret": token(client_secret="00000000-0000-4000-8000-00000000000f"),
        "expired_secret": token(seed.EXPIRED, "made-up~secret-of-expired"),
        "unknown_app": token("aaaaaaaa-0000-4000-8000-0000000000ff"),
        "unknown_tenant": token(tenant_id="33333333-3333-4333-8333-333333333333"),
        "mistyped_scope": token(scope="grpah"),
        "unknown_resource": token(scope="https://api.nobody.example"),
        "unknown_ca": token(ca_path=certifi.where()),
        "unreachable": token(authority="https://localhost:1", retry_for=0),
        "portal": token(seed.NO_SERVICE_PRINCIPAL),
        "throttled": token(seed.DISABLED, retry_for=5),
        "missing_role": token(required_roles=["User.Read.All", "Mail.Send"]),
        "forbidden": call("/v1.0/users", seed.NO_ROLES, "made-up~secret-of-no-roles"),
        "foreign_host": call(f"{emulator.urls.foreign}/collect", seed.READER, seed.AWKWARD_SECRET),
        "refresh_token_refused": token(seed.PUBLIC, "", refresh_token="cut-short"),
        "public_app_with_secret": token(seed.PUBLIC, refresh_token=public),
        "confidential_app_without_secret": token(seed.CONFIDENTIAL, "", refresh_token=confidential),
    }


def test_every_message_in_the_guide_is_real(plays: Plays, emulator: Emulator) -> None:
    """What the guide quotes is what a user sees, but for ids, host names and what it leaves out with an ellipsis."""
    emulator.fault("status", client_id=seed.DISABLED, status=429, retry_after=60, times=None)
    emulator.fault("status", client_id=seed.NO_SERVICE_PRINCIPAL, status=200, body="<html>Sign in</html>", times=None)
    guide = {block.shown_by: block for document in GUIDES for block in blocks(document) if block.shown_by}
    tasks = mishaps(emulator)
    assert guide.keys() == tasks.keys()
    show = "{{ ansible_failed_result.msg }}"
    written = [
        {"name": name, "block": [task], "rescue": [{"name": name, "ansible.builtin.debug": {"msg": show}}]}
        for name, task in tasks.items()
    ]
    nothing_set = {f"ENTRA_AUTH_{name.upper()}": None for name in _NAMES}
    play = plays.run([{"tasks": written}], record=True, env=nothing_set)
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
    }
    for url, host in sorted(names.items(), reverse=True):
        message = message.replace(url.partition("://")[2], host)
    return " ".join(message.split())


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
