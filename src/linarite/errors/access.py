"""Refusals of what somebody may not do: by their roles, by a lock, or from where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict, Forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable


def authorization_failed(client: str, object_id: str, action: str, scope: str) -> Forbidden:
    return Forbidden(
        "AuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def linked_authorization_failed(
    client: str, object_id: str, action: str, scope: str, *, linked_action: str, linked: str
) -> Forbidden:
    return Forbidden(
        "LinkedAuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action(s) '{linked_action}' on the linked "
        f"scope(s) '{linked}' (respectively) or the linked scope(s) are invalid.",
    )


def scope_locked(scope: str, operation: str, locks: Iterable[str]) -> Conflict:
    """`operation` is `write` or `delete`."""
    return Conflict(
        "ScopeLocked",
        f"The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: "
        f"'{','.join(locks)}'. Please remove the lock and try again.",
    )


def caller_remote() -> Forbidden:
    """For what is served to this machine alone."""
    return Forbidden("CallerNotLocal", "Faults are set from the server's own machine, over its loopback address.")


def built_in(id_: str) -> BadRequest:
    """A role that comes with Azure is asked to go, or to be another one."""
    return BadRequest(
        "BuiltInRoleDefinition",
        f"The role definition '{id_}' is built in: it cannot be changed or deleted. Create a custom role instead.",
    )
