# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of an operation from a response, in the words of the services.

Sources: ARM RPC "Asynchronous operations" (every ``provisioningState`` other than Succeeded, Failed and Canceled goes
on), and the enumerations longRunningOperationStatus, teamsAsyncOperationStatus and those of the driveItem monitors of
Microsoft Graph.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing as t

from ansible_collections.entra.auth.plugins.module_utils._errors import printable

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._api.exchange import ApiResponse

_SUCCEEDED = frozenset({"succeeded", "success", "successful", "completed", "complete", "finished", "done"})
# Words that resource providers use in place of Succeeded for a provisioningState.
_SETTLED_WORDS = """
active available connected created deployed disabled enabled ok online provisioned ready registered updated
"""
_FAILED_WORDS = """
failed failure error errored canceled cancelled aborted rejected denied expired skipped timedout terminated faulted
partiallysucceeded partiallycompleted completedwitherrors
"""
_RUNNING_WORDS = """
accepted activating adding allocating applying assigning building canceling cancelling configuring converting copying
creating deallocating deletepending deleting deploying draining enqueued enabling exporting finalizing importing
initializing inprogress linking migrating moving notstarted ongoing pending pendingactivation pendingcreation
pendingdeletion preparing processing progressing provisioning queued recovering registering removing resolving
restarting restoring resuming retrying rollingback running scaling scheduled started starting stopping submitted
suspending syncing synchronizing transitioning undeleting unlinking updating upgrading uploading validating verifying
waiting waitingforactivation working
"""
# Members that a document about an operation has and a resource does not.
_OPERATION_MEMBERS = """
operation operationType operationId jobId percentageComplete percentComplete resourceId targetResourceId createdTimeUtc
lastUpdatedTimeUtc lastActionDateTime startTime endTime cancellation_requested error statusDetail
"""
_SETTLED, _FAILED, _RUNNING, _OF_OPERATION = (
    frozenset(words.split()) for words in (_SETTLED_WORDS, _FAILED_WORDS, _RUNNING_WORDS, _OPERATION_MEMBERS)
)
# "jobStatus", "operationState": the state of what an address of an operation tells about.
_STATE_NAME = re.compile(r"(async|batch|execution|job|operation|request|run|task)_?(status|state)", re.IGNORECASE)
_SHOWN_CHARACTERS = 60


@dataclasses.dataclass(frozen=True)
class State:
    """A state and what it means.

    Attributes:
        word: The state as the service writes it.
        is_provisioning: Whether it is a ``provisioningState``, which ARM defines for any word.
        is_of_operation: Whether the document around it is about an operation.
        progress: The percentage that is done, as text to append; empty if it is not known.
        error: The part of the document that holds the reason of a failure.
    """

    word: str
    is_provisioning: bool
    is_of_operation: bool
    progress: str
    error: t.Mapping[str, t.Any]

    @property
    def _key(self) -> str:
        return "".join(character for character in self.word.lower() if character.isalnum())

    @property
    def has_succeeded(self) -> bool:
        """Whether it is a final state of success."""
        if self._key in _SUCCEEDED or (self.is_provisioning and self._key in _SETTLED):
            return True
        return "warning" in self._key and self._key.startswith(("succeeded", "completed"))

    @property
    def has_failed(self) -> bool:
        """Whether it is a final state of failure."""
        return self._key in _FAILED or self._key.endswith(("failed", "failure", "error", "errors"))

    @property
    def is_running(self) -> bool:
        """Whether it is a state of an operation that goes on, in a word that services use for that."""
        return not self.has_succeeded and not self.has_failed and self._key in _RUNNING

    @property
    def is_known(self) -> bool:
        """Whether the word is one that services use for operations."""
        return self.has_succeeded or self.has_failed or self._key in _RUNNING

    @property
    def is_of_resource(self) -> bool:
        """Whether it is the status of a resource in the resource's own words, and not that of an operation."""
        return not self.is_provisioning and not self.is_of_operation and not self.is_running


def read_state(response: ApiResponse) -> State | None:
    """Return the state that a response tells; None if it tells none. Raises ApiError for JSON that can't be parsed."""
    content = response.parse_json() if response.is_json else None
    if not isinstance(content, dict):
        return None
    properties = content.get("properties")
    inner = properties if isinstance(properties, dict) else {}
    found = [
        (content.get("status"), False),
        (inner.get("provisioningState"), True),
        (content.get("provisioningState"), True),
    ]
    word, is_provisioning = next(((word, known) for word, known in found if _is_word(word)), ("", False))
    if not word:
        return _read_lesser_state(content, inner)
    return _build_state(word, content, inner, is_provisioning=is_provisioning)


def _read_lesser_state(content: dict[str, t.Any], inner: dict[str, t.Any]) -> State | None:
    """Return a state under a name that resources use as well, if its word is one of operations."""
    for word in (content.get("state"), inner.get("status"), inner.get("state")):
        if _is_word(word):
            state = _build_state(word, content, inner, is_provisioning=False)
            if state.is_known and state.is_of_operation:
                return state
    named = (value for members in (content, inner) for name, value in members.items() if _STATE_NAME.fullmatch(name))
    states = (_build_state(word, content, inner, is_provisioning=False) for word in named if _is_word(word))
    return next((dataclasses.replace(state, is_of_operation=True) for state in states if state.is_known), None)


def is_error(content: t.Any) -> bool:
    """Return whether the content of a response is an error and nothing else, whatever its status says."""
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict) or not (_is_word(error.get("code")) or _is_word(error.get("message"))):
        return False
    return all(name == "error" or name.startswith("@odata.") for name in content)


def _is_word(value: t.Any) -> t.TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _build_state(word: str, content: dict[str, t.Any], inner: dict[str, t.Any], *, is_provisioning: bool) -> State:
    return State(
        printable(word, _SHOWN_CHARACTERS),
        is_provisioning,
        not _OF_OPERATION.isdisjoint(content),
        _format_progress(content.get("percentComplete", content.get("percentageComplete"))),
        inner if "error" in inner else content,
    )


def _format_progress(percentage: t.Any) -> str:
    if isinstance(percentage, bool) or not isinstance(percentage, (int, float)):
        return ""
    # An integer may be longer than any float.
    if abs(percentage) > 1000 or not math.isfinite(percentage):
        return ""
    return f", {percentage:g} %"


__all__ = ("State", "is_error", "read_state")
