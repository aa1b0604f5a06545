# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of app_token, documented once. A unit test holds them to ``module_utils/_options.py``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations


class ModuleDocFragment:
    """``DOCUMENTATION`` for every face; ``PLUGIN`` adds where else each option is read from."""

    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - >-
        The tenant to sign in to: its GUID or one of its verified domains.
      - >-
        V(common), V(organizations) and V(consumers) are refused, because an application signs in to one tenant.
    type: str
    aliases: [tenant]
  client_id:
    description:
      - The Application (client) ID of the app registration.
    type: str
  credential:
    description:
      - How the app proves itself.
      - >-
        V(auto) takes what was given, in the order V(refresh_token), V(client_certificate), V(client_secret),
        V(federated), V(managed_identity), and says with C(-v) which one and why, with C(-vv) also where the token
        comes out of the cache. A credential that the call
        itself holds comes before one from a variable or the environment. A managed identity is taken only where
        an option or the platform's own variables tell of one.
      - >-
        V(device_code) is never taken by itself, because a person has to sign in: the address and the code are
        shown, once for all hosts. With O(refresh_token_file), what comes of it serves unattended from then on.
    type: str
    choices: [auto, client_secret, client_certificate, federated, managed_identity, refresh_token, device_code]
    default: auto
  client_secret:
    description:
      - The value of a client secret, not its ID.
    type: str
  client_certificate:
    description:
      - >-
        A certificate with its RSA private key: PEM text with the key, the certificate and, where wanted, the
        chain, in any order; or a PFX in base64.
      - A line break in PEM text may be written as C(\n).
    type: str
  client_certificate_path:
    description:
      - The same in a file of the controller, PEM or PFX.
    type: path
    aliases: [certificate_path, x509_certificate_path]
  client_certificate_password:
    description:
      - The password of an encrypted key or PFX.
    type: str
  send_certificate_chain:
    description:
      - Send the chain with the assertion (C(x5c)), for apps that trust the certificates of an issuer by
        subject name.
    type: bool
    default: false
  federated_token:
    description:
      - An assertion of another issuer that the app trusts by a federated credential.
    type: str
  federated_token_file:
    description:
      - The file that holds such an assertion. It is read again for each token request.
    type: path
  federated_token_source:
    description:
      - Who mints the assertion, anew for each token request.
      - >-
        V(given) takes O(federated_token) or O(federated_token_file). V(github_actions) asks GitHub for one,
        V(azure_pipelines) Azure Pipelines, and V(managed_identity) takes a token of the managed identity of the
        controller.
      - By default what is given counts, else the platform that the job's own variables tell of.
    type: str
    choices: [given, github_actions, azure_pipelines, managed_identity]
  managed_identity_client_id:
    description:
      - The client ID of a user-assigned managed identity. Without any of the three selectors the
        system-assigned one is used.
    type: str
  managed_identity_object_id:
    description:
      - The object ID of a user-assigned managed identity.
    type: str
  managed_identity_resource_id:
    description:
      - The Azure resource ID of a user-assigned managed identity.
    type: str
  refresh_token:
    description:
      - A refresh token of a user who signed in to the app, to be redeemed for an access token.
      - Goes with O(client_id); a confidential app needs its secret, certificate or assertion too, a public app must
        have none.
      - The refresh token that comes back is in the result's C(refresh_token). Use O(refresh_token_file)
        to have it kept.
    type: str
  refresh_token_file:
    description:
      - The file in which the newest refresh token lives. Each redemption replaces it atomically, with
        mode C(0600), before the access token is handed out.
      - While the file does not exist, O(refresh_token) is redeemed, or with O(credential=device_code) somebody signs
        in; from then on the file goes before both.
      - Beside it, C(<file>.lock) keeps concurrent redemptions apart and C(<file>.key) holds a sealed key
        of the token cache.
    type: path
  scope:
    description:
      - The API the token is for.
      - >-
        An alias for an API of the O(cloud): V(graph), V(arm), V(app_insights), V(batch), V(cognitive_services),
        V(cosmos), V(defender), V(defender_xdr), V(devops), V(event_hubs), V(exchange), V(fabric), V(key_vault),
        V(log_analytics), V(managed_hsm), V(monitor), V(office_management), V(oss_rdbms), V(power_bi), V(search),
        V(service_bus), V(sql), V(storage) or V(synapse).
      - Or a resource URI or app ID, to which C(/.default) is added. A scope that ends in C(/.default) is
        sent untouched, and so are the permissions of a user when a refresh token is redeemed.
      - The national clouds have not every API, and their aliases are fewer; an alias that a cloud lacks is refused
        with the list of those it has.
      - A token is for one API. Ask once for each.
    type: list
    elements: str
    default: [graph]
    aliases: [resource]
  cloud:
    description:
      - >-
        The national cloud: one switch for the login host, the API hosts and the scopes.
      - The names of other tools, such as C(AzureUSGovernment), are understood.
    type: str
    choices: [public, usgov, usgov_dod, china]
    default: public
  authority:
    description:
      - >-
        Another login host than that of the O(cloud): a new sovereign cloud, B2C or External ID, AD FS, or a test
        server.
      - >-
        A URL with a path is taken as complete, so that for B2C it ends in the policy:
        C(https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_app). O(tenant_id) has to be given all the same; it
        appears in messages only.
      - Has to be https; http is accepted for this machine only.
      - >-
        E(AZURE_AUTHORITY_HOST) is passed over when the call itself names the O(cloud).
    type: str
  api_base_url:
    description:
      - >-
        The base URL of the API, instead of the cloud's own: a gateway or a test server.
      - It is what C(api_url) becomes, where relative URLs go, and the host to which the token may be
        sent.
    type: str
  claims_challenge:
    description:
      - The claims of a C(401) answer's C(WWW-Authenticate) header, in base64 or as JSON, to ask for a
        token that satisfies them.
    type: str
  required_roles:
    description:
      - App roles, or with a user's token scopes, that the token has to carry. The task fails and names those that
        are missing.
    type: list
    elements: str
    default: []
  extra_headers:
    description:
      - Headers that go into C(headers) beside C(Authorization), which they can't replace.
    type: dict
    default: {}
  run_on:
    description:
      - Where the token request leaves from.
      - >-
        V(controller) is the control node. V(target) is the task's host, for its network or its managed identity;
        it needs Python and C(requests) there. Of a credential only what the request itself needs travels there,
        and a private key never.
      - A lookup, and so the role's lazy variables, finds only such tokens as a task has asked for from
        the target.
    type: str
    choices: [controller, target]
    default: controller
  cache:
    description:
      - Where tokens are kept, sealed so that only the holder of the credential can read them.
      - >-
        V(run) shares them between all hosts, forks and tasks of one run, in the run's own temporary directory.
      - >-
        V(user) shares them between all runs of a user on this machine, in C($XDG_CACHE_HOME/entra_auth) or
        C(~/.cache/entra_auth).
      - >-
        The URL of a Redis server, C(redis://) or C(rediss://) as redis-py takes it, shares them between machines.
        With C(?sentinel=NAME) its hosts are sentinels that know the service of that name, with C(?cluster=true) nodes
        of a cluster. A password in it is kept out of all output; don't put it into ansible.cfg.
      - >-
        V(none) asks for a new token every time.
      - Where the user's directory is not usable or the server does not answer, V(run) is used, with a warning.
    type: str
    default: run
  cache_key:
    description:
      - A long random secret that seals a shared O(cache) for credentials that have no secret of their own, which are
        managed identity, federated and device code.
      - Give the same to all who share the cache. Without it, V(run) is used for these credentials.
    type: str
  min_validity:
    description:
      - Never hand out a cached token with fewer seconds left. A token issued with a shorter life is used
        for half its life.
    type: int
    default: 300
  force_refresh:
    description:
      - Pass over the cache once and replace what is in it, for example after roles were granted.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that one HTTP exchange may take.
    type: float
    default: 30.0
  retry_for:
    description:
      - Seconds within which a token request that failed for a passing reason (lost connection, C(429),
        C(5xx)) is repeated. The C(Retry-After) of the service is obeyed; when it asks for more than is
        left, the request fails at once.
    type: float
    default: 120.0
  proxy:
    description:
      - The proxy for token requests, like C(http://proxy.example.com:3128). By default E(HTTPS_PROXY) and
        E(NO_PROXY) are obeyed.
    type: str
  ca_path:
    description:
      - A PEM file, or a directory of hashed certificates, of the CAs to trust. By default
        E(REQUESTS_CA_BUNDLE), else the bundle of the Python package C(certifi).
    type: path
  validate_certs:
    description:
      - Whether the certificate of the login host has to be valid. Turning it off hands the credential to
        whoever answers.
    type: bool
    default: true
requirements:
  - requests, with urllib3 1.26 or newer
  - cryptography, which ansible-core brings along
  - PyJWT, for O(client_certificate)
  - redis, for an O(cache) in Redis
"""

    # In each list of variables the last one that is set counts, as everywhere in Ansible; empty ones do not.
    PLUGIN = r"""
options:
  tenant_id:
    env:
      - name: ARM_TENANT_ID
      - name: AZURE_TENANT
      - name: AZURE_TENANT_ID
      - name: ENTRA_AUTH_TENANT_ID
    ini:
      - section: entra_auth
        key: tenant_id
    vars:
      - name: app_token_tenant_id
  client_id:
    env:
      - name: ARM_CLIENT_ID
      - name: AZURE_CLIENT_ID
      - name: ENTRA_AUTH_CLIENT_ID
    ini:
      - section: entra_auth
        key: client_id
    vars:
      - name: app_token_client_id
  credential:
    env:
      - name: ENTRA_AUTH_CREDENTIAL
    ini:
      - section: entra_auth
        key: credential
    vars:
      - name: app_token_credential
  client_secret:
    env:
      - name: ARM_CLIENT_SECRET
      - name: AZURE_SECRET
      - name: AZURE_CLIENT_SECRET
      - name: ENTRA_AUTH_CLIENT_SECRET
    vars:
      - name: app_token_client_secret
  client_certificate:
    env:
      - name: ENTRA_AUTH_CLIENT_CERTIFICATE
    vars:
      - name: app_token_client_certificate
  client_certificate_path:
    env:
      - name: ARM_CLIENT_CERTIFICATE_PATH
      - name: AZURE_X509_CERTIFICATE_PATH
      - name: AZURE_CLIENT_CERTIFICATE_PATH
      - name: ENTRA_AUTH_CLIENT_CERTIFICATE_PATH
    ini:
      - section: entra_auth
        key: client_certificate_path
    vars:
      - name: app_token_client_certificate_path
  client_certificate_password:
    env:
      - name: ARM_CLIENT_CERTIFICATE_PASSWORD
      - name: AZURE_CLIENT_CERTIFICATE_PASSWORD
      - name: ENTRA_AUTH_CLIENT_CERTIFICATE_PASSWORD
    vars:
      - name: app_token_client_certificate_password
  send_certificate_chain:
    env:
      - name: AZURE_CLIENT_SEND_CERTIFICATE_CHAIN
      - name: ENTRA_AUTH_SEND_CERTIFICATE_CHAIN
    ini:
      - section: entra_auth
        key: send_certificate_chain
    vars:
      - name: app_token_send_certificate_chain
  federated_token:
    env:
      - name: AZURE_FEDERATED_TOKEN
      - name: ENTRA_AUTH_FEDERATED_TOKEN
    vars:
      - name: app_token_federated_token
  federated_token_file:
    env:
      - name: ARM_OIDC_TOKEN_FILE_PATH
      - name: AZURE_FEDERATED_TOKEN_FILE
      - name: ENTRA_AUTH_FEDERATED_TOKEN_FILE
    ini:
      - section: entra_auth
        key: federated_token_file
    vars:
      - name: app_token_federated_token_file
  federated_token_source:
    env:
      - name: ENTRA_AUTH_FEDERATED_TOKEN_SOURCE
    ini:
      - section: entra_auth
        key: federated_token_source
    vars:
      - name: app_token_federated_token_source
  managed_identity_client_id:
    env:
      - name: ENTRA_AUTH_MANAGED_IDENTITY_CLIENT_ID
    ini:
      - section: entra_auth
        key: managed_identity_client_id
    vars:
      - name: app_token_managed_identity_client_id
  managed_identity_object_id:
    env:
      - name: ENTRA_AUTH_MANAGED_IDENTITY_OBJECT_ID
    ini:
      - section: entra_auth
        key: managed_identity_object_id
    vars:
      - name: app_token_managed_identity_object_id
  managed_identity_resource_id:
    env:
      - name: ENTRA_AUTH_MANAGED_IDENTITY_RESOURCE_ID
    ini:
      - section: entra_auth
        key: managed_identity_resource_id
    vars:
      - name: app_token_managed_identity_resource_id
  refresh_token:
    env:
      - name: ENTRA_AUTH_REFRESH_TOKEN
    vars:
      - name: app_token_refresh_token
  refresh_token_file:
    env:
      - name: ENTRA_AUTH_REFRESH_TOKEN_FILE
    ini:
      - section: entra_auth
        key: refresh_token_file
    vars:
      - name: app_token_refresh_token_file
  scope:
    env:
      - name: ENTRA_AUTH_SCOPE
    ini:
      - section: entra_auth
        key: scope
    vars:
      - name: app_token_scope
  cloud:
    env:
      - name: ARM_ENVIRONMENT
      - name: AZURE_CLOUD_ENVIRONMENT
      - name: ENTRA_AUTH_CLOUD
    ini:
      - section: entra_auth
        key: cloud
    vars:
      - name: app_token_cloud
  authority:
    env:
      - name: AZURE_AUTHORITY_HOST
      - name: ENTRA_AUTH_AUTHORITY
    ini:
      - section: entra_auth
        key: authority
    vars:
      - name: app_token_authority
  api_base_url:
    env:
      - name: ENTRA_AUTH_API_BASE_URL
    ini:
      - section: entra_auth
        key: api_base_url
    vars:
      - name: app_token_api_base_url
  claims_challenge:
    env:
      - name: ENTRA_AUTH_CLAIMS_CHALLENGE
    ini:
      - section: entra_auth
        key: claims_challenge
    vars:
      - name: app_token_claims_challenge
  required_roles:
    env:
      - name: ENTRA_AUTH_REQUIRED_ROLES
    ini:
      - section: entra_auth
        key: required_roles
    vars:
      - name: app_token_required_roles
  extra_headers:
    env:
      - name: ENTRA_AUTH_EXTRA_HEADERS
    ini:
      - section: entra_auth
        key: extra_headers
    vars:
      - name: app_token_extra_headers
  run_on:
    env:
      - name: ENTRA_AUTH_RUN_ON
    ini:
      - section: entra_auth
        key: run_on
    vars:
      - name: app_token_run_on
  cache:
    env:
      - name: ENTRA_AUTH_CACHE
    ini:
      - section: entra_auth
        key: cache
    vars:
      - name: app_token_cache
  cache_key:
    env:
      - name: ENTRA_AUTH_CACHE_KEY
    vars:
      - name: app_token_cache_key
  min_validity:
    env:
      - name: ENTRA_AUTH_MIN_VALIDITY
    ini:
      - section: entra_auth
        key: min_validity
    vars:
      - name: app_token_min_validity
  force_refresh:
    env:
      - name: ENTRA_AUTH_FORCE_REFRESH
    ini:
      - section: entra_auth
        key: force_refresh
    vars:
      - name: app_token_force_refresh
  timeout:
    env:
      - name: ENTRA_AUTH_TIMEOUT
    ini:
      - section: entra_auth
        key: timeout
    vars:
      - name: app_token_timeout
  retry_for:
    env:
      - name: ENTRA_AUTH_RETRY_FOR
    ini:
      - section: entra_auth
        key: retry_for
    vars:
      - name: app_token_retry_for
  proxy:
    env:
      - name: ENTRA_AUTH_PROXY
    ini:
      - section: entra_auth
        key: proxy
    vars:
      - name: app_token_proxy
  ca_path:
    env:
      - name: ENTRA_AUTH_CA_PATH
    ini:
      - section: entra_auth
        key: ca_path
    vars:
      - name: app_token_ca_path
  validate_certs:
    env:
      - name: ENTRA_AUTH_VALIDATE_CERTS
    ini:
      - section: entra_auth
        key: validate_certs
    vars:
      - name: app_token_validate_certs
"""
