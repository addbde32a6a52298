"""What is asked of the token service: a tenant's name, a form, and the resource that a token is wanted for.

Everything here is decided from names alone. This module knows no principal, no key and no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from linarite import hosts
from linarite.grants.denied.requests import parameter_missing, tenant_malformed, tenant_unknown
from linarite.grants.denied.scopes import (
    resource_parameter_unsupported,
    resource_unknown,
    scope_invalid,
    scope_not_default,
)
from linarite.ids import is_guid
from linarite.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.tokens import Authority

DOMAIN = "linarite.onmicrosoft.com"
"""The tenant's domain: clients may write it where they write the tenant's id."""

ANY_TENANT = frozenset({"adfs", "common", "organizations"})
"""Words in the tenant's place that leave the tenant to whoever signs in."""

AZURE = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://storage.azure.com",
    "https://containerregistry.azure.net",
    "https://vault.azure.net",
    "https://graph.microsoft.com",
    "https://ml.azure.com",
    "https://ai.azure.com",
    "https://monitor.azure.com",
    "https://api.applicationinsights.io",
)
"""Azure's own resources that a token may be asked for, each also with a slash at the end."""

_DEFAULT = "/.default"
_ABOUT_THE_USER = frozenset({"openid", "profile", "email", "offline_access"})


class Endpoint(Enum):
    """Which token endpoint was asked: they differ in what they read and in how they write numbers."""

    V1 = "v1"
    """`/{tenant}/oauth2/token`: reads `resource`, answers texts."""
    V2 = "v2"
    """`/{tenant}/oauth2/v2.0/token`: reads `scope`, answers numbers."""
    ADFS = "adfs"
    """`/adfs/oauth2/token`: reads either, answers numbers, for old clients count with them."""


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters of a request, each given once; they do not print."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str:
        """A parameter, empty where it is missing."""
        return self.values.get(name, "")

    def need(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            Denied: AADSTS900144.
        """
        value = self.get(name)
        if not value:
            raise parameter_missing(name)
        return value

    def secret(self, name: str) -> Secret | None:
        """A parameter that nobody may see."""
        value = self.get(name)
        return Secret(value) if value else None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a token as the network layer understood it; nothing in it is trusted."""

    claimed_tenant: str
    endpoint: Endpoint
    form: Callable[[], Form]
    """The decoded form; raises Denied where it cannot be read."""
    request: str
    correlation: str
    address: str
    authorization: str | None = field(default=None, repr=False)
    """The Authorization header."""


def tenant_of(claimed: str, authority: Authority) -> str:
    """The tenant's word as addresses of ours have it: its id, or one of the words for any tenant.

    Raises:
        Denied: AADSTS90002, there is no such tenant; AADSTS900023, a tenant cannot be called so.
    """
    name = claimed.lower()
    if name in {authority.tenant, DOMAIN}:
        return authority.tenant
    if name in ANY_TENANT:
        return name
    raise tenant_unknown(claimed) if is_guid(name) or "." in name else tenant_malformed(claimed)


def resource_asked_for(form: Form, endpoint: Endpoint) -> str:
    """The resource that an application wants a token for: `resource`, or `scope` without exactly `/.default`.

    Raises:
        Denied: AADSTS900144, neither is given; AADSTS901002, v2.0 knows no `resource`; AADSTS1002012, an application
            has no other scope than `.default`; AADSTS70011, the scope names nothing or two things.
    """
    if endpoint is Endpoint.V1 or (endpoint is Endpoint.ADFS and form.get("resource")):
        return form.need("resource")
    if form.get("resource"):
        raise resource_parameter_unsupported()
    scope = form.need("scope")
    named = [word for word in scope.split() if word not in _ABOUT_THE_USER]
    if len(named) != 1 or named[0] == _DEFAULT:
        raise scope_invalid(scope)
    if not named[0].endswith(_DEFAULT):
        raise scope_not_default(named[0])
    return named[0].removesuffix(_DEFAULT)


def audience_of(resource: str, authority: Authority) -> str:
    """The audience of a token for a resource, spelled as the client spells it: with a slash at the end or without.

    This cloud's own vaults are one resource, whatever the port by which a client knows them.

    Raises:
        Denied: AADSTS500011, there is no such resource.
    """
    if hosts.is_vaults(resource.removesuffix("/")):
        return hosts.VAULTS
    if resource.removesuffix("/") not in {*AZURE, authority.origin, *authority.graph_audiences}:
        raise resource_unknown(resource, authority.tenant)
    return resource
