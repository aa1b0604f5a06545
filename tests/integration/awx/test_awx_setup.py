# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook entra.auth.awx_setup, with modules in place of those of awx.awx that check and record what they get."""

from __future__ import annotations

import json
import operator
import typing as t
from pathlib import Path

import pytest
import yaml
from awx_jobs import CREDENTIAL_TYPES

from plays import COLLECTIONS

if t.TYPE_CHECKING:
    from plays import Play, Plays

_MODULE: t.Final = """\
import json
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec=json.loads({spec!r}), supports_check_mode=True)
given = {{name: value for name, value in module.params.items() if value is not None}}
with open({record!r}, "a") as record:
    record.write(json.dumps([{name!r}, given]) + "\\n")
module.exit_json(changed=True)
"""


class Setup:
    """Runs the playbook with the stand-ins installed."""

    def __init__(self, plays: Plays) -> None:
        self._plays = plays
        self._collections = plays.directory / "collections"
        self._record = plays.directory / "record"
        folder = self._collections / "ansible_collections/awx/awx/plugins/modules"
        folder.mkdir(parents=True)
        modules = yaml.safe_load(Path(__file__).with_name("awx_modules.yml").read_text())
        common = modules.pop("every_module")
        for name, spec in modules.items():
            text = json.dumps({**common, **spec})
            (folder / f"{name}.py").write_text(_MODULE.format(spec=text, record=str(self._record), name=name))

    def run(self, *, without_awx: bool = False, **variables: t.Any) -> Play:
        """Run it as a user does, by its full name, with extra variables."""
        paths = COLLECTIONS if without_awx else f"{COLLECTIONS}:{self._collections}"
        env: dict[str, str | None] = {"ANSIBLE_COLLECTIONS_PATH": str(paths)}
        extra = json.dumps(variables)
        return self._plays.run("- import_playbook: entra.auth.awx_setup\n", "--extra-vars", extra, env=env)

    def run_beside_ansible(self) -> Play:
        """Run it where the collection is in the path of Python alone, as an execution environment may have it."""
        env = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "PYTHONPATH": str(self._collections)}
        return self._plays.run("- import_playbook: entra.auth.awx_setup\n", env=env)

    def run_each(self, *variables: dict[str, t.Any]) -> Play:
        """Run it once for each set of variables, imported into one playbook."""
        imports = [{"import_playbook": "entra.auth.awx_setup", "vars": given} for given in variables]
        env = {"ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{self._collections}"}
        return self._plays.run(json.dumps(imports), env=env)

    def asked(self) -> list[tuple[str, dict[str, t.Any]]]:
        """Every module that ran, with its arguments."""
        return list(map(json.loads, self._record.read_text().splitlines()))


@pytest.fixture
def setup(plays: Plays) -> Setup:
    """The playbook, ready to run."""
    return Setup(plays)


def test_it_creates_what_the_variables_name(setup: Setup) -> None:
    """The types letter by letter as they are shipped, the execution environment, and the job template with both."""
    names = {"awx_setup_credentials": ["Reader"], "awx_setup_organization": "Contoso"}
    play = setup.run(awx_setup_image="registry.example.com/entra:1", awx_setup_project="Playbooks", **names)
    assert play.returncode == 0, play.output
    *types, (kind, environment), (last, template) = setup.asked()
    assert [name for name, _given in types] == ["credential_type"] * 5
    shipped = [{**yaml.safe_load(path.read_text()), "state": "present"} for path in CREDENTIAL_TYPES.glob("*.yml")]
    by_name = operator.itemgetter("name")
    assert sorted((given for _name, given in types), key=by_name) == sorted(shipped, key=by_name)
    assert (kind, last) == ("execution_environment", "job_template")
    own = {"state": "present", "organization": "Contoso"}
    assert environment.items() >= {"name": "entra.auth", "image": "registry.example.com/entra:1", **own}.items()
    wanted = {"project": "Playbooks", "playbook": "entra_report.yml", "inventory": "Demo Inventory", **own}
    assert template.items() >= {**wanted, "name": "Entra report", "job_slice_count": 1}.items()
    assert template["execution_environment"] == "entra.auth"
    assert template["credentials"] == ["Reader"]


def test_it_creates_the_types_alone_where_nothing_else_is_named(setup: Setup) -> None:
    """And only those that are asked for."""
    play = setup.run(awx_setup_credential_types=["federated"])
    assert play.returncode == 0, play.output
    assert [(name, given["name"]) for name, given in setup.asked()] == [
        ("credential_type", "Microsoft Entra app, federated")
    ]


def test_an_environment_that_exists_can_be_named(setup: Setup) -> None:
    """Without an image, or with an empty one, nothing is created, and without a name it is left to AWX."""
    common = {"awx_setup_credential_types": [], "awx_setup_project": "Playbooks"}
    named = ({"awx_setup_execution_environment": "Control Plane"}, {}, {"awx_setup_image": ""})
    play = setup.run_each(*({**common, **variables} for variables in named))
    assert play.returncode == 0, play.output
    assert [name for name, _given in setup.asked()] == ["job_template"] * 3
    chosen = [given.get("execution_environment") for _name, given in setup.asked()]
    assert chosen == ["Control Plane", None, None]


def test_it_says_what_is_missing(setup: Setup) -> None:
    """One sentence with the fix in place of a parser's error."""
    play = setup.run(without_awx=True)
    assert play.returncode == 2
    assert "The collection awx.awx is not installed here. To fix it: Run " in play.output
    assert "couldn't resolve" not in play.output


def test_it_finds_the_collection_beside_ansible(setup: Setup) -> None:
    """Ansible loads collections from the path of its Python too."""
    play = setup.run_beside_ansible()
    assert play.returncode == 0, play.output
    assert setup.asked()
