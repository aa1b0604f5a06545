# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks, each a function that measures one case."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
import typing as t
from dataclasses import replace

from benchmarks import contenders
from benchmarks.figures import Case, Measured, Ratio, ratio
from benchmarks.harness import SECRET_IN_VAULT, Bench, in_turn, lap, measured

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.harness import Tasks
    from entra_emulator.client import Emulator

PER_HOST: t.Final = "ms per host"
_POLL_SECONDS: t.Final = 0.05
_HOSTS_OF_A_LAP: t.Final = 100
Promises = list[tuple[str, str, dict[str, float]]]
_MODULE: t.Final = "module"
_LOOKUP: t.Final = "lookup"
_NO_ACTION: t.Final = "empty action"
_GIVEN: t.Final = "empty action, given the secret"
_NO_LOOKUP: t.Final = "empty lookup"
_BARE_LOOKUP: t.Final = "empty lookup, undocumented"
_FIRST: t.Final = "module, first task"
_NO_ROLE: t.Final = "empty role, same argument spec"
_OUR_ROLE: t.Final = "role app_token"
_URI: t.Final = "uri POST on each host"
_URI_ONCE: t.Final = "uri POST once, set_fact"
_POST: t.Final = "requests.post"
_AZCOLLECTION: t.Final = "azure_rm_accesstoken_info"


def tasks(bench: Bench) -> Iterator[Case]:
    """A warm token by a task, against tasks that do nothing."""
    size = {"hosts": bench.size(1000, 100), "forks": bench.size(50, 20)}
    case: dict[str, Tasks] = {_NO_ACTION: contenders.nothing(), _MODULE: contenders.module()}
    ratios: Promises = [(_MODULE, _NO_ACTION, {"at_most": 1.1})]
    yield _laps(bench, "task", "A task that gets a token", case, ratios, **size)

    case = {
        _NO_ACTION: contenders.nothing(),
        _GIVEN: contenders.nothing(client_secret=SECRET_IN_VAULT),
        _MODULE: contenders.module(),
    }
    ratios = [(_MODULE, _GIVEN, {"at_most": 1.1}), (_MODULE, _NO_ACTION, {})]
    yield _laps(bench, "task_vault", "A task whose secret is in a vault", case, ratios, vault=True, **size)


def lookups(bench: Bench) -> Iterator[Case]:
    """A warm token by a lookup, against lookups that do nothing."""
    size = {"hosts": bench.size(1000, 100), "forks": bench.size(50, 20)}
    case: dict[str, Tasks] = {
        _NO_LOOKUP: contenders.lookup_of_nothing(),
        _BARE_LOOKUP: contenders.bare_lookup(),
        _LOOKUP: contenders.lookup(),
    }
    alone = "A lookup in a play that has nothing else of the collection"
    ratios: Promises = [(_LOOKUP, _NO_LOOKUP, {"at_most": 1.25}), (_LOOKUP, _BARE_LOOKUP, {})]
    yield _laps(bench, "lookup_vault", f"{alone}, the secret in a vault", case, ratios, vault=True, **size)
    yield _laps(bench, "lookup", f"{alone}, the secret in the environment", case, ratios, **size)

    ratios = [(_LOOKUP, _NO_LOOKUP, {"at_most": 1.0}), (_LOOKUP, _BARE_LOOKUP, {})]
    title = "A lookup in a play that used the module before"
    yield _laps(bench, "lookup_after_task", title, case, ratios, before=contenders.module(), **size)


def roles(bench: Bench) -> Iterator[Case]:
    """A warm token as a fact by the role, against a role that does nothing."""
    size = {"hosts": bench.size(1000, 50), "forks": bench.size(50, 20)}
    case = {_NO_ROLE: contenders.empty_role(), _OUR_ROLE: contenders.role()}
    ratios: Promises = [(_OUR_ROLE, _NO_ROLE, {"at_most": 1.3})]
    yield _laps(bench, "role", "The role app_token", case, ratios, **size)


