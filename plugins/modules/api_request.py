#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the action plugin of the same name does the work on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_request
short_description: Call Microsoft Graph, Azure Resource Manager or another API that Entra protects
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Calls an API that Microsoft Entra ID protects and returns the whole response. It follows listings to their last page
    and long-running operations to their end, and waits for the time that the API requires.
  - Sends a valid token with each request, to the hosts of the API that O(scope) names and to no other. A token that
    expires or is revoked on the way is replaced. The token is in no result, so no task needs C(no_log).
  - All requests of a task use one kept-alive session of the control node.
  - "The options of M(entra.auth.app_token) are options of this module too, and are read from the same places: the
    Ansible variable C(app_token_<option>), the environment, and C(ansible.cfg). The other options are read from the
    task only."
options:
  url:
    description:
      - The URL, or a path below the base URL of the API, which is O(api_base_url) or that of the API in the O(cloud).
      - "Required, except for O(requests), which go to V(/v1.0/$batch) by default."
      - A C(#) is refused, because the text after it would not be sent. Write it as V(%23), as in the names of guests. A
        blank is written as V(%20).
    type: str
  method:
    description:
      - The HTTP method. V(GET), V(HEAD) and V(OPTIONS) change nothing; each other method counts
        as a change if the response is C(2xx).
      - Requests that read, V(PUT) and V(DELETE) are repeated after a lost connection and after C(408), C(429) and most
        of C(5xx); V(POST) and V(PATCH) only after C(429) and C(503), because those say that nothing has happened yet.
      - If the response to a repeated V(PUT) or V(DELETE) is C(404), C(409), C(410) or C(412), the failure says that an
        earlier attempt may have taken effect.
    type: str
    choices: [GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE]
    default: GET
  query:
    description:
      - Names and values to add to the query of O(url), encoded as needed.
      - A list is sent as several values, and as one value with commas for names that begin with C($). Empty texts and
        null are not sent.
    type: dict
    default: {}
  headers:
    description:
      - Headers to send, such as C(ConsistencyLevel), C(Prefer) or C(If-Match), in addition to O(extra_headers). They
        are sent with each page of a listing. They can't replace C(Authorization).
    type: dict
    default: {}
  body:
    description:
      - The body to send, in the format of O(body_format).
      - It is in no result; see check mode and diff mode below.
    type: raw
  body_format:
    description:
      - How O(body) is sent. V(json) accepts any data, V(form) a mapping, V(raw) text. Text is sent as it is in each of
        them.
    type: str
    choices: [json, form, raw]
    default: json
  src:
    description:
      - A file to send in place of O(body). It is searched as M(ansible.builtin.copy) searches its files.
      - >-
        With a O(url) that ends in C(/createUploadSession), the file is uploaded in pieces to the address that the
        session names, which gets no token. O(body) then describes the file. Drives get pieces of 10 MiB, other services
        such as Outlook pieces of less than 4 MB. A file with C(deferCommit) is committed at the end.
    type: path
  dest:
    description:
      - The file of the control node to write the response to, in place of the result. It is replaced when all of it is
        there, or not at all, and nothing is left beside it if the run is interrupted.
      - "A listing becomes JSON Lines: one item in each line. It is written page by page, so that a listing of any size
        takes the memory of one page."
      - Other content is written as it arrives. A redirect of a reading request to the address of a download is followed
        without the token. To write JSON with a list in C(value) as it arrives, set O(paginate) to V(false).
      - "Only C(200), C(201) and C(203) hold the whole content. Any other status is a failure, unless O(status_code)
        names it, such as V(304), V(404) or V(204): then the file stays as it is, and the response is returned as
        without O(dest)."
      - A compressed response that unpacks to more than 128 MiB and to more than 100 times its size is refused.
    type: path
  mode:
    description:
      - The mode of O(dest), as octal text.
    type: raw
    default: "0600"
  status_code:
    description:
      - The statuses that are a success, as a list or as text with commas. By default every C(2xx).
      - With O(requests), they count for each of them.
    type: list
    elements: int
    default: []
  paginate:
    description:
      - Whether to follow a listing to its last page. A JSON array, a list in C(value), and a response that names a next
        page are listings.
      - "The next page is found by a link in the body (C(@odata.nextLink), C(nextLink), C(continuationUri) and the
        like), by a header (C(NextPageUri), C(Link), C(x-ms-continuationtoken), C(x-ms-continuation),
        C(x-ms-continuation-Next*)) or by a token in the body (C(continuationToken), C($skipToken)). A listing that says
        that there is more without saying where fails."
    type: bool
    default: true
  max_items:
    description:
      - Stop a listing after exactly that many items.
    type: int
  jmespath:
    description:
      - A JMESPath expression that selects RV(result) from the whole response. All items of a listing are in C(value),
        or in the member that has them, however many pages there are; the responses of O(requests) are in C(responses).
      - An expression that is not valid is refused before any request. If the expression can't be applied to the
        response, the task fails and returns the response.
    type: str
  allowed_hosts:
    description:
      - More hosts that may receive the token, such as C(api.example.com), C(*.example.com) or C(localhost:8443).
    type: list
    elements: str
    default: []
  wait:
    description:
      - Whether to wait for the long-running operation that the request begins, and to return its result.
      - "The headers C(Azure-AsyncOperation), C(Operation-Location) and C(Location) are followed, and the
        C(provisioningState) of the resource."
      - "An operation is finished only if a response says so. A failed or canceled operation fails the task with the
        reason. A state that is not known goes on until it changes, or until O(wait_timeout), which names it. A response
        that is accepted and names no address to follow is a failure."
      - Monitors of Microsoft Graph on another host are polled without the token.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait for an operation. The operation itself goes on after that.
    type: float
    default: 1800.0
  requests:
    description:
      - Requests to Microsoft Graph, sent together in batches of 20.
      - >-
        Each has a C(url) relative to the version, like V(/users), and may have C(method), C(headers), C(body), C(id)
        and C(dependsOn), a list of the ids of others. Requests that depend on each other stay in one batch.
      - Throttled requests are sent again within O(retry_for). Listings are followed.
    type: list
    elements: dict
    default: []
  access_token:
    description:
      - A token from elsewhere, to send in place of one of O(scope). It goes to the hosts of O(scope) and
        O(allowed_hosts) only, and is in no result.
      - It can't be renewed. If it is refused, the task fails and says when it expires.
    type: str
  hide_result:
    description:
      - Keep the result out of the output, logs and job events. C(register) has it whole. Use it for personal data and
        for large listings.
      - The message of a failure is shown.
    type: bool
    default: false
  retry_for:
    description:
      - Seconds within which a request is repeated after a temporary error, each page and each poll of an
        operation on its own. C(Retry-After) is obeyed; if it is longer than the time left, the request fails at once.
      - Redirects and repetitions of a request share O(timeout) + O(retry_for).
      - An upload fails if none of its pieces makes progress for that long.
      - The same applies to token requests.
  timeout:
    description:
      - Seconds that one HTTP exchange may take. If it carries a file (O(dest), O(src)), seconds for each MiB of it.
  run_on:
    description:
      - Where the token is requested; the requests themselves are sent from the control node.
      - With V(target), a task of M(entra.auth.app_token) must have requested the token from the target before.
  proxy:
    description:
      - The proxy for token requests and for those to the API, like C(http://proxy.example.com:3128). By default
        E(HTTPS_PROXY) and E(NO_PROXY) are used.
  validate_certs:
    description:
      - Whether the certificates of the login host and of the API have to be valid. If this is off, credential and
        token go to any host that responds.
extends_documentation_fragment:
  - entra.auth._app_token
  - entra.auth._app_token.required_roles
  - entra.auth._attributes.actiongroup_entra
requirements:
  - jmespath (on the control node, for O(jmespath))
notes:
  - "These options exclude each other: O(dest) and O(jmespath) or O(wait); O(src) and O(wait) or, except for upload
    sessions, O(body); O(requests) and O(body), O(src), O(dest), O(wait), O(max_items), O(query) or O(method)."
  - Everything runs on the control node. The task works for Windows hosts, network devices and unreachable hosts, and
    C(become) and C(delegate_to) change nothing about it.
  - In a play for many hosts each of them sends the request. Use C(run_once) if one response serves all.
attributes:
  async:
    description: The control node does the work, so there is nothing to leave running on a host.
    support: none
  check_mode:
    description:
      - Requests that read are sent, but O(dest) is not written. For any other request C(method), C(url) and C(body) are
        returned. Values below names of secrets are masked, and of text only the length is shown.
      - A C(value) is masked beside a C(name), C(key), C(type) or C(path) that names a secret, in all calls of Key Vault
        and Managed HSM, and if the path of O(url) names a secret.
      - A token is requested in any case.
    support: full
  diff_mode:
    description:
      - For a V(PUT) or V(PATCH) with a mapping as O(body), shows it beside the same members of the old value, which is
        read first. Secrets are masked as in check mode.
    support: partial
  platform:
    description: Any, because it runs on the control node.
    platforms: all
    support: full
seealso:
  - module: entra.auth.app_token
  - plugin: entra.auth.app_token
    plugin_type: lookup
    description: The token for tasks of other modules.
  - module: entra.auth.authorized_uri
    description: Calls from the task's host.
"""

EXAMPLES = r"""
# tenant, client and secret are your own variables. No task needs them if the environment has AZURE_TENANT_ID,
# AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or the inventory has app_token_tenant_id and so on.

- name: List all users, however many pages there are
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
    msg: "{{ users.count }} users; the first is {{ users.value[0].displayName }}"

- name: Select the names only
  entra.auth.api_request:
    url: /v1.0/users
    jmespath: value[].displayName
  register: names

- name: List users without showing them in output and job events
  entra.auth.api_request:
    url: /v1.0/users
    hide_result: true
  register: people

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

- name: Find out whether a group exists, without failing if it does not
  entra.auth.api_request:
    url: "/v1.0/groups/{{ group }}"
    status_code: [200, 404]
  register: found

- name: Send several requests at once
  entra.auth.api_request:
    requests:
      - url: /organization
      - url: "/users/{{ user }}?$select=displayName"
  register: batch

- name: Show the second response
  ansible.builtin.debug:
    msg: "{{ batch.responses[1].body.displayName }}"

- name: Download a file; the address it comes from gets no token
  entra.auth.api_request:
    url: "/v1.0/drives/{{ drive }}/items/readme.txt/content"
    dest: "{{ state_dir }}/readme.txt"
"""

RETURN = r"""
status:
  description:
    - The status of the last response.
    - On a failure, the status of the response that failed; V(-1) if there was no response.
  returned: always, except for a batch that succeeded and in check mode for a write
  type: int
  sample: 200
json:
  description:
    - The response, if it is JSON.
    - Of a listing, everything except its items and links, such as C(@odata.count) or C(@odata.deltaLink).
  returned: success, except for O(requests), and for O(dest) only with a listing or with a status without content
  type: raw
  sample:
    id: 00000000-0000-0000-0000-000000000003
value:
  description:
    - All items of a listing, from all its pages.
  returned: for a listing without O(dest)
  type: list
  elements: raw
  sample:
    - id: 00000000-0000-0000-0000-000000000003
      displayName: User 0001
responses:
  description:
    - The responses of O(requests) in the order of the requests, each with C(id), C(status), C(headers) and C(body).
    - They are returned on a failure as well, as far as there are any, and C(changed) tells whether any of them wrote.
  returned: for O(requests)
  type: list
  elements: dict
  sample:
    - id: "1"
      status: 200
      headers: {}
      body:
        displayName: User 0001
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
    - What O(jmespath) selects from the whole response.
    - Without an expression, RV(value) of a listing, RV(responses) of O(requests), or else RV(json); and the text of a
      response that is not JSON. A listing whose items are not in C(value) is returned as one response with all items.
  returned: success, and for O(dest) only with a status without content
  type: raw
  sample: [User 0001, User 0002]
headers:
  description: The headers of the last response, their names in lower case.
  returned: success, except for O(requests)
  type: dict
  sample:
    content-type: application/json
request_id:
  description: The id of the last response for the API's support.
  returned: if the API names it
  type: str
  sample: 5c0cc8a3-4d34-4a55-a7c5-bd8e2ee2b61f
dest:
  description: The file that was written.
  returned: with O(dest) and a status with content
  type: str
  sample: /srv/users.jsonl
size:
  description: Its size in bytes.
  returned: with O(dest) and a status with content
  type: int
  sample: 74001
checksum:
  description: The SHA-256 of its content.
  returned: with O(dest) and a status with content
  type: str
  sample: b8d5f13f921df920c18d523453b666278b4735079787df69932c2acfe03cd965
method:
  description: The method that would be used.
  returned: in check mode, for a write
  type: str
  sample: PATCH
url:
  description: The complete URL that would be used.
  returned: in check mode, for a write
  type: str
  sample: https://graph.microsoft.com/v1.0/users/user0001@contoso.example
body:
  description: The body that would be sent, without secrets.
  returned: in check mode, for a write
  type: raw
  sample:
    jobTitle: Operator
error:
  description:
    - The code of the API's error, followed by the codes of its inner errors.
    - If no token was issued, the error of OAuth 2.0.
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
