#!/usr/bin/python
# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get the token of a host's managed identity: the only code of the collection that runs on managed hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_identity_token
short_description: Get the token of a host's managed identity (run by app_token)
version_added: 1.0.0
author:
  - entra.auth contributors (@entra-auth)
description:
  - Gets an access token from the platform that the host runs on, for the managed identity of that host.
  - Use M(entra.auth.app_token) with O(entra.auth.app_token#module:run_on=target). It runs this module, keeps the token
    out of the output, shares it with later tasks of the host and renews it.
  - The result holds the token in clear, so the module refuses to run in a task without C(no_log).
options:
  resource:
    description: The API, by its identifier, such as V(https://graph.microsoft.com).
    type: str
    required: true
  client_id:
    description: The client id of a user-assigned identity.
    type: str
  object_id:
    description: The object id of a user-assigned identity.
    type: str
  resource_id:
    description: The resource id of a user-assigned identity.
    type: str
  timeout:
    description: Seconds for one HTTP exchange.
    type: float
    default: 30
  retry_for:
    description: Seconds for retries.
    type: float
    default: 120
requirements:
  - requests
notes:
  - The request to the platform uses no proxy.
attributes:
  async:
    description: Refused, because the token would be stored in the results file of the job.
    support: none
  check_mode:
    description: Gets the token, which changes nothing.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
  platform:
    description: A host that runs Python.
    platforms: posix
    support: full
seealso:
  - module: entra.auth.app_token
"""

EXAMPLES = r"""
- name: Get the token of the host's managed identity for the Azure Management API
  entra.auth.managed_identity_token:
    resource: https://management.azure.com
  no_log: true
  register: management

- name: The same, kept out of the output and shared by later tasks
  entra.auth.app_token:
    scope: arm
    run_on: target
"""

RETURN = r"""
token:
  description: The token.
  returned: success
  type: dict
  contains:
    access_token:
      description: The access token.
      returned: success
      type: str
      sample: eyJ0eXAiOiJKV1QiLCJhbGciOi…
    lifetime:
      description: The seconds for which it is valid.
      returned: success
      type: float
      sample: 86399
failure:
  description: What the platform said.
  returned: failure
  type: dict
  contains:
    error_codes:
      description: The AADSTS codes of the error.
      returned: failure
      type: list
      elements: int
      sample: []
    hint:
      description: What to do about the error.
      returned: failure
      type: str
      sample: Run this on an Azure resource that has a managed identity.
    retry_after:
      description: The seconds after which the same request may succeed.
      returned: failure
      type: float
      sample: 30
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entra.auth.plugins.module_utils._errors import EntraAuthError, MissingLibraryError
from ansible_collections.entra.auth.plugins.module_utils._http.settings import NetworkSettings


def request_token(params: dict[str, t.Any]) -> dict[str, t.Any] | EntraAuthError:
    """Return the token, or the failure as a value, so that no traceback can quote the token."""
    from ansible_collections.entra.auth.plugins.module_utils._managed_identity import (
        Selector,
        request_managed_identity_token,
    )

    selector = Selector(params["client_id"], params["object_id"], params["resource_id"])
    try:
        token = request_managed_identity_token(
            params["resource"], selector, NetworkSettings(params["timeout"], params["retry_for"])
        )
    except MissingLibraryError as exc:
        # The advice is for the control node, where all other callers run.
        message, hint = (text.replace("the control node", "this host") for text in (exc.message, exc.hint))
        return EntraAuthError(message, hint=hint)
    except EntraAuthError as exc:
        return exc
    except Exception as exc:  # noqa: BLE001 - its text may hold anything, so only its kind travels back
        return EntraAuthError(
            f"Unexpected error in entra.auth: {exc.__class__.__name__}.",
            hint="Report this line as a bug of the collection entra.auth.",
        )
    return {"access_token": token.access_token, "lifetime": token.expires_on - token.issued_on}


def main() -> None:
    """Run on a managed host."""
    module = AnsibleModule(
        argument_spec={
            "resource": {"type": "str", "required": True},
            "client_id": {"type": "str"},
            "object_id": {"type": "str"},
            "resource_id": {"type": "str"},
            "timeout": {"type": "float", "default": 30},
            "retry_for": {"type": "float", "default": 120},
        },
        supports_check_mode=True,
    )
    if not module.no_log:
        module.fail_json(
            msg="The result holds a token. To fix it: use entra.auth.app_token with run_on: target, or no_log."
        )
    outcome = request_token(module.params)
    if isinstance(outcome, EntraAuthError):
        codes = list(outcome.response.error_codes)
        failure = {"error_codes": codes, "hint": outcome.hint, "retry_after": outcome.retry_after}
        module.fail_json(msg=outcome.message, failure=failure)
    module.exit_json(changed=False, token=outcome)


if __name__ == "__main__":
    main()
