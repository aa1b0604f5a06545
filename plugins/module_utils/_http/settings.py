# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach a service over HTTP.

Apart from the transport, so that reading options does not load an HTTP library.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """How to reach a service. ``timeout`` bounds one exchange, ``retry_for`` all of its repetitions, in seconds.

    ``use_environment`` is whether proxy and CA variables count. ``fingerprint`` pins the certificate of a server that
    no CA vouches for. ``connect_timeout`` is for a host that may not exist; without one, ``timeout`` bounds connecting
    as well. ``on_pause`` is told before each wait between two exchanges how many seconds it takes.
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
    on_pause: t.Callable[[float], object] = lambda seconds: None


__all__ = ("NetworkSettings",)
