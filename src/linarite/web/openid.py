"""Discovery documents of the token service: where its endpoints are, and that this host is an authority of its own.

Member names and their order are those of Entra's documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from linarite.grants import GRANTS, tenant_of
from linarite.grants.authorization import MODES, TYPES
from linarite.grants.denied.requests import instance_unknown
from linarite.grants.wishes import ABOUT

if TYPE_CHECKING:
    from linarite.tokens import Authority

_CLAIMS = (
    *("aud", "iss", "iat", "nbf", "exp", "appid", "appidacr", "idp", "idtyp", "oid", "sub", "tid", "uti", "ver"),
    *("amr", "name", "nonce", "preferred_username", "scp", "unique_name", "upn"),
)


def configuration_v1(authority: Authority, tenant: str, *, implicit: bool) -> dict[str, Any]:
    """`/{tenant}/.well-known/openid-configuration`, and that of `adfs`: the issuer is the one that tokens name."""
    return _configuration(authority, tenant, "", authority.issuer, implicit=implicit)


def configuration_v2(authority: Authority, tenant: str, *, implicit: bool) -> dict[str, Any]:
    """`/{tenant}/v2.0/.well-known/openid-configuration`."""
    return _configuration(authority, tenant, "/v2.0", f"{authority.url}/v2.0", implicit=implicit)


def instances(authority: Authority, authorization_endpoint: str) -> dict[str, Any]:
    """`/common/discovery/instance`: whether an authorization endpoint is one of ours, and where its document is.

    MSAL for Python leaves the port out of the address that it asks about.

    Raises:
        Denied: AADSTS50049, it is another host's; AADSTS90002 or AADSTS900023, it is of no tenant of ours.
    """
    host = authority.origin.removeprefix("https://")
    name = host.rpartition(":")[0]
    scheme, _, rest = authorization_endpoint.partition("://")
    asked, _, path = rest.partition("/")
    if scheme.lower() != "https" or asked.lower() not in {host, name}:
        raise instance_unknown()
    claimed, _, endpoint = path.partition("/")
    version = "/v2.0" if endpoint.startswith("oauth2/v2.0/") else ""
    base = f"{authority.origin}/{tenant_of(claimed, authority)}{version}"
    return {
        "tenant_discovery_endpoint": f"{base}/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host, name]}],
    }


def _configuration(authority: Authority, tenant: str, version: str, issuer: str, *, implicit: bool) -> dict[str, Any]:
    base = f"{authority.origin}/{tenant}"
    endpoints = f"{base}/oauth2{version}"
    return {
        "token_endpoint": f"{endpoints}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery{version}/keys",
        "response_modes_supported": list(MODES),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": list(TYPES if implicit else TYPES[:1]),
        "grant_types_supported": [grant for grant in GRANTS if grant != "password"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": list(ABOUT),
        "issuer": issuer,
        "userinfo_endpoint": f"{base}/openid/userinfo",
        "authorization_endpoint": f"{endpoints}/authorize",
        "device_authorization_endpoint": f"{endpoints}/devicecode",
        "end_session_endpoint": f"{endpoints}/logout",
        "claims_supported": list(_CLAIMS),
        "cloud_instance_name": urlsplit(authority.origin).hostname,
    }
