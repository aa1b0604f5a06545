# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option is the same one in the table, the docs of module and lookup, the role, and what people read."""

from __future__ import annotations

import functools
import importlib
import pathlib
import re
import time
import typing as t

import pytest
import yaml
from ansible.plugins.loader import fragment_loader, lookup_loader, module_loader
from ansible.utils.plugin_docs import get_plugin_docs

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import ALIASES
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import API_OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import OUTPUTS, AppToken

Docs = dict[str, t.Any]

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
OF_THE_ROLE_ALONE = {"app_token_fact"}
OF_THE_LOOKUP_ALONE = {"_terms", "output"}


@functools.cache
def documented(kind: str) -> tuple[Docs, list[Docs], Docs]:
    """Documentation, examples and return values of ``app_token`` as ansible-doc shows them."""
    loader = {"module": module_loader, "lookup": lookup_loader}[kind]
    doc, examples, returned, _dummy = get_plugin_docs("entra.auth.app_token", kind, loader, fragment_loader, False)
    return doc, yaml.safe_load(examples), returned


def options_of(kind: str) -> Docs:
    return t.cast("Docs", documented(kind)[0]["options"])


@functools.cache
def role_options(role: str = "app_token") -> Docs:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return t.cast("Docs", specs["argument_specs"]["main"]["options"])


def in_plain_words(description: str | list[str]) -> str:
    """A description as one line."""
    return " ".join(" ".join(description if isinstance(description, list) else [description]).split())


# --- the docs and the table -------------------------------------------------------------------------------------


def test_the_module_documents_every_option_in_the_order_of_the_table() -> None:
    # required_roles has a fragment of its own, which comes last, because preflight has another option of that name.
    in_order = [name for name in OPTIONS if name != "required_roles"]
    assert list(options_of("module")) == [*in_order, "required_roles"]


def test_the_lookup_documents_every_option_and_its_own() -> None:
    assert set(options_of("lookup")) == {*OPTIONS, *OF_THE_LOOKUP_ALONE}


@pytest.mark.parametrize("kind", ["module", "lookup"])
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_documented_as_it_is(name: str, kind: str) -> None:
    option, spec = options_of(kind)[name], OPTIONS[name]
    assert option["type"] == spec.type
    assert option.get("elements") == ("str" if spec.type == "list" else None)
    assert tuple(option.get("choices", ())) == spec.choices
    assert tuple(option.get("aliases", ())) == spec.aliases
    assert option.get("default") == spec.default
    assert ("default" in option) is (spec.default is not None)
    assert isinstance(option.get("default"), type(spec.default))
    assert not option.get("required")
    assert in_plain_words(option["description"])


@pytest.mark.parametrize("name", OPTIONS)
def test_the_lookup_documents_the_places_of_an_option_weakest_first(name: str) -> None:
    option, spec = options_of("lookup")[name], OPTIONS[name]
    assert [place["name"] for place in option.get("env", ())] == list(reversed(spec.env))
    assert [place["name"] for place in option.get("vars", ())] == [spec.variable]
    ini = [] if spec.secret else [("entra_auth", spec.ini_key)]
    assert [(place["section"], place["key"]) for place in option.get("ini", ())] == ini


@pytest.mark.parametrize("name", OPTIONS)
def test_the_module_documents_no_places(name: str) -> None:
    assert not {"env", "vars", "ini"} & set(options_of("module")[name])


@pytest.mark.parametrize("name", OPTIONS)
def test_both_faces_have_the_same_words_for_an_option(name: str) -> None:
    module, lookup = (in_plain_words(options_of(kind)[name]["description"]) for kind in ("module", "lookup"))
    assert module == lookup


def test_the_outputs_of_the_lookup_are_documented() -> None:
    output = options_of("lookup")["output"]
    assert output["choices"] == list(OUTPUTS)
    assert output["default"] in OUTPUTS


def test_every_alias_of_a_scope_is_documented() -> None:
    words = in_plain_words(options_of("module")["scope"]["description"])
    assert set(re.findall(r"V\((\w+)\)", words)) == set(ALIASES)


# --- what comes back --------------------------------------------------------------------------------------------


def test_what_a_task_returns_is_documented() -> None:
    token = Token("a", time.time(), time.time() + 60, refresh_token="r")
    result = AppToken(token, AppTokenOptions(), "client_secret", Identity(), "s", None, "cache").as_dict()
    returned = documented("module")[2]
    on_success = {name for name, value in returned.items() if value["returned"] != "failure"}
    assert on_success == set(result)
    on_failure = {name for name, value in returned.items() if value["returned"] in ("failure", "always")}
    assert on_failure == set(EntraAuthError("", hint="Do.").to_fields())


# --- api_request ------------------------------------------------------------------------------------------------


@functools.cache
def api_request_docs() -> tuple[Docs, Docs]:
    """Options and return values of ``api_request`` as ansible-doc shows them."""
    doc, _examples, returned, _dummy = get_plugin_docs(
        "entra.auth.api_request", "module", module_loader, fragment_loader, False
    )
    return doc["options"], returned


