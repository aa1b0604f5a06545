# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that calls an API: its modes, and how it carries out a request that changes something.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.preview import build_difference, format_body

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse
    from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import Messages

Result = dict[str, t.Any]

# The methods whose body is the new value of what the URL names, or of a part of it.
_DIFFERING_METHODS = ("PUT", "PATCH")


@dataclasses.dataclass(frozen=True)
class ApiTask:
    """The circumstances of a task.

    Attributes:
        messages: Shows messages to the user.
        check_mode: Whether to leave out requests that change something.
        diff_mode: Whether to show what a request changes.
    """

    messages: Messages
    check_mode: bool = dataclasses.field(kw_only=True)
    diff_mode: bool = dataclasses.field(kw_only=True)

    def log_progress(self, text: str) -> None:
        """Show a sentence with -v."""
        self.messages.v(f"entra.auth: {text}")


@dataclasses.dataclass(frozen=True)
class Write:
    """A request that changes something, as check mode and --diff show it.

    Attributes:
        request: The request; only its method, URL and headers count.
        body: The body as the task gives it.
        body_format: How the body is sent.
        hide_values: Whether each ``value`` in the body is a secret.
    """

    request: ApiRequest
    body: t.Any
    body_format: str
    hide_values: bool

    def describe(self) -> Result:
        """Return the result of check mode."""
        body = format_body(self.body, self.body_format, hide_values=self.hide_values)
        return {"changed": True, "method": self.request.method, "url": self.request.url, "body": body}

    @property
    def is_comparable(self) -> bool:
        """Whether the old value can be shown beside the body."""
        return self.request.method in _DIFFERING_METHODS and isinstance(self.body, dict)

    def build_reading(self) -> ApiRequest:
        """Build the request for the old value."""
        headers = self.request.headers
        kept = {name: value for name, value in headers.items() if not name.lower().startswith(("if-", "content-"))}
        return ApiRequest("GET", self.request.url, kept)


def execute_write(
    write: Write, task: ApiTask, *, read: t.Callable[[ApiRequest], ApiResponse], send: t.Callable[[], Result]
) -> Result:
    """Carry out a request that changes something, as far as the modes of the task say, and return its result.

    Args:
        write: The request.
        task: The task.
        read: Sends the request for the old value. A response with 404 is no error.
        send: Sends the request itself and returns its result.

    Raises:
        EntraAuthError: The request failed. An old value that can't be read is no failure.
    """
    # Read before the write.
    diff = {"diff": _find_difference(write, task, read)} if task.diff_mode and write.is_comparable else {}
    result = write.describe() if task.check_mode else send()
    return {**result, **diff}


def _find_difference(write: Write, task: ApiTask, read: t.Callable[[ApiRequest], ApiResponse]) -> Result:
    try:
        old = _parse_old(read(write.build_reading()))
    except EntraAuthError as exc:
        task.log_progress(f"shows no difference, because the old value can't be read: {exc.message}")
        return {}
    return build_difference(write.request.url, write.request.method, old, write.body, hide_values=write.hide_values)


def _parse_old(response: ApiResponse) -> t.Any:
    if response.status == 404:
        return {}
    if not is_success(response.status):
        # The task accepts it for the write itself, for which it may mean that nothing had to be changed.
        raise ApiError(
            f"{response.request.safe_description} responded with {response.status}.",
            hint="Get the resource in a task of its own to see why.",
        )
    return response.parse_json()


def is_success(status: int) -> bool:
    """Return whether a write with this status took effect. An accepted 304, 404 or 409 has changed nothing."""
    return 200 <= status < 300


__all__ = ("ApiTask", "Result", "Write", "execute_write", "is_success")
