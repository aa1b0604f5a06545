# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook entra.auth.awx_setup with the modules of awx.awx, against a server with the API of AWX."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from awx_api import TOKEN, AwxApi
from awx_jobs import CREDENTIAL_TYPES

from plays import COLLECTIONS, PACKAGED

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from plays import Play, Plays

_PATHS: t.Final = f"{COLLECTIONS}:{PACKAGED}"
_ORGANIZATION: t.Final = "Contoso"


class Setup:
    """Runs the playbook with an AWX that has an organization, a project, an inventory and a credential."""

    def __init__(self, plays: Plays, awx: AwxApi) -> None:
        assert PACKAGED.is_dir(), "The collection awx.awx is not here: .build/tools/bin/nox -s awx"
        self._plays = plays
        self.awx = awx
        self.organization = awx.add("organizations", name=_ORGANIZATION)
        self.project = awx.add("projects", name="Playbooks", organization=self.organization)
        self.inventory = awx.add("inventories", name="Demo Inventory")
        self.credential = awx.add("credentials", name="Reader")
        self.environment = awx.add("execution_environments", name="Control Plane")

    def run(self, *variables: dict[str, t.Any], **env: str) -> Play:
        """Run it as a user does, by its full name: once for each set of variables, in one run of Ansible."""
        own = {"awx_setup_organization": _ORGANIZATION}
        imports = [{"import_playbook": "entra.auth.awx_setup", "vars": {**own, **given}} for given in variables]
        names = {
            "ANSIBLE_COLLECTIONS_PATH": _PATHS,
            "CONTROLLER_HOST": self.awx.url,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
        }
        play = self._plays.run(json.dumps(imports), "-vvv", env={**names, **env})
        assert TOKEN not in play.output
        return play


@pytest.fixture
def setup(plays: Plays) -> Iterator[Setup]:
    """The playbook, ready to run."""
    with AwxApi() as awx:
        yield Setup(plays, awx)


def test_it_creates_what_the_variables_name_and_nothing_again(setup: Setup) -> None:
    """The types letter by letter as they are shipped, the execution environment, and the job template with both."""
    names = {"awx_setup_image": "registry.example.com/entra:1", "awx_setup_project": "Playbooks"}
    variables = {**names, "awx_setup_credentials": ["Reader"]}
    play = setup.run(variables, variables)
    assert play.returncode == 0, play.output
    shipped = {path: yaml.safe_load(path.read_text()) for path in CREDENTIAL_TYPES.glob("*.yml")}
    created = {item["name"]: item for item in setup.awx.find("credential_types")}
    assert len(created) == len(shipped) == 5
    for given in shipped.values():
        assert created[given["name"]].items() >= {**given, "managed": False}.items()
    *_other, environment = setup.awx.find("execution_environments")
    own = {"organization": setup.organization}
    image = {"image": "registry.example.com/entra:1", "pull": "missing"}
    assert environment.items() >= {"name": "entra.auth", **image, **own}.items()
    (template,) = setup.awx.find("job_templates")
    wanted = {"playbook": "entra_report.yml", "project": setup.project, "inventory": setup.inventory, **own}
    assert template.items() >= {**wanted, "name": "Entra report", "job_slice_count": 1}.items()
    assert template["execution_environment"] == environment["id"]
    assert template["credentials"] == [setup.credential]
    # Five types, the environment, the job template and its credential: the second time nothing was left to do.
    assert [change.method for change in setup.awx.changes] == ["POST"] * 8


def test_it_brings_a_type_up_to_date(setup: Setup) -> None:
    """Only those types that are asked for are touched, and only one that differs from what is shipped."""
    name = "Microsoft Entra app, federated"
    number = setup.awx.add("credential_types", name=name, kind="cloud", description="Of an older version")
    play = setup.run({"awx_setup_credential_types": ["federated"]})
    assert play.returncode == 0, play.output
    assert [(change.method, change.kind) for change in setup.awx.changes] == [("PATCH", f"credential_types/{number}")]
    (updated,) = setup.awx.find("credential_types")
    shipped = yaml.safe_load((CREDENTIAL_TYPES / "federated.yml").read_text())
    assert updated.items() >= shipped.items()


def test_an_environment_that_exists_can_be_named(setup: Setup) -> None:
    """Without an image, or with an empty one, nothing is created, and without a name it is left to AWX."""
    common = {"awx_setup_credential_types": [], "awx_setup_project": "Playbooks"}
    named = ({"awx_setup_execution_environment": "Control Plane"}, {}, {"awx_setup_image": ""})
    play = setup.run(*({**common, "awx_setup_job_template": str(n), **given} for n, given in enumerate(named)))
    assert play.returncode == 0, play.output
    assert [change.kind for change in setup.awx.changes] == ["job_templates"] * 3
    chosen = [change.body.get("execution_environment") for change in setup.awx.changes]
    assert chosen == [setup.environment, None, None]


def test_it_says_what_is_missing(setup: Setup) -> None:
    """One sentence with the fix in place of a parser's error."""
    play = setup.run({}, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
    assert play.returncode == 2
    assert "The collection awx.awx is not installed here. To fix it: Run " in play.output
    assert "couldn't resolve" not in play.output


def test_it_finds_the_collection_beside_ansible(setup: Setup) -> None:
    """Ansible loads collections from the path of its Python too."""
    one = {"awx_setup_credential_types": ["federated"]}
    play = setup.run(one, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), PYTHONPATH=str(PACKAGED))
    assert play.returncode == 0, play.output
    assert setup.awx.changes
