# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets among a task's arguments are whole in this process and a mask in any other."""

from __future__ import annotations

import copy
import json
import pickle
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._token.masking import MaskedWhenPickled, hide_arguments

SECRET = "hunter2-and-more"
MASK = "********"


def send_to_another_process(arguments: dict[str, t.Any]) -> t.Any:
    return pickle.loads(pickle.dumps(arguments))  # noqa: S301 - made by this test


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"client_secret": SECRET}, {"client_secret": MASK}),
        ({"client_secret": {"value": [SECRET]}}, {"client_secret": {"value": [MASK]}}),
        ({"client_secrets": SECRET}, {"client_secrets": MASK}),
        ({"client_secrte": SECRET}, {"client_secrte": MASK}),
        ({"refresh_tkoen": SECRET}, {"refresh_tkoen": MASK}),
        ({"Client_Secret": SECRET}, {"Client_Secret": MASK}),
        ({"proxy": f"http://me:{SECRET}@proxy:3128"}, {"proxy": MASK}),
        ({"cache": f"rediss://:{SECRET}@redis:6379"}, {"cache": MASK}),
        ({"requests": [{"url": f"https://me:{SECRET}@host/"}]}, {"requests": [{"url": MASK}]}),
        ({"headers": {"authorization": f"Bearer {SECRET}"}}, {"headers": {"authorization": MASK}}),
        ({"extra_headers": {"Subscription-Key": SECRET}}, {"extra_headers": {"Subscription-Key": MASK}}),
        ({"body": {"user": {"password": SECRET}}}, {"body": {"user": {"password": MASK}}}),
        ({"federated_token_file": "/a", "scope": ["graph"]}, {"federated_token_file": "/a", "scope": ["graph"]}),
        ({"client_secret": None, "client_id": 5}, {"client_secret": None, "client_id": 5}),
        ({"body": {"tokenLifetime": 3600}}, {"body": {"tokenLifetime": 3600}}),
    ],
    ids=str,
)
def test_arguments_are_secret_to_every_other_process(arguments: dict[str, t.Any], shown: dict[str, t.Any]) -> None:
    hidden = hide_arguments(arguments)
    assert hidden == arguments
    assert json.loads(json.dumps(hidden)) == arguments
    assert send_to_another_process(hidden) == shown


def test_a_secret_of_digits_is_hidden_as_its_text() -> None:
    hidden = hide_arguments({"client_secret": 12345678})
    assert hidden == {"client_secret": "12345678"}
    assert send_to_another_process(hidden) == {"client_secret": MASK}


class VaultedText:
    """A value that only its text decrypts, as that of !vault is on older cores."""

    def __str__(self) -> str:
        return SECRET


def test_a_vaulted_secret_is_hidden_as_its_text() -> None:
    hidden = hide_arguments({"client_secret": VaultedText()})
    assert hidden == {"client_secret": SECRET}
    assert send_to_another_process(hidden) == {"client_secret": MASK}


def test_a_copy_in_this_process_stays_whole() -> None:
    hidden = hide_arguments({"client_secret": SECRET})
    for one in (copy.copy(hidden), copy.deepcopy(hidden), {"client_secret": copy.copy(hidden["client_secret"])}):
        assert one == {"client_secret": SECRET}
        assert isinstance(one["client_secret"], MaskedWhenPickled)
        assert send_to_another_process(one) == {"client_secret": MASK}


def test_what_is_hidden_stays_hidden() -> None:
    hidden = hide_arguments(hide_arguments({"client_secret": SECRET}))
    assert hidden == {"client_secret": SECRET}
    assert send_to_another_process(hidden) == {"client_secret": MASK}


def test_the_arguments_themselves_are_left_alone() -> None:
    arguments = {"client_secret": SECRET}
    hide_arguments(arguments)
    assert send_to_another_process(arguments) == {"client_secret": SECRET}
