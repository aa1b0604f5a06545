# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each error becomes a text that may be shown, and no exception carries a secret any further."""

from __future__ import annotations

import functools
import re
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, ErrorResponse
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import resolve_options
from ansible_collections.entra.auth.plugins.plugin_utils._token import failures
from ansible_collections.entra.auth.plugins.plugin_utils._token.failures import Failure, run_guarded
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

FIELDS = {"error", "error_codes", "hint", "correlation_id", "trace_id"}
SECRET = "hunter2-and-more"


def get_token(direct: dict[str, t.Any], messages: t.Any) -> t.Any:
    return run_guarded(
        lambda: resolve_options(direct, {}, lambda value: value),
        lambda options: get_app_token(options, messages, CachedTokensOnly({})),
    )


def fail_with(error: BaseException, **options: t.Any) -> Failure:
    """What becomes of an error while the work is done with these options."""

    def work(_options: AppTokenOptions) -> t.NoReturn:
        raise error

    outcome = run_guarded(functools.partial(AppTokenOptions, **options), work)
    assert isinstance(outcome, Failure)
    assert set(outcome.fields) == FIELDS
    return outcome


def test_the_result_of_the_work_is_handed_out() -> None:
    assert run_guarded(AppTokenOptions, lambda options: options.cloud) == "public"


def test_a_refusal_is_a_text_with_its_fields(reader: dict[str, t.Any], messages: t.Any) -> None:
    outcome = get_token({**reader, "client_secret": SECRET}, messages)
    assert isinstance(outcome, Failure)
    assert "AADSTS7000215" in outcome.msg
    assert SECRET not in outcome.msg
    assert outcome.fields["error"] == "invalid_client"
    assert outcome.fields["error_codes"] == [7000215]
    assert outcome.fields["hint"] in outcome.msg
    assert outcome.fields["correlation_id"] in outcome.msg
    assert outcome.fields["trace_id"] in outcome.msg


def test_a_failure_is_the_result_of_its_task() -> None:
    result = fail_with(EntraAuthError("No.", hint="Do.")).as_result()
    assert result == {
        "failed": True, "changed": False, "msg": "No. To fix it: Do.", "hint": "Do.", "error": None, "error_codes": [],
        "correlation_id": None, "trace_id": None,
    }  # fmt: skip


def test_secrets_are_registered_with_ansible_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(failures, "register_secrets", lambda *secrets: registered.extend(secrets))
    seen = run_guarded(
        lambda: AppTokenOptions(client_secret=SECRET, cache_key="k" * 32), lambda _options: [*registered]
    )
    assert seen == registered
    assert set(registered) == {SECRET, "k" * 32}


@pytest.mark.parametrize("direct", [{"no_such_option": SECRET}, {"timeout": "soon"}, {}])
def test_bad_input_is_a_text_with_its_fields(direct: dict[str, t.Any], messages: t.Any) -> None:
    outcome = get_token(direct, messages)
    assert isinstance(outcome, Failure)
    assert "To fix it: " in outcome.msg
    assert SECRET not in outcome.msg
    assert set(outcome.fields) == FIELDS


def test_a_secret_that_the_service_repeats_is_masked_everywhere() -> None:
    error = EntraAuthError(
        f"It said {SECRET}.",
        hint=f"Not {SECRET}!",
        response=ErrorResponse(error=SECRET, correlation_id=f"c-{SECRET}", trace_id=SECRET),
    )
    outcome = fail_with(error, client_secret=SECRET)
    assert SECRET not in str(outcome)
    assert outcome.msg.startswith("It said ********. To fix it: Not ********!")
    assert outcome.fields["error"] == "********"


@pytest.mark.parametrize(
    "options",
    [
        {"refresh_token": SECRET},
        {"client_certificate_password": SECRET},
        {"federated_token": SECRET},
        {"proxy": f"http://me:{SECRET}@proxy.test"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_kind_of_secret_is_masked(options: dict[str, str]) -> None:
    assert SECRET not in str(fail_with(EntraAuthError(f"It said {SECRET}.", hint="Do."), **options))


def test_a_secret_that_begins_with_another_one_is_masked_as_a_whole() -> None:
    error = EntraAuthError("It said hunter2-and-more.", hint="Do.")
    outcome = fail_with(error, client_secret="hunter2", refresh_token="hunter2-and-more")
    assert outcome.msg == "It said ********. To fix it: Do."


@pytest.mark.parametrize(("secret", "is_masked"), [("a", False), ("token", False), ("tokens", True)])
def test_syllables_are_not_masked(secret: str, is_masked: bool) -> None:
    outcome = fail_with(EntraAuthError("It said tokens.", hint="Do."), client_secret=secret)
    assert ("tokens" in outcome.msg) is not is_masked


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
def test_an_unexpected_error_is_described_by_its_kind_and_place_alone(error: Exception) -> None:
    outcome = fail_with(error, client_secret="another")
    assert SECRET not in str(outcome)
    expected = (
        rf"Unexpected error in entra\.auth: {type(error).__name__} at test_failures\.py:\d+\. To fix it: Report .*"
    )
    assert re.fullmatch(expected, outcome.msg)


def test_an_unexpected_error_while_options_are_resolved_is_no_exception_to_that() -> None:
    def resolve() -> AppTokenOptions:
        raise ValueError(SECRET)

    outcome = run_guarded(resolve, lambda options: options)
    assert isinstance(outcome, Failure)
    assert "Unexpected error in entra.auth: ValueError at test_failures.py:" in outcome.msg
    assert SECRET not in str(outcome)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device", f"/tmp/{SECRET}"), "No space left on device"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(SECRET), "OSError"),
    ],
)
def test_a_disk_that_fails_is_described_without_its_file(error: OSError, reason: str) -> None:
    outcome = fail_with(error)
    assert outcome.msg.startswith(f"entra.auth can't use its files: {reason}. To fix it: ")
    assert SECRET not in str(outcome)


@pytest.mark.parametrize("error", [AnsibleConnectionFailure("no route"), KeyboardInterrupt(), SystemExit(1)], ids=str)
def test_an_unreachable_host_and_the_end_of_a_run_stay_what_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)):
        fail_with(error)
