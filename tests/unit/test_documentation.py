# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README, the guides and the roles' pages say must be what the code says."""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

import pytest
import yaml
from documents import GUIDES, README, ROLE_READMES, ROOT

from ansible_collections.entra.auth.plugins.plugin_utils._credentials.registry import CREDENTIALS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS

if t.TYPE_CHECKING:
    from pathlib import Path

_REPOSITORY = "https://github.com/entra-auth/entra.auth"
_RAW = "https://raw.githubusercontent.com/entra-auth/entra.auth"
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<rest>.*) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")

_SECRETS = {name for name, option in OPTIONS.items() if option.secret}

# What certified content asks of a README, in this order.
_SECTIONS = [
    "Description",
    "Requirements",
    "Installation",
    "Quick start",
    "Which to use",
    "Use cases",
    "Configuration",
    "What is kept secret",
    "Questions",
    "Guides",
    "Communication",
    "Testing",
    "Contributing",
    "Support",
    "Release notes and versioning",
    "Code of conduct",
    "License",
]


def section(heading: str) -> str:
    """The text of the README under a heading, up to the next one of any level."""
    return re.split(rf"^#+ {heading}$", README.read_text(), flags=re.MULTILINE)[1].split("\n## ")[0].split("\n### ")[0]


def rows(text: str) -> dict[str, str]:
    """Tables whose first column is one name in code: the rest of each row by that name."""
    return {match["name"]: match["rest"] for match in _ROW.finditer(text)}


def specified(readme: Path) -> dict[str, t.Any]:
    """The options in a role's argument_specs."""
    specs = yaml.safe_load((readme.parent / "meta/argument_specs.yml").read_text())
    return t.cast("dict[str, t.Any]", specs["argument_specs"]["main"]["options"])


def test_readme_has_the_certified_sections() -> None:
    """In their order, and no other at that level."""
    assert re.findall(r"^## (.+)$", README.read_text(), re.MULTILINE) == _SECTIONS


