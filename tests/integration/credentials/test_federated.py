# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assertions of other issuers in place of a secret: where they come from, how fresh they are, what is said of them."""

from __future__ import annotations

import base64
import json
import time
import typing as t
import urllib.parse

import pytest

from plays import show

if t.TYPE_CHECKING:
    from entra_emulator.client import Emulator
    from plays import Play, Plays

AUDIENCES: t.Final = {
    "public": "api://AzureADTokenExchange",
    "usgov": "api://AzureADTokenExchangeUSGov",
    "usgov_dod": "api://AzureADTokenExchangeUSGov",
    "china": "api://AzureADTokenExchangeChina",
}
GITHUB: t.Final = "https://token.actions.githubusercontent.com"
GITHUB_SUBJECT: t.Final = "repo:contoso/playbooks:ref:refs/heads/main"
PIPELINES: t.Final = "https://vstoken.dev.azure.com/dddddddd-0000-4000-8000-000000000001"
PIPELINES_SUBJECT: t.Final = "sc://contoso/playbooks/azure"
CONNECTION: t.Final = "eeeeeeee-0000-4000-8000-000000000001"
IDENTITY: t.Final = "aaaaaaaa-0000-4000-8000-000000000102"
IDENTITY_OBJECT: t.Final = "bbbbbbbb-0000-4000-8000-000000000102"
ISSUER: t.Final = "https://ci.example"
SUBJECT: t.Final = "repo:contoso/playbooks:environment:production"
PLATFORM_SECRET: t.Final = "made-up~platform-secret"


def _trust(issuer: str, subject: str, *audiences: str, **more: t.Any) -> list[dict[str, t.Any]]:
    """An app's federated credentials, one per audience."""
    wanted = audiences or (AUDIENCES["public"],)
    return [{"issuer": issuer, "subject": subject, "audience": audience, **more} for audience in wanted]


def _app(emulator: Emulator, *federated: list[dict[str, t.Any]]) -> dict[str, str | None]:
    """The environment of an app that trusts those, and has no secret; every request is made."""
    client_id = emulator.add_app(federated=[one for trusted in federated for one in trusted])["client_id"]
    return {"ENTRA_AUTH_CLIENT_ID": client_id, "ENTRA_AUTH_CLIENT_SECRET": None, "ENTRA_AUTH_CACHE": "none"}


def _get(task: str = "Get", /, **options: t.Any) -> dict[str, t.Any]:
    return {"name": task, "entra.auth.app_token": options, "register": "token", "ignore_errors": True}


def _run(plays: Plays, tasks: list[dict[str, t.Any]], env: t.Mapping[str, str | None], *arguments: str) -> Play:
    play = plays.run([{"tasks": tasks}], *arguments, record=True, env=env)
    assert play.returncode == 0, play.output
    return play


def _sent(emulator: Emulator) -> list[str]:
    """The assertions of all token requests, which have all succeeded."""
    sent = emulator.token_requests()
    assert [entry["status"] for entry in sent] == [200] * len(sent)
    return [dict(entry["form"])["client_assertion"] for entry in sent]


def test_a_file_is_read_again_at_each_request(plays: Plays, emulator: Emulator) -> None:
    """As an agent replaces it while the play runs; white space around it does not count."""
    env = _app(emulator, _trust(ISSUER, SUBJECT))
    first, second = (emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCES["public"]) for _number in range(2))
    path, coming = plays.directory / "token", plays.directory / "coming"
    path.write_text(f"\n{first}\n\n")
    coming.write_text(second)
    move = {"name": "Rotate", "ansible.builtin.command": f"mv {coming} {path}"}
    play = _run(plays, [_get(), move, _get("Get anew")], {**env, "AZURE_FEDERATED_TOKEN_FILE": str(path)}, "-v")
    assert _sent(emulator) == [first, second]
    assert first not in play.output
    assert second not in play.output


def test_a_string_comes_before_a_file_and_both_before_a_platform(plays: Plays, emulator: Emulator) -> None:
    """What is in hand is used; only a source that is named has it minted."""
    env = _app(emulator, _trust(ISSUER, SUBJECT), _trust(GITHUB, GITHUB_SUBJECT))
    given, in_file = (emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCES["public"]) for _number in range(2))
    path = plays.directory / "token"
    path.write_text(in_file)
    env = {**env, **emulator.ci_environment("github_actions"), "ARM_OIDC_TOKEN_FILE_PATH": str(path)}
    tasks = [
        _get("Both", federated_token=f" {given}\n"),
        _get("File"),
        _get("Given", federated_token=given, federated_token_source="given"),
        _get("Platform", federated_token=given, federated_token_source="github_actions"),
    ]
    _run(plays, tasks, env)
    *in_hand, minted = _sent(emulator)
    assert in_hand == [given, in_file, given]
    assert minted not in (given, in_file)
    (asked,) = emulator.requests(path="/github")
    assert asked["id"] < emulator.token_requests()[-1]["id"]


