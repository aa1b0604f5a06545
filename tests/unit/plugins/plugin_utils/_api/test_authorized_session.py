# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop of a request: token, pin, exchange, policy, and again; bounded, and with one token for one API."""

from __future__ import annotations

import dataclasses
import itertools
import sys
import typing as t

import pytest

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.plugin_utils._api.authorized_session import AuthorizedSession
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse, build_response
from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import HostPin

if t.TYPE_CHECKING:
    from collections.abc import Iterable

API: t.Final = "https://api.example"
CHALLENGE: t.Final = {"WWW-Authenticate": 'Bearer claims="eyJhIjoxfQ"'}
Reply = tuple[int, dict[str, str]]


class Holder:
    """Holds token-1 and replaces it by token-2 and so on."""

    can_renew = True

    def __init__(self) -> None:
        self.renewals: list[str | None] = []

    @property
    def values(self) -> tuple[str, ...]:
        """All tokens so far."""
        return tuple(f"token-{number}" for number in range(1, len(self.renewals) + 2))

    def get_token(self) -> Token:
        """The current token."""
        return Token(self.values[-1], 0, 1)

    def renew(self, claims: str | None) -> None:
        """Replace it."""
        self.renewals.append(claims)

    def describe_request(self) -> str:
        """What it was requested with."""
        return "client c"

    def describe_roles(self) -> str:
        """Its roles."""
        return "The token has the roles: A."

    def describe_end(self) -> str:
        """Nothing to say."""
        return ""


class Session(AuthorizedSession):
    """Gives each request the next reply, and the last one to all that follow."""

    def __init__(self, replies: Iterable[Reply], **more: t.Any) -> None:
        self.holder = more.pop("holder", None) or Holder()
        hosts = more.pop("hosts", ("api.example",))
        expects = more.pop("expects", lambda status: 200 <= status < 300)
        super().__init__(self.holder, HostPin("s", hosts), expects, **{"retry_for": 100.0, "log_progress": str, **more})
        self._replies = list(replies)
        self.sent: list[tuple[str, str, str | None]] = []
        self.requests: list[ApiRequest] = []

    def _exchange(self, request: ApiRequest, access_token: str | None, deadline: float) -> ApiResponse:
        self.sent.append((request.method, request.url.removeprefix(API), access_token))
        self.requests.append(request)
        status, headers = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return build_response(request, status, headers, b"", self.build_mask())


def get(path: str = "/x", **more: t.Any) -> ApiRequest:
    return ApiRequest("GET", f"{API}{path}", **more)


def test_a_success_is_returned_with_the_token_that_was_sent() -> None:
    session = Session([(200, {})])
    assert session.send(get()).status == 200
    assert session.sent == [("GET", "/x", "token-1")]


def test_a_status_that_the_caller_accepts_is_a_success() -> None:
    session = Session([(503, {"Retry-After": "9"})])
    assert session.send(get(), accept=(503,)).status == 503
    assert len(session.sent) == 1


def test_waits_are_obeyed_and_announced(clock: t.Any) -> None:
    told: list[str] = []
    session = Session([(429, {"Retry-After": "7"}), (503, {}), (200, {})], log_progress=told.append)
    session.send(get())
    assert clock.slept == [7, 2]
    assert told == [f"waits {seconds} s before it sends the request again" for seconds in (7, 2)]


@pytest.mark.parametrize("retry_for", [0, 10, 1000])
def test_repetitions_end_within_the_budget_however_many_there_are(clock: t.Any, retry_for: float) -> None:
    session = Session([(429, {"Retry-After": "1"})], retry_for=retry_for)
    with pytest.raises(ApiError, match=r"responded with 429.* longer than is left of retry_for"):
        session.send(get())
    assert retry_for - 1 <= sum(clock.slept) <= retry_for


def test_many_repetitions_need_no_depth(clock: t.Any) -> None:
    before = sys.getrecursionlimit()
    session = Session([*[(429, {"Retry-After": "1"})] * 3000, (200, {})], retry_for=1e6)
    assert session.send(get()).status == 200
    assert sys.getrecursionlimit() == before
    assert len(session.sent) == 3001


def test_a_refused_token_is_replaced_once_with_claims_and_once_without() -> None:
    session = Session([(401, CHALLENGE), (401, {}), (401, {})])
    with pytest.raises(ApiError, match=r"The token has the roles: A\. A new token was refused as well"):
        session.send(get())
    assert session.holder.renewals == ["eyJhIjoxfQ", None]
    assert [token for _method, _path, token in session.sent] == ["token-1", "token-2", "token-3"]


