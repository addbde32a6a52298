"""Principals as Microsoft Graph shows them: users, service principals, and the applications behind these.

An application and its service principal are one principal here. They have the same appId; the application's own id is
derived from it, so that it is another one than the service principal's, as in Entra. Members and their order are those
of Graph's v1.0 pages; what there is nothing to say of is null or empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from linarite.model import Principal, PrincipalKind
from linarite.moments import written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.model import Body
    from linarite.store.directory import Credential

ALWAYS = "9999-12-31T23:59:59Z"
"""When a secret ends that does not."""

USERS, SERVICE_PRINCIPALS, APPLICATIONS = "users", "servicePrincipals", "applications"
TYPES = {USERS: "user", SERVICE_PRINCIPALS: "servicePrincipal", APPLICATIONS: "application"}
"""Graph's collections, and the types of what is in them."""


def is_in(collection: str, principal: Principal) -> bool:
    """Whether a collection has the principal."""
    if principal.kind is PrincipalKind.USER:
        return collection == USERS
    if principal.kind is PrincipalKind.MANAGED_IDENTITY:
        return collection == SERVICE_PRINCIPALS
    return collection != USERS and principal.app_id is not None


def id_in(collection: str, principal: Principal) -> str:
    """The id that a principal has in a collection."""
    if collection != APPLICATIONS:
        return principal.object_id
    return str(uuid5(NAMESPACE_URL, f"linarite/applications/{principal.app_id}"))


def shown(collection: str, principal: Principal, secrets: Iterable[Credential] = ()) -> Body:
    """A principal as an object of a collection."""
    make = {USERS: _user, SERVICE_PRINCIPALS: _service_principal, APPLICATIONS: _application}[collection]
    passwords = [password(one) for one in secrets if one.kind == "secret"]
    return {"id": id_in(collection, principal), **make(principal, passwords)}


def collection_of(principal: Principal) -> str:
    """Where a principal is found as an object of the directory."""
    return USERS if principal.kind is PrincipalKind.USER else SERVICE_PRINCIPALS


def password(secret: Credential) -> Body:
    """A secret, without the secret."""
    return {
        "customKeyIdentifier": None,
        "displayName": None,
        "endDateTime": written(secret.expires) if secret.expires else ALWAYS,
        "hint": None,
        "keyId": secret.id,
        "secretText": None,
        "startDateTime": written(secret.created),
    }


def _user(user: Principal, _: list[Body]) -> Body:
    return {
        "accountEnabled": not user.disabled,
        "businessPhones": [],
        "displayName": user.name,
        "givenName": None,
        "jobTitle": None,
        "mail": user.client,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
        "userPrincipalName": user.client,
    }


def _service_principal(principal: Principal, passwords: list[Body]) -> Body:
    managed = principal.kind is PrincipalKind.MANAGED_IDENTITY
    return {
        "accountEnabled": not principal.disabled,
        "alternativeNames": _resource(principal),
        "appDisplayName": None if managed else principal.name,
        "appId": principal.app_id,
        "appOwnerOrganizationId": None if managed else principal.tenant,
        "appRoles": [],
        "createdDateTime": None,
        "displayName": principal.name,
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": passwords,
        "servicePrincipalNames": [principal.app_id] if principal.app_id else [],
        "servicePrincipalType": "ManagedIdentity" if managed else "Application",
        "tags": [],
    }


def _resource(principal: Principal) -> list[str]:
    """What a managed identity belongs to, and whether it is a resource of its own."""
    if principal.resource is None:
        return []
    return [f"isExplicit={'userassignedidentities' in principal.resource}", principal.resource]


def _application(principal: Principal, passwords: list[Body]) -> Body:
    return {
        "api": {"oauth2PermissionScopes": []},
        "appId": principal.app_id,
        "appRoles": [],
        "createdDateTime": None,
        "displayName": principal.name,
        "identifierUris": [],
        "keyCredentials": [],
        "passwordCredentials": passwords,
        "publisherDomain": None,
        "requiredResourceAccess": [],
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "web": {"redirectUris": []},
    }
