# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request to an API and its response, whichever machine sends it and by whichever library.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t
import urllib.parse

from ansible_collections.entra.auth.plugins.module_utils._errors import printable
from ansible_collections.entra.auth.plugins.module_utils._http.body import (
    MAX_LEVELS,
    NestedTooDeeplyError,
    parse_json,
)
from ansible_collections.entra.auth.plugins.module_utils._http.retry_after import parse_retry_after
from ansible_collections.entra.auth.plugins.plugin_utils._api.encoding import decode_body
from ansible_collections.entra.auth.plugins.plugin_utils._api.errors import ApiError
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask
from ansible_collections.entra.auth.plugins.plugin_utils._options.api_request import SAFE_METHODS

if t.TYPE_CHECKING:  # pragma: no cover
    import requests

    from ansible_collections.entra.auth.plugins.plugin_utils._api.host_pin import UrlOrigin

_LARGE_BYTES = 1024 * 1024
_IDEMPOTENT_METHODS = (*SAFE_METHODS, "PUT", "DELETE")
_SHOWN_CHARACTERS = 300

_NO_MASK = TokenMask(())

Reader = t.Callable[["requests.Response"], bytes]


class Headers(t.Mapping[str, str]):
    """Header fields; names compare without case (RFC 9110 section 5.1)."""

    def __init__(self, fields: t.Mapping[str, str]) -> None:
        self._fields = {name.lower(): (name, value) for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> t.Iterator[str]:
        return (name for name, _value in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)


@dataclasses.dataclass(frozen=True)
class ApiRequest:
    """A request without its token.

    Attributes:
        method: The HTTP method in capitals.
        url: The whole URL.
        headers: Header fields without ``Authorization``.
        body: The bytes to send, or a function that opens a file of them for each attempt.
        repeatable: Whether the request may be sent twice although its method is not idempotent.
        anonymous: Whether to send it without a token, because its URL is signed itself.
        is_download: Whether a redirect may lead to a signed URL on any host.
        read: Reads the body of the response; None for the whole body within bounds.
        label: The name of the URL in a failure of the host pin.
        origin: Where the URL comes from; the hint of the host pin depends on it.
    """

    method: str
    url: str
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | t.Callable[[], t.BinaryIO] | None = dataclasses.field(default=None, repr=False)
    repeatable: bool = False
    anonymous: bool = False
    is_download: bool = False
    read: Reader | None = None
    label: str = "url"
    origin: UrlOrigin = "typed"

    @property
    def is_safe(self) -> bool:
        """Whether the request only reads (RFC 9110 section 9.2.1)."""
        return self.method in SAFE_METHODS

    @property
    def carries_file(self) -> bool:
        """Whether a file or a large piece of one is sent or received, so that the timeout holds for each MiB of it."""
        is_large = isinstance(self.body, bytes) and len(self.body) > _LARGE_BYTES
        return self.is_download or callable(self.body) or is_large

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice has the effect of sending it once (RFC 9110 section 9.2.2)."""
        return self.repeatable or self.method in _IDEMPOTENT_METHODS

    @property
    def safe_description(self) -> str:
        """Method and URL in words, without the query, which may hold a signature. A redirect may make a URL long."""
        parts = urllib.parse.urlsplit(self.url)
        return f"{self.method} {printable(f'{parts.scheme}://{parts.netloc}{parts.path}', _SHOWN_CHARACTERS)}"


@dataclasses.dataclass(frozen=True)
class ApiResponse:
    """A response to the request that was sent last. ``mask`` hides the tokens that an API sends back.

    ``status`` is -1 if there was no response, as in the results of ``ansible.builtin.uri``.
    """

    request: ApiRequest
    status: int
    headers: t.Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)
    mask: TokenMask = _NO_MASK

    @property
    def retry_after(self) -> float | None:
        """The seconds to wait before the next request, if the response names them (RFC 9110 section 10.2.3)."""
        return parse_retry_after(self.headers.get("Retry-After", ""), self.headers.get("Date", ""))

    @functools.cached_property
    def content_type(self) -> str:
        """The media type in lower case; empty if the response names none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the response says that it is JSON, or names no type and looks like JSON."""
        return bool(re.search(r"[/+]json$", self.content_type)) or (
            not self.content_type and self.body.lstrip()[:1] in (b"{", b"[")
        )

    def decode_text(self) -> str:
        """Return the body as text, without tokens, in the charset that its type names."""
        return self.mask.mask_text(decode_body(self.body, self.headers.get("Content-Type", "")))

    def parse_json(self) -> t.Any:
        """Parse the body, each time again; return None without a body. Raises ApiError for anything but JSON."""
        if not self.body:
            return None
        try:
            content = parse_json(self.body)
        except NestedTooDeeplyError:
            problem = f"of more than {MAX_LEVELS} levels, which Ansible can't process"
            hint = "Request less at once, or write the response to a file with dest and paginate: false."
        except ValueError:
            problem = "that can't be read: it may be cut off"
            hint = "Repeat the request; if it fails again, look for a proxy that cuts responses short."
        else:
            return self.mask.mask_json(content, self.body)
        raise ApiError(f"{self.request.safe_description} responded with {self.status} and JSON {problem}.", hint=hint)


def build_response(
    request: ApiRequest, status: int, headers: t.Mapping[str, str], body: bytes, mask: TokenMask
) -> ApiResponse:
    """Build a response whose body and headers are without the tokens of ``mask``."""
    return ApiResponse(request, status, Headers(mask.mask_headers(headers)), mask.mask_bytes(body), mask)


__all__ = ("ApiRequest", "ApiResponse", "Headers", "Reader", "build_response")
