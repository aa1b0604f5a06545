# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a face does whose memo knows nothing as yet: it obtains what is asked for, and has it remembered.

The memo itself, and how it is read, is with the lookup.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._clock import Moment
from ansible_collections.entra.auth.plugins.plugin_utils._app_token import OUTPUTS, AppToken
from ansible_collections.entra.auth.plugins.plugin_utils._directory_store import DirectoryStore
from ansible_collections.entra.auth.plugins.plugin_utils._faces import Failure, obtain
from ansible_collections.entra.auth.plugins.plugin_utils._option_sources import OptionSources
from ansible_collections.entra.auth.plugins.plugin_utils._targets import OutOfReach

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._targets import Target

Item = t.TypeVar("Item")

display = Display()


class Memo(t.Protocol):
    """Where what a call has given is kept, and how: sealed, and bound to the content of the cache's files."""

    directory: str
    name: str

    def seal(self, known: dict[str, t.Any], files: t.Mapping[str, bytes]) -> bytes:
        """An item, with the times at which it ends, as it may lie about."""


def item_of(
    direct: t.Mapping[str, t.Any],
    variables: dict[str, t.Any],
    template: t.Callable[[t.Any], t.Any],
    output: str,
    memo: Memo | None,
) -> t.Any:
    """The item that a lookup asks for in the shape that ``output`` names. Raises AnsibleLookupError."""
    if output not in OUTPUTS:
        raise AnsibleLookupError(f"output '{output}' is none of {', '.join(OUTPUTS)}. To fix it: use one of them.")
    outcome = obtain_and_remember(
        OptionSources(direct, variables, template), OutOfReach(variables), OUTPUTS[output], memo
    )
    if isinstance(outcome, Failure):
        raise AnsibleLookupError(outcome.msg)
    return outcome


def obtain_and_remember(
    sources: OptionSources, target: Target, shape: t.Callable[[AppToken], Item], memo: Memo | None
) -> Item | Failure:
    """As ``obtain``; ``memo`` keeps what ``shape`` makes of the token."""

    def remembered(app_token: AppToken) -> Item:
        item = shape(app_token)
        if memo:
            remember(memo, item, app_token)
        return item

    return obtain(sources, display, target, remembered)


def remember(memo: Memo, item: t.Any, app_token: AppToken) -> None:
    """Keep an item if it depends on nothing but what the call was made with and the cache."""
    options, now = app_token.options, Moment.now()
    if app_token.credential != "client_secret" or options.force_refresh or not app_token.files or not now.uptime:
        return
    fresh_seconds = app_token.token.fresh_seconds(now, min_validity=options.min_validity)
    if fresh_seconds <= 0:
        return
    known = {
        "item": item,
        "epoch": now.epoch + fresh_seconds,
        "uptime": now.uptime + fresh_seconds,
        "ends": now.uptime + app_token.token.seconds_left(now)[1],
    }
    with contextlib.suppress(OSError):
        store = DirectoryStore(memo.directory)
        with store.lock(memo.name, wait_seconds=0) as held:
            if held:
                store.write(memo.name, memo.seal(known, app_token.files), keep_seconds=fresh_seconds)


__all__ = ("Memo", "item_of", "obtain_and_remember", "remember")
