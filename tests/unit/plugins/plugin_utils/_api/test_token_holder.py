# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of a call: held, acquired again, renewed, or given by the user."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from jwts import build_jwt, encode_segment

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, NetworkError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_holder import (
    GivenToken,
    TokenHolder,
    describe_roles,
    read_audience,
)
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token
from ansible_collections.entra.auth.plugins.plugin_utils._token.result import AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._token.target import CachedTokensOnly

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator

CLAIMS: t.Final = '{"access_token":{"nbf":{"essential":true}}}'
OTHER_CLAIMS: t.Final = '{"access_token":{"acrs":{"essential":true}}}'


class Provider:
    """Issues a new token for each request, or the same one as long as it is not forced; keeps the options."""

    def __init__(self, *, lifetime: float = 3600, cached: bool = True) -> None:
        self.requested: list[AppTokenOptions] = []
        self._lifetime = lifetime
        self._cached = cached
        self._issued: dict[str | None, str] = {}

    def __call__(self, options: AppTokenOptions) -> AppToken:
        self.requested.append(options)
        key = options.claims_challenge
        if key not in self._issued or options.force_refresh or not self._cached:
            self._issued[key] = f"token-{len(self.requested)}"
        now = time.time()
        token = Token(self._issued[key], issued_on=now, expires_on=now + self._lifetime)
        return AppToken(token, options, "client_secret", Identity(), "s/.default", None, "network")


def describe(requested: list[AppTokenOptions]) -> list[tuple[str | None, bool]]:
    """The claims of each request, and whether it was forced."""
    return [(options.claims_challenge, options.force_refresh) for options in requested]


# --- held -------------------------------------------------------------------------------------------------------


def test_a_fresh_token_is_held_for_all_requests() -> None:
    provider = Provider()
    holder = TokenHolder(AppTokenOptions(), provider)
    assert {holder.get_token().access_token for _dummy in range(5)} == {"token-1"}
    assert len(provider.requested) == 1


def test_a_token_that_expires_is_acquired_again_but_not_for_each_request(later: t.Any) -> None:
    provider = Provider(lifetime=60, cached=False)
    holder = TokenHolder(AppTokenOptions(), provider)
    holder.get_token()
    later.seconds = 50
    assert holder.get_token().access_token == "token-2"
    assert holder.get_token().access_token == "token-2"
    assert holder.values == ("token-1", "token-2")


def test_force_refresh_counts_once() -> None:
    provider = Provider(lifetime=1)
    holder = TokenHolder(AppTokenOptions(force_refresh=True), provider)
    holder.get_token()
    holder.renew(encode_segment(CLAIMS))
    assert [forced for _claims, forced in describe(provider.requested)] == [True, False]


# --- renewed ----------------------------------------------------------------------------------------------------


def test_a_token_is_replaced_with_the_claims_of_the_challenge() -> None:
    provider = Provider()
    holder = TokenHolder(AppTokenOptions(), provider)
    holder.get_token()
    holder.renew(encode_segment(CLAIMS))
    assert describe(provider.requested) == [(None, False), (CLAIMS, False)]


def test_what_the_client_can_do_is_not_for_the_api_to_say() -> None:
    """With cp1 a token would be valid for a day."""
    provider = Provider()
    holder = TokenHolder(AppTokenOptions(), provider)
    asked = {"access_token": {"nbf": {"value": "1"}, "xms_cc": {"values": ["cp1"]}}, "id_token": None}
    holder.renew(encode_segment(json.dumps(asked)))
    holder.renew(encode_segment(json.dumps({"access_token": [1]})))
    assert [json.loads(str(claims)) for claims, _forced in describe(provider.requested)] == [
        {"access_token": {"nbf": {"value": "1"}}, "id_token": None},
        {"access_token": [1]},
    ]


def test_claims_are_kept_for_later_renewals() -> None:
    provider = Provider()
    holder = TokenHolder(AppTokenOptions(), provider)
    holder.get_token()
    holder.renew(encode_segment(CLAIMS))
    holder.renew(None)
    assert describe(provider.requested)[2:] == [(CLAIMS, False), (CLAIMS, True)]
    holder.renew(encode_segment(OTHER_CLAIMS))
    assert describe(provider.requested)[-1] == (OTHER_CLAIMS, False)


