"""Who may do what: roles assigned at a scope, or above it, decide; nothing else grants anything.

Follows Microsoft's "Understand Azure role definitions": an operation is granted by an assignment when one of the role's
Actions matches it and none of its NotActions does. `*` spans segments, letters match in any case, and NotActions of one
assignment take nothing away from another.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from linarite.errors.access import authorization_failed, scope_locked
from linarite.ids import ROOT, SUBSCRIPTION, scope_of
from linarite.model import PrincipalKind
from linarite.roles import OWNER, role_of
from linarite.store import resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.ids import ResourceId
    from linarite.model import Assignment, Principal, Role
    from linarite.store.view import View


@lru_cache(maxsize=8192)
def matches(pattern: str, operation: str) -> bool:
    """Whether an Action such as `Microsoft.X/*/read` covers an operation."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), operation, re.IGNORECASE) is not None


def permits(role: Role, operation: str, *, data: bool = False) -> bool:
    """Whether a role grants an operation, of the control plane or of data."""
    granted, withheld = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return any(matches(one, operation) for one in granted) and not any(matches(one, operation) for one in withheld)


def allowed(view: View, principal: Principal, operation: str, scope: ResourceId, *, data: bool = False) -> bool:
    """Whether any assignment of the principal at the scope, or above it, grants the operation."""
    return _granted_at(view, principal, operation, scope, data=data) is not None


def _granted_at(view: View, principal: Principal, operation: str, scope: ResourceId, *, data: bool) -> str | None:
    """The scope of the first assignment that grants the operation, None where none does."""
    for assignment in view.assignments_of(principal.object_id):
        if assignment.scope in scope.keys:
            role = role_of(assignment.role, view.resource)
            if role is not None and permits(role, operation, data=data):
                return assignment.scope
    return None


def holds_below(view: View, principal: Principal, scope: ResourceId) -> bool:
    """Whether the principal has any role at something below the scope, so that a list may show it a part."""
    prefix = scope.key.rstrip("/") + "/"
    return any(assignment.scope.startswith(prefix) for assignment in view.assignments_of(principal.object_id))


def owners(view: View) -> Mapping[str, Assignment]:
    """Who owns a subscription or the tenant, by the keys of the assignments that say so.

    Somebody who is disabled or gone owns nothing, and a managed identity goes with its resource, so it does not count
    either. There is always one: else nobody could give a role any more.
    """
    held = resources.assigned(view.connection(), OWNER.id)
    return {
        key: one
        for key, one in held.items()
        if scope_of(one.scope).type in {ROOT.type, SUBSCRIPTION}
        and (principal := view.principal(one.principal)) is not None
        and not principal.disabled
        and principal.kind is not PrincipalKind.MANAGED_IDENTITY
    }


def owns_alone(view: View, principal: Principal) -> bool:
    """Whether nobody would own anything any more without this one."""
    return {one.principal for one in owners(view).values()} == {principal.object_id}


def require_unlocked(view: View, scope: ResourceId, operation: str) -> None:
    """Refuse what a lock forbids.

    A lock counts at its scope and below. ReadOnly forbids every write, and every POST as a write, listKeys included;
    both levels forbid a delete, also of something that holds what is locked (Microsoft's "Lock your resources").
    `operation` is `write` or `delete`.

    Raises:
        Conflict: `ScopeLocked`, naming the scopes that are locked.
    """
    held = view.locks()
    if not held:
        return
    below = scope.key.rstrip("/") + "/"
    locked = [
        lock.id.partition("/providers/Microsoft.Authorization/locks/")[0] or "/"
        for lock in held
        if (lock.scope in scope.keys and (operation == "delete" or lock.level == "ReadOnly"))
        or (operation == "delete" and lock.scope.startswith(below))
    ]
    if locked:
        raise scope_locked(scope.text, operation, dict.fromkeys(locked))


def require(view: View, principal: Principal, operation: str, scope: ResourceId) -> str:
    """Refuse what is not allowed; answers the key of the scope at which a role grants it.

    Raises:
        Forbidden: `AuthorizationFailed`, naming the caller, the operation and the scope.
    """
    granted_at = _granted_at(view, principal, operation, scope, data=False)
    if granted_at is None:
        raise authorization_failed(principal.client, principal.object_id, operation, scope.text)
    return granted_at