def calls(bench: Bench) -> Iterator[Case]:
    """A call of an API with the collection's header, against the same call with a header from a variable."""
    # A process of Python for each host and lap: two rounds tell enough.
    size = {"hosts": bench.size(1000, 20), "forks": bench.size(50, 20), "rounds": bench.size(2, 3)}
    static, ours = "uri, static header", "uri, app_token_uri"
    case = {static: contenders.call_with_static_header(bench), ours: contenders.call_with_app_token_uri(bench)}
    authorization = {"static_authorization": "{{ app_token.authorization }}"}
    remember = {"ansible.builtin.set_fact": authorization, "no_log": True}
    before = [*contenders.role(), remember]
    ratios: Promises = [(ours, static, {"at_most": 1.05})]
    yield _laps(bench, "call", "A call of an API", case, ratios, before=before, **size)

    module, role, own = "module authorized_uri", "role authorized_uri", "own role with uri, static header"
    case = {
        static: contenders.call_with_static_header(bench),
        module: contenders.call_by_module(bench),
        role: contenders.call_by_role(bench),
        own: contenders.call_by_own_role(bench),
    }
    ratios = [(module, static, {"at_most": 1.1}), (role, static, {"at_most": 1.3}), (role, own, {})]
    title = "A call of an API that renews the token, waits and explains"
    yield _laps(bench, "call_by_authorized_uri", title, case, ratios, before=before, **size)


def hosts_and_forks(bench: Bench) -> Iterator[Case]:
    """Until all hosts have a token: new and warm, and by hand."""
    for hosts in (1, 20, 100, 1000) if bench.full else (1, 20, 100):
        for forks in (5, 20, 50) if bench.full else (20,):
            yield _until_all_have_it(bench, hosts, forks)