def test_github_actions_mints_for_the_audience_of_each_cloud(plays: Plays, emulator: Emulator) -> None:
    """Found by the variables of the job alone; the token that allows it is shown nowhere."""
    env = _app(emulator, _trust(GITHUB, GITHUB_SUBJECT, *dict.fromkeys(AUDIENCES.values())))
    tasks = [_get(cloud, cloud=cloud) for cloud in AUDIENCES]
    play = _run(
        plays, [*tasks, show(kind="token.credential")], {**env, **emulator.ci_environment("github_actions")}, "-vvv"
    )
    assert play.shown() == {"kind": "federated"}
    assert "credential by the variables of the platform" in play.output
    asked = emulator.requests(path="/github")
    assert [urllib.parse.parse_qsl(entry["query"]) for entry in asked] == [
        [("api-version", "2.0"), ("audience", audience)] for audience in AUDIENCES.values()
    ]
    assert all(urllib.parse.quote(AUDIENCES["public"], safe="") in entry["query"] for entry in asked)
    assert {entry["method"] for entry in asked} == {"GET"}
    assert {dict(entry["headers"])["Authorization"] for entry in asked} == {f"Bearer {PLATFORM_SECRET}"}
    minted = [entry["assertion"]["claims"] for entry in asked]
    received = [entry["assertion"]["claims"] for entry in emulator.token_requests()]
    assert received == minted
    assert len(set(_sent(emulator))) == len(AUDIENCES)
    assert PLATFORM_SECRET not in play.output


def test_azure_pipelines_mints_for_its_service_connection(plays: Plays, emulator: Emulator) -> None:
    """By a POST without a body, that does not let itself be sent to a sign-in page."""
    env = _app(emulator, _trust(PIPELINES, PIPELINES_SUBJECT))
    play = _run(plays, [_get()], {**env, **emulator.ci_environment("azure_pipelines")}, "-vvv")
    (asked,) = emulator.requests(path="/pipelines")
    assert (asked["method"], asked["body"]) == ("POST", "")
    assert urllib.parse.parse_qsl(asked["query"]) == [("api-version", "7.1"), ("serviceConnectionId", CONNECTION)]
    headers = {name.lower(): value for name, value in asked["headers"]}
    assert headers["authorization"] == f"Bearer {PLATFORM_SECRET}"
    assert headers["x-tfs-fedauthredirect"] == "Suppress"
    assert [entry["assertion"]["claims"] for entry in emulator.token_requests()] == [asked["assertion"]["claims"]]
    assert len(_sent(emulator)) == 1
    assert PLATFORM_SECRET not in play.output


def test_a_managed_identity_is_the_assertion(plays: Plays, emulator: Emulator) -> None:
    """Of a user-assigned identity, for the audience of each cloud; the app is another one than the identity."""
    issuer = f"{emulator.urls.login}/{emulator.tenant_id}/v2.0"
    env = _app(emulator, _trust(issuer, IDENTITY_OBJECT, *dict.fromkeys(AUDIENCES.values())))
    given = {"federated_token_source": "managed_identity", "managed_identity_client_id": IDENTITY}
    tasks = [_get(cloud, cloud=cloud, **given) for cloud in AUDIENCES]
    # Nobody listens there: the way to the platform leads by no proxy.
    no_way = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    play = _run(
        plays,
        [*tasks, show(app="token.claims.appid", kind="token.credential")],
        {**env, **emulator.managed_identity_environment("imds"), **no_way},
    )
    assert play.shown() == {"app": env["ENTRA_AUTH_CLIENT_ID"], "kind": "federated"}
    queries = [entry["query"] for entry in emulator.requests(path="/metadata")]
    # Without a query it is only asked whether anybody is there.
    asked = [dict(urllib.parse.parse_qsl(query)) for query in queries if query]
    assert [query["resource"] for query in asked] == list(AUDIENCES.values())
    assert {query["client_id"] for query in asked} == {IDENTITY}
    claims = [entry["assertion"]["claims"] for entry in emulator.token_requests()]
    assert [(one["aud"], one["sub"]) for one in claims] == [(each, IDENTITY_OBJECT) for each in AUDIENCES.values()]
    assert len(_sent(emulator)) == len(AUDIENCES)


