# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token request goes to the given login host, over https, and a crafted value can't send it elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._entra.authority import (
    build_token_url,
    find_cloud,
    is_loopback,
    normalize_authority,
    refuse_other_tenant,
    validate_tenant,
)
from ansible_collections.entra.auth.plugins.plugin_utils._entra.clouds import CLOUDS

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
        ("https://sts.windows.net/contoso.com/", "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"),
    ],
)
def test_an_authority_gives_the_url_of_its_token_endpoint(authority: str, url: str) -> None:
    assert build_token_url(authority, TENANT) == url


@pytest.mark.parametrize(
    "suffix",
    [
        "/v2.0",
        "/v2.0/",
        "/oauth2/v2.0/token",
        "/oauth2/token",
        "/oauth2/v2.0/authorize",
        "/oauth2/authorize",
        "/oauth2/v2.0/devicecode",
        "/v2.0/.well-known/openid-configuration",
        "/.well-known/openid-configuration",
        "/discovery/v2.0/keys",
        "/federationmetadata/2007-06/federationmetadata.xml",
        "/saml2",
        "/wsfed",
        "/OAUTH2/V2.0/TOKEN",
    ],
)
@pytest.mark.parametrize(
    "authority",
    [
        f"https://login.microsoftonline.com/{TENANT}",
        "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_app",
        "https://contoso.ciamlogin.com/other.onmicrosoft.com",
    ],
)
def test_the_url_of_an_endpoint_is_reduced_to_its_authority(authority: str, suffix: str) -> None:
    assert normalize_authority(authority + suffix) == authority


def test_the_token_endpoint_of_ad_fs_is_understood() -> None:
    for url in ("https://sts.contoso.example/adfs/oauth2/token", "https://sts.contoso.example/adfs"):
        assert build_token_url(url, TENANT) == "https://sts.contoso.example/adfs/oauth2/token"


@pytest.mark.parametrize("path", ["common", "organizations/", "consumers", "Common/v2.0", "common/oauth2/v2.0/token"])
def test_an_authority_for_any_tenant_is_refused_by_its_own_name(path: str) -> None:
    with pytest.raises(InputError, match="The authority ends in /") as refused:
        normalize_authority(f"https://login.test/{path}")
    assert refused.value.hint == "Write the authority as https://login.test; the tenant is taken from tenant_id."


@pytest.mark.parametrize("url", ["https://login.test/t/oauth2/v2.0/token?p=b2c_1_app", "https://login.test/#x"])
def test_an_authority_with_a_query_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="has a query"):
        normalize_authority(url)


@pytest.mark.parametrize(
    "authority",
    [
        "https://management.azure.com",
        "https://graph.microsoft.us/v1.0",
        "https://PORTAL.azure.com",
        "entra.microsoft.com",
    ],
)
def test_the_address_of_an_api_or_a_portal_is_not_a_login_host(authority: str) -> None:
    with pytest.raises(InputError, match="is the address of an API or a portal") as refused:
        build_token_url(authority, TENANT)
    assert refused.value.hint == "Write it like https://login.microsoftonline.com, or remove it and set cloud."


@pytest.mark.parametrize("path", ["/a/../b", "/..", "/.", "/a/.", "/./a", "/a/%2e%2e/b", "/a//b"])
def test_an_authority_has_no_segment_that_is_removed_on_the_way(path: str) -> None:
    with pytest.raises(InputError, match="not a URL of a login host"):
        normalize_authority(f"https://login.test{path}")
    assert normalize_authority("https://login.test/a..b/.c") == "https://login.test/a..b/.c"


OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize("path", [OTHER, f"{OTHER}/v2.0", OTHER.upper()])
def test_an_authority_of_another_tenant_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="names the tenant") as refused:
        refuse_other_tenant(f"https://login.test/{path}", "11111111-1111-4111-8111-111111111111")
    assert "tenant_id" in str(refused.value.hint)
    refuse_other_tenant(f"https://login.test/{path}", OTHER)


@pytest.mark.parametrize("authority", ["https://login.test", f"https://login.test/{TENANT}", "https://x.test/adfs"])
def test_a_tenant_that_can_t_be_compared_is_accepted(authority: str) -> None:
    refuse_other_tenant(authority, OTHER)


@pytest.mark.parametrize(
    ("authority", "cloud"),
    [
        ("https://login.microsoftonline.com", "public"),
        ("login.windows.net", "public"),
        ("https://sts.windows.net/contoso.com", "public"),
        ("https://LOGIN.microsoftonline.US./x", "usgov"),
        ("https://login.chinacloudapi.cn", "china"),
        ("https://login.sovcloud-identity.sg", "govsg"),
        ("https://login.microsoftonline.com.evil.example", None),
        ("https://contoso.b2clogin.com", None),
        ("https://[::1", None),
        ("", None),
    ],
)
def test_the_cloud_of_a_login_host_is_known(authority: str, cloud: str | None) -> None:
    assert find_cloud(authority) == cloud


def test_the_login_host_of_each_cloud_is_known() -> None:
    for cloud in CLOUDS.values():
        found = find_cloud(cloud.login_url)
        assert found is not None
        assert CLOUDS[found].login_url == cloud.login_url


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
def test_an_invalid_login_host_is_refused_without_being_repeated(authority: str) -> None:
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
def test_a_credential_is_never_sent_in_clear(authority: str) -> None:
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
def test_only_this_machine_is_loopback(host: str, expected: bool) -> None:
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
def test_a_tenant_that_could_change_the_url_is_refused(tenant: str) -> None:
    with pytest.raises(InputError, match="not a GUID or a domain name") as refused:
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
