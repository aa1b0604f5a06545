# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ``az account get-access-token``, and read its output and errors.

Learn, "az account get-access-token". Output and errors as of Azure CLI 2.91 and older; ``expires_on`` exists since
2.54.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.module_utils._errors import (
    EntraAuthError,
    ErrorResponse,
    InputError,
    NetworkError,
    TokenRequestRefused,
    printable,
)
from ansible_collections.entra.auth.plugins.module_utils._secrets import MASK, register_secrets
from ansible_collections.entra.auth.plugins.module_utils._token import Token
from ansible_collections.entra.auth.plugins.module_utils._token_response import find_error_codes
from ansible_collections.entra.auth.plugins.plugin_utils._entra.hints import find_code_hint
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS

_MAX_OUTPUT_BYTES = 1024 * 1024
_LOOK_EVERY_SECONDS = 0.2
# A shell's status for a program that it can't find, here the Python that the program az starts.
_NOT_FOUND = 127
# Lines before it are those of other programs, such as a script that starts the CLI in a container.
_JSON_OBJECT = re.compile(r"^\{", re.MULTILINE)
_SHOWN_CHARACTERS = 300
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_IDS = re.compile(r"(Trace ID|Correlation ID|Timestamp): (\S+(?: \d\d:\d\d:\d\dZ)?)")


class _Finished(t.NamedTuple):
    status: int
    output: str
    errors: str


def request_cli_token(scopes: t.Sequence[str], tenant_id: str | None, claims: str | None, timeout: float) -> Token:
    """Return a token of the Azure CLI's sign-in.

    Args:
        scopes: what the token is for.
        tenant_id: the tenant; None for the one of the CLI's current subscription.
        claims: the JSON text of a claims challenge, which the CLI can't satisfy without a person.
        timeout: the seconds that the program may run.

    Raises:
        InputError: if the CLI is not installed or not signed in, or if claims are given.
        TokenRequestRefused: if Entra refused the CLI's request.
        NetworkError: if the CLI did not respond in time, or not with a token.
    """
    sign_in = _build_sign_in_command(scopes, tenant_id)
    if claims:
        encoded = base64.b64encode(claims.encode()).decode()
        raise InputError(
            "The API asks for claims that the Azure CLI can't send by itself.",
            hint=f"Run '{sign_in} --claims-challenge {encoded}', then the play again.",
        )
    arguments = ["account", "get-access-token", "--output", "json", "--scope", *scopes]
    finished = _run([_find_program(), *arguments, *(["--tenant", tenant_id] if tenant_id else [])], timeout)
    if finished.status == _NOT_FOUND:
        raise _build_not_installed_error()
    if finished.status != 0:
        raise _explain_failure(finished, sign_in)
    token = _parse_token(finished.output)
    register_secrets(token.access_token)
    return token


def _build_sign_in_command(scopes: t.Sequence[str], tenant_id: str | None) -> str:
    tenant = f" --tenant {tenant_id}" if tenant_id else ""
    return f"az login{tenant} --scope {' '.join(scopes)}"


def _find_program() -> str:
    path = shutil.which("az")
    if path:
        return os.path.abspath(path)
    raise _build_not_installed_error()


def _build_not_installed_error() -> InputError:
    return InputError(
        "The Azure CLI (az) is not installed on the control node, or not on PATH.",
        hint="Install it, or use another credential; an execution environment needs it in its image.",
    )


def _build_environment() -> dict[str, str]:
    """Return the environment of the program, without the secrets that this collection's options are read from."""
    secret = {name for spec in OPTIONS.values() if spec.secret for name in spec.env}
    own = {name: value for name, value in os.environ.items() if name not in secret}
    own = {name: value for name, value in own.items() if not name.startswith("ENTRA_AUTH_")}
    return {**own, "AZURE_CORE_NO_COLOR": "true", "AZURE_CORE_ONLY_SHOW_ERRORS": "true"}


