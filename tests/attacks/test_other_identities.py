# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Within a run: who lacks a credential is not served what it bought, and who verifies is not served what did not."""

from __future__ import annotations

import typing as t

from attacks.attacker import expect_none, get_end

from plays import show

if t.TYPE_CHECKING:
    from attacks.attacker import Attack, Task

AUTH: t.Final = "entra.auth.app_token"


def get(name: str, **options: t.Any) -> Task:
    """Get a token and go on if that fails."""
    return {"name": name, AUTH: options, "register": "token", "ignore_errors": True}


def test_a_wrong_credential_is_not_served_what_the_right_one_bought(attack: Attack) -> None:
    """Of each kind, by the module and by the lookup, in the cache of a run and in that of a user."""
    emulator, directory = attack.emulator, attack.directory
    issuer, audience = emulator.add_issuer("https://ci.attack.example"), "api://AzureADTokenExchange"
    federated = [{"issuer": issuer, "subject": "right", "audience": audience}]
    app = str(emulator.add_app(secret="right~secret~0123456789", federated=federated)["client_id"])
    right, wrong = (emulator.mint_assertion(issuer, subject, audience) for subject in ("right", "wrong"))
    forged = emulator.mint_assertion(issuer, "right", audience, forged=True)
    for name, assertion in (("right", right), ("wrong", wrong)):
        (directory / name).write_text(assertion)
    key = {"cache_key": "0123456789abcdef" * 4}
    credentials: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "secret": ({"client_secret": "right~secret~0123456789"}, {"client_secret": "wrong~secret~0123456789"}),
        "assertion": ({"federated_token": right}, {"federated_token": wrong}),
        "forged assertion": ({"federated_token": right}, {"federated_token": forged}),
        "assertion with a key": ({"federated_token": right, **key}, {"federated_token": wrong, **key}),
        "file": (
            {"federated_token_file": str(directory / "right")},
            {"federated_token_file": str(directory / "wrong")},
        ),
    }
    tasks = []
    for name, (good, bad) in credentials.items():
        for cache in ("run", "user"):
            kind = {
                "credential": "client_secret" if name == "secret" else "federated",
                "client_id": app,
                "cache": cache,
            }
            case = f"{name}, {cache}"
            tasks += [get(f"right {case}", **kind, **good), get(f"wrong {case}", **kind, **bad)]
            given = ", ".join(f"{option}='{value}'" for option, value in {**kind, **bad}.items())
            look = {"msg": "{{ lookup('" + AUTH + "', " + given + ") | length }}"}
            tasks.append({"name": f"lookup {case}", "ansible.builtin.debug": look, "ignore_errors": True})
    attack.add_host("victim")
    play = attack.run([{"tasks": tasks}])
    names = [task["name"] for task in tasks]
    bought = [name for name in names if name.startswith("right") and get_end(play, name, "victim") == "ok"]
    assert len(bought) == len(names) / 3, play.output
    others = [name for name in names if not name.startswith("right")]
    expect_none({name: "served" for name in others if get_end(play, name, "victim") == "ok"})


def test_a_token_bought_without_verification_serves_no_call_that_verifies(attack: Attack) -> None:
    """A man in the middle can give one of his own to the careless; the others would send their data with it."""
    attack.add_host("victim")
    tasks = [
        get("Careless", validate_certs=False),
        show(first="token.access_token | hash('sha256')"),
        get("Careful"),
        show(second="token.access_token | hash('sha256')", source="token.source"),
        get("Careless again", validate_certs=False),
    ]
    play = attack.run([{"tasks": tasks}])
    first, second = play.all_shown("victim")
    assert second["source"] == "network"
    assert second["second"] != first["first"]
