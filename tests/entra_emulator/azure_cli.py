# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the program ``az``, for its command ``account get-access-token`` alone.  Standard library only.

It behaves as Azure CLI 2.91: options, JSON, exit statuses and the words on standard error, as they are seen in
``azure.cli.core`` and in issue threads.  Its sign-in is a refresh token of an emulator, in AZURE_CONFIG_DIR; each run
is noted there as well.  :func:`install` puts it on a PATH.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import sys
import time
import typing as t
import urllib.parse
import urllib.request
from pathlib import Path
from urllib.error import HTTPError, URLError

# The real one's, which every tenant knows.
CLIENT_ID: t.Final = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
_PROFILE: t.Final = "stand-in-profile.json"
_RUNS: t.Final = "stand-in-runs.jsonl"
_SUBSCRIPTION: t.Final = "c0000000-0000-4000-8000-000000000001"


@dataclasses.dataclass(frozen=True)
class AzureCli:
    """An installed stand-in. ``environment`` makes a child process find it."""

    bin: Path
    config: Path

    @property
    def environment(self) -> dict[str, str]:
        """PATH and AZURE_CONFIG_DIR."""
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "AZURE_CONFIG_DIR": str(self.config)}

    def sign_in(self, login_url: str, tenant_id: str, refresh_token: str, **more: object) -> None:
        """Store a sign-in; ``more``: ``seconds`` to wait, ``version``, ``identity`` (a managed one), ``raw`` output."""
        profile = {"login": login_url, "tenant": tenant_id, "refresh_token": refresh_token, **more}
        (self.config / _PROFILE).write_text(json.dumps(profile))

    def runs(self) -> list[dict[str, t.Any]]:
        """The arguments and the environment of each run so far."""
        path = self.config / _RUNS
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def install(directory: Path) -> AzureCli:
    """Make a program ``az`` below ``directory``, without a sign-in."""
    cli = AzureCli(directory / "bin", directory / "config")
    for path in (cli.bin, cli.config):
        path.mkdir(parents=True, exist_ok=True)
    program = cli.bin / "az"
    tests = Path(__file__).resolve().parents[1]
    program.write_text(f"#!/bin/sh\nPYTHONPATH='{tests}' exec '{sys.executable}' -m entra_emulator.azure_cli \"$@\"\n")
    program.chmod(0o755)
    return cli


class _CliError(Exception):
    """An error as the program prints it, with its exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> t.NoReturn:
        raise _CliError(message, 2)


def _parse(arguments: list[str], profile: dict[str, t.Any]) -> argparse.Namespace:
    parser = _Parser(prog="az", add_help=False, allow_abbrev=False)
    parser.add_argument("group", choices=["account"])
    parser.add_argument("command", choices=["get-access-token"])
    parser.add_argument("--output", "-o", default="json", choices=["json", "tsv", "table"])
    if profile.get("version") != "2.29":
        parser.add_argument("--scope", nargs="*", default=["https://management.core.windows.net//.default"])
    parser.add_argument("--tenant", "-t")
    known, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise _CliError(f"unrecognized arguments: {' '.join(unknown)}", 2)
    return known


def _read_profile(config: Path) -> dict[str, t.Any]:
    path = config / _PROFILE
    return t.cast("dict[str, t.Any]", json.loads(path.read_text())) if path.exists() else {}


def _note_run(config: Path, arguments: list[str]) -> None:
    with (config / _RUNS).open("a") as runs:
        runs.write(json.dumps({"arguments": arguments, "environment": dict(os.environ), "cwd": str(Path.cwd())}) + "\n")


def _get_token(asked: argparse.Namespace, profile: dict[str, t.Any]) -> dict[str, t.Any]:
    if not profile:
        raise _CliError("Please run 'az login' to setup account.")
    if profile.get("identity") and asked.tenant and asked.tenant != profile["tenant"]:
        raise _CliError(
            "For managed identity account, getting access token for non-current tenants is not supported. The "
            f"specified tenant must be the current tenant {profile['tenant']}"
        )
    tenant = asked.tenant or profile["tenant"]
    answer = _redeem(f"{profile['login']}/{tenant}/oauth2/v2.0/token", profile, asked.scope, tenant)
    ends = int(time.time()) + int(answer["expires_in"])
    local = datetime.datetime.fromtimestamp(ends).strftime("%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ006 - as the real one
    token = {"tokenType": "Bearer", "accessToken": answer["access_token"], "expiresOn": local, "tenant": tenant}
    # It exists since 2.54.
    now = {} if profile.get("version") == "2.53" else {"expires_on": ends}
    return {**token, **now, **({} if asked.tenant else {"subscription": _SUBSCRIPTION})}


def _redeem(url: str, profile: dict[str, t.Any], scopes: list[str], tenant: str) -> dict[str, t.Any]:
    fields = {
        "grant_type": "refresh_token",
        "client_id": CLIENT_ID,
        "refresh_token": profile["refresh_token"],
        "scope": " ".join(scopes),
        # It always declares what it can do.
        "claims": json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}}),
    }
    try:
        with urllib.request.urlopen(url, urllib.parse.urlencode(fields).encode()) as answer:  # noqa: S310 - https
            return t.cast("dict[str, t.Any]", json.load(answer))
    except HTTPError as error:
        raise _CliError(_describe_refusal(json.load(error)["error_description"], tenant, scopes)) from error
    except URLError as error:
        host = urllib.parse.urlsplit(url)
        raise _CliError(
            f"HTTPSConnectionPool(host='{host.hostname}', port={host.port}): Max retries exceeded with url: "
            f"{host.path} (Caused by NewConnectionError('{error.reason}'))"
        ) from error


def _describe_refusal(description: str, tenant: str, scopes: list[str]) -> str:
    advice = "Run the command below to authenticate interactively; additional arguments may be added as needed:"
    command = f'az login --tenant "{tenant}" --scope "{scopes[0]}"'
    return "\n".join((" ".join(description.split()), advice, "az logout", command))


def main(arguments: list[str]) -> int:
    """Run as ``az``."""
    config = Path(os.environ.get("AZURE_CONFIG_DIR") or Path.home() / ".azure")
    _note_run(config, arguments)
    profile = _read_profile(config)
    time.sleep(float(profile.get("seconds", 0)))
    try:
        asked = _parse(arguments, profile)
        answer = _get_token(asked, profile)
    except _CliError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return error.status
    print(profile.get("raw") or json.dumps(answer, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
