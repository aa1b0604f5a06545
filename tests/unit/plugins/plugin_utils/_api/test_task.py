# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request that changes something is sent, shown or compared as the modes of its task say."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest, ApiResponse
from ansible_collections.entra.auth.plugins.plugin_utils._api.task import ApiTask, Write, execute_write, is_success

URL: t.Final = "https://api.example/x"


class Api:
    """Stands in for an API: it responds to a read with a status and a body, and notes what is sent."""

    def __init__(self, status: int = 200, body: bytes = b'{"a": 0, "b": 1}') -> None:
        self.sent: list[str] = []
        self._status, self._body = status, body

    def read(self, request: ApiRequest) -> ApiResponse:
        self.sent.append(f"{request.method} {request.url} {dict(request.headers)}")
        return ApiResponse(request, self._status, {"Content-Type": "application/json"}, self._body)

    def send(self) -> dict[str, t.Any]:
        self.sent.append("write")
        return {"changed": True, "status": 200}


def execute(api: Api, messages: t.Any, *, check: bool = False, method: str = "PATCH", body: t.Any = None) -> t.Any:
    request = ApiRequest(method, URL, {"If-Match": "*", "Content-Type": "x", "Prefer": "y"})
    write = Write(request, {"a": 1} if body is None else body, "json", hide_values=False)
    task = ApiTask(messages, check_mode=check, diff_mode=True)
    return execute_write(write, task, read=api.read, send=api.send)


@pytest.mark.parametrize("check", [False, True])
def test_the_old_value_is_read_before_the_write_without_its_conditions(messages: t.Any, check: bool) -> None:
    api = Api()
    result = execute(api, messages, check=check)
    assert (result["diff"]["before"], result["diff"]["after"]) == ({"a": 0}, {"a": 1})
    assert api.sent == [f"GET {URL} {{'Prefer': 'y'}}", *([] if check else ["write"])]
    assert result.get("method") == ("PATCH" if check else None)


@pytest.mark.parametrize(("method", "body"), [("POST", {"a": 1}), ("PUT", "text"), ("DELETE", {})])
def test_other_writes_are_not_compared(messages: t.Any, method: str, body: t.Any) -> None:
    api = Api()
    assert "diff" not in execute(api, messages, method=method, body=body)
    assert api.sent == ["write"]


@pytest.mark.parametrize(
    ("status", "body", "compared"), [(404, b"{}", True), (304, b"", False), (403, b"{}", False), (200, b'{"a"', False)]
)
def test_what_does_not_exist_is_new_and_what_can_t_be_read_is_not_shown(
    messages: t.Any, status: int, body: bytes, compared: bool
) -> None:
    """The task may accept a status for the write that says nothing about the old value."""
    api = Api(status, body)
    result = execute(api, messages)
    assert (result["diff"].get("before"), result["changed"]) == ({} if compared else None, True)
    assert bool(messages.on("v")) is not compared


@pytest.mark.parametrize(("status", "is_one"), [(200, True), (204, True), (304, False), (404, False), (0, False)])
def test_a_success_is_a_change(status: int, is_one: bool) -> None:
    assert is_success(status) is is_one
