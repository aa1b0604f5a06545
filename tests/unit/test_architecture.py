# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house keeps its shape: imports point one way, a warm start stays light, and nothing grows beyond reading."""

from __future__ import annotations

import ast
import functools
import json
import pathlib
import re
import statistics
import subprocess
import sys
import typing as t

import jinja2
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = "ansible_collections.entra.auth.plugins"
FILES = sorted(PLUGINS.rglob("*.py"))
UTILS = [path for path in FILES if path.relative_to(PLUGINS).parts[0] in ("module_utils", "plugin_utils")]
ENTRY_POINTS = ("action.app_token", "lookup.app_token")

# A package may import those that it names and nothing else. module_utils is what may run on a host; all others are the
# control node's.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "module_utils": (),
    "_entra": ("module_utils",),
    "_options": ("module_utils", "_entra"),
    "_credentials": ("module_utils", "_entra", "_options"),
    "_cache": ("module_utils",),
    "_token": ("module_utils", "_entra", "_options", "_credentials", "_cache"),
    "_api": ("module_utils", "_entra", "_options", "_credentials", "_token"),
    "_preflight": ("module_utils", "_entra", "_options", "_credentials", "_token", "_api"),
    "entry points": ("module_utils", "_entra", "_options", "_cache", "_token", "_api", "_preflight"),
}


def package_of(name: str) -> str:
    """The room that a module is in: one of the keys of MAY_IMPORT."""
    first, *rest = name.split(".")
    if first == "plugin_utils":
        return rest[0]
    return first if first == "module_utils" else "entry points"


def module_name(path: pathlib.Path) -> str:
    parts = path.relative_to(PLUGINS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def at_run_time(node: ast.AST) -> t.Iterator[ast.Import | ast.ImportFrom]:
    """All imports below a node, in functions too, but for those that only types need."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        yield from at_run_time(child)


@functools.cache
def imported(path: pathlib.Path) -> frozenset[str]:
    """Every module that a file imports at run time, by its full name."""
    names: set[str] = set()
    for statement in at_run_time(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            names.update(alias.name for alias in statement.names)
        else:
            assert statement.level == 0, f"{path} imports relatively"
            base = str(statement.module)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in statement.names)
    return frozenset(names)


@functools.cache
def graph() -> dict[str, frozenset[str]]:
    """Which of our modules imports which of ours."""
    known = {module_name(path) for path in FILES}
    return {
        module_name(path): frozenset(
            name.removeprefix(f"{PACKAGE}.") for name in imported(path) if name.removeprefix(f"{PACKAGE}.") in known
        )
        for path in FILES
    }


def closure(name: str) -> set[str]:
    """All of our modules that are reached from one, itself not counted."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        new = graph()[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


@pytest.mark.parametrize("name", sorted(graph()))
def test_a_package_imports_only_what_comes_before_it(name: str) -> None:
    package = package_of(name)
    allowed = {package, *MAY_IMPORT[package]}
    assert {other for other in graph()[name] if package_of(other) not in allowed} == set()


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_walks_the_whole_way_of_a_token(name: str) -> None:
    way = {"plugin_utils._options.sources", "plugin_utils._token.provider", "plugin_utils._cache.token_cache"}
    way |= {"plugin_utils._credentials.registry", "plugin_utils._entra.token_endpoint", "module_utils._token"}
    assert way <= closure(name)


@pytest.mark.parametrize("name", sorted(graph()))
def test_no_module_imports_itself_on_a_detour(name: str) -> None:
    assert name not in closure(name)


@pytest.mark.parametrize("path", [path for path in UTILS if "module_utils" in path.parts], ids=module_name)
def test_what_may_run_anywhere_knows_nothing_of_the_controller(path: pathlib.Path) -> None:
    for name in imported(path):
        assert not name.startswith(f"{PACKAGE}.plugin_utils")
        assert not re.match(r"ansible($|\.(?!module_utils(\.|$)))", name), name


def test_no_entry_point_imports_another_one() -> None:
    kinds = ("action.", "lookup.", "filter.", "modules.")
    for name, others in graph().items():
        assert not [other for other in others if other.startswith(kinds)], name


LIGHT = """
import json, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
before = set(sys.modules)
for name in sys.argv[1:]:
    __import__(name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules} | set(sys.modules))))
"""


def modules_after_importing(*names: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *names], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600,
        env={"PYTHONPATH": str(ROOT / ".build"), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )  # fmt: skip
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_warm_start_loads_no_library_for_requests() -> None:
    loaded = modules_after_importing(*(f"{PACKAGE}.{name}" for name in ENTRY_POINTS))
    assert f"{PACKAGE}.plugin_utils._token.provider" in loaded, "the check looks at nothing"
    assert not loaded & {"requests", "urllib3", "jwt", "cryptography.x509", "redis", "jmespath"}


def test_a_request_does_load_one() -> None:
    assert "requests" in modules_after_importing(f"{PACKAGE}.module_utils._http.transport")


# --- sizes ------------------------------------------------------------------------------------------------------


def functions(path: pathlib.Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [(node.name, int(node.end_lineno or 0) - node.lineno + 1) for node in nodes]


def code_lines(path: pathlib.Path) -> int:
    """The lines of a file but for docstrings and documentation."""
    source = path.read_text(encoding="utf-8")
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Expr, ast.Assign))]
    texts = [node for node in statements if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)]
    return len(source.splitlines()) - sum(int(node.end_lineno or 0) - node.lineno + 1 for node in texts)