def _run(command: list[str], timeout: float) -> _Finished:
    """Run a program without a shell, for a limited time and with limited output. Raises NetworkError, InputError."""
    try:
        process = subprocess.Popen(  # noqa: S603 - an argument list, of which the shell sees nothing
            command,
            cwd="/",
            env=_build_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as exc:
        reason = exc.strerror
    else:
        return _read_until_exit(process, time.monotonic() + timeout)
    raise InputError(f"The Azure CLI can't be started: {reason}.", hint="Run 'az version' as the same user.")


def _read_until_exit(process: subprocess.Popen[bytes], until: float) -> _Finished:
    try:
        output, errors = _read_streams(process, until)
        process.wait(max(0.1, until - time.monotonic()))
        return _Finished(process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))
    except subprocess.TimeoutExpired:
        pass
    finally:
        _end(process)
    raise NetworkError(
        "The Azure CLI did not respond in time.",
        hint="Run 'az account get-access-token' as the same user to see what it waits for, or raise timeout.",
    )


def _read_streams(process: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes]:
    """Return what the program writes to its two streams. Raises TimeoutExpired, and NetworkError for too much."""
    streams = {stream: b"" for stream in (process.stdout, process.stderr) if stream}
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(_LOOK_EVERY_SECONDS)
            if not ready and process.poll() is not None:
                # A child that it left behind may hold the streams open.
                break
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("az", 0)
            for key, _events in ready:
                stream = t.cast("t.IO[bytes]", key.fileobj)
                content = os.read(stream.fileno(), 65536)
                streams[stream] += content
                if not content:
                    selector.unregister(stream)
            _refuse_flood(streams.values())
    output, errors = streams.values()
    return output, errors


