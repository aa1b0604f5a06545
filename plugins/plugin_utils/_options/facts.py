# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables without the facts that a host returned.

Every module on a host may return ``ansible_facts``, and a fact replaces a variable of the inventory. A host must not
decide where the credentials of the control node are sent, so a fact is no source of options. This file is loaded only
if a host has a fact with the name of an option.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import typing as t

from ansible import constants as C
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError

try:
    from ansible.template import is_trusted_as_template as _is_trusted  # ansible-core 2.19 and newer
except ImportError:
    from ansible.utils.unsafe_proxy import AnsibleUnsafe

    def _is_trusted(value: object) -> bool:
        return isinstance(value, str) and not isinstance(value, AnsibleUnsafe)


Variables = t.Mapping[str, t.Any]

display = Display()


def remove_fact(name: str, host: str, variables: Variables) -> t.Any:
    """Return the raw value of a variable as if its host had no fact of that name; None if it has no other value.

    A value that the play sets in a stronger place than a fact is returned as it is. A value of the inventory that the
    fact has replaced is restored. If the fact had an effect, one warning names the variable and the host.
    """
    raw = variables.get(name)
    _refuse_merged(name, host, raw)
    with_facts, without_facts = _get_inventory_values(name, host, variables)
    # What set_fact has put into a fact cache is a fact too, although the play wrote it.
    if not _is_same(raw, with_facts) or (_is_written_in_play(raw) and not _is_written_in_play(with_facts)):
        return raw
    if not _is_same(raw, without_facts):
        display.warning(
            f"The fact {name} of {host} is ignored: a host may return any fact, so facts are not a source of options. "
            "If the play sets it, use set_fact without cacheable, or another kind of variable."
        )
    # If both are the same, that of the inventory: Ansible does not evaluate a fact.
    return without_facts


def _refuse_merged(name: str, host: str, raw: t.Any) -> None:
    if isinstance(raw, t.Mapping) and vars(C).get("DEFAULT_HASH_BEHAVIOUR") == "merge":
        raise InputError(
            f"{host} returned the fact {name}, which hash_behaviour = merge mixes with the variable of that name.",
            hint="Find out why the host returns it, or remove hash_behaviour from ansible.cfg.",
        )


def _get_inventory_values(name: str, host: str, variables: Variables) -> tuple[t.Any, t.Any]:
    """Return the value that the host has outside of a play, with its facts and without them."""
    hostvars: t.Any = variables.get("hostvars")
    inventory_host = hostvars._inventory.get_host(host) if hostvars else None
    if inventory_host is None:
        return variables["ansible_facts"][name], None
    manager = hostvars._variable_manager
    without_facts = object.__new__(type(manager))
    vars(without_facts).update(vars(manager), _fact_cache={host: {}})
    found = [each.get_vars(host=inventory_host, include_hostvars=False) for each in (manager, without_facts)]
    return found[0].get(name), found[1].get(name)


def _is_same(one: t.Any, other: t.Any) -> bool:
    # By its text too, because a number that is NaN is not equal to itself.
    return bool(one == other) or repr(one) == repr(other)


def _is_written_in_play(value: t.Any) -> bool:
    """Return whether a text in the value is one that Ansible may evaluate, as it never does with a fact."""
    if isinstance(value, t.Mapping):
        return any(map(_is_written_in_play, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_is_written_in_play, value))
    return isinstance(value, str) and bool(_is_trusted(value))


__all__ = ("remove_fact",)
