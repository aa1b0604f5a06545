# Copyright (c) 2026, entra.auth contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``app_token``, documented once for all entry points.

A unit test compares them with the table in ``plugin_utils/_options/app_token.py``.

**PRIVATE** to the collection: not an API.
"""

from __future__ import annotations


class ModuleDocFragment:
    """``DOCUMENTATION`` is for every entry point. ``PLUGIN`` adds the other places that each option is read from."""

    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - The tenant to sign in to, by its GUID or one of its verified domains.
      - V(common), V(organizations) and V(consumers) are refused, because an application signs in to one tenant.
    type: str
    aliases: [tenant]
  client_id:
    description:
      - The Application (client) ID of the app registration.
      - With O(credential=managed_identity), the client ID of a user-assigned managed identity, if it is given as an
        option or variable.
      - If no other place gives it, it is read from the file that E(ARM_CLIENT_ID_FILE_PATH) names.
    type: str
  credential:
    description:
      - How the app proves its identity.
      - >-
        V(auto) takes what was given, in the order V(refresh_token), V(client_certificate), V(client_secret),
        V(federated), V(managed_identity), and shows with C(-v) which one and why. A credential in the call itself comes
        before one from a variable or the environment. V(managed_identity) is chosen only if one of its own options or
        the variables of the platform are set; on a virtual machine set it here.
      - >-
        V(device_code) needs a person, who signs in with the address and the code that are shown once for all hosts. It
        is never chosen by V(auto). With O(refresh_token_file) later runs need no person.
      - >-
        V(azure_cli) takes a token of the user who is signed in to the Azure CLI on the control node. It is never chosen
        by V(auto).
    type: str
    choices: [auto, client_secret, client_certificate, federated, managed_identity, refresh_token, device_code,
              azure_cli]
    default: auto
  client_secret:
    description:
      - The value of a client secret, not its ID.
    type: str
  client_secret_file:
    description:
      - A file of the control node that holds the value of a client secret, such as a mounted Kubernetes secret. It is
        read for each token request.
    type: path
  client_certificate:
    description:
      - >-
        A certificate with its RSA private key. Either PEM text with the key, the certificate and optionally the chain,
        in any order, or a PFX in base64.
      - A line break in PEM text may be written as C(\n).
    type: str
  client_certificate_path:
    description:
      - A file of the control node with the same content, PEM or PFX.
    type: path
    aliases: [certificate_path, x509_certificate_path]
  client_certificate_password:
    description:
      - The password of an encrypted key or PFX.
    type: str
  send_certificate_chain:
    description:
      - Whether to send the chain with the assertion (C(x5c)), for apps that trust the certificates of an issuer by
        their subject name.
    type: bool
    default: false
  federated_token:
    description:
      - An assertion of another issuer that the app trusts by a federated credential.
    type: str
  federated_token_file:
    description:
      - A file of the control node that holds such an assertion. It is read for each token request.
    type: path
  federated_token_source:
    description:
      - The issuer of the assertion, which gives a new one for each token request.
      - >-
        V(given) takes O(federated_token) or O(federated_token_file). V(github_actions) requests an assertion from
        GitHub, V(azure_pipelines) from Azure Pipelines, and V(request_url) from O(federated_token_request_url).
        V(managed_identity) takes a token of the managed identity of the control node.
      - >-
        By default a given assertion counts, else O(federated_token_request_url) if it is set, else the platform that
        the variables of the job name.
    type: str
    choices: [given, github_actions, azure_pipelines, managed_identity, request_url]
  federated_token_request_url:
    description:
      - For O(federated_token_source=request_url), the URL of an issuer that responds to a GET request with
        C({"value"&#58; "<assertion>"}), as GitHub does.
      - An audience in the URL is kept; otherwise that of the O(cloud) is added. Redirects are not followed.
      - It has to be https; http is accepted for this machine only.
    type: str
  federated_token_request_token:
    description:
      - The bearer token for O(federated_token_request_url).
    type: str
  client_capabilities:
    description:
      - >-
        Capabilities that the caller has. V(cp1) declares that it handles claims challenges; Microsoft Graph then issues
        tokens that are valid for up to a day and revoked within minutes.
      - M(entra.auth.api_request) and M(entra.auth.authorized_uri) handle claims challenges, a task of
        M(ansible.builtin.uri) does not.
      - Tokens with other capabilities are cached apart.
    type: list
    elements: str
    default: []
  managed_identity_client_id:
    description:
      - The client ID of a user-assigned managed identity. Without any of the three selectors the system-assigned
        identity is used.
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
      - A refresh token of a user who signed in to the app. It is redeemed for an access token.
      - It needs O(client_id). A confidential app needs its secret, certificate or assertion too; a public app must have
        none.
      - The new refresh token is in the result as C(refresh_token). To have it stored, use O(refresh_token_file).
    type: str
  refresh_token_file:
    description:
      - The file of the control node that holds the newest refresh token. Each redemption replaces it atomically, with
        mode C(0600), before the access token is returned.
      - While the file does not exist, O(refresh_token) is redeemed, or with O(credential=device_code) a person signs
        in. Later the file comes before both.
      - The file C(<file>.lock) beside it prevents concurrent redemptions, and C(<file>.key) holds an encrypted key of
        the token cache.
    type: path
  scope:
    description:
      - The API that the token is for.
      - >-
        An alias for an API of the O(cloud): V(graph), V(arm), V(app_insights), V(batch), V(cognitive_services),
        V(cosmos), V(defender), V(defender_xdr), V(devops), V(event_hubs), V(exchange), V(fabric), V(key_vault),
        V(log_analytics), V(managed_hsm), V(monitor), V(office_management), V(oss_rdbms), V(power_bi), V(search),
        V(service_bus), V(sql), V(storage) or V(synapse).
      - Or a resource URI or app ID, to which C(/.default) is added. A scope that ends in C(/.default) is sent
        unchanged, and so are the permissions of a user if a refresh token is redeemed.
      - >-
        A permission of an application is not a scope: it is granted to the app registration, and the token for the API
        has all that are granted.
      - National clouds offer fewer APIs. An alias that a cloud lacks is refused with the list of those it has.
      - A token is for one API. Use one task, or one term of the lookup, for each.
    type: list
    elements: str
    default: [graph]
    aliases: [resource]
  cloud:
    description:
      - The national cloud, which decides the login host, the API hosts and the scopes.
      - The names of other tools, such as C(AzureUSGovernment), are understood.
      - By default V(public), or the cloud to which the login host in O(authority) belongs.
    type: str
    choices: [public, usgov, usgov_dod, china, bleu, delos, govsg]
    default: public
  authority:
    description:
      - >-
        Another login host than that of the O(cloud), such as a new sovereign cloud, B2C or External ID, AD FS, or a
        test server.
      - >-
        A URL with a path is complete. For B2C the path ends in the policy, as in
        C(https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_app). O(tenant_id) is still needed; it appears in
        messages only.
      - The URL of a token endpoint, of an issuer or of OpenID metadata is reduced to the part that names the authority.
      - It has to be https; http is accepted for this machine only.
      - >-
        E(AZURE_AUTHORITY_HOST) is ignored if the O(cloud) is set in any way other than by E(AZURE_CLOUD_ENVIRONMENT) or
        E(ARM_ENVIRONMENT).
    type: str
  api_base_url:
    description:
      - The base URL of the API instead of that of the O(cloud), for a gateway or a test server.
      - It is the C(api_url) of the result, the base of relative URLs, and the host to which the token may be sent.
    type: str
  claims_challenge:
    description:
      - The claims of the C(WWW-Authenticate) header of a C(401) response, in base64 or as JSON. The token is requested
        with these claims.
    type: str
  extra_headers:
    description:
      - Headers that are added to C(headers). They can't replace C(Authorization).
    type: dict
    default: {}
  run_on:
    description:
      - Where the token request is sent from.
      - >-
        V(controller) is the control node. V(target) is the task's host: the managed identity of that host is requested
        there, which needs Python and C(requests) on the host. No other credential can be used with V(target), so that
        no secret is sent to a host.
      - A lookup, and so the lazy variables of the role, finds only a token that a task has requested on the target.
    type: str
    choices: [controller, target]
    default: controller
  cache:
    description:
      - Where tokens are stored. They are encrypted with a key that is derived from the credential.
      - >-
        V(run) shares them between all hosts, forks and tasks of one run, in the run's own temporary directory.
      - >-
        V(user) shares them between all runs of a user on this machine, in C($XDG_CACHE_HOME/entra_auth) or
        C(~/.cache/entra_auth).
      - >-
        The URL of a Redis server, C(redis://) or C(rediss://) as redis-py takes it, shares them between machines. With
        C(?sentinel=NAME) its hosts are sentinels that know the service of that name, with C(?cluster=true) nodes of a
        cluster. With C(rediss://) the server's certificate must name the host; C(?ssl_check_hostname=false) turns that
        off. A password in the URL is masked in all output; it is refused in ansible.cfg.
      - >-
        V(none) requests a new token each time.
      - If the user's directory is not usable or the server does not respond, V(run) is used, with a warning.
    type: str
    default: run
  cache_key:
    description:
      - A random secret of at least 32 characters that encrypts a shared O(cache) for credentials that have no secret of
        their own, such as managed identity, federated and device code.
      - Give the same to all who share the cache. Without it, V(run) is used for these credentials.
    type: str
  min_validity:
    description:
      - A cached token with fewer seconds left is never returned. A token that is issued with a shorter life is used for
        half of its life.
    type: int
    default: 300
  force_refresh:
    description:
      - Whether to ignore the cached token once and to replace it, for example after roles were granted.
    type: bool
    default: false
  timeout:
    description:
      - The seconds that one HTTP exchange may take, from connecting to the last byte of the response, however slowly it
        arrives. Only resolving the name of a host is bounded by the timeouts of the system.
    type: float
    default: 30.0
  retry_for:
    description:
      - The seconds within which a token request is repeated after a transient error (lost connection, C(429), C(5xx)).
        The C(Retry-After) of the service is obeyed. If it is longer than the time left, the request fails at once.
      - A token request ends within O(timeout) + O(retry_for), all its steps and repetitions included.
    type: float
    default: 120.0
  proxy:
    description:
      - The proxy for token requests, such as C(http://proxy.example.com:3128). By default E(HTTPS_PROXY) and
        E(NO_PROXY) are obeyed. Plain http, which is for this machine alone, uses no proxy. A SOCKS
        proxy (C(socks5h://proxy.example.com)) needs the Python package C(PySocks).
    type: str
  ca_path:
    description:
      - A PEM file, or a directory of hashed certificates, with the CAs to trust. By default E(REQUESTS_CA_BUNDLE), else
        the bundle of the Python package C(certifi).
    type: path
  validate_certs:
    description:
      - Whether the certificate of the login host must be valid. If this is off, any server in between can read the
        credential.
    type: bool
    default: true
requirements:
  - requests (with urllib3 1.26 or newer)
  - cryptography (ansible-core brings it along)
  - PyJWT (for O(client_certificate))
  - redis >= 5.0 (for an O(cache) in Redis)
  - PySocks (for an O(proxy) that speaks SOCKS)
"""

    # Apart, because the option of this name in entra.auth.preflight is a mapping.
    REQUIRED_ROLES = r"""
options:
  required_roles:
    description:
      - App roles, or for a user's token scopes, that the token must have. The task fails with the names of those that
        are missing.
    type: list
    elements: str
    default: []
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
  client_secret_file:
    env:
      - name: ARM_CLIENT_SECRET_FILE_PATH
      - name: ENTRA_AUTH_CLIENT_SECRET_FILE
    ini:
      - section: entra_auth
        key: client_secret_file
    vars:
      - name: app_token_client_secret_file
  client_certificate:
    env:
      - name: ARM_CLIENT_CERTIFICATE
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
      - name: ARM_OIDC_TOKEN
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
  federated_token_request_url:
    env:
      - name: ARM_OIDC_REQUEST_URL
      - name: ENTRA_AUTH_FEDERATED_TOKEN_REQUEST_URL
    ini:
      - section: entra_auth
        key: federated_token_request_url
    vars:
      - name: app_token_federated_token_request_url
  federated_token_request_token:
    env:
      - name: ARM_OIDC_REQUEST_TOKEN
      - name: ENTRA_AUTH_FEDERATED_TOKEN_REQUEST_TOKEN
    vars:
      - name: app_token_federated_token_request_token
  client_capabilities:
    env:
      - name: ENTRA_AUTH_CLIENT_CAPABILITIES
    ini:
      - section: entra_auth
        key: client_capabilities
    vars:
      - name: app_token_client_capabilities
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