def test_api_request_documents_its_options_and_all_of_app_token() -> None:
    options = list(api_request_docs()[0])
    assert [name for name in options if name in API_OPTIONS] == list(API_OPTIONS)
    assert set(options) == {*API_OPTIONS, *OPTIONS}
    assert not set(API_OPTIONS) & set(OPTIONS)


@pytest.mark.parametrize("name", API_OPTIONS)
def test_an_option_of_api_request_is_documented_as_it_is(name: str) -> None:
    option, spec = api_request_docs()[0][name], API_OPTIONS[name]
    assert option["type"] == spec.type
    assert option.get("elements") == (spec.elements if spec.type == "list" else None)
    assert tuple(option.get("choices", ())) == spec.choices
    assert (option.get("default") or None) == (spec.default or None)
    assert in_plain_words(option["description"])


@pytest.mark.parametrize("name", OPTIONS)
def test_api_request_takes_an_option_of_app_token_as_app_token_does(name: str) -> None:
    ours, theirs = api_request_docs()[0][name], options_of("module")[name]
    for key in ("type", "elements", "default", "choices", "aliases"):
        assert ours.get(key) == theirs.get(key), key


def test_what_api_request_returns_on_a_failure_is_documented() -> None:
    on_failure = {name for name, value in api_request_docs()[1].items() if value["returned"] == "failure"}
    assert on_failure == set(EntraAuthError("", hint="Do.").to_fields())


# --- the role ---------------------------------------------------------------------------------------------------


def test_the_role_takes_every_option_and_its_own_in_the_order_of_the_table() -> None:
    own = [name for name in role_options() if name not in OF_THE_ROLE_ALONE]
    assert own == [f"app_token_{name}" for name in OPTIONS]
    assert set(role_options()) >= OF_THE_ROLE_ALONE


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_the_role_is_that_of_the_module(name: str) -> None:
    argument, spec = role_options()[f"app_token_{name}"], OPTIONS[name]
    # Ansible would refuse an empty value, which counts as not given, where it is no text or none of the choices.
    assert argument["type"] == (spec.type if spec.type in ("str", "path") else "raw")
    assert not {"elements", "choices"} & set(argument)
    assert not argument.get("required")
    # A default here would hide what the environment or ansible.cfg holds.
    assert "default" not in argument


def test_the_role_hides_no_option_that_is_no_secret_and_no_secret_more_than_another() -> None:
    hidden = {name for name in OPTIONS if role_options()[f"app_token_{name}"].get("no_log")}
    assert hidden in (set(), {name for name, spec in OPTIONS.items() if spec.secret})


@pytest.mark.parametrize("name", OPTIONS)
def test_the_role_has_the_module_s_words_for_an_option(name: str) -> None:
    ours = in_plain_words(options_of("module")[name]["description"])
    assert in_plain_words(role_options()[f"app_token_{name}"]["description"]) == re.sub(
        r"O\((\w+)", r"O(app_token_\1", ours
    )


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_of_a_role_are_those_it_documents(role: str) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    documented_defaults = {
        name: option["default"] for name, option in role_options(role).items() if "default" in option
    }
    literal = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert literal == documented_defaults


@pytest.mark.parametrize(("role", "option"), [(role, option) for role in ROLES for option in role_options(role)])
def test_the_readme_of_a_role_names_every_option(role: str, option: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"`{option}`", readme)


@pytest.mark.parametrize("role", ROLES)
def test_the_readme_of_a_role_names_no_option_that_is_none(role: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| *`(\w+)`", readme, re.MULTILINE)
    named = {name for name in rows if name.startswith(f"{role}_")}
    provided = {"app_token_headers", "app_token_uri", "authorized_uri_result"}
    assert named - provided <= set(role_options(role))


# --- examples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["module", "lookup"])
def test_the_examples_use_options_that_exist(kind: str) -> None:
    known = {name for spec in OPTIONS.values() for name in (spec.name, *spec.aliases)}
    used = {name for task in documented(kind)[1] for name in task.get("entra.auth.app_token") or {}}
    assert used <= known
    assert used or kind == "lookup"


def test_every_module_with_the_options_is_in_the_action_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    modules = (ROOT / "plugins" / "modules").glob("[a-z]*.py")
    takes_them = {path.stem for path in modules if "\n  - entra.auth._app_token\n" in path.read_text(encoding="utf-8")}
    assert set(runtime["action_groups"]["entra"]) == takes_them


@pytest.mark.parametrize("kind", ["action", "modules"])
def test_every_action_has_a_module_that_documents_it(kind: str) -> None:
    names = {
        folder: {path.stem for path in (ROOT / "plugins" / folder).glob("[a-z]*.py")}
        for folder in ("action", "modules")
    }
    assert names["action"] == names["modules"]
    for name in names[kind]:
        importlib.import_module(f"ansible_collections.entra.auth.plugins.{kind}.{name}")
