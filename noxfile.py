# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv] >= 2026.4", "antsibull-nox >= 1.10"]
# ///

"""Every check of the collection as a session: ``make`` runs groups of them, ``nox --list`` names them all.

The sessions of antsibull-nox are configured in ``antsibull-nox.toml``. The environments are in ``.build/nox``.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import typing as t

import nox

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

import antsibull_nox  # noqa: E402 - it needs nox, which says so if it is missing
import workspace  # noqa: E402 - from the folder tools

# antsibull-nox starts the ansible-galaxy that is installed beside it.
os.environ["PATH"] = os.pathsep.join((str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))

antsibull_nox.load_antsibull_nox_toml()

nox.needs_version = ">= 2026.4"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.envdir = str(workspace.BUILD / "nox")
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = workspace.IN_CI

RUNTIME = ("-r", "meta/ee-requirements.txt")
TEST = ("-r", "tests/requirements/test.txt")
DEV = ("-r", "tests/requirements/dev.txt")
PROCESSES = ("-n", workspace.JOBS)


class Core(t.NamedTuple):
    """An ansible-core, a Python that it supports, and the libraries to go with it."""

    version: str
    python: str
    package: str
    libraries: tuple[str, ...] = ()


# The oldest core goes with the oldest libraries.
CORES = {
    core.version: core
    for core in (
        Core("2.16", "3.11", "ansible-core ~= 2.16.0", ("-r", "tests/requirements/oldest.txt")),
        Core("2.17", "3.11", "ansible-core ~= 2.17.0"),
        Core("2.18", "3.11", "ansible-core ~= 2.18.0"),
        Core("2.19", "3.11", "ansible-core ~= 2.19.0"),
        Core("2.20", "3.12", "ansible-core ~= 2.20.0"),
        Core("2.21", "3.13", "ansible-core ~= 2.21.0"),
        Core("2.22", "3.13", "ansible-core ~= 2.22.0rc1"),
    )
}
OLDEST, MAIN, NEWEST, CANDIDATE = "2.16", "2.19", "2.21", "2.22"


def on_cores(*versions: str) -> t.Callable[[t.Any], t.Any]:
    """Parametrize a session by ansible-core; each runs on a Python that the core supports."""
    cores = [CORES[version] for version in versions or CORES]
    return nox.parametrize(
        ["python", "core"], [nox.param(core.python, core.version, id=core.version) for core in cores]
    )


def install(session: nox.Session, *packages: str) -> None:
    """Install packages, without a word unless it fails."""
    session.install(*packages, silent=True)


def install_core(session: nox.Session, core: str, *packages: str) -> None:
    """Install an ansible-core with what the tests need."""
    chosen = CORES[core]
    install(session, chosen.package, *RUNTIME, *TEST, *chosen.libraries, *packages)


def install_dev(session: nox.Session) -> None:
    """Install what checks and documents the sources, with the newest released ansible-core."""
    install(session, "ansible-core < 2.22", *RUNTIME, *TEST, *DEV)


def run(session: nox.Session, *command: str, **more: str) -> None:
    """Run a command in an environment that nothing of the caller's shell, home or proxy reaches."""
    session.run(*command, env={**workspace.hermetic_environment(), **more}, include_outer_env=False, external=True)


def run_pytest(session: nox.Session, *arguments: str, **more: str) -> None:
    """Run pytest; arguments after ``--`` on the command line of nox take the place of the session's own."""
    run(session, "python", "-m", "pytest", "-q", *(session.posargs or arguments), **more)


# --- sources --------------------------------------------------------------------------------------------------------


