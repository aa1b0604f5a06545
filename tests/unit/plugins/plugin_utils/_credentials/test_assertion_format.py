# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An assertion is recognized whatever is around it; other forms are named; none of them is ever shown."""

from __future__ import annotations

import base64
import json
import textwrap

import pytest
from jwts import build_jwt

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._credentials.assertion_format import (
    describe_assertion,
    describe_subject_form,
    parse_assertion,
)

GITHUB = "https://token.actions.githubusercontent.com"


ASSERTION = build_jwt(iss="https://issuer.test", sub="repo:o/r:environment:prod", aud="api://AzureADTokenExchange")


@pytest.mark.parametrize(
    "text",
    [
        ASSERTION,
        f" {ASSERTION}\r\n\n",
        f"\ufeff{ASSERTION}",
        f'"{ASSERTION}"\n',
        f"'{ASSERTION}'",
        f"Bearer {ASSERTION}",
        f"bearer  {ASSERTION}",
        f"Authorization: Bearer {ASSERTION}\n",
        f"{ASSERTION}\\r\\n",
        "\n".join(textwrap.wrap(ASSERTION, 64)),
    ],
)
def test_a_jwt_is_taken_out_of_what_is_around_it(text: str) -> None:
    assert parse_assertion(text, "x") == ASSERTION


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (json.dumps({"value": ASSERTION}), "JSON around the token (with the keys 'value')"),
        (json.dumps({"count": 1, "value": ASSERTION}), "JSON around the token (with the keys 'count', 'value')"),
        (json.dumps({f"key{number}": 1 for number in range(9)}), "'key0', 'key1', 'key2', 'key3', 'key4')"),
        (json.dumps({"a\x1b[31m": 1}), "(with the keys 'a [31m')"),
        ("{}", "an empty JSON object"),
        (json.dumps([ASSERTION]), "a JSON list"),
        (base64.b64encode(ASSERTION.encode()).decode(), "a JWT in base64"),
        (base64.encodebytes(ASSERTION.encode()).decode(), "a JWT in base64"),
        ("eyJhbGciOiJSU0EifQ.a.b.c.d", "an encrypted JWT (JWE)"),
        (ASSERTION.rpartition(".")[0], "a JWT without its last part, the signature"),
        (ASSERTION.rpartition(".")[0] + ".", "a JWT without its last part, the signature"),
        (ASSERTION[:20], "a JWT that was cut short"),
        (ASSERTION[:60] + "." + ASSERTION[60:], "a JWT that was cut short or changed"),
        (f"{ASSERTION}\n{ASSERTION}\n", "more than one JWT"),
        (f"{ASSERTION}%3D", "a JWT that was cut short or changed"),
        (f"TOKEN={ASSERTION}", "a name before the token"),
        (f"token: '{ASSERTION}'", "a name before the token"),
        ("<saml:Assertion>", "XML"),
        ("https://issuer.test/token", "a URL"),
        ("/var/run/secrets/token", "a path"),
        ("~/token", "a path"),
        ("-----BEGIN CERTIFICATE-----", "PEM"),
        ("not a token", "other text"),
        ("a.b.c", "other text"),
        ("e30.W10.c2ln", "other text"),
        ("e30.é.x", "other text"),
        ("{" * 100000, "other text"),
        ("", "other text"),
    ],
)
def test_any_other_text_is_named_by_its_form(text: str, form: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_assertion(text, "The option")
    assert refused.value.message.startswith("The option does not hold a JWT: it holds ")
    assert form in refused.value.message
    assert refused.value.hint
    assert ASSERTION[:20] not in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("assertion", "shown"),
    [
        (
            ASSERTION,
            "issuer 'https://issuer.test', subject 'repo:o/r:environment:prod', audience 'api://AzureADTokenExchange'",
        ),
        (build_jwt(aud=["a", "b"]), "issuer 'None', subject 'None', audience 'a, b'"),
        (build_jwt(), "issuer 'None', subject 'None', audience 'None'"),
        ("opaque", "an assertion that is not a readable JWT"),
    ],
)
def test_an_assertion_is_described_by_its_names(assertion: str, shown: str) -> None:
    assert describe_assertion(assertion) == shown


def test_a_description_holds_nothing_a_terminal_would_obey() -> None:
    assert describe_assertion(build_jwt(iss="a\x1b[31m", sub="b\r\nc", aud=["d\x00"])).isprintable()


@pytest.mark.parametrize(
    ("claims", "words", "missing"),
    [
        (
            {"iss": GITHUB, "sub": "repo:octocat@123456/my-repo@456789:ref:refs/heads/main"},
            ["GitHub's immutable form", "claimsMatchingExpression"],
            ["older"],
        ),
        (
            {"iss": GITHUB, "sub": "repo:octocat/my-repo:ref:refs/heads/main"},
            ["GitHub's older form", "repo:owner@id/repository@id", "claimsMatchingExpression"],
            ["immutable"],
        ),
        (
            {"iss": "https://token.actions.contoso.ghe.com", "sub": "repo:o/r@1:environment:prod"},
            ["GitHub's older form"],
            [],
        ),
        (
            {"iss": "https://gitlab.com", "sub": "project_path:g/p:ref_type:branch:ref:main"},
            ["claimsMatchingExpression"],
            ["GitHub's"],
        ),
        ({"iss": "https://app.terraform.io", "sub": "organization:o"}, ["claimsMatchingExpression"], ["GitHub's"]),
    ],
)
def test_the_form_of_a_subject_is_told(claims: dict[str, str], words: list[str], missing: list[str]) -> None:
    text = describe_subject_form(build_jwt(**claims))
    assert all(word in text for word in words)
    assert not [word for word in missing if word in text]


@pytest.mark.parametrize(
    "assertion", [build_jwt(iss="https://issuer.test", sub="system:serviceaccount:a:b"), build_jwt(), "opaque"]
)
def test_of_any_other_issuer_nothing_is_told(assertion: str) -> None:
    assert describe_subject_form(assertion) == ""
