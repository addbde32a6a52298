"""Managed identities of resources: given with the resource's `identity`, known to the directory, and gone with it.

A system-assigned identity is a principal of the resource's own; a user-assigned one is a resource that others name.
Shapes and words follow Microsoft's "Managed identities for Azure resources" and Resource Manager's own refusals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors.access import linked_authorization_failed
from linarite.errors.names import identity_not_found
from linarite.ids import new_guid, parse_id
from linarite.model import Principal, PrincipalKind

if TYPE_CHECKING:
    from linarite.context import Work
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource

USER_ASSIGNED = "Microsoft.ManagedIdentity/userAssignedIdentities"

_ASSIGN = f"{USER_ASSIGNED}/assign/action"


def prepare(work: Work, id_: ResourceId, draft: Body, before: Resource | None, operation: str) -> None:
    """Complete a draft's `identity`: ids of a system-assigned one, once; ids of the user-assigned ones that it names.

    Raises:
        BadRequest: a user-assigned identity is not there.
        Forbidden: the caller may not assign one that is new here.
    """
    identity = draft.get("identity")
    if not isinstance(identity, dict):
        return
    words = str(identity.get("type", ""))
    if "SystemAssigned" in words:
        identity.setdefault("principalId", new_guid(work.random))
        identity.setdefault("tenantId", work.options.tenant)
    else:
        identity.pop("principalId", None)
        identity.pop("tenantId", None)
    if "UserAssigned" not in words:
        identity.pop("userAssignedIdentities", None)
        return
    held = named(before)
    for text in identity.get("userAssignedIdentities") or ():
        identity["userAssignedIdentities"][text] = _assigned(work, id_, text, operation, held.get(text.lower()))


def _assigned(work: Work, id_: ResourceId, text: str, operation: str, held: str | None) -> Body:
    """The ids of a user-assigned identity, which the caller must be allowed to assign unless it is the one `held`."""
    wanted = parse_id(text)
    if wanted is None or wanted.type.lower() != USER_ASSIGNED.lower() or (found := work.find(wanted)) is None:
        raise identity_not_found(id_.text, text)
    if found.properties["principalId"] != held and not work.may(_ASSIGN, wanted):
        client, object_id = (work.caller.client, work.caller.object_id) if work.caller else ("", "")
        raise linked_authorization_failed(
            client, object_id, operation, id_.text, linked_action=_ASSIGN, linked=found.id.text
        )
    return {name: found.properties[name] for name in ("principalId", "clientId")}


def follow(work: Work, resource: Resource, before: Resource | None = None) -> None:
    """Let the directory know of a resource's own identity, and forget the one that it had."""
    new, old = own(resource), own(before)
    if old and old != new:
        work.dismiss(old)
    if new and work.principal(new) is None:
        client = resource.properties.get("clientId") if _is_one(resource) else None
        client = client or new_guid(work.random)
        kind, tenant = PrincipalKind.MANAGED_IDENTITY, work.options.tenant
        work.employ(Principal(new, kind, client, tenant, resource.name, client, resource=resource.key))


def has_any(resource: Resource) -> bool:
    """Whether a token of any identity can be had at a resource."""
    return own(resource) is not None or bool(named(resource))


def _is_one(resource: Resource) -> bool:
    return resource.type.lower() == USER_ASSIGNED.lower()


def own(resource: Resource | None) -> str | None:
    """Object id of a resource's own identity; a user-assigned one is its own."""
    if resource is None:
        return None
    identity = resource.properties if _is_one(resource) else resource.body.get("identity")
    found = identity.get("principalId") if isinstance(identity, dict) else None
    return found if isinstance(found, str) else None


def named(resource: Resource | None) -> dict[str, str]:
    """The user-assigned identities that a resource names: their ids in lower case, and the object ids."""
    identity = resource.body.get("identity") if resource else None
    found = identity.get("userAssignedIdentities") if isinstance(identity, dict) else None
    return {key.lower(): str(value.get("principalId")) for key, value in (found or {}).items()}
