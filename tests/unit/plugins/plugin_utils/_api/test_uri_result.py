# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What uri returned is a response, or the words of a module that failed: readable ones."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiRequest
from ansible_collections.entra.auth.plugins.plugin_utils._api.token_mask import TokenMask
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_result import UriResponse, read_response

TOKEN: t.Final = "made-up-token-of-this-test-0123456789"
REQUEST: t.Final = ApiRequest("GET", "https://api.example/x")
TRACEBACK: t.Final = f"""Traceback (most recent call last):
  File "/tmp/uri.py", line 1, in <module>
    raise ConnectionRefusedError
OSError: [Errno 2] {TOKEN}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/tmp/uri.py", line 3, in <module>
ValueError: unknown encoding
"""


def read(**result: t.Any) -> UriResponse | str:
    return read_response(REQUEST, result, TokenMask((TOKEN,)))


@pytest.mark.parametrize("field", ["exception", "module_stderr"])
def test_of_a_traceback_the_exceptions_are_the_words(field: str) -> None:
    said = read(failed=True, msg="MODULE FAILURE", **{field: TRACEBACK})
    assert said == "MODULE FAILURE OSError: [Errno 2] ********\nValueError: unknown encoding"


def test_words_are_said_once() -> None:
    said = read(failed=True, msg="x", exception=TRACEBACK, module_stderr=TRACEBACK)
    assert str(said).count("unknown encoding") == 1


def test_a_status_makes_it_a_response() -> None:
    response = read(status=404, failed=True, content="Bearer " + TOKEN)
    assert isinstance(response, UriResponse)
    assert (response.status, response.decode_text()) == (404, "Bearer ********")
