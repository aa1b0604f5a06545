# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the servers of tests on this machine share: a free port, a thread for each connection, an orderly end."""

from __future__ import annotations

import socketserver
import threading
import typing as t

_POLL_SECONDS: t.Final = 0.01
_JOIN_SECONDS: t.Final = 10


class LoopbackServer:
    """Has a handler of socketserver or http.server handle each connection; a context manager."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_JOIN_SECONDS)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])
