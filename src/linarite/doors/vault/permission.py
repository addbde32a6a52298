"""Who may do what in a vault: by roles that grant data actions, or by the vault's own access policies, never by both.

Which of the two counts is the vault's `enableRbacAuthorization` (Microsoft's "Azure RBAC vs. access policies"). Roles
of the control plane, Owner among them, open no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite import access
from linarite.doors.vault import shelf
from linarite.doors.vault.refusals import forbidden_by_policies, forbidden_by_roles

if TYPE_CHECKING:
    from linarite.doors.vault.asked import Operation
    from linarite.ids import ResourceId
    from linarite.model import Principal, Resource
    from linarite.store.view import View
    from linarite.tokens import Claims


def require(
    view: View, vault: Resource, caller: Principal, claims: Claims, *, operation: Operation, scope: ResourceId
) -> None:
    """Refuse what is not allowed; `scope` is the secret, or the vault where no secret is named.

    Raises:
        Forbidden: naming the caller, and the action or permission that is missing.
    """
    if vault.properties.get("enableRbacAuthorization"):
        action = f"{shelf.SECRETS}/{operation.action}"
        if not access.allowed(view, caller, action, scope, data=True):
            raise forbidden_by_roles(_named(claims), action, scope.text, _placed(vault))
    elif not any(_grants(policy, claims, operation.permission) for policy in _policies(vault)):
        raise forbidden_by_policies(_named(claims), operation.permission, _placed(vault))


def _policies(vault: Resource) -> list[dict[str, Any]]:
    return list(vault.properties.get("accessPolicies") or ())


def _grants(policy: dict[str, Any], claims: Claims, permission: str) -> bool:
    """Whether a policy is the caller's and has the permission.

    One with an `applicationId` is for calls through that application alone.
    """
    theirs = policy["objectId"].lower() == claims.object_id.lower() and policy["tenantId"] == claims.tenant
    through = policy.get("applicationId")
    if not theirs or (through and through != str(claims.all.get("appid", "")).lower()):
        return False
    permissions = policy["permissions"]
    granted = permissions.get("secrets") if isinstance(permissions, dict) else None
    return isinstance(granted, list) and any(str(one).lower() in {permission, "all"} for one in granted)


def _named(claims: Claims) -> str:
    return f"appid={claims.all.get('appid', '')};oid={claims.object_id};iss={claims.all.get('iss', '')}"


def _placed(vault: Resource) -> str:
    return f"{vault.name};location={vault.location}"
