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

import multiprocessing
import secrets
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


class _Context(t.NamedTuple):
    """What Ansible collects the variables of a host from. ``task`` is None outside of a task of that host."""

    manager: t.Any
    host: t.Any
    task: t.Any

    def load_facts(self) -> dict[str, t.Any]:
        """Return the facts of the host as they are now."""
        try:
            return dict(self.manager._fact_cache.get(str(self.host)) or {})
        except KeyError:  # of ansible-core 2.19 and newer
            return {}

    def compute_value(self, name: str, facts: dict[str, t.Any]) -> t.Any:
        """Return the raw value that a variable would have if these were the facts of the host."""
        # Not by copy(), which leaves out a part of it before ansible-core 2.19.
        manager = object.__new__(type(self.manager))
        vars(manager).update(vars(self.manager), _fact_cache={str(self.host): facts})
        if self.task is None:
            return manager.get_vars(host=self.host, include_hostvars=False).get(name)
        return manager.get_vars(play=self.task.get_play(), host=self.host, task=self.task).get(name)

    def is_loop_variable(self, name: str) -> bool:
        """Return whether the loop of the task sets a variable."""
        control = self.task and self.task.loop_control
        return bool(control) and name in (control.loop_var, control.index_var)


def remove_fact(name: str, host: str, variables: Variables) -> t.Any:
    """Return the raw value of a variable as if its host had no fact of that name; None if it has no other value.

    The place of a value decides, not the value, because a host may return the very value that the play sets. A value
    from a place that is stronger than facts is returned as it is. One from a weaker place, such as the inventory or the
    defaults of a role, is restored. If the fact had an effect, one warning names the variable and the host.
    """
    raw = variables.get(name)
    _refuse_merged(name, host, raw)
    fact = variables["ansible_facts"][name]
    context = _find_context(host, variables)
    if context is None:
        return raw if _is_of_play(raw, [fact]) else _restore(name, host, raw, None)
    facts, marker = context.load_facts(), secrets.token_hex(16)
    if context.is_loop_variable(name) or context.compute_value(name, {**facts, name: marker}) != marker:
        return raw
    # Outside of a task the variables of the play are not among those that are computed.
    if context.task is None and _is_of_play(raw, [fact, context.compute_value(name, facts)]):
        return raw
    facts.pop(name, None)
    return _restore(name, host, raw, context.compute_value(name, facts))


def _restore(name: str, host: str, fact: t.Any, hidden: t.Any) -> t.Any:
    # If both are the same, that of the play: Ansible does not evaluate a fact.
    if not _is_same(fact, hidden):
        display.warning(
            f"The fact {name} of {host} is ignored: a host may return any fact, so facts are not a source of options. "
            "If the play sets it, use set_fact without cacheable, or another kind of variable."
        )
    return hidden


def _refuse_merged(name: str, host: str, raw: t.Any) -> None:
    if isinstance(raw, t.Mapping) and vars(C).get("DEFAULT_HASH_BEHAVIOUR") == "merge":
        raise InputError(
            f"{host} returned the fact {name}, which hash_behaviour = merge mixes with the variable of that name.",
            hint="Find out why the host returns it, or remove hash_behaviour from ansible.cfg.",
        )


def _find_context(host: str, variables: Variables) -> _Context | None:
    """Return where the variables of a host come from; None if that can't be found out.

    A worker process of Ansible knows its task. Variables without ``hostvars`` are those of a host by its own, as
    ``hostvars`` itself evaluates them.
    """
    worker: t.Any = multiprocessing.current_process()
    hostvars: t.Any = variables.get("hostvars")
    # A fact may have that name, too.
    manager = getattr(hostvars, "_variable_manager", None)
    is_in_task = manager is not None and str(getattr(worker, "_host", "")) == host
    manager = manager or getattr(worker, "_variable_manager", None)
    inventory = getattr(hostvars, "_inventory", None) or getattr(manager, "_inventory", None)
    found = inventory.get_host(host) if inventory else None
    return _Context(manager, found, getattr(worker, "_task", None) if is_in_task else None) if found else None


def _is_of_play(raw: t.Any, facts: t.Iterable[t.Any]) -> bool:
    """Return whether a value is not that of the host: another one, or a text that Ansible may evaluate."""
    own = [fact for fact in facts if _is_same(raw, fact)]
    return not own or (_is_written_in_play(raw) and not any(map(_is_written_in_play, own)))


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
