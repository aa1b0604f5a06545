#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation. The action plugin of the same name does the work, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: app_token
short_description: Get an application access token of Microsoft Entra ID
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Gets an access token for Microsoft Graph, the Azure Management API or any other API that Microsoft Entra ID
    protects, and a complete C(Authorization) header with it. The usual options are O(tenant_id), O(client_id),
    O(client_secret) and O(scope).
  - Any number of hosts, forks, tasks and loops share one token request. The token is stored, encrypted, for the rest of
    the run and renewed before it expires.
  - The result is complete for C(register), and hidden from everything else. No C(no_log) is needed.
  - "An option that is not given is read from these places, strongest first: the Ansible variable C(app_token_<option>),
    the environment variable C(ENTRA_AUTH_<OPTION>), the variables of other tools, and C(ansible.cfg). The
    documentation of the lookup P(entra.auth.app_token#lookup) lists them."
  - An empty value counts as not given, from every place. A fact is not a source of options, because a host may return
    any fact.
extends_documentation_fragment:
  - entra.auth._app_token
  - entra.auth._app_token.required_roles
  - entra.auth._attributes.actiongroup_entra
notes:
  - Unless O(run_on=target), everything runs on the control node. The task works for Windows hosts, network devices and
    unreachable hosts too, and C(become) and C(delegate_to) have no effect on it.
  - A token request changes nothing, so it is made in check mode too.
attributes:
  async:
    description: The request is made by the control node, so nothing is left running on a host.
    support: none
  check_mode:
    description: Gets the token, which changes nothing.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
  platform:
    description: Any, because it runs on the control node. With O(run_on=target) the host needs Python and C(requests).
    platforms: all
    support: full
seealso:
  - plugin: entra.auth.app_token
    plugin_type: lookup
    description: The same in an expression, fresh at each use.
"""

EXAMPLES = r"""
# The values in these examples may also be set in the inventory as app_token_tenant_id and so on, or in the
# environment as AZURE_TENANT_ID and so on; then the task needs no options.

- name: Get a token for Microsoft Graph
  entra.auth.app_token:
    tenant_id: "{{ tenant }}"
    client_id: "{{ client }}"
    client_secret: "{{ secret }}"
  register: graph

# The lookup's output "uri" does the same in one expression and never expires. A uri task gets the first page only;
# entra.auth.api_request gets them all.
- name: Get the first page of users with it
  ansible.builtin.uri:
    url: "{{ graph.api_url }}/v1.0/users"
    headers: "{{ graph.headers }}"
    url_password: "{{ graph.access_token }}" # has the uri module mask the token in its own output
    use_netrc: false # a netrc entry would replace the header
    unredirected_headers: [Authorization]
  register: users

- name: Get a token for the Azure Management API, with other headers in addition
  entra.auth.app_token:
    tenant_id: "{{ tenant }}"
    client_id: "{{ client }}"
    client_secret: "{{ secret }}"
    scope: arm
    extra_headers:
      Accept-Language: en
  register: arm

- name: Redeem a refresh token and store the new one
  entra.auth.app_token:
    tenant_id: "{{ tenant }}"
    client_id: "{{ public_client }}"
    refresh_token: "{{ first_refresh_token }}"
    refresh_token_file: "{{ state_dir }}/refresh_token"
  register: user

- name: Check that the app has the roles that the play needs
  entra.auth.app_token:
    tenant_id: "{{ tenant }}"
    client_id: "{{ client }}"
    client_secret: "{{ secret }}"
    required_roles: [User.Read.All]
"""

RETURN = r"""
access_token:
  description: The access token itself.
  returned: success
  type: str
  sample: eyJ0eXAiOiJKV1Qi…
token_type:
  description: The type of the token.
  returned: success
  type: str
  sample: Bearer
authorization:
  description: The value of the Authorization header.
  returned: success
  type: str
  sample: Bearer eyJ0eXAiOiJKV1Qi…
headers:
  description: Complete request headers, O(extra_headers) included.
  returned: success
  type: dict
  sample:
    Authorization: Bearer eyJ0eXAiOiJKV1Qi…
expires_in:
  description: Seconds until the token expires.
  returned: success
  type: int
  sample: 3599
expires_on:
  description: The end of the token's validity, in seconds since the epoch.
  returned: success
  type: int
  sample: 1795442400
expires_at:
  description: The same in ISO 8601 and UTC.
  returned: success
  type: str
  sample: "2026-11-23T18:00:00Z"
scope:
  description: The scope that was requested.
  returned: success
  type: str
  sample: https://graph.microsoft.com/.default
api_url:
  description: The base URL of the API in that cloud if it has one, or O(api_base_url).
  returned: success
  type: str
  sample: https://graph.microsoft.com
cloud:
  description: The cloud of the token.
  returned: success
  type: str
  sample: public
tenant_id:
  description: The tenant that issued the token, if the credential or the token names one.
  returned: success
  type: str
  sample: 00000000-0000-0000-0000-000000000001
client_id:
  description: The app or managed identity of the token, if the credential or the token names one.
  returned: success
  type: str
  sample: 00000000-0000-0000-0000-000000000002
credential:
  description: The kind of credential that was used.
  returned: success
  type: str
  sample: client_secret
source:
  description: Whether the token came from the V(cache) or the V(network).
  returned: success
  type: str
  sample: cache
claims:
  description:
    - The claims of the token, decoded and not verified. They are for diagnostics only, because the token is meant for
      the API.
    - Empty if the token can't be read.
  returned: success
  type: dict
  sample:
    aud: https://graph.microsoft.com
    roles: [User.Read.All]
correlation_id:
  description: The ID of the token request in the sign-in log of Entra.
  returned: always
  type: str
  sample: 5c0cc8a3-4d34-4a55-a7c5-bd8e2ee2b61f
refresh_token:
  description: The newest refresh token.
  returned: if a refresh token was redeemed, or a person signed in by device code
  type: str
  sample: 0.AAAA…
error:
  description: The OAuth 2.0 error in the response of the service.
  returned: failure
  type: str
  sample: invalid_client
error_codes:
  description: The AADSTS codes of the error.
  returned: failure
  type: list
  elements: int
  sample: [7000215]
hint:
  description: How to fix the error.
  returned: failure
  type: str
  sample: Set client_secret to the secret's Value, not to its ID.
trace_id:
  description: The ID of the failed request for Microsoft's support.
  returned: failure
  type: str
  sample: 8d7f5b9c-9d1f-4a39-86b9-8b8d8d8d8d00
"""
