# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark the secret options of ``app_token`` for ansible-core 2.22 and newer, which masks their values.

Older cores do not know the mark, so for them this fragment is empty. A unit test compares the names with the table in
``plugin_utils/_options/app_token.py``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import importlib.util


class ModuleDocFragment:
    """``DOCUMENTATION`` is for plugins that read the options from variables and the environment."""

    DOCUMENTATION = r"""
options:
  client_secret:
    secret: true
  client_certificate:
    secret: true
  client_certificate_password:
    secret: true
  federated_token:
    secret: true
  federated_token_request_token:
    secret: true
  refresh_token:
    secret: true
  cache_key:
    secret: true
"""


if importlib.util.find_spec("ansible.module_utils.secrets") is None:
    ModuleDocFragment.DOCUMENTATION = "options: {}\n"
