# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expression face: an access token, its header, or the arguments of a uri task, fresh at each use.

Ansible loads a lookup anew in each worker process, and compiles whatever it imports of a collection each time. So what
a call has given is remembered in a way that this file alone, whose compiled form Ansible does keep, can read. All that
is not needed for that is in plugin_utils/_remembering.py.

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
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

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
_CONFIG_FILE: str | None = C.CONFIG_FILE  # type: ignore[attr-defined]  # ansible.constants fills itself at run time
_NONCE_BYTES = 12
_MAX_BYTES = 1024 * 1024


class _Memo:
    """What a call has given in this run, for the same call by any worker while the cache would give the same.

    It is sealed with AES-256-GCM, by a key from all that the call depends on, the client secret among it, and bound to
    the content of the cache's files, so that who replaces the token there, puts back an older one, or has another
    secret finds nothing. Key and name are a one-step key derivation by SHA-512 (NIST SP 800-56C rev. 2, section 4).
    """

    # Made by the main process before it forks, so every worker knows the same one.
    directory = os.path.join(C.DEFAULT_LOCAL_TMP, "entra_auth")  # type: ignore[attr-defined]  # filled at run time

    def __init__(self, output: str, depends_on: bytes) -> None:
        derived = hashlib.sha512(b"\0\0\0\1" + depends_on + b"entra.auth memo 1").digest()
        self._key, self.name = derived[:32], derived[32:52].hex() + ".memo"
        self._is_whole = output == "token"

    @classmethod
    def of(
        cls,
        output: str,
        direct: t.Mapping[str, t.Any],
        variables: t.Mapping[str, t.Any],
        template: t.Callable[[t.Any], t.Any],
    ) -> _Memo | None:
        """For a call with all it depends on; None where that can't be told: the call itself says why, and no secret.

        None with -v, too, because a call then tells where its token is from.
        """
        if display.verbosity:
            return None
        given = [name for name in map("app_token_{}".format, _OPTIONS) if name in variables]
        with contextlib.suppress(Exception):
            config = os.stat(_CONFIG_FILE) if _CONFIG_FILE else None
            depends_on = [
                [output, direct],
                {name: _known_by(variables[name], variables, template) for name in given},
                dict(os.environ),
                config and [_CONFIG_FILE, config.st_mtime_ns, config.st_size, config.st_ino],
            ]
            # Before ansible-core 2.19 a value from a vault becomes a text in this way only.
            return cls(output, json.dumps(depends_on, default=str).encode())
        return None

    def recall(self) -> t.Any:
        """What the call has given; None where it has to be made."""
        with contextlib.suppress(Exception):
            head, _end, sealed = _read_private(os.path.join(self.directory, self.name)).partition(b"\n")
            known = self._open(sealed, _digests(head, map(_read_private, json.loads(head))))
            uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
            if known["epoch"] > time.time() and known["uptime"] > uptime:
                item = known["item"]
                return {**item, "expires_in": int(known["ends"] - uptime)} if self._is_whole else item
        return None

    def _open(self, sealed: bytes, bound_to: bytes) -> t.Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return json.loads(AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to))

    def seal(self, known: dict[str, t.Any], files: t.Mapping[str, bytes]) -> bytes:
        """What ``recall`` reads as long as these files, by their paths, have this content."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head, nonce = json.dumps(list(files)).encode(), os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._key).encrypt(nonce, json.dumps(known).encode(), _digests(head, files.values()))
        return head + b"\n" + nonce + sealed


class LookupModule(LookupBase):
    """Terms are scopes; each gives one item."""

    # For the action, which remembers in the same way.
    memo_of = _Memo.of

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[t.Any]:
        """One item per term, in the shape that ``output`` names. Raises AnsibleLookupError."""
        output = str(options.pop("output", None) or "access_token")
        return [self._item(term, variables or {}, options, output) for term in terms or [None]]

    def _item(self, term: t.Any, variables: dict[str, t.Any], options: dict[str, t.Any], output: str) -> t.Any:
        direct = options if term is None else {**options, "scope": term}
        template = self._templar.template if self._templar else _as_it_is
        memo = self.memo_of(output, direct, variables, template)
        known = memo.recall() if memo else None
        if known is not None:
            return known
        from ansible_collections.entra.auth.plugins.plugin_utils._remembering import item_of

        return item_of(direct, variables, template, output, memo)


def _known_by(value: t.Any, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> t.Any:
    """What tells this value of an option from any other.

    A template that only names a plain text, as that of a secret in a vault's file does, is known by both: to have
    Ansible compile it takes longer than all else here.
    """
    if isinstance(value, str) and value[:2] == "{{" and value[-2:] == "}}":
        text = variables.get(value[2:-2].strip())
        if isinstance(text, str) and "{{" not in text and "{%" not in text:
            return [value, text]
    return template(value)


def _digests(head: bytes, contents: t.Iterable[bytes]) -> bytes:
    return b"".join(hashlib.sha512(part).digest() for part in (head, *contents))


def _read_private(path: str) -> bytes:
    """The content of a file that this user alone can reach. OSError where it is none."""
    _refuse_others(os.lstat(os.path.dirname(path)), stat.S_ISDIR)
    # Without waiting, should somebody have put a pipe there.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        _refuse_others(found, stat.S_ISREG)
        # A buffer for the most that might be there would cost more than all else here.
        return file.read(min(found.st_size, _MAX_BYTES))


def _refuse_others(found: os.stat_result, is_expected: t.Callable[[int], bool]) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or not is_expected(found.st_mode):
        raise PermissionError


def _as_it_is(value: t.Any) -> t.Any:
    return value
