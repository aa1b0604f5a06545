# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong becomes a text that may be shown, and no exception carries a secret any further."""

from __future__ import annotations

import pickle
import re
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, ErrorResponse
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._token import failures
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, hide_arguments, obtain
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import UnreachableHost

FIELDS = {"error", "error_codes", "hint", "correlation_id", "trace_id"}
SECRET = "hunter2-and-more"


def call(direct: dict[str, t.Any], messages: t.Any) -> AppToken | Failure:
    return obtain(OptionSources(direct, {}, lambda value: value), messages, UnreachableHost({}), lambda token: token)


def failed(error: BaseException, monkeypatch: pytest.MonkeyPatch, **direct: t.Any) -> Failure:
    """What becomes of an error on the way of a token."""

    def fail(*_arguments: object) -> AppToken:
        raise error

    monkeypatch.setattr(failures, "app_token", fail)
    outcome = call(direct, None)
    assert isinstance(outcome, Failure)
    assert set(outcome.fields) == FIELDS
    return outcome


def test_a_token_is_handed_out(reader: dict[str, t.Any], messages: t.Any) -> None:
    outcome = call(reader, messages)
    assert isinstance(outcome, AppToken)
    assert outcome.token.roles()


def test_a_refusal_is_a_text_with_its_fields(reader: dict[str, t.Any], messages: t.Any) -> None:
    outcome = call({**reader, "client_secret": SECRET}, messages)
    assert isinstance(outcome, Failure)
    assert "AADSTS7000215" in outcome.msg
    assert SECRET not in outcome.msg
    assert outcome.fields["error"] == "invalid_client"
    assert outcome.fields["error_codes"] == [7000215]
    assert outcome.fields["hint"] in outcome.msg
    assert outcome.fields["correlation_id"] in outcome.msg
    assert outcome.fields["trace_id"] in outcome.msg


@pytest.mark.parametrize("direct", [{"no_such_option": SECRET}, {"timeout": "soon"}, {}])
def test_bad_input_is_a_text_with_its_fields(direct: dict[str, t.Any], messages: t.Any) -> None:
    outcome = call(direct, messages)
    assert isinstance(outcome, Failure)
    assert "To fix it: " in outcome.msg
    assert SECRET not in outcome.msg
    assert set(outcome.fields) == FIELDS


def test_a_secret_that_the_service_repeats_is_masked_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    error = EntraAuthError(
        f"It said {SECRET}.",
        hint=f"Not {SECRET}!",
        response=ErrorResponse(error=SECRET, correlation_id=f"c-{SECRET}", trace_id=SECRET),
    )
    outcome = failed(error, monkeypatch, client_secret=SECRET)
    assert SECRET not in str(outcome)
    assert outcome.msg.startswith("It said ********. To fix it: Not ********!")
    assert outcome.fields["error"] == "********"


@pytest.mark.parametrize(
    "direct",
    [
        {"refresh_token": SECRET},
        {"client_certificate_password": SECRET},
        {"federated_token": SECRET},
        {"proxy": f"http://me:{SECRET}@proxy.test"},
    ],
    ids=lambda direct: next(iter(direct)),
)
def test_every_kind_of_secret_is_masked(direct: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECRET not in str(failed(EntraAuthError(f"It said {SECRET}.", hint="Do."), monkeypatch, **direct))


def test_a_secret_that_begins_with_another_one_is_masked_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    error = EntraAuthError("It said hunter2-and-more.", hint="Do.")
    outcome = failed(error, monkeypatch, client_secret="hunter2", refresh_token="hunter2-and-more")
    assert outcome.msg == "It said ********."


@pytest.mark.parametrize(("secret", "is_masked"), [("a", False), ("token", False), ("tokens", True)])
def test_syllables_are_not_masked(secret: str, is_masked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = failed(EntraAuthError("It said tokens.", hint="Do."), monkeypatch, client_secret=secret)
    assert outcome.msg == ("It said ********." if is_masked else "It said tokens.")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(SECRET),
        LookupError(SECRET),
        KeyError(SECRET),
        UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET),
        AssertionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_nobody_foresaw_is_told_by_its_kind_and_place_alone(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = failed(error, monkeypatch, client_secret="another")
    assert SECRET not in str(outcome)
    assert f"{type(error).__name__} at test_faces.py:" in outcome.msg
    assert outcome.msg.endswith("Please report this line.")
    assert outcome.fields == {"error": None, "error_codes": [], "hint": None, "correlation_id": None, "trace_id": None}


def test_what_breaks_on_handing_out_is_told_no_less_carefully(reader: dict[str, t.Any], messages: t.Any) -> None:
    def break_down(app_token: AppToken) -> t.NoReturn:
        raise ValueError(app_token.token.access_token)

    sources = OptionSources(reader, {}, lambda value: value)
    outcome = obtain(sources, messages, UnreachableHost({}), break_down)
    assert isinstance(outcome, Failure)
    assert re.fullmatch(r".*nobody foresaw: ValueError at test_faces\.py:\d+\. Please report this line\.", outcome.msg)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device", f"/tmp/{SECRET}"), "No space left on device"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(SECRET), "OSError"),
    ],
)
def test_a_disk_that_does_not_do_its_part_is_told_in_its_words(
    error: OSError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = failed(error, monkeypatch)
    assert outcome.msg.startswith(f"entra.auth can't use its files: {reason}. To fix it: ")
    assert SECRET not in str(outcome)


def test_an_unreachable_host_stays_an_unreachable_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleConnectionFailure, match="no route"):
        failed(AnsibleConnectionFailure("no route"), monkeypatch)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_a_run_that_is_to_end_ends(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(type(error)):
        failed(error, monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"client_secret": SECRET}, {"client_secret": "********"}),
        ({"client_secret": {"value": [SECRET]}}, {"client_secret": {"value": ["********"]}}),
        ({"client_secrets": SECRET}, {"client_secrets": "********"}),
        ({"proxy": f"http://me:{SECRET}@proxy:3128"}, {"proxy": "********"}),
        ({"federated_token_file": "/a", "scope": ["graph"]}, {"federated_token_file": "/a", "scope": ["graph"]}),
    ],
)
def test_arguments_are_secret_to_all_but_this_process(arguments: dict[str, t.Any], shown: dict[str, t.Any]) -> None:
    hidden = hide_arguments(arguments)
    assert hidden == arguments
    assert pickle.loads(pickle.dumps(hidden)) == shown  # noqa: S301 - our own