@pytest.mark.parametrize("page", [README, *ROLE_READMES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_are_absolute_and_lead_somewhere(page: Path) -> None:
    """Galaxy shows these pages elsewhere; what they link to in the repository is there."""
    for match in _LINK.finditer(page.read_text()):
        target = match["target"]
        if target.startswith("#"):
            heading = target[1:].replace("-", " ")
            assert re.search(rf"^#+ {heading}$", page.read_text(), re.MULTILINE | re.IGNORECASE), target
            continue
        assert target.startswith("https://"), target
        path = re.match(rf"(?:{_REPOSITORY}/blob|{_RAW})/main/(.*)", target)
        assert path is None or (ROOT / path[1]).exists(), target


def test_readme_is_short_and_begins_with_what_to_do() -> None:
    """The anchors of the field have 7,000 to 9,500 characters; the first token stands above the fold."""
    lines = README.read_text().splitlines()
    assert len(lines) <= 240
    assert lines.index("## Quick start") < 60
    (example,) = [number for number, line in enumerate(lines) if "entra.auth.api_request:" in line]
    assert example < 90


def test_readme_leads_to_every_entry_point() -> None:
    table = section("Which to use")
    for name in ("api_request", "app_token", "authorized_uri", "preflight"):
        assert f"[`entra.auth.{name}`]" in table


def test_every_guide_is_listed() -> None:
    """In the site's table of contents and in the README."""
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text())["sections"]
    listed = [name for entry in sections for name in entry["toctree"]]
    assert sorted(listed) == [guide.stem for guide in GUIDES]
    # The site's own index has the same groups.
    index = (ROOT / "tools/docs_index.rst").read_text()
    groups = re.findall(r":caption: (.+)\n   :maxdepth: 1\n\n((?:   .+\n)+)", index)
    shown = {title: [name[8:] for name in names.split() if name.startswith("docsite/")] for title, names in groups}
    assert {entry["title"]: entry["toctree"] for entry in sections} == {
        name: ones for name, ones in shown.items() if ones
    }
    pages = README.read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    # The site has the guides in the folder docsite.
    linked = re.findall(r"entra-auth\.github\.io/entra\.auth/([^)\s]+)", pages)
    assert linked
    assert set(linked) <= {f"docsite/{name}.html" for name in listed}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_begins_with_its_label(guide: Path) -> None:
    """The label by which other pages refer to it."""
    assert f"\n.. _ansible_collections.entra.auth.docsite.{guide.stem}:\n" in guide.read_text()


def test_readme_has_every_role() -> None:
    """A role without a page of its own is not documented."""
    assert [page.parent.name for page in ROLE_READMES] == sorted(path.name for path in ROOT.glob("roles/*"))


@pytest.mark.parametrize("readme", ROLE_READMES, ids=lambda readme: readme.parent.name)
def test_a_role_page_has_every_variable(readme: Path) -> None:
    """The table of variables has exactly those of the argument_specs, with their types and defaults."""
    table = rows(readme.read_text().split("## Variables")[1].split("\n## ")[0])
    options = specified(readme)
    assert list(table) == list(options)
    for name, spec in options.items():
        kind, default = (column.strip() for column in table[name].split("|")[:2])
        assert kind.split(",")[0] == _kind(name, spec), name
        assert ("required" in kind) == spec.get("required", False), name
        assert ("secret" in kind) == (name.removeprefix("app_token_") in _SECRETS), name
        if "default" in spec:
            assert default == f"`{_as_text(spec['default'])}`", name


def _kind(name: str, spec: t.Mapping[str, t.Any]) -> str:
    # The role app_token leaves types to the module, which takes an empty value for none; its page tells what they are.
    option = OPTIONS.get(name.removeprefix("app_token_"))
    kind = option.type if option else spec["type"]
    return f"list of {spec.get('elements', 'str')}" if kind == "list" else str(kind)


def _as_text(value: t.Any) -> str:
    if isinstance(value, (list, dict)):
        return yaml.safe_dump(value, default_flow_style=True).strip()
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_defaults_of_the_app_token_role_are_those_of_the_options() -> None:
    """Its page shows in brackets what counts where nothing is set."""
    table = rows((ROOT / "roles/app_token/README.md").read_text())
    for name, option in OPTIONS.items():
        row = table.get(f"app_token_{name}")
        if row is None or option.default is None:
            continue
        default = option.default
        value = default[0] if isinstance(default, list) and default else default
        text = f"{value:g}" if isinstance(value, float) else _as_text(value)
        assert f"| (`{text}`) |" in f"| {row} |", name


def test_the_guide_names_every_credential() -> None:
    guide = (ROOT / "docs/docsite/rst/guide_credentials.rst").read_text()
    assert set(re.findall(r"^``(\w+)``$", guide, re.MULTILINE)) == set(CREDENTIALS)


def test_readme_has_the_common_variables_of_other_tools() -> None:
    """The three common options are in the table, with all of their variables in their order."""
    table = {name: _CODE.findall(rest) for name, rest in rows(section("Configuration")).items() if name != "option"}
    assert table == {name: list(OPTIONS[name].vendor_env) for name in ("tenant_id", "client_id", "client_secret")}


def test_readme_names_the_tested_cores() -> None:
    """Those that the sessions run on."""
    cores = re.findall(r'^        Core\("([0-9.]+)"', (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    assert re.findall(r"\b2\.\d\d\b", section("Testing")) == cores


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/images").glob("*.svg")), ids=lambda picture: picture.stem)
def test_a_picture_is_drawn_for_light_and_dark(picture: Path) -> None:
    """Well-formed, with a text for who can't see it, and colours for both; and some page shows it."""
    root = ElementTree.parse(picture).getroot()  # noqa: S314 - our own file
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert "prefers-color-scheme: dark" in picture.read_text()
    shown = (f"{_RAW}/main/docs/images/{picture.name}", f"../../images/{picture.name}")
    assert any(name in page.read_text() for name in shown for page in (README, *GUIDES))


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/images").glob("*.svg")), ids=lambda picture: picture.stem)
def test_a_picture_can_be_read_on_a_phone(picture: Path) -> None:
    """Where it is shown 390 pixels wide, no letter is less than 11 pixels high."""
    text = picture.read_text()
    width = float(ElementTree.parse(picture).getroot().attrib["viewBox"].split()[2])  # noqa: S314 - our own file
    smallest = min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", text))
    assert smallest * 390 / width >= 11


def test_the_picture_of_the_demo_is_of_its_last_tasks() -> None:
    """tools/picture_demo.py draws it from the output of a run."""
    description = ElementTree.parse(ROOT / "docs/images/demo.svg").getroot()[1].text or ""  # noqa: S314 - our own file
    (play,) = yaml.safe_load((ROOT / "playbooks/demo.yml").read_text())
    assert re.findall(r"TASK \[(.*?)\]", description) == [task["name"] for task in play["tasks"][-2:]]
