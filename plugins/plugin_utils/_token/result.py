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

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.module_utils._token import Token
    from ansible_collections.entra.auth.plugins.plugin_utils._credentials.base import Identity
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

_AUTHORIZATION = "Authorization"


@dataclasses.dataclass(frozen=True)
class AppToken:
    """A token and the circumstances of its request.

    Attributes:
        token: The token.
        options: The options of the call.
        credential: The kind of credential that was used.
        scope: The scope as it was sent.
        api_url: The base URL of the API, if it is known.
        source: ``cache`` or ``network``.
    """

    token: Token
    options: AppTokenOptions
    credential: str
    identity: Identity
    scope: str
    api_url: str | None
    source: str

    @property
    def headers(self) -> dict[str, str]:
        """The request headers: ``extra_headers`` and Authorization, which they can't replace."""
        own = {name: value for name, value in self.options.extra_headers.items() if name.lower() != "authorization"}
        return {**own, _AUTHORIZATION: self.token.authorization}

    def as_dict(self) -> dict[str, t.Any]:
        """Return all that a task registers and that the role sets as a fact."""
        token, options = self.token, self.options
        result = {
            "access_token": token.access_token,
            "token_type": "Bearer",
            "authorization": token.authorization,
            "headers": self.headers,
            "expires_in": max(0, int(token.seconds_left(Moment.now())[1])),
            "expires_on": int(token.expires_on),
            "expires_at": token.expires_at,
            "scope": self.scope,
            "api_url": self.api_url,
            "cloud": options.cloud,
            "tenant_id": self.identity.tenant_id,
            "client_id": self.identity.client_id,
            "credential": self.credential,
            "source": self.source,
            "claims": token.claims(),
            "correlation_id": token.correlation_id,
        }
        return {**result, "refresh_token": token.refresh_token} if token.refresh_token else result

    def as_uri_arguments(self) -> dict[str, t.Any]:
        """Return arguments with which an ``ansible.builtin.uri`` task sends the header and does not show it.

        The module masks the value of ``url_password`` in all that it prints. Without a user name it is not used for
        Basic authentication. A netrc entry would replace the header, and a redirect would send headers to another host.
        """
        return {
            "headers": self.headers,
            "url_password": self.token.access_token,
            "use_netrc": False,
            "unredirected_headers": list(self.headers),
        }


OUTPUTS: t.Mapping[str, t.Callable[[AppToken], t.Any]] = {
    "access_token": lambda app_token: app_token.token.access_token,
    "authorization": lambda app_token: app_token.token.authorization,
    "headers": lambda app_token: app_token.headers,
    "uri": AppToken.as_uri_arguments,
    "token": AppToken.as_dict,
}


def select_output(name: t.Any) -> t.Callable[[AppToken], t.Any]:
    """Return the function that gives a token the form that ``output`` names. Raises InputError for another name."""
    if str(name) in OUTPUTS:
        return OUTPUTS[str(name)]
    close = difflib.get_close_matches(str(name), OUTPUTS, n=1)
    raise InputError(
        f"output is not one of {', '.join(OUTPUTS)}.",
        hint=f"Use '{close[0]}'." if close else "Use one of them.",
    )


__all__ = ("OUTPUTS", "AppToken", "select_output")