def test_a_token_that_can_t_be_renewed_is_sent_once() -> None:
    holder = Holder()
    holder.can_renew = False
    session = Session([(401, CHALLENGE)], holder=holder)
    with pytest.raises(ApiError, match="responded with 401"):
        session.send(get())
    assert len(session.sent) == 1


@pytest.mark.parametrize("url", ["https://stranger.example/x", "http://api.example/x"])
def test_no_token_is_even_acquired_for_another_host(url: str) -> None:
    session = Session([(200, {})])
    with pytest.raises(InputError, match="leads to"):
        session.send(dataclasses.replace(get(), url=url))
    assert session.sent == []


# --- redirects --------------------------------------------------------------------------------------------------


def test_a_redirect_within_the_api_is_followed_with_the_token() -> None:
    session = Session([(302, {"Location": "/y?a=b c"}), (200, {})])
    session.send(get(headers={"Prefer": "x"}))
    assert session.sent[1] == ("GET", "/y?a=b%20c", "token-1")
    assert session.requests[1].headers == {"Prefer": "x"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/y"), ("PUT", "/y%23part")])
def test_a_fragment_is_dropped_for_reads_and_never_shortens_the_address_of_a_write(method: str, path: str) -> None:
    session = Session([(307, {"Location": "/y#part"}), (200, {})])
    session.send(ApiRequest(method, f"{API}/x"))
    assert session.sent[1] == (method, path, "token-1")


def test_a_redirect_to_a_stranger_is_not_followed() -> None:
    session = Session([(307, {"Location": "https://stranger.example/y"})])
    with pytest.raises(InputError, match=r"The redirect of GET https://api\.example/x leads to .*gets no token") as no:
        session.send(get())
    assert "use entra.auth.api_request with dest" in no.value.hint
    assert len(session.sent) == 1


def test_a_download_goes_on_at_a_stranger_without_token_and_headers() -> None:
    session = Session([(302, {"Location": "https://files.example/y?sig=1"}), (401, CHALLENGE)])
    with pytest.raises(ApiError, match=r"files\.example/y responded with 401") as failed:
        session.send(get(is_download=True, headers={"Prefer": "x"}))
    assert session.sent[1] == ("GET", "https://files.example/y?sig=1", None)
    assert session.requests[1].headers == {}
    assert session.holder.renewals == []
    assert "token has" not in str(failed.value)


@pytest.mark.parametrize(
    ("request_", "location"),
    [
        (get(is_download=True), "http://files.example/y"),
        (ApiRequest("PUT", f"{API}/x", is_download=True, body=b"1"), "https://files.example/y"),
    ],
)
def test_a_download_does_not_go_on_in_the_clear_nor_with_a_body(request_: ApiRequest, location: str) -> None:
    session = Session([(307, {"Location": location}), (200, {})])
    with pytest.raises(InputError, match="leads to"):
        session.send(request_)
    assert len(session.sent) == 1


def test_a_signed_address_is_requested_without_a_token_and_stays_private() -> None:
    anonymous = ApiRequest("PUT", "https://files.example/u?sig=1", anonymous=True)
    session = Session([(307, {"Location": "http://files.example/v"})])
    with pytest.raises(ApiError, match="which is not https"):
        session.send(anonymous)
    assert session.sent == [("PUT", "https://files.example/u?sig=1", None)]


def test_a_circle_of_redirects_ends() -> None:
    session = Session([(302, {"Location": "/x"})])
    with pytest.raises(ApiError, match="There were more than 5 redirects in a row"):
        session.send(get())
    assert len(session.sent) == 6


# --- masks and bounds -------------------------------------------------------------------------------------------


def test_every_token_that_was_sent_is_masked() -> None:
    session = Session([(401, {}), (200, {"X-Echo": "token-1 token-2"})])
    assert session.send(get()).headers["x-echo"] == "******** ********"


def test_a_repeated_write_says_that_the_first_may_have_taken_effect(clock: t.Any) -> None:
    session = Session([(500, {}), (404, {})])
    with pytest.raises(ApiError, match=r"responded with 404.* may have taken effect"):
        session.send(ApiRequest("DELETE", f"{API}/x"))


@pytest.mark.parametrize("order", list(itertools.permutations([(429, {}), (401, {}), (302, {"Location": "/y"})])))
def test_any_order_of_obstacles_is_overcome(clock: t.Any, order: tuple[Reply, ...]) -> None:
    session = Session([*order, (200, {})])
    assert session.send(get()).status == 200
    assert session.sent[-1] == ("GET", "/y", "token-2")
