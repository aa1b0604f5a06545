# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option is read from every documented place, in the documented order, and an empty value is no value."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible.errors import AnsibleError

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._options import sources as sources_module
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS, AppTokenOptions, OptionSpec
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import get_host_name, resolve_options

if t.TYPE_CHECKING:
    import pathlib

# As a user writes them, and as they are read.
SAMPLES: dict[str, list[tuple[str, t.Any]]] = {
    "str": [(text, text) for text in ("one", "two", "three", "four", "five", "six", "seven", "eight")],
    "path": [(f"/{number}", f"/{number}") for number in range(8)],
    "list": [(f"a{number},b", [f"a{number}", "b"]) for number in range(8)],
    "dict": [(f'{{"X-A": "{number}"}}', {"X-A": str(number)}) for number in range(8)],
    "int": [(str(number), number) for number in range(8)],
    "float": [(f"{number}.5", number + 0.5) for number in range(8)],
    "bool": [("yes", True), ("no", False)] * 4,
}
AWKWARD = ["{{ x }}", "%(home)s %d", "a+b&c=d#e?f", "'\"\\", "é漢🙂", "two\nlines\n", "a;b", "$HOME ~", "\ttab"]

Place = tuple[str, str]


@pytest.fixture(autouse=True)
def configuration(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[pathlib.Path]:
    """The ansible.cfg that this run reads; there is none until it is written."""
    path = tmp_path / "ansible.cfg"
    monkeypatch.setattr(sources_module, "_CONFIG_FILE", str(path))
    sources_module._read_ini_section.cache_clear()
    yield path
    sources_module._read_ini_section.cache_clear()


def resolve(
    direct: dict[str, t.Any] | None = None,
    variables: dict[str, t.Any] | None = None,
    template: t.Callable[[t.Any], t.Any] = lambda value: value,
) -> AppTokenOptions:
    return resolve_options(direct or {}, variables or {}, template)


def samples(spec: OptionSpec) -> list[tuple[str, t.Any]]:
    return [(choice, choice) for choice in spec.choices] * 8 if spec.choices else SAMPLES[spec.type]


def sources(spec: OptionSpec) -> list[Place]:
    """All places of an option, strongest first, as kind and name; the origin in words is made of both."""
    found = [("option", name) for name in (spec.name, *spec.aliases)]
    found.append(("variable", f"app_token_{spec.name}"))
    found.append(("environment", f"ENTRA_AUTH_{spec.name.upper()}"))
    found += [("environment", name) for name in spec.vendor_env]
    return found if spec.secret else [*found, ("ansible.cfg [entra_auth]", spec.name)]


def fill(values: dict[Place, str], configuration: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> AppTokenOptions:
    """The options when exactly these places hold these texts."""
    by_kind: dict[str, dict[str, str]] = {}
    for (kind, name), value in values.items():
        by_kind.setdefault(kind, {})[name] = value
    with monkeypatch.context() as patch:
        for name, value in by_kind.get("environment", {}).items():
            patch.setenv(name, value)
        lines = [f"{name} = {value}" for name, value in by_kind.get("ansible.cfg [entra_auth]", {}).items()]
        configuration.write_text("\n".join(["[entra_auth]", *lines, ""]))
        sources_module._read_ini_section.cache_clear()
        return resolve(by_kind.get("option"), by_kind.get("variable"))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_strongest_place_that_holds_an_option_wins(
    name: str, configuration: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = OPTIONS[name]
    ladder = sources(spec)
    for strongest in range(len(ladder)):
        # Everything weaker holds the same other value, so that only the right place can give the right one.
        values = {place: samples(spec)[1][0] for place in ladder[strongest + 1 :]}
        values[ladder[strongest]] = samples(spec)[0][0]
        options = fill(values, configuration, monkeypatch)
        assert getattr(options, name) == samples(spec)[0][1]
        assert options.origins[name] == " ".join(ladder[strongest])


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_an_empty_value_is_passed_over_in_every_place(
    name: str, blank: str, configuration: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = OPTIONS[name]
    ladder = sources(spec)
    options = fill(dict.fromkeys(ladder, blank), configuration, monkeypatch)
    assert getattr(options, name) == spec.default
    assert name not in options.origins
    last = dict.fromkeys(ladder[:-1], blank) | {ladder[-1]: samples(spec)[0][0]}
    assert getattr(fill(last, configuration, monkeypatch), name) == samples(spec)[0][1]


def test_places_may_be_mixed(configuration: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT", "from-vendor")
    monkeypatch.setenv("ENTRA_AUTH_CLIENT_ID", "from-environment")
    configuration.write_text("[entra_auth]\ntimeout = 7\n")
    options = resolve({"scope": "arm"}, {"app_token_client_secret": "from-variable"})
    assert options == AppTokenOptions(
        tenant_id="from-vendor",
        client_id="from-environment",
        client_secret="from-variable",
        scope=["arm"],
        timeout=7.0,
        origins={
            "tenant_id": "environment AZURE_TENANT",
            "client_id": "environment ENTRA_AUTH_CLIENT_ID",
            "client_secret": "variable app_token_client_secret",
            "scope": "option scope",
            "timeout": "ansible.cfg [entra_auth] timeout",
        },
    )


def test_nothing_given_is_all_defaults() -> None:
    assert resolve() == AppTokenOptions()


@pytest.mark.parametrize("name", [name for name, spec in OPTIONS.items() if spec.secret])
def test_a_secret_is_never_read_from_ansible_cfg(name: str, configuration: pathlib.Path) -> None:
    configuration.write_text(f"[entra_auth]\n{name} = hunter2\n")
    assert getattr(resolve(), name) is None


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("place", ["option", "variable", "environment"])
def test_a_secret_survives_from_every_place(place: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "environment":
        monkeypatch.setenv("ENTRA_AUTH_CLIENT_SECRET", text)
    options = resolve(
        {"client_secret": text} if place == "option" else {},
        {"app_token_client_secret": text} if place == "variable" else {},
    )
    assert options.client_secret == text.rstrip("\n")


@pytest.mark.parametrize("text", ["%d %(x)s", "a=b", "é漢", "a#b", "'quoted'", "{{ x }}", "a:b"])
def test_a_text_survives_from_ansible_cfg(text: str, configuration: pathlib.Path) -> None:
    configuration.write_text(f"[defaults]\nforks = 5\n[entra_auth]\nclient_id = {text} ; a comment\n", encoding="utf-8")
    assert resolve().client_id == text


def test_an_ansible_cfg_without_the_section_says_nothing(configuration: pathlib.Path) -> None:
    configuration.write_text("[defaults]\nforks = 5\n")
    assert resolve() == AppTokenOptions()


def test_without_any_ansible_cfg_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_module, "_CONFIG_FILE", None)
    assert resolve() == AppTokenOptions()


def test_an_environment_that_is_no_text_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRA_AUTH_CLIENT_SECRET", "hunter2\udcff")
    with pytest.raises(InputError, match=r"client_secret \(from environment ENTRA_AUTH_CLIENT_SECRET\)") as refused:
        resolve()
    assert "hunter2" not in str(refused.value)


# --- variables --------------------------------------------------------------------------------------------------


def test_a_variable_is_evaluated() -> None:
    seen: list[t.Any] = []

    def template(value: t.Any) -> t.Any:
        seen.append(value)
        return "evaluated"

    assert resolve(variables={"app_token_tenant_id": "{{ x }}", "other": "{{ y }}"}, template=template).tenant_id == (
        "evaluated"
    )
    assert seen == ["{{ x }}"]


def test_what_is_given_directly_is_not_evaluated_again() -> None:
    def template(value: t.Any) -> t.Any:
        raise AssertionError(value)

    assert resolve({"tenant_id": "{{ x }}"}, template=template).tenant_id == "{{ x }}"


def test_a_variable_that_a_stronger_place_overrules_is_not_evaluated() -> None:
    def template(value: t.Any) -> t.Any:
        raise AnsibleError("undefined")

    assert resolve({"tenant_id": "t"}, {"app_token_tenant_id": "{{ x }}"}, template).tenant_id == "t"


def test_a_variable_that_can_t_be_evaluated_is_named_without_dragging_its_value_along() -> None:
    def template(value: t.Any) -> t.Any:
        raise AnsibleError("'x' is undefined")

    with pytest.raises(InputError, match="app_token_tenant_id can't be evaluated: 'x' is undefined") as refused:
        resolve(variables={"app_token_tenant_id": "{{ x }}"}, template=template)
    assert refused.value.__context__ is None
    assert refused.value.hint == "Correct app_token_tenant_id."


@pytest.mark.parametrize("name", ["client_secret", "proxy", "cache", "extra_headers"])
def test_why_a_variable_that_may_hold_a_secret_can_t_be_evaluated_is_not_shown(name: str) -> None:
    def template(value: t.Any) -> t.Any:
        raise AnsibleError("template error in 'hunter2'")

    with pytest.raises(InputError, match=f"app_token_{name} can't be evaluated") as refused:
        resolve(variables={f"app_token_{name}": "hunter2{{"}, template=template)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.mark.parametrize("omitted", ["__omit_place_holder__1234", None])
def test_an_omitted_variable_is_passed_over(omitted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before ansible-core 2.19 omit is a text; later, evaluating it raises an error of that name."""

    class AnsibleValueOmittedError(AnsibleError):
        pass

    def template(value: t.Any) -> t.Any:
        if omitted:
            return omitted
        raise AnsibleValueOmittedError

    monkeypatch.setenv("ENTRA_AUTH_TENANT_ID", "from-environment")
    assert resolve(variables={"app_token_tenant_id": "{{ omit }}"}, template=template).tenant_id == "from-environment"


def test_the_name_of_a_host_is_that_of_the_inventory() -> None:
    assert get_host_name({"inventory_hostname": "h001"}) == "h001"
    assert get_host_name({}) == "localhost"
    with pytest.raises(InputError, match="returned a fact inventory_hostname"):
        get_host_name({"inventory_hostname": "h002", "ansible_facts": {"inventory_hostname": "h002"}})


@pytest.mark.parametrize("result", [None, "", "  "])
def test_a_variable_that_evaluates_to_nothing_is_passed_over(result: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRA_AUTH_TENANT_ID", "from-environment")
    options = resolve(variables={"app_token_tenant_id": "{{ x }}"}, template=lambda value: result)
    assert options.tenant_id == "from-environment"


# --- files that other tools name ----------------------------------------------------------------------------------


def test_a_client_id_is_read_from_the_file_that_terraform_names(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "client-id"
    file.write_text("from-file")
    monkeypatch.setenv("ARM_CLIENT_ID_FILE_PATH", str(file))
    options = resolve()
    assert (options.client_id, options.origins["client_id"]) == ("from-file", "environment ARM_CLIENT_ID_FILE_PATH")
    assert resolve({"client_id": "direct"}).client_id == "direct"
    monkeypatch.setenv("ARM_CLIENT_ID", "from-environment")
    assert resolve().client_id == "from-environment"


@pytest.mark.parametrize(
    "content", [b"from-file\r\n", b" from-file \n\n", "\ufefffrom-file".encode(), "from-file".encode("utf-16")]
)
@pytest.mark.parametrize("path", ["~/client-id", "$HOME/client-id"])
def test_a_file_of_another_tool_is_read_as_windows_and_editors_write_it(
    content: bytes, path: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "client-id").write_bytes(content)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ARM_CLIENT_ID_FILE_PATH", path)
    assert resolve().client_id == "from-file"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "No such file or directory"),
        ("", "Is a directory"),
        ("empty", "it is empty"),
        ("pipe", "it is not a regular file"),
    ],
)
def test_a_file_of_another_tool_that_can_t_be_read_is_named_by_its_variable(
    name: str, reason: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("ARM_CLIENT_ID_FILE_PATH", str(tmp_path / name))
    with pytest.raises(InputError, match=f"ARM_CLIENT_ID_FILE_PATH {tmp_path}.* can't be read: {reason}") as refused:
        resolve()
    assert refused.value.__context__ is None
    assert "ARM_CLIENT_ID_FILE_PATH" in str(refused.value.hint)


def test_a_file_of_another_tool_is_passed_over_if_the_variable_is_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARM_CLIENT_ID_FILE_PATH", " ")
    assert resolve().client_id is None


# --- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("client_secert", "Write client_secret instead of client_secert."),
        ("tenantid", "Write tenant_id instead of tenantid."),
        ("Scope", "Write scope instead of Scope."),
        ("origins", None),
        (5, None),
    ],
)
def test_an_unknown_option_is_refused(name: t.Any, hint: str | None) -> None:
    with pytest.raises(InputError, match=f"'{name}' is not an option of app_token") as refused:
        resolve({name: "hunter2"})
    assert hint is None or refused.value.hint == hint
    assert "hunter2" not in str(refused.value)


def test_all_unknown_options_are_named_at_once() -> None:
    with pytest.raises(InputError, match="'client_secert' and 'scpoe' are not options of app_token") as refused:
        resolve({"client_secert": "hunter2", "scpoe": "arm", "scope": "arm"})
    assert refused.value.hint == "Write client_secret instead of client_secert and scope instead of scpoe."


def test_an_option_that_is_like_no_other_is_refused_with_all_there_are() -> None:
    with pytest.raises(InputError) as refused:
        resolve({"xyzzy": "x"})
    assert str(refused.value.hint).startswith("The options are ")
    assert all(name in str(refused.value.hint) for name in OPTIONS)


def test_an_alias_counts_as_its_option() -> None:
    options = resolve({"tenant": "t", "resource": "arm", "certificate_path": "/c"})
    assert (options.tenant_id, options.scope, options.client_certificate_path) == ("t", ["arm"], "/c")
    assert resolve({"x509_certificate_path": "/x"}).client_certificate_path == "/x"
    assert resolve({"tenant": "weak", "tenant_id": "strong"}).tenant_id == "strong"
    assert resolve({"tenant": "t", "tenant_id": ""}).tenant_id == "t"


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        ("option", "option timeout"),
        ("variable", "variable app_token_timeout"),
        ("environment", "environment ENTRA_AUTH_TIMEOUT"),
        ("ini", "ansible.cfg [entra_auth] timeout"),
    ],
)
def test_a_wrong_value_is_refused_with_the_place_it_is_in(
    place: str, origin: str, configuration: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "environment":
        monkeypatch.setenv("ENTRA_AUTH_TIMEOUT", "soon")
    if place == "ini":
        configuration.write_text("[entra_auth]\ntimeout = soon\n")
    with pytest.raises(InputError) as refused:
        resolve(
            {"timeout": "soon"} if place == "option" else {},
            {"app_token_timeout": "soon"} if place == "variable" else {},
        )
    assert refused.value.message.startswith(f"timeout (from {origin}) has to be ")
    assert refused.value.hint == f"Correct {origin}."


# --- authority and cloud ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direct", "environment", "authority"),
    [
        ({}, {"AZURE_AUTHORITY_HOST": "https://a"}, "https://a"),
        ({"cloud": "usgov"}, {"AZURE_AUTHORITY_HOST": "https://a"}, None),
        ({}, {"AZURE_AUTHORITY_HOST": "https://a", "ENTRA_AUTH_CLOUD": "usgov"}, None),
        ({}, {"AZURE_AUTHORITY_HOST": "https://a", "AZURE_CLOUD_ENVIRONMENT": "AzureCloud"}, "https://a"),
        ({"cloud": "usgov"}, {"ENTRA_AUTH_AUTHORITY": "https://a"}, "https://a"),
        ({"cloud": "usgov", "authority": "https://b"}, {"AZURE_AUTHORITY_HOST": "https://a"}, "https://b"),
    ],
)
def test_another_tool_s_login_host_does_not_overrule_the_cloud_that_was_named(
    direct: dict[str, str], environment: dict[str, str], authority: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    options = resolve(direct)
    assert options.authority == authority
    assert ("authority" in options.origins) is (authority is not None)


@pytest.mark.parametrize(
    ("authority", "cloud"),
    [
        ("https://login.microsoftonline.us/", "usgov"),
        ("login.microsoftonline.us", "usgov"),
        ("https://LOGIN.partner.microsoftonline.cn/contoso.com", "china"),
        ("https://login.sovcloud-identity.fr", "bleu"),
        ("https://login.microsoftonline.com", "public"),
        ("https://login.test", "public"),
    ],
)
def test_a_known_login_host_decides_the_cloud(authority: str, cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook of AKS sets AZURE_AUTHORITY_HOST alone, in Azure Government too."""
    assert resolve({"authority": authority}).cloud == cloud
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", authority)
    assert resolve().cloud == cloud


@pytest.mark.parametrize(
    ("direct", "environment"),
    [
        ({"cloud": "public", "authority": "https://login.microsoftonline.us"}, {}),
        ({"cloud": "usgov"}, {"ENTRA_AUTH_AUTHORITY": "https://login.microsoftonline.com"}),
        ({}, {"AZURE_CLOUD_ENVIRONMENT": "AzureCloud", "AZURE_AUTHORITY_HOST": "https://login.chinacloudapi.cn"}),
    ],
)
def test_a_login_host_of_another_cloud_than_the_given_one_is_refused_with_both(
    direct: dict[str, str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=r"authority \(from .*\) is the login host of the cloud .* but cloud \(from "):
        resolve(direct)


def test_both_government_clouds_have_the_same_login_host() -> None:
    assert resolve({"cloud": "usgov_dod", "authority": "https://login.microsoftonline.us"}).cloud == "usgov_dod"
