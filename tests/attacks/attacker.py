# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The means of an attacker: servers on loopback, and managed nodes that return any result."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shlex
import socketserver
import typing as t

from canned_server import CannedServer, Received, token_answer
from loopback_server import LoopbackServer

if t.TYPE_CHECKING:
    import socket
    import ssl
    from pathlib import Path

    from entra_emulator.client import Emulator
    from plays import Play, Plays

STOLEN: t.Final = "attackers-own-token-0123456789abcdef"
# As plays show it: ansible-core 2.22 and newer mask a token, but not its digest.
STOLEN_DIGEST: t.Final = hashlib.sha256(STOLEN.encode()).hexdigest()
Reply = t.Callable[[Received], bytes]
Task = dict[str, t.Any]


def issue_attackers_token(_request: Received) -> bytes:
    """Answer as a token endpoint of the attacker's would."""
    return token_answer(access_token=STOLEN)


class AttackerServer(CannedServer):
    """A server of the attacker's, which answers each request with ``reply`` and counts every connection."""

    def __init__(self, reply: Reply = issue_attackers_token, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._answer, tls=tls)
        self.connections = 0
        self._reply = reply

    def handle(self, connection: socket.socket) -> None:
        self.connections += 1
        super().handle(connection)

    def seen(self) -> str:
        """Everything that arrived, as text."""
        return "\n".join(f"{one.method} {one.target} {one.headers} {one.body}" for one in self.received)

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(self._reply(self.received[-1]))


class InterceptingProxy(AttackerServer):
    """A proxy that answers in place of every server, with a certificate for its name that the victim trusts."""

    @property
    def url(self) -> str:
        """Its own origin: only what goes through it is TLS."""
        return f"http://127.0.0.1:{self.port}"

    def handle(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        super().handle(connection)


class Listener(LoopbackServer):
    """A socket of the attacker's for protocols other than HTTP: it answers each piece with ``reply``."""

    def __init__(self, reply: t.Callable[[bytes], bytes], *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.received = b""
        listener = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                listener.connections += 1
                with contextlib.suppress(OSError):
                    connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    while piece := connection.recv(65536):
                        listener.received += piece
                        connection.sendall(reply(piece))

        super().__init__(Handler)


class HostileNode:
    """A managed node whose interpreter answers every module with ``answer`` and keeps the modules it was sent."""

    def __init__(self, directory: Path, name: str, answer: dict[str, t.Any]) -> None:
        self.name = name
        self._sent = directory / f"{name}-sent"
        self._answer = directory / f"{name}-answer.json"
        self._interpreter = directory / f"{name}-python"
        sent, answered = (shlex.quote(str(path)) for path in (self._sent, self._answer))
        self._interpreter.write_text(f'#!/bin/sh\ncat "$@" 2> /dev/null >> {sent}\nexec cat {answered}\n')
        self._interpreter.chmod(0o755)
        self.answer(answer)

    def answer(self, answer: dict[str, t.Any]) -> None:
        """Answer so from now on."""
        self._answer.write_text(json.dumps({"changed": False, "ping": "pong", **answer}))

    @property
    def variables(self) -> dict[str, t.Any]:
        """Its variables in an inventory."""
        return {"ansible_connection": "local", "ansible_python_interpreter": str(self._interpreter)}

    def received(self) -> bytes:
        """The modules it was sent, with their arguments."""
        return self._sent.read_bytes() if self._sent.exists() else b""


class Attack(contextlib.ExitStack):
    """Plays of the victim's, with servers and nodes of the attacker's in them."""

    def __init__(self, plays: Plays, emulator: Emulator) -> None:
        super().__init__()
        self.plays = plays
        self.emulator = emulator
        self.directory = plays.directory
        self._hosts: dict[str, dict[str, t.Any]] = {}

    def serve(self, reply: Reply = issue_attackers_token, *, tls: ssl.SSLContext | None = None) -> AttackerServer:
        """Start a server of the attacker's."""
        return self.enter_context(AttackerServer(reply, tls=tls))

    def intercept(self, reply: Reply, tls: ssl.SSLContext) -> InterceptingProxy:
        """Start a proxy that answers in place of every server."""
        return self.enter_context(InterceptingProxy(reply, tls=tls))

    def listen(self, reply: t.Callable[[bytes], bytes], *, tls: ssl.SSLContext | None = None) -> Listener:
        """Start a socket of the attacker's."""
        return self.enter_context(Listener(reply, tls=tls))

    def add_node(self, name: str, answer: dict[str, t.Any] | None = None, **variables: t.Any) -> HostileNode:
        """Put a hostile node into the inventory."""
        node = HostileNode(self.directory, name, answer or {})
        self._hosts[name] = {**node.variables, **variables}
        return node

    def add_host(self, name: str, **variables: t.Any) -> None:
        """Put an honest host into the inventory."""
        self._hosts[name] = variables

    def run(self, playbook: list[dict[str, t.Any]], *arguments: str, **more: t.Any) -> Play:
        """Run the victim's plays on all hosts of the inventory, without retries; ``more`` as for Plays.run."""
        env = {"ENTRA_AUTH_RETRY_FOR": "0", **more.pop("env", {})}
        settings = {"hosts": 0, "record": True, "forks": 8, "env": env, **more}
        return self.plays.run(playbook, *self._inventory(), *arguments, **settings)

    def _inventory(self) -> tuple[str, str]:
        path = self.directory / "hosts.json"
        path.write_text(json.dumps({"all": {"hosts": self._hosts}}))
        return "-i", str(path)


def return_facts(**facts: t.Any) -> dict[str, t.Any]:
    """What a node answers to set facts of its choice."""
    return {"ansible_facts": facts}


def read_answer_number(text: str) -> int:
    """The number of the answer that a scope or a URL asks for, as in ``api://answer-7``."""
    match = re.search(r"answer-(\d+)", text)
    assert match, text
    return int(match[1])


def get_end(play: Play, task: str, host: str) -> str:
    """How a task ended on a host: ok, failed, skipped or unreachable."""
    ends = [event["event"] for event in play.events() if (event["task"], event["host"]) == (task, host)]
    assert ends, f"no task {task!r} on {host} in:\n{play.output}"
    return str(ends[-1])


def read_shown(play: Play, host: str) -> dict[str, t.Any]:
    """The values that the task of ``plays.show`` showed on a host; empty if it failed."""
    return play.shown(host) if get_end(play, "Show", host) == "ok" else {}


def expect_none(hits: t.Mapping[str, object], play: Play | None = None) -> None:
    """Fail with the names of the attacks that succeeded, and the beginning of what each got."""
    told = "\n".join(f"{name}: {str(hit)[:400]}" for name, hit in sorted(hits.items())[:12])
    assert not hits, f"{', '.join(sorted(hits))}\n{told}\n{play.output[-3000:] if play else ''}"


PING: t.Final[Task] = {"name": "Ping", "ansible.builtin.ping": {}}

__all__ = (
    "PING",
    "STOLEN",
    "STOLEN_DIGEST",
    "Attack",
    "AttackerServer",
    "HostileNode",
    "InterceptingProxy",
    "Listener",
    "Received",
    "Reply",
    "Task",
    "expect_none",
    "get_end",
    "read_answer_number",
    "read_shown",
    "return_facts",
)