@nox.session
def sources(session: nox.Session) -> None:
    """Check style and layout of the Python sources, shell scripts and changelog fragments."""
    install_dev(session)
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    run(session, "shellcheck", "-x", ".ci/run", *map(str, ROOT.glob("tests/integration/targets/*/runme.sh")))
    run(session, "antsibull-changelog", "lint")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy, strict."""
    install_dev(session)
    run(session, "mypy")


@nox.session(name="docs-site")
def docs_site(session: nox.Session) -> None:
    """Check the documentation, and build it as HTML in .build/docs."""
    install_dev(session)
    site = workspace.BUILD / "docs"
    shutil.rmtree(site, ignore_errors=True)
    (site / "rst").mkdir(parents=True, mode=0o755)
    # antsibull-docs checks a copy; the collection must not be found a second time.
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(site)}
    run(
        session, "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all",
        "--disallow-unknown-collection-refs", ".", **alone,
    )  # fmt: skip
    shutil.copy(ROOT / "tools/docs_conf.py", site / "conf.py")
    (site / "static").mkdir(mode=0o755)
    shutil.copy(ROOT / "tools/docs.css", site / "static/docs.css")
    # Where the guides name them from: docs/images beside docs/docsite.
    shutil.copytree(ROOT / "docs/images", site / "images")
    run(
        session, "antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--dest-dir", f"{site}/rst",
        "entra.auth",
    )  # fmt: skip
    # The generated index has a sidebar without groups and with the whole titles of plugin pages.
    shutil.copy(ROOT / "tools/docs_index.rst", site / "rst/index.rst")
    run(session, "sphinx-build", "-q", "-W", "--keep-going", "-c", str(site), f"{site}/rst", f"{site}/html")
    session.log(f"The documentation is in {site.relative_to(ROOT)}/html/index.html")


@nox.session(name="docs-pages")
def docs_pages(session: nox.Session) -> None:
    """Look at every page that docs-site built in headless Chromium, as wide as a desktop and as a phone."""
    browser = workspace.find_program(session, "chromium", "chromium-browser", "google-chrome")
    install(session, "-r", "tests/requirements/docs.txt")
    site = workspace.BUILD / "docs/html"
    run_pytest(session, *PROCESSES, "tests/docs_site", ENTRA_SITE=str(site), ENTRA_CHROMIUM=browser)


@nox.session(name="format")
def format_sources(session: nox.Session) -> None:
    """Sort imports and lay out the Python sources."""
    install_dev(session)
    run(session, "ruff", "check", "--select", "I", "--fix", ".")
    run(session, "ruff", "format", ".")


# --- tests ----------------------------------------------------------------------------------------------------------


def run_units(session: nox.Session, core: str) -> None:
    install_core(session, core)
    # The emulator, the documentation and the benchmarks do not depend on the core, and a parser hardly does.
    what = ("tests/unit",) if core == MAIN else ("--hypothesis-profile=another core", "tests/unit/plugins")
    run_pytest(session, *PROCESSES, *what)


@nox.session
@on_cores(OLDEST, MAIN, CANDIDATE)
def units(session: nox.Session, core: str) -> None:
    """Run the unit tests on the oldest, the main and the newest ansible-core."""
    run_units(session, core)


@nox.session
def smoke(session: nox.Session) -> None:
    """Run the few plays that show an installation works."""
    install_dev(session)
    run_pytest(session, "-m", "smoke", "tests/integration")


@nox.session(name="units-all")
@on_cores("2.17", "2.18", "2.20", "2.21")
def units_all(session: nox.Session, core: str) -> None:
    """Run the unit tests on the other ansible-cores."""
    run_units(session, core)


@nox.session
def awx(session: nox.Session) -> None:
    """Get what the plays about AWX use of it: its credential injector, and the collection awx.awx."""
    install(session, "-r", "tests/requirements/awx.txt")
    workspace.fetch_collection(session, "awx.awx")


@nox.session
@on_cores(MAIN)
def plays(session: nox.Session, core: str) -> None:
    """Run the plays against the emulator on the main ansible-core."""
    install_core(session, core)
    run_pytest(session, "-n", workspace.PLAY_JOBS, "-m", "not thorough", "tests/integration")


@nox.session
@on_cores(MAIN)
def thorough(session: nox.Session, core: str) -> None:
    """Run the plays that the session plays leaves out: further rows of tables, and more kills."""
    install_core(session, core)
    run_pytest(session, "-n", workspace.PLAY_JOBS, "-m", "thorough", "tests/integration")


@nox.session(name="entry-points")
@on_cores(OLDEST, NEWEST, CANDIDATE)
def entry_points(session: nox.Session, core: str) -> None:
    """Run a row of each entry point on the oldest and the newest ansible-core, released and candidate."""
    install_core(session, core)
    run_pytest(session, "-n", workspace.PLAY_JOBS, "-m", "entry_point", "tests/integration")


@nox.session(name="plays-all")
@on_cores(*(version for version in CORES if version != MAIN))
def plays_all(session: nox.Session, core: str) -> None:
    """Run all plays on every other ansible-core."""
    install_core(session, core)
    run_pytest(session, "-n", workspace.PLAY_JOBS, "tests/integration")


@nox.session
@on_cores(MAIN)
def attacks(session: nox.Session, core: str) -> None:
    """Play the attacker on the main ansible-core."""
    install_core(session, core)
    run_pytest(session, *PROCESSES, "tests/attacks")


@nox.session(name="attacks-all")
@on_cores(OLDEST, NEWEST, CANDIDATE)
def attacks_all(session: nox.Session, core: str) -> None:
    """Play the attacker on the other ansible-cores that differ in how they show results."""
    install_core(session, core)
    run_pytest(session, *PROCESSES, "tests/attacks")


@nox.session
@on_cores(OLDEST, "2.18", MAIN, NEWEST, CANDIDATE)
def audit(session: nox.Session, core: str) -> None:
    """Search everything that plays print and leave for every secret; the table is in .build/audit."""
    install_core(session, core)
    # For the callback json.
    workspace.fetch_collection(session, "ansible.posix")
    run_pytest(session, *PROCESSES, "tests/audit")


@nox.session(name="audit-table")
def audit_table(session: nox.Session) -> None:
    """Show the table of the audit."""
    install_dev(session)
    run(session, "python", "-m", "audit.table")


@nox.session
def conformance(session: nox.Session) -> None:
    """Have Microsoft's own clients take the emulator for Entra ID."""
    install(session, "-r", "tests/requirements/conformance.txt")
    run_pytest(session, "tests/conformance")