def test_each_renewal_has_an_assertion_of_its_own(plays: Plays, emulator: Emulator) -> None:
    """So a play outlives the five minutes of an assertion: tokens that end at once are renewed with new ones."""
    emulator.configure(token_lifetime=0.01, expires_in="float")
    env = {**_app(emulator, _trust(GITHUB, GITHUB_SUBJECT)), "ENTRA_AUTH_CACHE": None}
    _run(plays, [_get(str(number)) for number in range(3)], {**env, **emulator.ci_environment("github_actions")})
    minted = [entry["assertion"]["claims"]["jti"] for entry in emulator.requests(path="/github")]
    presented = [entry["assertion"]["claims"]["jti"] for entry in emulator.token_requests()]
    assert presented == minted
    assert len(set(presented)) == 3


def test_a_token_of_the_cache_needs_no_assertion(plays: Plays, emulator: Emulator) -> None:
    """One request to the platform and one to Entra for three tasks on four hosts."""
    env = {**_app(emulator, _trust(GITHUB, GITHUB_SUBJECT)), "ENTRA_AUTH_CACHE": None}
    env |= emulator.ci_environment("github_actions")
    play = plays.run([{"tasks": [_get(str(number)) for number in range(3)]}], hosts=4, record=True, env=env)
    assert play.returncode == 0, play.output
    assert len(emulator.requests(path="/github")) == len(_sent(emulator)) == 1


def test_a_mismatch_shows_what_was_sent(plays: Plays, emulator: Emulator) -> None:
    """Issuer, subject and audience, ready to be copied into the app's federated credential, and no more of it."""
    audience = AUDIENCES["public"]
    env = {**_app(emulator, _trust(ISSUER, SUBJECT)), "ENTRA_AUTH_RETRY_FOR": "0"}
    sent = {
        700211: (f"{ISSUER}/", SUBJECT, audience),
        700212: (ISSUER, SUBJECT, AUDIENCES["china"]),
        700213: (ISSUER, SUBJECT.replace("environment:production", "ref:refs/heads/main"), audience),
        7002138: (ISSUER, SUBJECT.upper(), audience),
    }
    assertions = {code: emulator.mint_assertion(*parts) for code, parts in sent.items()}
    tasks = [_get(str(code), federated_token=assertion) for code, assertion in assertions.items()]
    play = _run(plays, tasks, env, "-vvv")
    for code, (issuer, subject, meant_for) in sent.items():
        result = play.result(str(code))
        assert result["error_codes"] == [code]
        assert f"The assertion has issuer '{issuer}', subject '{subject}', audience '{meant_for}'." in result["msg"]
        assert f"AADSTS{code}" in result["msg"]
        assert result["hint"] in result["msg"]
    assert not [code for code, assertion in assertions.items() if assertion[-40:] in play.output]


def test_what_is_not_a_jwt_is_not_sent(plays: Plays, emulator: Emulator) -> None:
    """It is named with the file or option it comes from; nothing of it is shown."""
    assertion = emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCES["public"])
    contents = {
        "value": (json.dumps({"value": assertion}), "JSON around the token (with the keys 'value')"),
        "quoted": (json.dumps(assertion), ""),
        "base64": (base64.b64encode(assertion.encode()).decode(), "a JWT in base64"),
        "text": ("made-up~assertion", "other text"),
    }
    paths = {kind: plays.directory / f"{kind}-token" for kind in contents}
    tasks = []
    for kind, path in paths.items():
        path.write_text(contents[kind][0])
        variable = f"{{{{ lookup('file', '{path}') | string }}}}"
        tasks += [
            _get(f"File {kind}", federated_token_file=str(path)),
            {**_get(f"Variable {kind}"), "vars": {"app_token_federated_token": variable}},
        ]
    play = _run(plays, tasks, _app(emulator, _trust(ISSUER, SUBJECT)), "-vvv")
    assert len(_sent(emulator)) == len(emulator.requests()) == 2
    assert assertion not in play.output
    named = "federated_token (from variable app_token_federated_token) does not hold a JWT"
    ends = {event["task"]: event["event"] for event in play.events()}
    for kind, (content, form) in contents.items():
        assert content not in play.output, kind
        assert ends[f"File {kind}"] == ends[f"Variable {kind}"] == ("failed" if form else "ok"), kind
        if form:
            message = f"federated_token_file {paths[kind]} does not hold a JWT: it holds {form}"
            assert message in play.result(f"File {kind}")["msg"]
            assert named in play.result(f"Variable {kind}")["msg"], kind


