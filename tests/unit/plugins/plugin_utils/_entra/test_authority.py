# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token request goes to the login host that was named, over https, and nowhere a crafted value could send it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import (
    build_token_url,
    is_loopback,
    normalize_authority,
    validate_tenant,
)

TENANT = "contoso.onmicrosoft.com"


@pytest.mark.parametrize(
    ("authority", "url"),
    [
        ("https://login.microsoftonline.com", f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
        ("https://login.microsoftonline.com/", f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
        ("https://login.microsoftonline.us//", f"https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token"),
        ("login.sovcloud-identity.fr", f"https://login.sovcloud-identity.fr/{TENANT}/oauth2/v2.0/token"),
        (" login.microsoftonline.us\n", f"https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token"),
        ("login.test:8443", f"https://login.test:8443/{TENANT}/oauth2/v2.0/token"),
        ("https://192.0.2.7:8443", f"https://192.0.2.7:8443/{TENANT}/oauth2/v2.0/token"),
        ("https://[2001:db8::1]", f"https://[2001:db8::1]/{TENANT}/oauth2/v2.0/token"),
        ("http://localhost:8080", f"http://localhost:8080/{TENANT}/oauth2/v2.0/token"),
        ("http://127.0.0.1:8080/", f"http://127.0.0.1:8080/{TENANT}/oauth2/v2.0/token"),
        ("http://127.8.7.6", f"http://127.8.7.6/{TENANT}/oauth2/v2.0/token"),
        ("http://[::1]:8080", f"http://[::1]:8080/{TENANT}/oauth2/v2.0/token"),
        ("https://contoso.ciamlogin.com", f"https://contoso.ciamlogin.com/{TENANT}/oauth2/v2.0/token"),
        (
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_app",
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_app/oauth2/v2.0/token",
        ),
        (
            "https://contoso.ciamlogin.com/other.onmicrosoft.com/",
            "https://contoso.ciamlogin.com/other.onmicrosoft.com/oauth2/v2.0/token",
        ),
        ("https://sts.contoso.example/adfs", "https://sts.contoso.example/adfs/oauth2/token"),
        ("https://sts.contoso.example/adfs/", "https://sts.contoso.example/adfs/oauth2/token"),
        ("sts.contoso.example/ADFS", "https://sts.contoso.example/ADFS/oauth2/token"),
        ("https://login.test?x=1#y", f"https://login.test/{TENANT}/oauth2/v2.0/token"),
    ],
)
def test_an_authority_gives_the_url_of_its_token_endpoint(authority: str, url: str) -> None:
    assert build_token_url(authority, TENANT) == url


@pytest.mark.parametrize(
    "authority",
    [
        "",
        "  ",
        "https://",
        "https:///path",
        "//login.test",
        "https://user@login.test",
        "https://user:hunter2@login.test",
        "https://@login.test",
        "https://login.microsoftonline.com@evil.example",
        "https://login.test\\@evil.example",
        "https://login.test:notaport",
        "https://login.test:99999",
        "https://[::1",
        "javascript:alert(1)",
        "https://\u2100.example",
    ],
)
def test_what_is_no_login_host_is_refused_without_being_repeated(authority: str) -> None:
    with pytest.raises(InputError, match="not a URL of a login host") as refused:
        build_token_url(authority, TENANT)
    assert refused.value.hint == "Write it like https://login.microsoftonline.com."
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "authority",
    ["not a url", "https://login.te\nst", "https://login.test/a\r\nb", "https://login%2ftest", "https://."],
)
def test_a_host_name_with_characters_that_no_host_name_has_is_refused(authority: str) -> None:
    with pytest.raises(InputError):
        build_token_url(authority, TENANT)


@pytest.mark.parametrize(
    "authority",
    [
        "http://login.microsoftonline.com",
        "HTTP://login.test",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0",
        "http://192.0.2.7",
        "ftp://login.test",
        "file://localhost/etc/passwd",
    ],
)
def test_a_credential_never_travels_in_the_clear(authority: str) -> None:
    with pytest.raises(InputError, match="is not https") as refused:
        normalize_authority(authority)
    assert "https" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("", False),
        ("localhost.localdomain.example", False),
        ("127.0.0.1.example", False),
        ("128.0.0.1", False),
        ("::2", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound
    ],
)
def test_loopback_is_this_machine_and_nothing_else(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("tenant", ["00000000-0000-0000-0000-000000000001", "contoso.com", "a", "A-1.b2"])
def test_a_guid_or_a_domain_is_a_tenant(tenant: str) -> None:
    validate_tenant(tenant)


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "Common", "CONSUMERS"])
def test_a_stand_in_for_any_tenant_is_refused(tenant: str) -> None:
    with pytest.raises(InputError, match=f"'{tenant}' stands for any tenant") as refused:
        validate_tenant(tenant)
    assert "verified domains" in str(refused.value.hint)


@pytest.mark.parametrize(
    "tenant",
    ["", "a/b", "/", "..", ".", "-a", "a-", "a b", "a\n", "a?b", "a#b", "a%2fb", "https://contoso.com", "kösel.de"],
)
def test_what_could_change_the_url_is_no_tenant(tenant: str) -> None:
    with pytest.raises(InputError, match="neither a GUID nor a domain name") as refused:
        validate_tenant(tenant)
    assert "\n" not in str(refused.value)


@given(st.text())
def test_an_accepted_tenant_is_one_harmless_segment_of_a_path(tenant: str) -> None:
    try:
        validate_tenant(tenant)
    except InputError:
        return
    url = build_token_url("https://login.test", tenant)
    assert url == f"https://login.test/{tenant}/oauth2/v2.0/token"
    assert url.isascii()
    assert url.count("/") == 6
    assert not set(tenant) & set("/?#%@\\ \r\n:")
