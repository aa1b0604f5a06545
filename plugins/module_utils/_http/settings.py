# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach a service over HTTP.

Apart from the transport, so that reading options does not load an HTTP library.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import enum
import typing as t

# A call needs less than that before its first request, if it does not wait for another caller.
_OWN_SECONDS = 1
_LEAST_SECONDS = 0.5


class Service(enum.Enum):
    """Who is asked. Advice about a failed connection depends on it: the value is where the host's name comes from."""

    LOGIN = "cloud and authority"
    API = "url and api_base_url"
    PLATFORM = "the variable IDENTITY_ENDPOINT or MSI_ENDPOINT of the platform"
    CI_ISSUER = "the variable that names the token service of the CI system"


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """How to reach a service.

    Attributes:
        timeout: The seconds that one exchange may take as a whole, from connecting to the end of the response.
        retry_for: The seconds within which an exchange may be repeated.
        proxy: The URL of the proxy; None for the proxy of the environment, if any.
        ca_path: A file of CA certificates in PEM; None for the usual ones.
        validate_certs: Whether the server's certificate is verified.
        lost_connection_retries: How often an exchange is repeated after a lost connection.
        use_environment: Whether proxy and CA variables of the environment count.
        fingerprint: The fingerprint of the only certificate to accept, in hexadecimal digits. No CA is needed then.
        connect_timeout: The seconds that connecting may take, for a host that may not exist; None for all of timeout.
        service: Who is asked.
        url_source: The option or variable that the URL comes from; empty for what is usual for the service.
        on_pause: Is called with the seconds of each pause between two exchanges.
    """

    timeout: float
    retry_for: float
    proxy: str | None = None
    ca_path: str | None = None
    validate_certs: bool = True
    lost_connection_retries: int = 3
    use_environment: bool = True
    fingerprint: str | None = None
    connect_timeout: float | None = None
    service: Service = Service.LOGIN
    url_source: str = ""
    on_pause: t.Callable[[float], object] = lambda seconds: None

    def deduct(self, waited: float) -> NetworkSettings:
        """Return the settings for a call that has waited for another caller, so that it keeps to its bound.

        The bound is ``timeout`` and ``retry_for``. A tenth of it, and half a second at least, is left in any case,
        because the other caller may have died.

        Args:
            waited: The seconds since the call began.
        """
        if waited < _OWN_SECONDS:
            return self
        bound = self.timeout + self.retry_for
        left = max(bound - waited, bound / 10, _LEAST_SECONDS)
        retry_for = max(self.retry_for - waited, 0)
        return dataclasses.replace(self, timeout=min(self.timeout, left), retry_for=retry_for)


__all__ = ("NetworkSettings", "Service")
