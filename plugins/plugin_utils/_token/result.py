# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token with what was requested, and the forms in which the entry points hand it out.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._token.forms import FORMS, build_headers

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions


class CacheEntry(t.NamedTuple):
    """The file in which the cache has a token, and the secret that decrypts it."""

    path: str
    secret: str


@dataclasses.dataclass(frozen=True)
class AppToken:
    """A token and the circumstances of its request.

    Attributes:
        token: The token.
        options: The options of the call.
        credential: The kind of credential that was used.
        identity: The tenant, client and authority that the token was requested with, as far as they are known.
        scope: The scope as it was sent.
        api_url: The base URL of the API, if it is known.
        source: ``cache`` or ``network``.
        entry: Where the cache has the token; None if that is not a file of this machine.
    """

    token: Token
    options: AppTokenOptions
    credential: str
    identity: Identity
    scope: str
    api_url: str | None
    source: str
    entry: CacheEntry | None = dataclasses.field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The request headers: ``extra_headers`` and Authorization, which they can't replace."""
        return build_headers(self.token, self.options.extra_headers)

    def as_dict(self) -> dict[str, t.Any]:
        """Return all that a task registers and that the role sets as a fact."""
        token, options = self.token, self.options
        result = {
            "access_token": token.access_token,
            "token_type": "Bearer",
            "authorization": token.authorization,
            "headers": self.headers,
            "expires_in": max(0, int(token.measure_seconds_left(Moment.now())[1])),
            "expires_on": int(token.expires_on),
            "expires_at": token.expires_at,
            "scope": self.scope,
            "api_url": self.api_url,
            "cloud": options.cloud,
            "tenant_id": self.identity.tenant_id,
            "client_id": self.identity.client_id,
            "credential": self.credential,
            "source": self.source,
            "claims": token.decode_claims(),
            "correlation_id": token.correlation_id,
        }
        return {**result, "refresh_token": token.refresh_token} if token.refresh_token else result


OUTPUTS = (*FORMS, "token")


def select_output(name: t.Any) -> t.Callable[[AppToken], t.Any]:
    """Return the function that gives a token the form that ``output`` names. Raises InputError for another name."""
    form = FORMS.get(str(name))
    if form:
        return lambda app_token: form(app_token.token, app_token.options.extra_headers)
    if str(name) == "token":
        return AppToken.as_dict
    close = difflib.get_close_matches(str(name), OUTPUTS, n=1)
    raise InputError(
        f"output is not one of {', '.join(OUTPUTS)}.",
        hint=f"Use '{close[0]}'." if close else "Use one of them.",
    )


__all__ = ("OUTPUTS", "AppToken", "CacheEntry", "select_output")