def test_a_forged_assertion_gets_no_token_that_a_good_one_has_bought(plays: Plays, emulator: Emulator) -> None:
    """In one run with one cache, on another host; both hosts name the same app."""
    good, forged = (
        emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCES["public"], forged=forged) for forged in (False, True)
    )
    env = {**_app(emulator, _trust(ISSUER, SUBJECT)), "ENTRA_AUTH_CACHE": None}
    option = "{{ good if inventory_hostname == 'h001' else forged }}"
    plan = [{"serial": 1, "tasks": [_get(federated_token=option)]}]
    play = plays.run(plan, hosts=2, record=True, env=env, good=good, forged=forged)
    assert "failed" not in play.result("Get", "h001")
    assert play.result("Get", "h002")["error_codes"] == [5000811]
    assert [entry["status"] for entry in emulator.token_requests()] == [200, 401]


def test_a_mismatch_is_told_within_seconds(plays: Plays, emulator: Emulator) -> None:
    """With a word at once, few requests, and the subject that the app's federated credential has to have."""
    emulator.configure(github_actions_subject="repo:octocat@123456/my-repo@456789:ref:refs/heads/main")
    env = {**_app(emulator, _trust(GITHUB, GITHUB_SUBJECT)), **emulator.ci_environment("github_actions")}
    begun = time.monotonic()
    play = _run(plays, [_get(retry_for=5)], env)
    assert time.monotonic() - begun < 60
    message = play.result("Get")["msg"]
    subject = "subject 'repo:octocat@123456/my-repo@456789:ref:refs/heads/main'"
    assert subject in message
    assert "GitHub's immutable form" in message
    assert "claimsMatchingExpression" in message
    assert [entry["status"] for entry in emulator.token_requests()] == [401] * 2
    assert len(emulator.requests(path="/github")) == 2
    assert play.output.count("Trying again for 2 s") == 1
    assert f"{subject}, audience" in play.stderr


def test_a_new_credential_is_given_time_to_spread(plays: Plays, emulator: Emulator) -> None:
    """Within retry_for, with a new assertion for each try."""
    codes = (70021, 700211, 700212, 700213)
    for number, code in enumerate(codes):
        # One for the first request of each task: each fault passes over what earlier ones let through.
        emulator.fault("error", code=code, after=number)
    env = {**_app(emulator, _trust(GITHUB, GITHUB_SUBJECT)), **emulator.ci_environment("github_actions")}
    _run(plays, [_get(str(code), retry_for=30) for code in codes], env)
    tries = emulator.token_requests()
    assert [entry["status"] for entry in tries] == [401, 200] * len(codes)
    assert len({dict(entry["form"])["client_assertion"] for entry in tries}) == len(tries)
    assert len(emulator.requests(path="/github")) == len(tries)


def test_no_time_to_spread_without_retry_for(plays: Plays, emulator: Emulator) -> None:
    """One request, and the reason; what no waiting would mend is not asked twice either: a stale assertion is one."""
    env = _app(emulator, _trust(ISSUER, SUBJECT, spread_requests=1))
    good = emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCES["public"])
    case = emulator.mint_assertion(ISSUER, SUBJECT.upper(), AUDIENCES["public"])
    stale = emulator.mint_assertion(ISSUER, SUBJECT, AUDIENCES["public"], lifetime=-60)
    tasks = [
        _get("new", federated_token=good, retry_for=0),
        _get("case", federated_token=case, retry_for=60),
        _get("stale", federated_token=stale, retry_for=60),
    ]
    play = _run(plays, tasks, env)
    codes = [play.result(name)["error_codes"] for name in ("new", "case", "stale")]
    assert codes == [[70021], [7002138], [700024]]
    assert "wait some minutes after adding one" in play.result("new")["msg"]
    assert "federated_token_file or federated_token_source" in play.result("stale")["msg"]
    assert [entry["status"] for entry in emulator.token_requests()] == [401] * 3