def test_functions_stay_readable() -> None:
    sizes = [(size, f"{module_name(path)}.{name}") for path in FILES for name, size in functions(path)]
    lengths = [size for size, _dummy in sizes]
    assert statistics.median(lengths) <= 8
    assert statistics.quantiles(lengths, n=10)[-1] <= 20
    assert max(sizes) <= (40, "~"), f"{max(sizes)[1]} is too long"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_stay_readable(path: pathlib.Path) -> None:
    assert code_lines(path) <= 300


# --- unit tests -------------------------------------------------------------------------------------------------

UNITS = ROOT / "tests" / "unit" / "plugins"


def unit_twin_of(path: pathlib.Path) -> pathlib.Path:
    """Where the unit tests of a plugin file are: the same folder below tests/unit, the name without an underscore."""
    relative = path.relative_to(PLUGINS)
    return UNITS / relative.parent / f"test_{relative.stem.lstrip('_')}.py"


def is_documentation(path: pathlib.Path) -> bool:
    """Whether a file holds nothing but strings: a module whose work its action does, or a fragment."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return all(
        isinstance(node, (ast.Assign, ast.Expr, ast.ClassDef)) or "__future__" in ast.unparse(node) for node in body
    )


WITH_CODE = [path for path in FILES if not is_documentation(path)]


@pytest.mark.parametrize("path", WITH_CODE, ids=module_name)
def test_a_file_has_its_unit_tests_in_the_same_place(path: pathlib.Path) -> None:
    assert unit_twin_of(path).is_file()


@pytest.mark.parametrize("path", sorted(UNITS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(UNITS)))
def test_unit_tests_are_named_after_a_file(path: pathlib.Path) -> None:
    names = {unit_twin_of(file).stem for file in WITH_CODE if unit_twin_of(file).parent == path.parent}
    assert any(path.stem == name or path.stem.startswith(f"{name}_") for name in names)


# --- every file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", UTILS, ids=module_name)
def test_a_private_file_says_so_in_name_and_text(path: pathlib.Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert any(part.startswith("_") for part in path.relative_to(PLUGINS).parts)
    assert "**PRIVATE** to the collection: not an API." in docstring


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for folder in ("plugins", "roles")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yml", ".md") and path.name != "__init__.py"
    ),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_file_names_its_licence(path: pathlib.Path) -> None:
    head = path.read_text(encoding="utf-8")[:600]
    assert "Copyright (c) 2026, entra.auth contributors" in head
    assert "-License-Identifier: GPL-3.0-or-later" in head


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_what_a_check_is_told_to_overlook_has_a_reason(path: pathlib.Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.name}:{number}: {line.strip()}"
        if "noqa" in line:
            assert re.search(r"# noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* - \w+.*\w", line), place
        if "type: ignore" in line:
            assert re.search(r"# type: ignore\[[a-z-]+(, ?[a-z-]+)*\]  # \w+.*\w", line), place
        if "pylint: disable" in line:
            assert re.search(r"# pylint: disable(-next)?=[a-z-]+(,[a-z-]+)*  # \w+.*\w", line), place


def test_no_check_is_told_to_overlook_whole_files() -> None:
    assert not list((ROOT / "tests").rglob("sanity/ignore*.txt"))


def expressions_of_the_role() -> dict[str, str]:
    """What the role app_token evaluates on each host."""
    files = {name: ROOT / "roles/app_token" / name / "main.yml" for name in ("defaults", "vars", "tasks")}
    defaults, variables, tasks = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files.values())
    set_facts = [task.get("ansible.builtin.set_fact", {}) for task in tasks]
    facts = {f"fact {name}": value for arguments in set_facts for name, value in arguments.items()}
    found = {**defaults, **variables, **facts}
    return {name: value for name, value in found.items() if "{{" in str(value)}


def test_the_role_needs_no_filter() -> None:
    """For the first filter in a worker, Ansible loads all filter plugins there are, on each host for each task."""
    found = expressions_of_the_role()
    assert {"app_token_headers", "app_token_uri", "fact __app_token_call"} <= set(found)
    for name in ("app_token_headers", "app_token_uri"):
        assert list(jinja2.Environment(autoescape=True).parse(found[name]).find_all(jinja2.nodes.Call)), name
    for name, expression in found.items():
        parsed = jinja2.Environment(autoescape=True).parse(expression)
        assert not list(parsed.find_all((jinja2.nodes.Filter, jinja2.nodes.Test))), name
