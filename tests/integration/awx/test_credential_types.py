# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credential types as data: AWX would take them, and they say what the collection understands."""

from __future__ import annotations

import re
import typing as t

import jinja2.sandbox
import pytest
import yaml
from awx_jobs import CREDENTIAL_TYPES

from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS

TYPES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(CREDENTIAL_TYPES.glob("*.yml"))}
# From awx/main/fields.py, CredentialTypeInputField and CredentialTypeInjectorField.
_OF_STRINGS_ONLY = {"choices", "format", "multiline", "secret"}
_FIELD_KEYS = {"id", "label", "type", "help_text", "ask_at_runtime", "default", *_OF_STRINGS_ONLY}
_ENV_OPTIONS = {name: option for option in OPTIONS.values() for name in option.env}

each_type = pytest.mark.parametrize("type_", TYPES.values(), ids=TYPES)


def test_there_is_one_for_each_credential_that_awx_can_keep() -> None:
    """Not for a managed identity, nor for a person who enters a code: those have nothing to keep."""
    assert list(TYPES) == ["client_certificate", "client_secret", "federated", "refresh_token", "token_cache"]
    assert len({type_["name"] for type_ in TYPES.values()}) == len(TYPES)


@each_type
def test_awx_takes_its_fields(type_: dict[str, t.Any]) -> None:
    """The rules that AWX has for fields of a custom type."""
    assert set(type_) == {"name", "description", "kind", "inputs", "injectors"}
    assert type_["kind"] == "cloud"
    assert set(type_["inputs"]) == {"fields", "required"}
    ids = [field["id"] for field in type_["inputs"]["fields"]]
    assert len(ids) == len(set(ids))
    assert set(type_["inputs"]["required"]) <= set(ids)
    for field in type_["inputs"]["fields"]:
        assert set(field) <= _FIELD_KEYS
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", field["id"])
        assert field["label"], field
        assert field["help_text"], field
        assert field["type"] == "string" or not _OF_STRINGS_ONLY & set(field)


@each_type
def test_awx_takes_its_injectors(type_: dict[str, t.Any]) -> None:
    """Only fields that there are, only ASCII, and no name that AWX refuses."""
    injectors = type_["injectors"]
    assert set(injectors) <= {"env", "file"}
    examples = {field["id"]: "EXAMPLE" for field in type_["inputs"]["fields"]}
    examples["tower"] = {"filename": "EXAMPLE"} if "file" in injectors else {}
    strict = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for name, template in {**injectors["env"], **injectors.get("file", {})}.items():
        assert not name.startswith("ANSIBLE_")
        assert template.isascii()
        assert strict.from_string(template).render(examples)


@each_type
def test_every_variable_is_one_that_the_collection_reads(type_: dict[str, t.Any]) -> None:
    """And what is a secret for the collection is one for AWX, which keeps secret fields encrypted."""
    secret = {field["id"] for field in type_["inputs"]["fields"] if field.get("secret")}
    for name, template in type_["injectors"]["env"].items():
        assert name.startswith("ENTRA_AUTH_")
        option = _ENV_OPTIONS[name]
        if option.secret:
            assert template in {"{{ " + field + " }}" for field in secret}, name
    assert "{{ certificate }}" not in type_["injectors"]["env"].values(), "a text of several lines"
    for template in type_["injectors"].get("file", {}).values():
        assert template in {"{{ " + field + " }}" for field in secret}


def test_every_cloud_can_be_chosen() -> None:
    """In every type of an app, with the same default as everywhere."""
    clouds = [field for type_ in TYPES.values() for field in type_["inputs"]["fields"] if field["id"] == "cloud"]
    assert len(clouds) == len(TYPES) - 1
    for cloud in clouds:
        assert cloud["choices"] == list(CLOUDS)
        assert cloud["default"] == OPTIONS["cloud"].default
