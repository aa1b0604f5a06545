#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the action plugin of the same name does the work on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Check whether an app of Microsoft Entra ID works here before the real work
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Gets a token for each API, makes calls that only read, checks the app roles that the work needs, and warns before
    the app's secret or certificate expires. Reports everything that is wrong at once.
  - The role P(entra.auth.preflight#role) runs this module, shows the report as a table and keeps it as a fact.
  - "The options of M(entra.auth.app_token) are options of this module too, and are read from the same places: the
    Ansible variable C(app_token_<option>), the environment, and C(ansible.cfg). The other options are read from the
    task only."
options:
  scopes:
    description: The APIs, each as in the option C(scope) of M(entra.auth.app_token).
    type: list
    elements: str
    default: [graph, arm]
  default_calls:
    description:
      - Whether to read the organization from Microsoft Graph, and the subscriptions from Azure, if these APIs are among
        the O(scopes).
      - Set it to V(false) if the app needs no permission for these.
    type: bool
    default: true
  calls:
    description: More calls to make, such as the first ones of the work.
    type: list
    elements: dict
    default: []
    suboptions:
      scope:
        description: The API to call.
        type: str
        default: graph
      url:
        description: The URL, or a path below the base URL of the API. It is only read.
        type: str
        required: true
      status_code:
        description: The status codes that mean success.
        type: list
        elements: int
        default: [200]
  allowed_hosts:
    description:
      - Hosts that may receive a token in addition to those of its API.
      - As C(host.example.com) or C(*.example.com), with a port if the URL has one.
    type: list
    elements: str
    default: []
  required_roles:
    description:
      - The app roles, or scopes of a user, that the token for an API has to carry, as a list for each API.
      - In this module it is a mapping, which takes the place of the list of M(entra.auth.app_token).
    type: dict
    default: {}
  warn_days:
    description:
      - Warn if the app's secret or certificate expires within that many days. V(0) does not check it.
      - Needs C(graph) among O(scopes) and an app that may read its own registration, as with C(Application.Read.All).
        If it may not, the report says so.
    type: int
    default: 30
  fail:
    description: Whether to fail if anything is wrong. Otherwise the problems are only returned.
    type: bool
    default: true
  scope:
    description: Not used; see O(scopes).
  timeout:
    description:
      - Seconds that one HTTP exchange may take.
  retry_for:
    description:
      - Seconds within which a request that failed for a temporary reason is repeated, each call on its own.
extends_documentation_fragment:
  - entra.auth._app_token
  - entra.auth._attributes.actiongroup_entra
notes:
  - Everything runs on the control node, where C(become) and C(delegate_to) change nothing. With O(run_on=target) the
    task's host requests the token of its managed identity, and the control node makes the calls.
  - In a play for many hosts that share an app, use C(run_once).
  - The role C(entra.auth.preflight) shows the report as a table.
attributes:
  async:
    description: The control node does the work, so there is nothing to leave running on a host.
    support: none
  check_mode:
    description: Every request only reads, so check mode makes no difference.
    support: full
  diff_mode:
    description: Nothing is changed.
    support: none
  platform:
    description: Any, because it runs on the control node. With O(run_on=target) the host needs Python and C(requests).
    platforms: all
    support: full
seealso:
  - module: entra.auth.api_request
"""

EXAMPLES = r"""
# Tenant, app and credential are set in the environment or as app_token_* variables.

- name: Check the app before the work
  entra.auth.preflight:
    scopes: [graph]
    required_roles:
      graph: [User.Read.All, Group.Read.All]
    calls:
      - url: /v1.0/users?$top=1

- name: Report only, and decide in the play
  entra.auth.preflight:
    fail: false
  register: checked

- name: Show the report as a table
  ansible.builtin.debug:
    msg: "{{ checked.table }}"
"""

RETURN = r"""
ok:
  description: Whether there is no problem.
  returned: always
  type: bool
  sample: true
problems:
  description: What is wrong, each cause once, as a sentence with its fix.
  returned: always
  type: list
  elements: str
  sample: []
warnings:
  description:
    - What may become a problem.
    - A secret or certificate that expires soon, or an app that sees no subscription.
  returned: always
  type: list
  elements: str
  sample: []
apis:
  description: Each API that was checked.
  returned: always
  type: list
  elements: dict
  contains:
    scope:
      description: The API, as in O(scopes).
      type: str
      sample: graph
    api_url:
      description: The base URL of the API.
      type: str
      sample: https://graph.microsoft.com
    cloud:
      description: The cloud.
      type: str
      sample: public
    tenant_id:
      description: The tenant of the token.
      type: str
      sample: 11111111-1111-4111-8111-111111111111
    client_id:
      description: The app of the token.
      type: str
      sample: aaaaaaaa-0000-4000-8000-000000000001
    credential:
      description: The kind of credential that was used.
      type: str
      sample: client_secret
    expires_at:
      description: When the token expires.
      type: str
      sample: "2026-11-23T22:14:28Z"
    roles:
      description: The app roles of the token, or the scopes of a user.
      type: list
      elements: str
      sample: [User.Read.All]
    missing_roles:
      description: Those of O(required_roles) that the token lacks.
      type: list
      elements: str
      sample: []
    error:
      description: Why there is no token, or which roles it lacks.
      type: str
    calls:
      description: Each call with its C(url), C(status), C(ok) and C(response), which is the response in a few words.
      type: list
      elements: dict
credentials:
  description: When the secrets or certificates of the app expire.
  returned: always
  type: dict
  contains:
    read:
      description: Whether the app's registration was read.
      type: bool
      sample: true
    note:
      description: Why it was not read.
      type: str
    client_id:
      description: The app.
      type: str
      sample: aaaaaaaa-0000-4000-8000-000000000001
    expirations:
      description: Each secret or certificate with its C(kind), C(name), C(key_id), C(expires_at) and C(days_left).
      type: list
      elements: dict
    expired:
      description: How many others have expired.
      type: int
      sample: 0
table:
  description: The report as lines of text.
  returned: always
  type: list
  elements: str
"""
