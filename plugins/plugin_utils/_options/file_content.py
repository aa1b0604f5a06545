# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the files that options name, in the encodings in which people and agents write them.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import stat

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError, printable
from ansible_collections.entra.auth.plugins.plugin_utils._options.types import strip_line_breaks

_MAX_FILE_BYTES = 1024 * 1024
_SHOWN_CHARACTERS = 300
_SHOWN_KEYS = 5
_SHOWN_KEY_CHARACTERS = 40
# PEM, the beginning of every JWT, a certificate in base64, and a name that no file can have.
_CONTENT = re.compile(r"-----BEGIN|eyJ|MI[IJ][A-Za-z0-9+/]{100}|(.*/)?[^/]{256}")
# One long word: a client secret has 40 characters.
_MAYBE_SECRET = re.compile(r"[^/]{30,}")
# The longer mark first: that of UTF-32 begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def read_file(option: str, path: str) -> bytes:
    """Return the content of the file that an option names. Raises InputError for a file without content."""
    refuse_content(option, path)
    if _MAYBE_SECRET.fullmatch(path) and not os.path.exists(path):
        raise InputError(
            f"{option} does not name a file that exists. Its value is not shown, because it may be a secret.",
            hint=f"Give the path as {option}, or a secret as the option that takes it.",
        )
    content, reason = _read(path)
    if reason is None:
        return content
    raise InputError(
        f"{option} {printable(path, _SHOWN_CHARACTERS)} can't be read: {reason}.",
        hint=f"Correct {option}, or the file's permissions.",
    )


def refuse_content(option: str, path: str) -> None:
    """Raise InputError, without the text, if an option holds a secret or a certificate instead of its path."""
    if "\n" in path or _CONTENT.match(path):
        raise InputError(
            f"{option} holds the content of a file instead of its path.",
            hint=f"Give the path as {option}, or the content as the option that takes it.",
        )


def _read(path: str) -> tuple[bytes, str | None]:
    """Return the content of a file, and why it can't be used; None if it can."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return b"", "it is not a regular file"
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as exc:
        return b"", exc.strerror
    except ValueError:
        return b"", "it contains a null character"
    if len(content) > _MAX_FILE_BYTES:
        return b"", "it is larger than 1 MiB"
    return content, None if content.strip() else "it is empty"


def _open_at_once(path: str, flags: int) -> int:
    # To open a named pipe otherwise waits for a program that writes to it, for ever if there is none.
    return os.open(path, flags | os.O_NONBLOCK)


def decode_text(content: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 as Windows tools write it, without its byte order mark.

    Bytes that are not text become replacement characters.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    head = content[:64]
    # In text that is ASCII for the most part, every second byte of UTF-16 is zero.
    if len(head) > 1 and not any(head[1::2]):
        return content.decode("utf-16-le", errors="replace")
    if len(head) > 1 and not any(head[::2]):
        return content.decode("utf-16-be", errors="replace")
    return content.decode("utf-8", errors="replace")


def read_text(option: str, path: str) -> str:
    """Return the text of the file that an option names, without line breaks at its end. Raises InputError."""
    return strip_line_breaks(decode_text(read_file(option, path)))


def describe_json(text: str, content: str) -> str | None:
    """Return a name for a text that is a JSON object, by its keys; None for any other text.

    Args:
        text: the text, of which nothing else is shown.
        content: what the object is expected to have as a value, for the name.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    keys = ", ".join(f"'{printable(key, _SHOWN_KEY_CHARACTERS)}'" for key in list(found)[:_SHOWN_KEYS])
    return f"JSON around {content} (with the keys {keys})" if keys else "an empty JSON object"


__all__ = ("decode_text", "describe_json", "read_file", "read_text", "refuse_content")
