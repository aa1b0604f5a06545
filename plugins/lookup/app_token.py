# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expression face: an access token, its header, or the arguments of a uri task, fresh at each use.

Ansible loads a lookup anew in each worker process, and compiles whatever it imports of a collection each time. So what
a call has given is remembered in a way that this file alone, whose compiled form Ansible does keep, can read.

Its documentation is in app_token.yml beside this file: Ansible would otherwise parse it anew in each worker process,
which takes longer than a cached token does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._app_token import AppToken

display = Display()

# All that app_token reads from Ansible's variables; each but for its prefix.
_OPTIONS = (
    *("tenant_id", "client_id", "credential", "client_secret", "client_certificate", "client_certificate_path"),
    *("client_certificate_password", "send_certificate_chain", "federated_token", "federated_token_file"),
    *("federated_token_source", "managed_identity_client_id", "managed_identity_object_id"),
    *("managed_identity_resource_id", "refresh_token", "refresh_token_file", "scope", "cloud", "authority"),
    *("api_base_url", "claims_challenge", "required_roles", "extra_headers", "run_on", "cache", "cache_key"),
    *("min_validity", "force_refresh", "timeout", "retry_for", "proxy", "ca_path", "validate_certs"),
)
# Made by the main process before it forks, so every worker knows the same one.
_DIRECTORY = os.path.join(C.DEFAULT_LOCAL_TMP, "entra_auth")  # type: ignore[attr-defined]  # filled at run time
_CONFIG_FILE: str | None = C.CONFIG_FILE  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
_NONCE_BYTES = 12
_MAX_BYTES = 1024 * 1024


class LookupModule(LookupBase):
    """Terms are scopes; each gives one item."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """One item per term, in the shape that ``output`` names. Raises AnsibleLookupError."""
        output = str(options.pop("output", None) or "access_token")
        return [self._item(term, variables or {}, options, output) for term in terms or [None]]

    def _item(self, term: t.Any, variables: dict[str, t.Any], options: dict[str, t.Any], output: str) -> t.Any:
        direct = options if term is None else {**options, "scope": term}
        template = self._templar.template if self._templar else _as_it_is
        memo = None
        # With -v a call tells where its token is from, and the whole of a token how long it still lives.
        if not display.verbosity and output != "token":
            memo = _Memo.of([output, direct], variables, template)
        known = memo.recall() if memo else None
        return known if known is not None else _obtain(direct, variables, template, output, memo)


def _obtain(
    direct: dict[str, t.Any],
    variables: dict[str, t.Any],
    template: t.Callable[[t.Any], t.Any],
    output: str,
    memo: _Memo | None,
) -> t.Any:
    from ansible_collections.entra.auth.plugins.plugin_utils._app_token import OUTPUTS
    from ansible_collections.entra.auth.plugins.plugin_utils._faces import Failure, obtain
    from ansible_collections.entra.auth.plugins.plugin_utils._option_sources import OptionSources
    from ansible_collections.entra.auth.plugins.plugin_utils._targets import OutOfReach

    if output not in OUTPUTS:
        raise AnsibleLookupError(f"output '{output}' is none of {', '.join(OUTPUTS)}. To fix it: use one of them.")

    def shape(app_token: AppToken) -> t.Any:
        item = OUTPUTS[output](app_token)
        if memo:
            memo.keep(item, app_token)
        return item

    outcome = obtain(OptionSources(direct, variables, template), display, OutOfReach(variables), shape)
    if isinstance(outcome, Failure):
        raise AnsibleLookupError(outcome.msg)
    return outcome


class _Memo:
    """What a call has given in this run, for the same call by any worker while the cache would give the same.

    It is sealed with AES-256-GCM, by a key from all that the call depends on, the client secret among it, and bound to
    the content of the cache's files, so that who replaces the token there, puts back an older one, or has another
    secret finds nothing. Key and name are a one-step key derivation by SHA-512 (NIST SP 800-56C rev. 2, section 4).
    """

    def __init__(self, call: bytes) -> None:
        derived = hashlib.sha512(b"\0\0\0\1" + call + b"entra.auth lookup 1").digest()
        self._key, self._name = derived[:32], derived[32:52].hex() + ".memo"

    @classmethod
    def of(cls, call: t.Any, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> _Memo | None:
        """For a call with all it depends on; None where that can't be told: the call itself says why, and no secret."""
        given = [name for name in map("app_token_{}".format, _OPTIONS) if name in variables]
        with contextlib.suppress(Exception):
            config = os.stat(_CONFIG_FILE) if _CONFIG_FILE else None
            depends_on = [
                call,
                {name: template(variables[name]) for name in given},
                dict(os.environ),
                config and [_CONFIG_FILE, config.st_mtime_ns, config.st_size, config.st_ino],
            ]
            # Before ansible-core 2.19 a value from a vault becomes a text in this way only.
            return cls(json.dumps(depends_on, default=str).encode())
        return None

    def recall(self) -> t.Any:
        """What the call has given; None where it has to be made."""
        with contextlib.suppress(Exception):
            head, _end, sealed = _read_private(os.path.join(_DIRECTORY, self._name)).partition(b"\n")
            known = self._open(sealed, _digests(head, map(_read_private, json.loads(head))))
            if known["epoch"] > time.time() and known["uptime"] > time.clock_gettime(time.CLOCK_BOOTTIME):
                return known["item"]
        return None

    def _open(self, sealed: bytes, bound_to: bytes) -> t.Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return json.loads(AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to))

    def keep(self, item: t.Any, app_token: AppToken) -> None:
        """Remember what the call has given, if it depends on nothing but what it was made with and the cache."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
        from ansible_collections.entra.auth.plugins.plugin_utils._directory_store import DirectoryStore

        options, now = app_token.options, Moment.now()
        if app_token.credential != "client_secret" or options.force_refresh or not app_token.files or not now.uptime:
            return
        seconds = app_token.token.fresh_seconds(now, min_validity=options.min_validity)
        if seconds <= 0:
            return
        known = {"item": item, "epoch": now.epoch + seconds, "uptime": now.uptime + seconds}
        head = json.dumps(list(app_token.files)).encode()
        nonce = os.urandom(_NONCE_BYTES)
        bound_to = _digests(head, app_token.files.values())
        sealed = nonce + AESGCM(self._key).encrypt(nonce, json.dumps(known).encode(), bound_to)
        with contextlib.suppress(OSError):
            store = DirectoryStore(_DIRECTORY)
            with store.lock(self._name, wait_seconds=0) as held:
                if held:
                    store.write(self._name, head + b"\n" + sealed, keep_seconds=seconds)


def _digests(head: bytes, contents: t.Iterable[bytes]) -> bytes:
    return b"".join(hashlib.sha256(part).digest() for part in (head, *contents))


def _read_private(path: str) -> bytes:
    """The content of a file that this user alone can reach. OSError where it is none."""
    _refuse_others(os.lstat(os.path.dirname(path)), stat.S_ISDIR)
    # Without waiting, should somebody have put a pipe there.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        _refuse_others(os.fstat(file.fileno()), stat.S_ISREG)
        return file.read(_MAX_BYTES)


def _refuse_others(found: os.stat_result, is_expected: t.Callable[[int], bool]) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or not is_expected(found.st_mode):
        raise PermissionError


def _as_it_is(value: t.Any) -> t.Any:
    return value