@pytest.mark.parametrize(
    ("present", "source", "missing"),
    [
        (["ACTIONS_ID_TOKEN_REQUEST_URL"], "github_actions", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        *(
            pytest.param(*row, marks=pytest.mark.thorough)
            for row in (
                ([], "github_actions", "ACTIONS_ID_TOKEN_REQUEST_URL"),
                (["SYSTEM_OIDCREQUESTURI"], "azure_pipelines", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
                (["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"], "azure_pipelines", "SYSTEM_OIDCREQUESTURI"),
                (
                    ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "SYSTEM_OIDCREQUESTURI"],
                    *("azure_pipelines", "SYSTEM_ACCESSTOKEN"),
                ),
            )
        ),
    ],
)
def test_a_variable_that_is_missing_is_named(
    plays: Plays, emulator: Emulator, present: list[str], source: str, missing: str
) -> None:
    """With how to have it, before any request; the platform is not taken to be there by half of its variables."""
    of_platform = emulator.ci_environment(source)
    env = {**_app(emulator), **{name: of_platform[name] for name in present}}
    play = _run(plays, [_get("Named", federated_token_source=source), _get("Alone")], env)
    message = play.result("Named")["msg"]
    assert missing in message
    assert (
        "id-token: write"
        if source == "github_actions"
        else "ervice connection"
        if "CONNECTION" in missing
        else "pipeline"
    ) in message
    assert "Missing: a credential" in play.result("Alone")["msg"]
    assert emulator.requests() == []


def test_nothing_in_hand_is_said(plays: Plays, emulator: Emulator) -> None:
    """For the credential without its assertion, for a source that is to give one, and for a file that is not there."""
    gone = str(plays.directory / "gone")
    tasks = [
        _get("credential", credential="federated"),
        _get("source", federated_token_source="given"),
        _get("file", federated_token_file=gone),
    ]
    play = _run(plays, tasks, _app(emulator))
    for place in ("federated_token", "federated_token_file", "AZURE_FEDERATED_TOKEN", "federated_token_request_url"):
        assert place in play.result("credential")["msg"]
    assert "neither federated_token nor federated_token_file is" in play.result("source")["msg"]
    assert f"federated_token_file {gone} can't be read: No such file or directory" in play.result("file")["msg"]
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("platform", "name", "hint"),
    [
        ("github_actions", "GitHub Actions", "id-token: write"),
        pytest.param("azure_pipelines", "Azure Pipelines", "SYSTEM_ACCESSTOKEN", marks=pytest.mark.thorough),
    ],
)
def test_a_platform_that_says_no_is_named(
    plays: Plays, emulator: Emulator, platform: str, name: str, hint: str
) -> None:
    """With its status and what to check; a busy one is asked again; Entra is not asked without an assertion."""
    env = _app(emulator, _trust(GITHUB, GITHUB_SUBJECT), _trust(PIPELINES, PIPELINES_SUBJECT))
    env |= emulator.ci_environment(platform)
    for status in (401, 302):
        emulator.fault("status", endpoint=platform, status=status, headers={"Location": emulator.urls.foreign})
    emulator.fault("non_json_200", endpoint=platform)
    emulator.fault("status", endpoint=platform, status=503)
    play = _run(plays, [_get("401"), _get("302"), _get("200"), _get("busy")], env)
    for status in ("401", "302", "200"):
        assert f"{name} responded with {status} to the request for an assertion" in play.result(status)["msg"]
        assert hint in play.result(status)["hint"]
    assert emulator.requests(listener="foreign") == []
    assert len(_sent(emulator)) == 1
    assert [entry["status"] for entry in emulator.requests(listener="platform")] == [401, 302, 200, 503, 200]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"GITHUB_ACTIONS": "true"}, "Give the job of GitHub Actions the permission id-token: write"),
        pytest.param(
            {"TF_BUILD": "True", "SYSTEM_OIDCREQUESTURI": "https://dev.azure.com/x"},
            "as SYSTEM_ACCESSTOKEN into the environment",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_a_job_that_may_not_request_assertions_is_told_so(
    plays: Plays, emulator: Emulator, environment: dict[str, str], sentence: str
) -> None:
    """With the credential named or not; nothing is sent."""
    tasks = [_get("auto"), _get("named", credential="federated")]
    play = _run(plays, tasks, {**_app(emulator), **environment})
    for task in ("auto", "named"):
        assert sentence in play.result(task)["hint"]
    assert emulator.requests() == []