def _until_all_have_it(bench: Bench, hosts: int, forks: int) -> Case:
    rounds = bench.size(3, 2)
    case: dict[str, Tasks] = {
        _NO_ACTION: contenders.nothing(),
        _MODULE: contenders.module(),
        _URI_ONCE: contenders.uri_once(bench),
    }
    # A thousand processes of Python for each lap: one lap, with the most forks, tells enough.
    by_hand = hosts < 1000
    if by_hand:
        case[_URI] = contenders.uri_for_each_host(bench)
    turns = in_turn(case, rounds)
    firsts = [task for scope in contenders.SCOPES[:rounds] for task in lap(_FIRST, contenders.module(scope=scope))]
    play = bench.play([*turns, *firsts], hosts=hosts, forks=forks)
    requests = bench.requests()
    found = measured(play, hosts, [*case, _FIRST])
    found[_FIRST] = replace(found[_FIRST], requests=(requests[bench.emulator.client_id] - 1) // rounds)
    if not by_hand and forks == 50 and bench.full:
        slow = bench.play(lap(_URI, contenders.uri_for_each_host(bench)), hosts=hosts, forks=forks)
        found |= measured(slow, hosts, [_URI])
        case[_URI] = []
    return Case(
        f"hosts_{hosts}_forks_{forks}",
        f"{hosts} host{'s' if hosts > 1 else ''}, {forks} forks",
        PER_HOST,
        {"hosts": hosts, "forks": forks, "rounds": rounds},
        found,
        tuple(_against_uri(found, hosts)),
    )


def _against_uri(found: t.Mapping[str, Measured], hosts: int) -> Iterator[Ratio]:
    if _URI not in found:
        return
    promise = {"at_least": 10.0} if hosts == 100 else {}
    rounds = len(found[_URI].samples)
    same = {
        name: Measured(measured.samples[:rounds], spent=measured.spent[:rounds]) for name, measured in found.items()
    }
    yield ratio(same, _URI, _FIRST, **promise)


def one_request(bench: Bench) -> Iterator[Case]:
    """Module, lookup and role on all hosts, for two APIs: what the token endpoint sees."""
    hosts, forks = bench.size(1000, 100), bench.size(50, 20)
    uses: Tasks = []
    for scope in ("graph", "arm"):
        uses += lap(f"module, {scope}", contenders.module(scope=scope))
        uses += lap(f"lookup, {scope}", [{**contenders.lookup()[0], "vars": {"app_token_scope": scope}}])
        uses += lap(f"role, {scope}", contenders.role(scope=scope))
    play = bench.play(uses, hosts=hosts, forks=forks)
    scopes = collections.Counter(dict(entry["form"])["scope"] for entry in bench.emulator.token_requests())
    requests = {"graph" if "graph" in name else "arm": count for name, count in scopes.items()}
    found = {
        f"{way}, {scope}": Measured(
            (1000 * play.laps[f"{way}, {scope}"][0].seconds / hosts,),
            requests=requests[scope],
        )
        for scope in ("graph", "arm")
        for way in ("module", "lookup", "role")
    }
    conditions = {"hosts": hosts, "forks": forks, "requests_by_scope": dict(scopes)}
    yield Case("one_request", "Three uses on each host, of two APIs", PER_HOST, conditions, found)


def single_tokens(bench: Bench) -> Iterator[Case]:
    """One new token in a new process, without a play around it."""
    rounds = bench.size(15, 5)
    programs = {
        _POST: "post",
        "collection": "collection",
        "MSAL": "msal",
        "azure-identity": "azure_identity",
    }
    states = {
        "worker": "One new token, in an interpreter as it is in a play",
        "all": "One new token, with every library loaded before",
        "ansible": "One new token, in an interpreter that has loaded only Ansible",
    }
    for state, title in states.items():
        samples: dict[str, list[float]] = collections.defaultdict(list)
        requests: dict[str, int] = {}
        for number in range(rounds + 1):
            for name, program in list(programs.items())[:: 1 if number % 2 else -1]:
                bench.emulator.forget_requests()
                seconds = bench.program("cold", program, state)
                requests[name] = len(bench.emulator.requests(listener="login"))
                # The first round fills the page cache.
                samples[name] += [1000 * seconds] if number else []
        found = {name: Measured(tuple(samples[name]), requests[name]) for name in programs}
        ratios = (
            # Importing the collection is no part of a token: a play does it once, in the main process.
            ratio(found, "collection", _POST, **({} if state == "ansible" else {"at_most": 1.3})),
            ratio(found, "MSAL", "collection"),
            ratio(found, "azure-identity", "collection"),
        )
        yield Case(f"single_token_{state}", title, "ms", {"rounds": rounds}, found, ratios)


def processes(bench: Bench) -> Iterator[Case]:
    """Playbooks that run at the same time: one, and twenty."""
    rounds = bench.size(3, 1)
    ways: dict[str, Tasks] = {
        _NO_ACTION: contenders.nothing(),
        "module, cache: run": contenders.module(),
        "module, cache: user": contenders.module(cache="user"),
        _URI: contenders.uri_for_each_host(bench),
    }
    for count in (1, 20):
        samples: dict[str, list[float]] = collections.defaultdict(list)
        requests: dict[str, int] = {}
        for _round in range(rounds):
            for name, its_tasks in ways.items():
                bench.forget_tokens()
                samples[name].append(bench.together(its_tasks, count))
                requests[name] = sum(bench.requests().values())
        found = {name: Measured(tuple(samples[name]), requests[name]) for name in ways}
        title = f"{count} playbooks at the same time" if count > 1 else "One playbook"
        ratios = tuple(ratio(found, name, _NO_ACTION) for name in ways if name != _NO_ACTION)
        yield Case(f"processes_{count}", title, "s for all", {"processes": count, "rounds": rounds}, found, ratios)


def renewal(bench: Bench) -> Iterator[Case]:
    """A play that is longer than its tokens live."""
    hosts, forks, lifetime = bench.size(100, 50), 20, 12
    bench.emulator.configure(token_lifetime=lifetime)
    case: dict[str, Tasks] = {_NO_ACTION: contenders.nothing(), _MODULE: contenders.module()}
    rounds = bench.size(30, 20)
    play = bench.play(in_turn(case, rounds), hosts=hosts, forks=forks)
    bench.emulator.configure(token_lifetime=3599)
    requests = bench.requests()[bench.emulator.client_id]
    found = measured(play, hosts, case)
    found[_MODULE] = replace(found[_MODULE], requests=requests)
    conditions = {
        "hosts": hosts,
        "forks": forks,
        "token_lifetime_seconds": lifetime,
        "play_seconds": round(play.seconds, 1),
        "slowest_lap": round(max(found[_MODULE].samples), 2),
    }
    title = f"Tokens of {lifetime} seconds in a play of {play.seconds:.0f} seconds"
    yield Case("renewal", title, PER_HOST, conditions, found, (ratio(found, _MODULE, _NO_ACTION),))


def throttled(bench: Bench) -> Iterator[Case]:
    """An endpoint that is busy for a while and says so, when an API is asked for in mid-play."""
    hosts, forks, wait = 100, 20, 2
    ways = {_MODULE: contenders.module(scope="arm"), _URI: contenders.uri_for_each_host(bench, ignore_errors=True)}
    found = {}
    for name, its_tasks in ways.items():
        with _busy(bench.emulator, wait):
            play = bench.play(lap(name, its_tasks), hosts=hosts, forks=forks, may_fail=True)
        found[name] = Measured((play.laps[name][0].seconds,), sum(bench.requests().values()), play.failed[name])
    conditions = {"hosts": hosts, "forks": forks, "retry_after_seconds": wait}
    yield Case("throttled", f"429 with Retry-After: {wait}", "s for all", conditions, found)


@contextlib.contextmanager
def _busy(emulator: Emulator, seconds: float) -> Iterator[None]:
    """Have the endpoint refuse everything from the first request on, until what it says as Retry-After is over."""
    emulator.fault("status", status=429, retry_after=seconds, times=None)

    def recover() -> None:
        while not emulator.token_requests():
            time.sleep(_POLL_SECONDS)
        # A little less, or who comes back just in time would meet it.
        time.sleep(seconds - 2 * _POLL_SECONDS)
        emulator.forget_faults()

    emulator.forget_requests()
    recovery = threading.Thread(target=recover)
    recovery.start()
    yield
    recovery.join()


def memory(bench: Bench) -> Iterator[Case]:
    """The largest size of a play with all its workers."""
    hosts, forks, rounds = bench.size(200, 100), 50, bench.size(5, 2)
    ways: dict[str, Tasks] = {
        _NO_ACTION: contenders.nothing(),
        _MODULE: contenders.module(),
        _NO_LOOKUP: contenders.lookup_of_nothing(),
        _LOOKUP: contenders.lookup(),
        _URI: contenders.uri_for_each_host(bench),
    }
    peaks: dict[str, list[float]] = collections.defaultdict(list)
    for _round in range(rounds):
        for name, its_tasks in ways.items():
            times = 1 if name == _URI else 4
            play = bench.play(its_tasks * times, hosts=hosts, forks=forks, watch=True)
            peaks[name].append(play.peak or 0)
    found = {name: Measured(tuple(peaks[name])) for name in ways}
    ratios = (ratio(found, _MODULE, _NO_ACTION), ratio(found, _LOOKUP, _NO_LOOKUP), ratio(found, _URI, _MODULE))
    yield Case(
        "memory", "Memory of a play with its workers", "MiB at most", {"hosts": hosts, "forks": forks}, found, ratios
    )


def azcollection(bench: Bench) -> Iterator[Case]:
    """The module of azure.azcollection, where that is installed."""
    hosts, forks, rounds = bench.size(100, 10), 20, bench.size(2, 1)
    turns: Tasks = []
    for scope in contenders.SCOPES[:rounds]:
        turns += lap(_FIRST, contenders.module(scope=scope))
        turns += lap(_AZCOLLECTION, contenders.azcollection(bench))
    play = bench.play([*contenders.nothing(), *turns], hosts=hosts, forks=forks)
    found = measured(play, hosts, [_FIRST, _AZCOLLECTION])
    requests = bench.requests()
    clients = {_FIRST: bench.emulator.client_id, _AZCOLLECTION: bench.rival["client_id"]}
    counted = {name: replace(found[name], requests=requests[client] // rounds) for name, client in clients.items()}
    conditions = {"hosts": hosts, "forks": forks, "rounds": rounds}
    ratios = (ratio(counted, _AZCOLLECTION, _FIRST, at_least=30.0),)
    yield Case("azcollection", "Against azure.azcollection", PER_HOST, conditions, counted, ratios)


def _laps(
    bench: Bench,
    name: str,
    title: str,
    case: t.Mapping[str, Tasks],
    ratios: Promises,
    *,
    hosts: int,
    forks: int,
    rounds: int = 3,
    before: Tasks | None = None,
    vault: bool = False,
) -> Case:
    # Short laps: a machine's speed changes in the course of a minute, so those to compare are close to each other.
    batch = min(hosts, _HOSTS_OF_A_LAP)
    # A lap of its own, or it would count with the one that the batch before it ended in.
    tasks = [*(lap("before", before) if before else []), *in_turn(case, rounds)]
    play = bench.play(tasks, hosts=hosts, forks=forks, batch=batch, vault=vault)
    found = measured(play, batch, case)
    requests = sum(bench.requests().values())
    conditions = {"hosts": hosts, "forks": forks, "batch": batch, "rounds": rounds, "requests": requests}
    return Case(
        name, title, PER_HOST, conditions, found, tuple(ratio(found, of, to, **more) for of, to, more in ratios)
    )


BENCHMARKS: t.Final[t.Mapping[str, Callable[[Bench], Iterator[Case]]]] = {
    "tasks": tasks,
    "lookups": lookups,
    "roles": roles,
    "calls": calls,
    "hosts_and_forks": hosts_and_forks,
    "one_request": one_request,
    "single_tokens": single_tokens,
    "processes": processes,
    "renewal": renewal,
    "throttled": throttled,
    "memory": memory,
}
# Those that need more than the others' environment.
OPT_IN: t.Final[t.Mapping[str, Callable[[Bench], Iterator[Case]]]] = {"azcollection": azcollection}
