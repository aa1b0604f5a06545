#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: authorized_uri
short_description: Call an API that Entra protects with ansible.builtin.uri, from the task's host
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Runs M(ansible.builtin.uri) on the task's host with a valid C(Authorization) header, so C(delegate_to),
    C(environment), C(become) and the network of the host count as in any task.
  - The token is requested on the control node and sent over https only, to the hosts of the API that O(scope) names.
  - A request to a busy API is repeated after the time in C(Retry-After). A refused token is renewed once, with the
    claims that the API requires. A redirect is followed only to a host that may receive the token.
  - The token is in no result, so that no task needs C(no_log).
  - Use M(entra.auth.api_request) for whole listings, long-running operations, batches and uploads, and where the
    request should leave from the control node.
  - "The options of M(entra.auth.app_token) are options of this module too. They are also read from the Ansible variable
    C(app_token_<option>), the environment and C(ansible.cfg). All other options are read from the task only."
options:
  url:
    description:
      - The URL to call, or a path below the base URL of the API, which is O(api_base_url) or that of the API in the
        O(cloud). Required.
      - A C(#) is refused, because the part after it would not be sent. Write it as V(%23), as in the names of guests.
    type: str
  method:
    description:
      - The HTTP method. V(GET), V(HEAD) and V(OPTIONS) change nothing; every other method counts as a change if the
        response is C(2xx).
      - These methods, V(PUT) and V(DELETE) are repeated after a lost connection and after C(408), C(429) and most of
        C(5xx). Every other method is repeated after C(429) and C(503) only, because those say that nothing has happened
        yet.
    type: str
    default: GET
  headers:
    description:
      - Headers in addition to O(extra_headers). They replace headers of the same name there, but not C(Authorization).
    type: dict
    default: {}
  body:
    description:
      - The body of the request. With V(json) data of any kind, with the forms a mapping, with V(raw) text.
    type: raw
  body_format:
    description:
      - How O(body) is sent, as in M(ansible.builtin.uri). Used only with O(body).
    type: str
    choices: [json, raw, form-urlencoded, form-multipart]
    default: json
  src:
    description:
      - A file to send as the body, from the control node, or from the task's host with O(remote_src).
      - Excludes O(body).
    type: str
  remote_src:
    description:
      - Whether O(src) is on the task's host.
    type: raw
    default: false
  dest:
    description:
      - A file or directory of the task's host to write the response to. It is not written in check mode.
      - Excludes O(jmespath).
    type: raw
  status_code:
    description:
      - The statuses that are a success, as a list or as text with commas. By default every C(2xx) status is.
    type: list
    elements: int
    default: []
  return_content:
    description:
      - Whether to return the text of the response as RV(content), whatever its type is.
    type: bool
    default: false
  jmespath:
    description:
      - A JMESPath expression that makes RV(result) from the content of the response.
      - An invalid expression is refused before any request. If it does not fit the content, the task fails and returns
        the response.
    type: str
  allowed_hosts:
    description:
      - More hosts that may receive the token, such as C(api.example.com), C(*.example.com) or C(localhost:8443).
    type: list
    elements: str
    default: []
  access_token:
    description:
      - A token from elsewhere, such as another collection or a secret store, in place of a credential.
      - It is sent to the hosts of O(scope) only and masked like any other token. Its audience and expiry are checked as
        far as they can be read. It can't be renewed.
    type: str
  creates:
    description:
      - A file of the task's host. If it exists, the request is not sent.
    type: raw
  removes:
    description:
      - A file of the task's host. If it does not exist, the request is not sent.
    type: raw
  unix_socket:
    description:
      - A socket of the task's host to connect to.
    type: raw
  ciphers:
    description:
      - The TLS ciphers of the request, as in M(ansible.builtin.uri).
    type: raw
  client_cert:
    description:
      - A PEM file on the task's host with a certificate for TLS client authentication, which some gateways need.
    type: raw
  client_key:
    description:
      - A PEM file on the task's host with the key of O(client_cert).
    type: raw
  decompress:
    description:
      - Whether to decompress a response that is compressed by gzip.
    type: raw
    default: true
  force:
    description:
      - Whether to request a response that is not from a cache on the way.
    type: raw
    default: false
  http_agent:
    description:
      - The C(User-Agent) of the request.
    type: raw
    default: ansible-httpget
  use_proxy:
    description:
      - Whether the request obeys the proxy variables in the task's environment. Plain http, which is for the host
        itself alone, uses no proxy.
    type: raw
    default: true
  timeout:
    description:
      - Seconds for one HTTP exchange. On the host they count for each read. The control node stops an exchange that
        takes 10 seconds longer, which is the time for C(ansible.builtin.uri) to start on a slow host.
      - The call ends at most 1 second after O(timeout) + O(retry_for), also on a slow host. With a small O(retry_for)
        choose a O(timeout) that includes the start.
  retry_for:
    description:
      - Seconds within which a request is repeated after a temporary error. If C(Retry-After) is longer than the time
        left, the request fails at once. Redirects and repetitions of a request share O(timeout) + O(retry_for).
      - The same applies to token requests.
  run_on:
    description:
      - Where the token is requested. With V(target) the managed identity of the task's host is used.
  proxy:
    description:
      - The proxy for token requests. For the request to the API set E(HTTPS_PROXY) in the C(environment) of the task.
  ca_path:
    description:
      - A PEM file of CA certificates for token requests. If the task itself gives it, the file has to exist on the
        task's host too, and is used for the request to the API as well.
  validate_certs:
    description:
      - Whether the certificates of the login host have to be valid, and if the task itself gives it, that of the API as
        well. Turning it off sends the credential and the token to any server that responds.
extends_documentation_fragment:
  - entra.auth._app_token
  - entra.auth._app_token.required_roles
  - entra.auth._attributes.actiongroup_entra
  - ansible.builtin.files
requirements:
  - jmespath on the control node, for O(jmespath)
notes:
  - The module sets these options of M(ansible.builtin.uri) itself and refuses them C(follow_redirects),
    C(force_basic_auth), C(unredirected_headers), C(url_password), C(url_username), C(use_gssapi) and C(use_netrc).
  - With C(until), loops and C(delegate_to) it works as any module does. Each attempt has a token that is valid then.
  - A response that names a next page is returned with a warning, because the module makes one request only.
attributes:
  async:
    description: The control node has to renew the token, so the task can't be left running on a host.
    support: none
  check_mode:
    description:
      - Requests that read are made, but O(dest) is not written. For any other request C(method), C(url) and C(body) are
        returned, with secrets masked as by M(entra.auth.api_request).
      - A token is requested in any case.
    support: full
  diff_mode:
    description:
      - For a V(PUT) or V(PATCH) with a mapping as O(body), shows it beside the same names of the old value, which is
        read before. Secrets are masked as by M(entra.auth.api_request).
    support: partial
  platform:
    description: Hosts with Python. For Windows hosts use M(entra.auth.api_request).
    platforms: posix
    support: full
seealso:
  - module: entra.auth.api_request
  - module: entra.auth.app_token
  - module: ansible.builtin.uri
  - plugin: entra.auth.app_token
    plugin_type: lookup
    description: The header for a task of M(ansible.builtin.uri) itself.
"""

EXAMPLES = r"""
# The credential comes from the environment (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), from variables such
# as app_token_tenant_id, or from options of the task.

- name: Get the name of the organization, from the task's host
  entra.auth.authorized_uri:
    url: /v1.0/organization?$select=displayName
    jmespath: value[0].displayName
  register: organization

- name: Show it
  ansible.builtin.debug:
    var: organization.result

- name: Change a user
  entra.auth.authorized_uri:
    url: "/v1.0/users/{{ user }}"
    method: PATCH
    body:
      jobTitle: Operator

- name: Read several groups, each with a token that is valid then
  entra.auth.authorized_uri:
    url: "/v1.0/groups/{{ item }}"
    status_code: [200, 404]
  loop: ["{{ group }}"]
  register: found

- name: Wait until a resource is there
  entra.auth.authorized_uri:
    url: "{{ virtual_machine_id }}?api-version=2024-07-01"
    scope: arm
    status_code: [200, 404]
  register: resource
  until: resource.status == 200
  retries: 10
  delay: 5

- name: Send the request from the control node
  entra.auth.authorized_uri:
    url: /subscriptions?api-version=2022-12-01
    scope: arm
  delegate_to: localhost

- name: Send a token that comes from elsewhere
  entra.auth.authorized_uri:
    url: /v1.0/organization
    access_token: "{{ lookup('entra.auth.app_token') }}"
"""

RETURN = r"""
status:
  description: The status of the response; -1 if there was none.
  returned: always, except in check mode for a request that changes something, and if O(creates) or O(removes) made the
    request unnecessary
  type: int
  sample: 200
json:
  description: The content of the response, if it is JSON.
  returned: if it is JSON, also on a failure
  type: raw
  sample:
    id: 00000000-0000-0000-0000-000000000003
content:
  description: The text of the response.
  returned: with O(return_content)
  type: str
  sample: '{"id": "00000000-0000-0000-0000-000000000003"}'
result:
  description:
    - What O(jmespath) selects from the content.
    - Without an expression RV(json), or the text of a response that is not JSON.
  returned: success
  type: raw
  sample: Contoso
url:
  description: The URL that was called last, or would be called.
  returned: if there was a response, and in check mode
  type: str
  sample: https://graph.microsoft.com/v1.0/users
elapsed:
  description: The seconds that the last request took.
  returned: if there was a request
  type: int
  sample: 1
path:
  description: The file that was written.
  returned: with O(dest)
  type: str
  sample: /srv/users.json
method:
  description: The method that would be used.
  returned: in check mode, for a request that changes something
  type: str
  sample: PATCH
body:
  description: The body that would be sent, without secrets.
  returned: in check mode, for a request that changes something
  type: raw
  sample:
    jobTitle: Operator
error:
  description: The code of the error that the API returned, or the error of OAuth 2.0 if no token was issued.
  returned: failure
  type: str
  sample: Authorization_RequestDenied
error_codes:
  description: The AADSTS codes of the error, if no token was issued.
  returned: failure
  type: list
  elements: int
  sample: [7000215]
hint:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Check url; if the response is a success for you, add 404 to status_code.
correlation_id:
  description: The id of the failed request in the logs of the service.
  returned: failure
  type: str
  sample: 5c0cc8a3-4d34-4a55-a7c5-bd8e2ee2b61f
trace_id:
  description: The id of the failed request for Microsoft's support.
  returned: failure
  type: str
  sample: 8d7f5b9c-9d1f-4a39-86b9-8b8d8d8d8d00
"""
