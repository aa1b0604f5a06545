#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation. The action plugin of the same name does the work, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: app_token_cache
short_description: Show and clear the cache of tokens that outlives a run
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Lists the tokens in the cache of a user or of a Redis server, and when they expire. It needs no credential and shows
    no token, because entries are encrypted and only the data that identifies them is readable.
  - Clears the whole cache on request. Each following run requests new tokens.
options:
  cache:
    description:
      - The cache to show or clear, V(user) or the URL of a Redis server, as in O(entra.auth.app_token#module:cache).
      - If it is not set, the variable C(app_token_cache), the environment variable C(ENTRA_AUTH_CACHE) and
        C(ansible.cfg) are used, in this order, as by every other plugin of this collection. The default is V(user).
    type: str
  clear:
    description:
      - Remove all entries. Tokens that a run has already read stay valid until they expire.
      - Refresh tokens are not in the cache. The file in O(entra.auth.app_token#module:refresh_token_file) stays as it
        is.
    type: bool
    default: false
notes:
  - The module runs on the control node.
attributes:
  async:
    description: The module runs on the control node and takes no time to wait for.
    support: none
  check_mode:
    description: Shows what would be removed.
    support: full
  diff_mode:
    description: The entries are in the result.
    support: none
  platform:
    description: Any, because it runs on the control node.
    platforms: all
    support: full
seealso:
  - module: entra.auth.app_token
"""

EXAMPLES = r"""
- name: See what is in the cache of this user
  entra.auth.app_token_cache:
  register: kept

- name: Clear the cache that the execution nodes share
  entra.auth.app_token_cache:
    cache: "{{ redis_url }}"
    clear: true
"""

RETURN = r"""
entries:
  description: The entries of the cache, before it was cleared.
  returned: success
  type: list
  elements: dict
  contains:
    client_id:
      description: The client ID of the app, or the managed identity.
      type: str
      sample: 11111111-2222-3333-4444-555555555555
    credential:
      description: The kind of credential that bought the token.
      type: str
      sample: client_secret
    expires_at:
      description: When the token expires, as ISO 8601 in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    scope:
      description: The scope that was sent.
      type: str
      sample: https://graph.microsoft.com/.default
    token_url:
      description: The token endpoint, which names the cloud and the tenant.
      type: str
      sample: https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token
"""