def _refuse_flood(contents: t.Iterable[bytes]) -> None:
    if any(len(content) > _MAX_OUTPUT_BYTES for content in contents):
        raise NetworkError("The Azure CLI wrote more than 1 MiB.", hint="Check that the program az on PATH is the CLI.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program with all that it started, if it still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def _parse_token(output: str) -> Token:
    try:
        found = _read_object(output)
        access_token, is_bearer = found["accessToken"], found.get("tokenType", "Bearer").lower() == "bearer"
        expires_on = _parse_expiration(found)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        access_token, is_bearer, expires_on = None, False, None
    moment = Moment.now()
    if not isinstance(access_token, str) or not access_token or not is_bearer or expires_on is None:
        raise NetworkError(
            "The Azure CLI returned something other than a bearer token.",
            hint="Run 'az account get-access-token --output json' as the same user, and check its output.",
        )
    if expires_on <= moment.epoch:
        raise NetworkError(
            "The Azure CLI returned a token that has already expired.", hint="Set the clock of this machine."
        )
    return Token(
        access_token=access_token,
        issued_on=moment.epoch,
        expires_on=expires_on,
        boot_id=moment.boot_id,
        issued_at_uptime=moment.uptime,
    )


def _read_object(output: str) -> dict[str, t.Any]:
    """Return the JSON object in the program's output. Raises ValueError."""
    text = output.removeprefix("\ufeff").replace("\r", "\n")
    start = _JSON_OBJECT.search(text)
    found, _end_of_object = json.JSONDecoder().raw_decode(text, start.start() if start else 0)
    return t.cast("dict[str, t.Any]", found)


def _parse_expiration(found: dict[str, t.Any]) -> float:
    if "expires_on" in found:
        return float(found["expires_on"])
    # Local time without a zone, as older versions write it.
    return datetime.datetime.strptime(found["expiresOn"], "%Y-%m-%d %H:%M:%S.%f").astimezone().timestamp()


# --- errors -----------------------------------------------------------------------------------------------------

_NOT_SIGNED_IN = r"az login|az account set|Can't find token from MSAL"
_NO_TENANT = r"Tenant shouldn't be specified"
_FIXED_TENANT = r"access token for non-current tenants is not supported"
_TOO_OLD = r"unrecognized arguments: .*--scope"
_NO_NETWORK = r"Max retries exceeded|Connection(Error| aborted| refused)|NewConnectionError|Name or service not known"
_EXPIRED = frozenset({50173, 70008, 70043, 700082, 700084, 50132, 50133})
_OTHER_TENANT = frozenset({50020, 50034, 51004, 90002, 90072, 500341})
_POLICY = frozenset({50005, 50072, 50074, 50076, 50078, 50079, 50158, 53000, 53001, 53002, 53003, 530003, 530032})
_NOT_PERMITTED = frozenset({65001, 65002, 650052, 650057})
# The API is not known in the tenant, as every API of another cloud.
_UNKNOWN_API = frozenset({500011, 500014})


def _explain_failure(finished: _Finished, sign_in: str) -> EntraAuthError:
    """Return the error that the standard error of the program means."""
    text = finished.errors
    codes = find_error_codes(text)
    if codes:
        return _explain_refusal(text, codes, sign_in)
    sentence = f"The Azure CLI failed with status {finished.status}: {_get_first_line(text) or 'it gave no reason'}."
    if re.search(_NOT_SIGNED_IN, text):
        return InputError("The Azure CLI is not signed in.", hint=f"Run '{sign_in}' as the user who runs Ansible.")
    if re.search(_NO_TENANT, text):
        return InputError(sentence, hint="Remove tenant_id, or update the Azure CLI to 2.77 or newer.")
    if re.search(_FIXED_TENANT, text):
        return InputError(sentence, hint="Remove tenant_id, or set it to that tenant.")
    if re.search(_TOO_OLD, text):
        return InputError(sentence, hint="Update the Azure CLI: this version can't request a token for a scope.")
    if re.search(_NO_NETWORK, text):
        return NetworkError(sentence, hint="Check HTTPS_PROXY and REQUESTS_CA_BUNDLE, which the Azure CLI reads.")
    return NetworkError(sentence, hint="Run 'az account get-access-token' as the same user.")


def _explain_refusal(text: str, codes: tuple[int, ...], sign_in: str) -> TokenRequestRefused:
    ids = dict(_IDS.findall(text))
    cause, fix = _choose_words(codes, sign_in)
    return TokenRequestRefused(
        f"Entra refused the request of the Azure CLI: {_get_first_line(text)}: {cause}.",
        hint=fix,
        response=ErrorResponse(
            error="azure_cli_error",
            error_codes=codes,
            correlation_id=ids.get("Correlation ID"),
            trace_id=ids.get("Trace ID"),
            timestamp=ids.get("Timestamp"),
        ),
    )


def _choose_words(codes: tuple[int, ...], sign_in: str) -> tuple[str, str]:
    """Return the cause as a clause and the fix as a sentence, by the first code that is known."""
    known = set(codes)
    if known & _EXPIRED:
        return "the sign-in of the Azure CLI has expired", f"Run '{sign_in}' as the user who runs Ansible."
    if known & _OTHER_TENANT:
        return (
            "the account that is signed in to the Azure CLI does not belong to this tenant",
            f"Correct tenant_id, or run '{sign_in}' with an account of that tenant.",
        )
    if known & _POLICY:
        return "a conditional access policy asks for more", f"Run '{sign_in}' and pass the check."
    if known & _NOT_PERMITTED:
        return (
            "the app of the Azure CLI may not use this API or permission",
            "Correct scope, or use an app registration of your own, for example with credential: device_code: of "
            "Microsoft Graph the app of the Azure CLI has only some permissions.",
        )
    hint = find_code_hint(codes)
    if hint and known & _UNKNOWN_API:
        return hint.cause, f"{hint.fix} The Azure CLI has a cloud of its own: see 'az cloud show'."
    return (hint.cause, hint.fix) if hint else ("the sign-in of the Azure CLI was refused", f"Run '{sign_in}'.")


def _get_first_line(text: str) -> str:
    """Return the first error line, without the ids that follow it and without anything that may be a token."""
    lines = [line for line in text.splitlines() if line.startswith("ERROR: ")] or text.strip().splitlines() or [""]
    line = lines[0].removeprefix("ERROR: ").partition("Trace ID:")[0]
    return printable(_JWT.sub(MASK, line), _SHOWN_CHARACTERS).rstrip(". ")


__all__ = ("request_cli_token",)
