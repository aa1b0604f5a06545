# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenarios play in: apps with every kind of secret, each secret unlike all else, and hosts that use them."""

from __future__ import annotations

import json
import typing as t

from ansible.parsing.vault import VaultLib, VaultSecret
from certificates import issue
from cores import CORE, CORE_MASKS
from redis_server import PASSWORD as REDIS_PASSWORD

from entra_emulator.environment import PLATFORM_SECRET

if t.TYPE_CHECKING:
    from pathlib import Path

    from audit.echoes import EchoServer
    from redis_server import RedisServer

    from entra_emulator.client import Emulator

# From 2.19 on a callback has to print warnings itself, which this one does not.
CALLBACKS_WITHOUT_WARNINGS: t.Final = frozenset({"oneline"} if CORE >= (2, 19) else ())
# The hosts that have a credential each, by its name.
CREDENTIALS: t.Final = (
    *("client_secret", "client_certificate", "federated", "managed_identity"),
    *("refresh_token", "device_code", "on_target"),
)
PUBLIC_APP: t.Final = "aaaaaaaa-0000-4000-8000-000000000004"
_ISSUER: t.Final = "https://ci.audit.example"
_SUBJECT: t.Final = "repo:contoso/audit"
_AUDIENCE: t.Final = "api://AzureADTokenExchange"
_ROLES: t.Final = {"graph": ["User.Read.All", "Organization.Read.All", "Files.ReadWrite.All"]}
# A character of each kind that some form writes in a way of its own, after a word that nothing else has.
_AWKWARD: t.Final = "~ é+&=%41#'\"{ }[]<>\\|;:$!?,@/*^`"
_SECRET_FIELDS: t.Final = ("client_secret", "client_assertion", "refresh_token", "device_code", "assertion")


