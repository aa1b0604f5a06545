# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the module ``authorized_uri``: core's own ``uri`` on the task's host, with a token from here."""

from __future__ import annotations

import contextlib
import copy
import signal
import threading
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.entra.auth.plugins.module_utils._errors import InputError
from ansible_collections.entra.auth.plugins.plugin_utils._api.retry_policy import NO_RESPONSE
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_call import UriCall, UriTask
from ansible_collections.entra.auth.plugins.plugin_utils._api.uri_result import UNREADABLE, UriNotRun
from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import OPTIONS
from ansible_collections.entra.auth.plugins.plugin_utils._options.arguments import split_arguments
from ansible_collections.entra.auth.plugins.plugin_utils._options.authorized_uri import URI_OPTIONS, parse_uri_options
from ansible_collections.entra.auth.plugins.plugin_utils._options.role_variables import (
    find_misspelt_variables,
    read_role_variables,
    warn_of_misspelt_variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._options.sources import read_variable
from ansible_collections.entra.auth.plugins.plugin_utils._token.controller_action import (
    ControllerAction,
    Result,
    Variables,
)
from ansible_collections.entra.auth.plugins.plugin_utils._token.provider import get_app_token

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.entra.auth.plugins.plugin_utils._options.app_token import AppTokenOptions

display = Display()

_URI = "ansible.builtin.uri"
_PREFIX = "authorized_uri_"
_ROLE_OPTIONS = {**URI_OPTIONS, **OPTIONS}
_FACT = "authorized_uri_result"
# Variables of the role that are not options.
_OF_ROLE = ("fact", "result")
# The fields of a failure that Ansible shows.
_SHOWN = (
    "changed",
    "failed",
    "msg",
    "error",
    "error_codes",
    "hint",
    "correlation_id",
    "trace_id",
    "status",
    "warnings",
)


class ActionModule(ControllerAction):
    """Call an API from the task's host with a token that no output shows."""

    _requires_connection = True
    async_advice = "Each request ends within timeout, and all repetitions within retry_for."

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Result:
        """Return the result of the task; in the role the response, and the name of the fact for it.

        A failure has a status in any case, so that ``until`` can name it.
        """
        result = super().run(tmp, task_vars)
        if result.get("failed"):
            result.setdefault("status", NO_RESPONSE)
        if not self.is_in_role():
            return result
        shown = {name: result[name] for name in _SHOWN if name in result}
        return {**shown, "fact": self._find_fact(task_vars or {}), "response": result}

    def _find_fact(self, variables: Variables) -> str:
        with contextlib.suppress(InputError):
            return str(read_variable(f"{_PREFIX}fact", variables, self._templar.template) or _FACT)
        return _FACT

    def find_direct(self, variables: Variables) -> Result:
        """Return the options of ``app_token`` that the task or the role gives."""
        return split_arguments(self._find_arguments(variables))[1]

    def _find_arguments(self, variables: Variables) -> Result:
        """Return the task's arguments; in the role its variables, and defaults of the play for the credential alone."""
        if not self.is_in_role():
            return dict(self._task.args)
        given = read_role_variables(_PREFIX, _ROLE_OPTIONS, variables, self._templar.template)
        known = (*_ROLE_OPTIONS, *_OF_ROLE)
        if "url" in given:
            warn_of_misspelt_variables(_PREFIX, known, variables)
        else:
            # Refused as the misspelt arguments of a task are, because one of them may be the URL.
            given.update(dict.fromkeys(find_misspelt_variables(_PREFIX, known, variables)))
        return {**split_arguments(self._task.args)[1], **given}

    def execute(self, options: AppTokenOptions, variables: Variables) -> Result:
        """Return what uri returned, and the result."""
        self._refuse_windows()
        target = self.find_target(variables)
        task = UriTask(
            display,
            lambda asked: get_app_token(asked, display, target),
            lambda arguments, seconds: self._run_uri(arguments, seconds, variables),
            host=target.name,
            check_mode=bool(self._task.check_mode),
            diff_mode=bool(self._task.diff),
        )
        call = parse_uri_options(split_arguments(self._find_arguments(variables))[0])
        prepared = UriCall(call, options, task)
        if call.src and not boolean(call.passed.get("remote_src", False), strict=False):
            self.find_file(call.src)
        return prepared.run()

    def _refuse_windows(self) -> None:
        if getattr(self._connection._shell, "_IS_WINDOWS", False):
            raise InputError(
                "authorized_uri runs ansible.builtin.uri on the task's host, which a Windows host can't.",
                hint="Use entra.auth.api_request, which sends requests from the control node, or delegate the task to "
                "a host with Python.",
            )

    def _run_uri(self, arguments: Result, seconds: float, variables: Variables) -> Result | UriNotRun:
        """Run the action uri once and return its result. One that takes longer than ``seconds`` has the status -1.

        Raises AnsibleConnectionFailure if the host is unreachable.
        """
        uri = self._build_uri(arguments)
        try:
            with self._limit_time(seconds):
                return _read_result(uri.run(task_vars=copy.copy(variables)))
        except _TimeIsUpError:
            return {"failed": True, "status": NO_RESPONSE, "msg": "timed out"}
        except AnsibleConnectionFailure:
            raise
        except (AnsibleError, UnicodeError) as exc:
            return _read_failure(exc)

    def _build_uri(self, arguments: Result) -> t.Any:
        task = self._task.copy()
        task.args = arguments
        # The policy has decided already that the request may be sent.
        task.check_mode = False
        return self._shared_loader_obj.action_loader.get(
            _URI,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )

    @contextlib.contextmanager
    def _limit_time(self, seconds: float) -> t.Iterator[None]:
        """Raise _TimeIsUpError in the block after some seconds, as Ansible does for the timeout of a task."""
        if self._task.timeout or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, _raise_time_is_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _read_result(result: Result) -> Result | UriNotRun:
    """Return what the module returned.

    Before ansible-core 2.19 the action returns a failure of its own, too: with a traceback as text, and without the
    mark of a module's result, which 2.21 and newer set on no result.
    """
    if result.get("failed") and isinstance(result.get("exception"), str) and "_ansible_parsed" not in result:
        return UriNotRun(str(result.get("msg")))
    return result


def _read_failure(exc: Exception) -> Result | UriNotRun:
    """Return the failure that an exception means.

    If what the module printed is not UTF-8, the response was not either, and the exception's text may quote it.
    """
    if isinstance(exc, UnicodeError) or "UTF8" in str(exc).replace("-", ""):
        return {"failed": True, "msg": UNREADABLE}
    return UriNotRun(str(exc))


class _TimeIsUpError(BaseException):
    """The time for one request is over. Not an Exception, which a connection plugin would take for its own."""


def _raise_time_is_up(_signal: int, _frame: object) -> None:
    raise _TimeIsUpError