@nox.session
@on_cores(MAIN)
def coverage(session: nox.Session, core: str) -> None:
    """Measure which lines the unit tests and the plays of the main ansible-core run."""
    install_core(session, core)
    run(session, "coverage", "run", "-m", "pytest", "-q", *PROCESSES, "tests/unit")
    run(session, "coverage", "run", "-m", "pytest", "-q", "-n", workspace.PLAY_JOBS, "tests/integration")
    run(session, "coverage", "combine", "-q")
    run(session, "coverage", "report")


def run_sanity(session: nox.Session, core: str, *arguments: str) -> None:
    install(session, CORES[core].package, *RUNTIME)
    tree = workspace.make_tree()
    # pylint's requirements of 2.22 come from outside the package index. Shell scripts are checked with the sources.
    without = ["--skip-test", "shellcheck", *(["--skip-test", "pylint"] if core == CANDIDATE else [])]
    with session.chdir(tree):
        run(session, "ansible-test", "sanity", "--local", "--color", "no", *without, *arguments, *session.posargs)


@nox.session
@on_cores(MAIN)
def sanity(session: nox.Session, core: str) -> None:
    """Run ansible-test sanity on the main ansible-core, with every Python that it knows."""
    run_sanity(session, core)


@nox.session(name="sanity-all")
@on_cores(*(version for version in CORES if version != MAIN))
def sanity_all(session: nox.Session, core: str) -> None:
    """Run ansible-test sanity on every other ansible-core."""
    run_sanity(session, core, "--python", CORES[core].python)


@nox.session
@on_cores(MAIN)
def targets(session: nox.Session, core: str) -> None:
    """Run the targets of ansible-test integration."""
    install_core(session, core)
    with session.chdir(workspace.make_tree()):
        run(session, "ansible-test", "integration", "--local", "--color", "no")