class World:
    """An emulator with apps, and below ``directory`` the vault, the inventory and the files for plays against it."""

    def __init__(self, directory: Path, emulator: Emulator, redis: RedisServer, echo: EchoServer) -> None:
        self._directory = directory
        self._echo = echo
        self._emulator = emulator
        self._redis = redis
        self._certificate = issue("audit")
        self._secrets = {
            "client secret": f"aud1tClientSecret{_AWKWARD}",
            "wrong secret": f"aud1tWrongSecret{_AWKWARD}",
            "renewed secret": f"aud1tRenewedSecret{_AWKWARD}",
            "secret ID": "5ec2e71d-a0d1-4000-8000-0123456789ab",
            "expired secret": f"aud1tExpiredSecret{_AWKWARD}",
            "certificate password": f"aud1tCertificatePassword{_AWKWARD}",
            "wrong password": f"aud1tWrongPassword{_AWKWARD}",
            "damaged key": "MIIaud1tDamagedKey" * 12,
            "wrong federated token": "aud1tHeader.aud1tFederatedBody.aud1tSignature",
            "wrong refresh token": "1.aud1tWrongRefreshToken-_0123456789",
            "cache key": f"aud1tCacheKeyOfAtLeast32Characters{_AWKWARD}",
            "proxy password": "aud1tProxyPassword~secret",
            "wrong Redis password": "aud1tRedisPassword~secret",
            "control characters": "aud1tToken.with-control\x01characters.in-it0123",
            "crash": "aud1tCrash~text-of-an-exception",
        }
        self.refresh_token_file = directory / "refresh_token"
        self.inventory = directory / "hosts.json"
        self.vault = directory / "vault.yml"
        self._password = directory / "vault_password"
        self._other_ca = directory / "other_ca.pem"
        self._fill()

    @property
    def arguments(self) -> tuple[str, ...]:
        """For ansible-playbook: the inventory, which holds no secret, and the variables, which hold all."""
        return "-i", str(self.inventory), *self.vault_arguments

    @property
    def vault_arguments(self) -> tuple[str, ...]:
        """The part of them that opens the vault."""
        return "-e", f"@{self.vault}", "--vault-password-file", str(self._password)

    @property
    def environment(self) -> dict[str, str | None]:
        """No secret but the one that the platform puts there."""
        taken = dict.fromkeys(f"ENTRA_AUTH_{name}" for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
        return {**taken, **self._emulator.managed_identity_environment("app_service")}

    @property
    def given_in_environment(self) -> dict[str, str]:
        """The secret that processes inherit."""
        return {"platform secret": PLATFORM_SECRET}

    def markers(self) -> dict[str, str]:
        """What may be nowhere: all that was given, sent as a proof of identity, or issued so far."""
        kinds = self._emulator.issued()
        issued = {f"{kind} {number}": one for kind, each in kinds.items() for number, one in enumerate(each, 1)}
        sent = {
            f"{name} in request {entry['id']}": value
            for entry in self._emulator.requests()
            for name, value in entry["form"]
            if name in _SECRET_FIELDS
        }
        echoed = {f"secret {number} of the echo": value for number, value in enumerate(self._echo.sent)}
        return {name: value for value, name in {value: name for name, value in self._all(echoed, sent, issued)}.items()}

    def _all(self, *more: dict[str, str]) -> t.Iterator[tuple[str, str]]:
        yield from ((name, value) for each in more for name, value in each.items())
        yield from self._secrets.items()
        yield "Redis password", REDIS_PASSWORD
        key = self._certificate.key_pem()
        yield "private key", "".join(key.splitlines()[1:-1])
        yield "encrypted key", "".join(self._pem().splitlines()[1:20])

    def _pem(self) -> str:
        return self._certificate.pem(self._secrets["certificate password"])

    def _fill(self) -> None:
        self._other_ca.write_text(self._certificate.certificate_pem)
        self._emulator.configure(device_code_approve_after=0, device_code_interval=0)
        apps = self._apps()
        refresh_token = self._emulator.add_refresh_token(PUBLIC_APP)
        self.refresh_token_file.write_text(refresh_token)
        self.refresh_token_file.chmod(0o600)
        given = {name.lower().replace(" ", "_"): value for name, value in self._secrets.items()}
        given |= {
            "pem": self._pem(),
            "damaged_pem": f"-----BEGIN PRIVATE KEY-----\n{given['damaged_key']}\n-----END PRIVATE KEY-----\n",
            "federated_token": self._emulator.mint_assertion(_ISSUER, _SUBJECT, _AUDIENCE),
            "broken_secret": f"{given['wrong_secret']}\n\x1b[31m",
            "redis_url": self._redis.url,
            "wrong_redis_url": self._redis.url_with(given["wrong_redis_password"].replace("~", "%7E")),
        }
        places = {"login": self._emulator.urls.login, "api": self._emulator.urls.api, "other_ca": str(self._other_ca)}
        places["echo"] = self._echo.url
        variables = {"given": given, "apps": apps, "places": places}
        self._password.write_text("aud1t-vault")
        self.vault.write_bytes(self._encrypt(json.dumps(variables)))
        self.inventory.write_text(json.dumps(self._hosts()))

    def _encrypt(self, text: str) -> bytes:
        """Return a vault, or the text for an ansible-core that masks by itself what was in a vault."""
        vault = VaultLib([("default", VaultSecret(b"aud1t-vault"))])
        return text.encode() if CORE_MASKS else bytes(vault.encrypt(text))

    def _apps(self) -> dict[str, str]:
        add, secret = self._emulator.add_app, self._secrets["client secret"]
        federated = [{"issuer": self._emulator.add_issuer(_ISSUER), "subject": _SUBJECT, "audience": _AUDIENCE}]
        proofs = {"secret": secret, "certificates": [self._certificate.certificate_pem], "federated": federated}
        apps = {"good": str(add(roles=_ROLES, **proofs)["client_id"])}
        expired = {"value": self._secrets["expired secret"], "expires_in": -60}
        apps["expired"] = str(add(secret=[expired])["client_id"])
        for name, (action, options) in self._troubles().items():
            apps[name] = str(add(secret=secret, roles=_ROLES)["client_id"])
            self._emulator.fault(action, client_id=apps[name], times=None, **options)
        self._emulator.fault("status", endpoint="graph", match="audit=busy", times=None, status=429, retry_after=900)
        self._emulator.fault("revoke_token", endpoint="graph", match="audit=revoked")
        return apps

    def _troubles(self) -> dict[str, tuple[str, dict[str, t.Any]]]:
        """Apps that get other than what they ask for, by name: a fault and its options."""
        echo = f"AADSTS7000215: Invalid client secret provided: {self._secrets['client secret']}"
        body = {"error": "invalid_client", "error_description": echo, "error_codes": [7000215]}
        return {
            "echo": ("status", {"status": 401, "body": body}),
            "html": ("non_json_200", {}),
            "throttled": ("status", {"status": 429, "retry_after": 900}),
            "dropped": ("drop", {}),
            "broken": ("token_with_control_chars", {"access_token": self._secrets["control characters"]}),
        }

    def _hosts(self) -> dict[str, t.Any]:
        app = {"client_id": "{{ apps.good }}", "tenant_id": self._emulator.tenant_id}
        secret = {**app, "client_secret": "{{ given.client_secret }}"}
        user = {**app, "client_id": PUBLIC_APP, "scope": "graph"}
        options: dict[str, dict[str, t.Any]] = {
            "client_secret": secret,
            "client_certificate": {
                **app,
                "client_certificate": "{{ given.pem }}",
                "client_certificate_password": "{{ given.certificate_password }}",
            },
            "federated": {**app, "federated_token": "{{ given.federated_token }}"},
            "managed_identity": {"credential": "managed_identity"},
            "refresh_token": {**user, "refresh_token_file": str(self.refresh_token_file)},
            "device_code": {**user, "credential": "device_code"},
            "on_target": {"credential": "managed_identity", "run_on": "target"},
            "nowhere": {"credential": "managed_identity", "run_on": "target"},
            "bare": {},
        }
        hosts = {
            host: {"ansible_connection": "local", **{f"app_token_{name}": value for name, value in each.items()}}
            for host, each in options.items()
        }
        hosts["nowhere"] |= {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
        return {"all": {"hosts": hosts}}


__all__ = ("CALLBACKS_WITHOUT_WARNINGS", "CREDENTIALS", "World")