@pytest.mark.parametrize("claims", [None, "%%", encode_segment("[1]"), encode_segment("{")])
def test_a_token_without_readable_claims_is_replaced_once(claims: str | None) -> None:
    provider = Provider()
    holder = TokenHolder(AppTokenOptions(), provider)
    refused = holder.get_token().access_token
    holder.renew(claims)
    assert describe(provider.requested)[1:] == [(None, False), (None, True)]
    assert holder.get_token().access_token != refused


def test_a_token_that_another_caller_has_replaced_is_not_replaced_again() -> None:
    provider = Provider()
    holder = TokenHolder(AppTokenOptions(), provider)
    holder.get_token()
    provider(AppTokenOptions(force_refresh=True))
    holder.renew(None)
    assert len(provider.requested) == 3


def test_without_a_cache_a_renewal_is_one_request() -> None:
    provider = Provider(cached=False)
    holder = TokenHolder(AppTokenOptions(), provider)
    holder.get_token()
    holder.renew(None)
    assert len(provider.requested) == 2


def test_one_new_token_is_enough_for_all_whose_token_was_refused(
    emulator: Emulator, reader: dict[str, t.Any], messages: t.Any
) -> None:
    held = [
        TokenHolder(AppTokenOptions(**reader), lambda options: get_app_token(options, messages, CachedTokensOnly({})))
        for _dummy in range(10)
    ]
    refused = {one.get_token().access_token for one in held}
    for one in held:
        one.renew(None)
    renewed = {one.current_value for one in held}
    assert (len(refused), len(renewed), refused & renewed) == (1, 1, set())
    assert len(emulator.token_requests()) == 2


def test_an_error_of_the_provider_reaches_the_caller() -> None:
    def refuse(options: AppTokenOptions) -> AppToken:
        raise NetworkError("No.", hint="Yes.")

    holder = TokenHolder(AppTokenOptions(), refuse)
    with pytest.raises(NetworkError):
        holder.get_token()
    assert holder.describe_request() is None
    assert holder.describe_roles() == "No roles can be read from the token."
    assert holder.describe_end() == ""


# --- given ------------------------------------------------------------------------------------------------------


def test_a_given_token_is_sent_as_it_is_and_can_t_be_renewed() -> None:
    token = build_jwt(exp=time.time() + 600, roles=["B", "A"])
    given = GivenToken(token, "s/.default")
    assert given.get_token().authorization == f"Bearer {token}"
    assert given.values == (token,)
    assert not given.can_renew
    assert given.describe_roles() == "The token has the roles: A, B."
    assert given.describe_request() == "the given access_token, scope s/.default"
    with pytest.raises(InputError, match="can't be renewed"):
        given.renew(None)


@pytest.mark.parametrize("token", ["Bearer abc", "a b", "abc\n", "", "a,b", "über"])
def test_a_given_text_that_is_not_a_bearer_token_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="characters that no bearer token has") as refused:
        GivenToken(token, "s")
    assert "without 'Bearer' before it" in refused.value.hint


def test_a_given_token_that_has_expired_is_refused_with_its_end() -> None:
    with pytest.raises(InputError, match="expired at 2001-09-09T01:46:40Z"):
        GivenToken(build_jwt(exp=1_000_000_000), "s")


@pytest.mark.parametrize("end", [None, True, "soon", -1, 1e300, [1]])
def test_a_given_token_without_a_readable_end_is_accepted(end: t.Any) -> None:
    assert GivenToken(build_jwt(exp=end), "s").describe_end() == (
        "The token given as access_token can't be read and can't be renewed."
    )


def test_the_end_of_a_given_token_is_named() -> None:
    given = GivenToken(build_jwt(exp=4_000_000_000), "s")
    assert "expires at 2096-10-02T07:06:40Z and can't be renewed" in given.describe_end()


# --- read -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "audience"),
    [
        (build_jwt(aud="https://a"), "https://a"),
        (build_jwt(aud=["a"]), ""),
        (build_jwt(), ""),
        ("opaque", ""),
        ("", ""),
    ],
)
def test_the_audience_is_read_as_far_as_it_can_be(token: str, audience: str) -> None:
    assert read_audience(token) == audience


def test_a_user_has_scopes_in_place_of_roles() -> None:
    token = Token(build_jwt(scp="User.Read Mail.Send"), 0, 1)
    assert describe_roles(token) == "The token has the roles: Mail.Send, User.Read."
