#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation alone: the action plugin of the same name does all, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_request
short_description: Call Microsoft Graph, Azure Resource Manager or another API of Entra
version_added: 0.1.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Asks an API that Microsoft Entra ID protects, and gives back the whole answer. Listings are followed to their last
    page, operations that take their time to their end, and throttling is obeyed.
  - A valid token goes out with each request, and to the hosts of the API that O(scope) names alone. One that ends or is
    revoked on the way is replaced. It is in no result, so that none needs C(no_log).
  - All requests of a task go over one kept-alive session of the controller.
  - "The options of M(entra.auth.app_token) are options of this module too, and looked for where it looks for them:
    in the Ansible variable C(app_token_<option>), the environment, and C(ansible.cfg). The others are read from the
    task alone."
options:
  url:
    description:
      - What to ask for. A path goes to the base URL of the API, which is O(api_base_url) or that of the API in the
        O(cloud).
      - "Required, but for O(requests), which go to V(/v1.0/$batch) by default."
      - A C(#) is refused, because what follows it would not be sent. Write it as V(%23), as in the names of guests.
    type: str
  method:
    description:
      - The HTTP method. V(GET), V(HEAD) and V(OPTIONS) change nothing; all others count as a change.
      - What reads, V(PUT) and V(DELETE) are repeated after a lost connection, C(429) and C(5xx); V(POST) and V(PATCH)
        after C(429) and C(503) only, because those say that nothing has happened yet.
    type: str
    choices: [GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE]
    default: GET
  query:
    description:
      - Names and values for the query of O(url), encoded as they have to be.
      - A list gives its name several times, but for names that begin with C($), whose values are joined by commas.
        Nothing is sent for an empty text or for null.
    type: dict
    default: {}
  headers:
    description:
      - Headers to send, such as C(ConsistencyLevel), C(Prefer) or C(If-Match), beside those of O(extra_headers).
        They go out with each page of a listing. They can't replace C(Authorization).
    type: dict
    default: {}
  body:
    description:
      - What to send, in the format of O(body_format).
      - It is in no result; see check mode and diff mode below.
    type: raw
  body_format:
    description:
      - How O(body) is sent. V(json) takes any data, V(form) a mapping, V(raw) text. Text is sent as it is in any of
        them.
    type: str
    choices: [json, form, raw]
    default: json
  src:
    description:
      - A file to send in place of O(body), looked for as M(ansible.builtin.copy) looks for its own.
      - >-
        With a O(url) that ends in C(/createUploadSession) the file goes, piece by piece, to the address that the
        session names, which gets no token. O(body) then describes the file.
    type: path
  dest:
    description:
      - The file of the controller to write the answer to, in place of the result. It is replaced when all is there, or
        not at all.
      - "A listing becomes JSON Lines: one item in each line. They are written page by page, so that a listing of any
        size takes the memory of a page."
      - "Only answers with C(2xx) are written. Of any other that O(status_code) allows, such as V(304) or V(404), the
        file stays as it is, and the answer is returned as without O(dest)."
      - Anything else is written as it came. Where the API redirects to the address of a download, that is followed
        without the token for what reads. To have JSON with a list in C(value) written as it came, set O(paginate) to
        V(false).
    type: path
  mode:
    description:
      - The mode of O(dest), as octal text.
    type: raw
    default: "0600"
  status_code:
    description:
      - The statuses that are good answers, as a list or as text with commas. By default all of C(2xx) are.
      - With O(requests) they count for each of them.
    type: list
    elements: int
    default: []
  paginate:
    description:
      - Whether to follow a listing to its last page. An answer with a list in C(value), or with a link to a next
        page, is a listing.
    type: bool
    default: true
  max_items:
    description:
      - Stop a listing after so many items exactly.
    type: int
  jmespath:
    description:
      - A JMESPath expression that makes RV(result) from the whole answer. All items of a listing are in C(value),
        however many pages it had; the answers to O(requests) are in C(responses).
      - What is no expression, or calls a function that JMESPath does not have, is refused before any request. Where the
        expression does not fit the answer, the task fails and returns the answer.
    type: str
  allowed_hosts:
    description:
      - More hosts that may get the token, such as C(api.example.com), C(*.example.com) or C(localhost:8443).
    type: list
    elements: str
    default: []
  wait:
    description:
      - Whether to await an operation that the answer only begins, and to give back its result.
      - "For Azure Resource Manager the headers C(Azure-AsyncOperation) and C(Location) and the C(provisioningState)
        of the resource are followed; for Microsoft Graph and others C(Location) and C(Operation-Location)."
      - Monitors of Microsoft Graph that are at another host are asked without the token.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to await an operation at most. The operation itself goes on after that.
    type: float
    default: 1800.0
  requests:
    description:
      - Requests to Microsoft Graph, sent together in batches of 20.
      - >-
        Each has a C(url) relative to the version, like V(/users), and may have C(method), C(headers), C(body), C(id)
        and C(dependsOn), a list of the ids of others. Those that depend on each other stay in one batch. A C(#) in a
        C(url) is written as V(%23).
      - Requests that were throttled are sent again, alone, within O(retry_for). Listings are followed as any other.
    type: list
    elements: dict
    default: []
  retry_for:
    description:
      - Seconds within which a request that failed for a passing reason is repeated, each page and each look at an
        operation on its own. The C(Retry-After) of the service is obeyed; when it asks for more than is left, the
        request fails at once.
      - A file that is uploaded by pieces fails when for so long none of them gets it on.
      - The same goes for token requests.
  timeout:
    description:
      - Seconds that one HTTP exchange may take; for a download to O(dest), seconds between two pieces.
  run_on:
    description:
      - Where the token is asked for; the requests themselves leave from the controller.
      - With V(target) only such a token is found as a task of M(entra.auth.app_token) has asked for from the target.
  proxy:
    description:
      - The proxy for token requests and for those to the API, like C(http://proxy.example.com:3128). By default
        E(HTTPS_PROXY) and E(NO_PROXY) are obeyed.
  validate_certs:
    description:
      - Whether the certificates of the login host and of the API have to be valid. Turning it off hands credential and
        token to whoever answers.
extends_documentation_fragment:
  - entra.auth._app_token
requirements:
  - jmespath, for O(jmespath)
notes:
  - "What excludes each other: O(dest) with O(jmespath) and O(wait); O(src) with O(wait) and, but for upload sessions,
    O(body); O(requests) with O(body), O(src), O(dest), O(wait), O(max_items), O(query) and O(method)."
  - Everything runs on the controller. The task works for Windows hosts, network devices and unreachable hosts alike,
    and C(become) and C(delegate_to) change nothing about it.
  - In a play for many hosts each of them makes the request. Use C(run_once) where one answer serves all.
  - "The items of a listing are RV(result) or, in brackets, C(answer['items']): C(answer.items) means something else in
    Jinja."
attributes:
  action_group:
    description: Use C(group/entra.auth.entra) in C(module_defaults).
    support: full
    membership: [entra.auth.entra]
  async:
    description: All is done by the controller, so there is nothing to leave running on a host.
    support: none
  check_mode:
    description:
      - Requests that read are made, but O(dest) is not written. Of any other request C(method), C(url) and C(body) are
        returned, with the values of names that tell of a secret masked, and of text no more than its length.
      - A C(value) is masked beside a C(name), C(key), C(type) or C(path) that tells of a secret, everywhere in calls of
        Key Vault and Managed HSM, and where the path of O(url) tells of a secret.
      - A token is asked for in any case.
    support: full
  diff_mode:
    description:
      - For a V(PUT) or V(PATCH) with a mapping as O(body), shows it beside the same names of the old value, which is
        read before. Secrets are masked as in check mode.
    support: partial
  platform:
    description: Any, because it runs on the controller.
    platforms: all
    support: full
seealso:
  - module: entra.auth.app_token
  - plugin: entra.auth.app_token
    plugin_type: lookup
    description: The token for tasks of other modules.
"""

EXAMPLES = r"""
# The variables in these examples can as well be set in the inventory as app_token_tenant_id and so on,
# or in the environment as ENTRA_AUTH_TENANT_ID or AZURE_TENANT_ID and so on; then no task needs them.

- name: List all users, whichever number of pages they fill
  entra.auth.api_request:
    tenant_id: "{{ tenant }}"
    client_id: "{{ client }}"
    client_secret: "{{ secret }}"
    url: /v1.0/users
    query:
      $select: [displayName, userPrincipalName]
      $filter: accountEnabled eq true
  register: users

- name: Show how many there are, and the first
  ansible.builtin.debug:
    msg: "{{ users.count }} users; the first is {{ users.result[0].displayName }}"

- name: Take the names alone
  entra.auth.api_request:
    url: /v1.0/users
    jmespath: value[].displayName
  register: names

- name: Write a large listing to a file, one user in each line
  entra.auth.api_request:
    url: /v1.0/users
    dest: "{{ state_dir }}/users.jsonl"

- name: List the resource groups of a subscription
  entra.auth.api_request:
    url: "/subscriptions/{{ subscription }}/resourceGroups"
    scope: arm
    query:
      api-version: "2022-09-01"
  register: group_list

- name: Start a virtual machine and wait until it runs
  entra.auth.api_request:
    url: "{{ virtual_machine_id }}/start"
    scope: arm
    method: POST
    query:
      api-version: "2024-07-01"
    wait: true

- name: Change a user; with --diff the old title is shown beside the new one
  entra.auth.api_request:
    url: "/v1.0/users/{{ user }}"
    method: PATCH
    body:
      jobTitle: Operator

- name: Ask whether a group is there, without failing where it is not
  entra.auth.api_request:
    url: "/v1.0/groups/{{ group }}"
    status_code: [200, 404]
  register: found

- name: Ask for several things at once
  entra.auth.api_request:
    requests:
      - url: /organization
      - url: "/users/{{ user }}?$select=displayName"
  register: answers

- name: Download a file; the address it comes from gets no token
  entra.auth.api_request:
    url: "/v1.0/drives/{{ drive }}/items/readme.txt/content"
    dest: "{{ state_dir }}/readme.txt"
"""

RETURN = r"""
status:
  description: The status of the last answer. On a failure, that of the answer that failed.
  returned: when there was one answer, and not a batch of them
  type: int
  sample: 200
json:
  description:
    - The answer, where it is JSON.
    - Of a listing all but its items and links, such as C(@odata.count) or C(@odata.deltaLink).
  returned: success, but for O(requests), and for O(dest) only with a listing or a status other than C(2xx)
  type: raw
  sample:
    id: 00000000-0000-0000-0000-000000000003
items:
  description:
    - All items of a listing, from all its pages.
    - With O(requests) the answers, in the order of the requests, each with C(id), C(status), C(headers) and C(body).
      They are returned on a failure as well; where a batch on the way failed, those that were there before, and
      C(changed) tells whether any of them wrote.
  returned: for a listing without O(dest), and for O(requests)
  type: list
  elements: raw
  sample:
    - id: 00000000-0000-0000-0000-000000000003
      displayName: Ann
count:
  description: The number of items.
  returned: for a listing, and for O(requests)
  type: int
  sample: 250
pages:
  description: The number of pages; with O(requests) the number of batches that were sent.
  returned: for a listing, and for O(requests)
  type: int
  sample: 3
result:
  description:
    - What O(jmespath) selects from the whole.
    - Without an expression the items of a listing, the answers to O(requests), or else what RV(json) is; and the
      text of an answer that is not JSON.
  returned: success, but for O(dest) only with a status other than C(2xx)
  type: raw
  sample: [Ann, Bob]
headers:
  description: The headers of the last answer, their names in lower case.
  returned: success, but for O(requests)
  type: dict
  sample:
    content-type: application/json
request_id:
  description: Names the last answer for the API's support.
  returned: when the API named it
  type: str
  sample: 5c0cc8a3-4d34-4a55-a7c5-bd8e2ee2b61f
dest:
  description: The file that was written.
  returned: with O(dest) and a C(2xx) status
  type: str
  sample: /srv/users.jsonl
size:
  description: Its size in bytes.
  returned: with O(dest) and a C(2xx) status
  type: int
  sample: 74001
checksum:
  description: The SHA-256 of its content.
  returned: with O(dest) and a C(2xx) status
  type: str
  sample: b8d5f13f921df920c18d523453b666278b4735079787df69932c2acfe03cd965
method:
  description: The method that would be used.
  returned: in check mode, for what changes something
  type: str
  sample: PATCH
url:
  description: The complete URL that would be used.
  returned: in check mode, for what changes something
  type: str
  sample: https://graph.microsoft.com/v1.0/users/ann@contoso.example
body:
  description: The body that would be sent, without secrets.
  returned: in check mode, for what changes something
  type: raw
  sample:
    jobTitle: Operator
error:
  description:
    - The code of the error that the API answered, with those of the errors within, from the outside in.
    - Where no token could be had, the error of OAuth 2.0.
  returned: failure
  type: str
  sample: Authorization_RequestDenied
error_codes:
  description: The AADSTS codes of the error, where no token could be had.
  returned: failure
  type: list
  elements: int
  sample: [7000215]
hint:
  description: What to do about the error.
  returned: failure
  type: str
  sample: Check url; where the answer is a good one too, add 404 to status_code.
correlation_id:
  description: Names the failed request in the logs of the service.
  returned: failure
  type: str
  sample: 5c0cc8a3-4d34-4a55-a7c5-bd8e2ee2b61f
trace_id:
  description: Names the failed request for Microsoft's support.
  returned: failure
  type: str
  sample: 8d7f5b9c-9d1f-4a39-86b9-8b8d8d8d8d00
"""