# --- artifact -------------------------------------------------------------------------------------------------------


@nox.session
def dist(session: nox.Session) -> None:
    """Build the artifact twice, install it, run a play with nothing but it."""
    install_dev(session)
    artifact = workspace.build_artifact(session, run)
    installed = workspace.BUILD / "installed"
    shutil.rmtree(installed, ignore_errors=True)
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(installed), "ENTRA_COLLECTIONS_PATH": str(installed)}
    galaxy = ("ansible-galaxy", "collection")
    run(session, *galaxy, "install", "--offline", "--force", "-p", str(installed), str(artifact), **alone)
    run(session, *galaxy, "verify", "--offline", "entra.auth", **alone)
    workspace.strip_installed(installed)
    run_pytest(session, "-m", "smoke", "tests/integration", **alone)


@nox.session
def ee(session: nox.Session) -> None:
    """Build an execution environment with podman, and run jobs in it as AWX does."""
    install_dev(session)
    workspace.require_programs(session, "podman", "runc", "mmdebstrap")
    artifact = workspace.build_artifact(session, run)
    image = workspace.build_execution_environment(session, run, artifact)
    run_pytest(session, "-n", "1", "tests/ee", ENTRA_EE_IMAGE=image, **workspace.PODMAN)


@nox.session
def release(session: nox.Session) -> None:
    """Check and build the release of the version in galaxy.yml, and stop before the upload."""
    install_dev(session)
    install(session, "cyclonedx-bom")
    run(session, "antsibull-changelog", "lint")
    run(session, "python", "tools/check_release.py")
    artifact = workspace.build_artifact(session, run)
    workspace.write_bill_of_materials(session, artifact)
    session.log(
        f"Checked and built: {artifact.relative_to(ROOT)}. Nothing was uploaded; RELEASING.md has the next step."
    )


# --- to look at -----------------------------------------------------------------------------------------------------


@nox.session
def demo(session: nox.Session) -> None:
    """Show a token, users and subscriptions, from an emulator or from your tenant."""
    install(session, "ansible-core", *RUNTIME, "-r", "tests/requirements/emulator.txt")
    if workspace.names_a_tenant():
        session.log("The environment names an app, so this calls Microsoft. Unset AZURE_TENANT_ID for the emulator.")
        session.run("ansible-playbook", "entra.auth.demo", env=workspace.collection_environment())
    else:
        session.log("The environment names no app, so this uses an emulator on this machine.")
        run(session, "python", "-m", "entra_emulator", "exec", "--", "ansible-playbook", "entra.auth.demo")


@nox.session
def emulator(session: nox.Session) -> None:
    """Start the emulator for plays of your own, and print the variables to export."""
    install(session, "ansible-core", *RUNTIME, "-r", "tests/requirements/emulator.txt")
    run(session, "python", "-m", "entra_emulator", "--exports")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure what a token costs, beside other ways to get one."""
    package = CORES[MAIN].package
    install(session, package, *RUNTIME, "-r", "tests/requirements/conformance.txt")
    run_benchmarks(session, *session.posargs)


@nox.session(name="benchmarks-azcollection")
def benchmarks_azcollection(session: nox.Session) -> None:
    """Measure azure.azcollection too, which is in Ansible's package; its libraries are 1.6 GB."""
    install(session, "ansible ~= 12.3.0", *RUNTIME, "-r", "tests/requirements/emulator.txt")
    (packages,) = pathlib.Path(session.virtualenv.location).glob("lib/python*/site-packages")
    install(session, "-r", str(packages / "ansible_collections/azure/azcollection/requirements.txt"))
    run_benchmarks(session, "azcollection", "--full", "--results", "benchmarks/results.json")


def run_benchmarks(session: nox.Session, *arguments: str) -> None:
    run(session, "python", "-m", "benchmarks", *arguments, PYTHONPATH=f"{ROOT}:{ROOT / 'tests'}")


if __name__ == "__main__":
    nox.main()
