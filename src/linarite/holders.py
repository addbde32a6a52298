"""Who gets a workspace's keys, and why: every principal, role and scope by which access is decided, spelled out.

It asks `access` itself, so that what it says is what is decided. It knows neither the command line nor the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from linarite import access
from linarite.model import Principal, PrincipalKind
from linarite.roles import role_of
from linarite.store import directory, resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from linarite.ids import ResourceId
    from linarite.store.database import Database

TYPE = "Microsoft.MachineLearningServices/workspaces"
LIST_KEYS = f"{TYPE}/listKeys/action"
_STRANGER = "(if a trusted issuer stands for them)"


@dataclass(frozen=True, slots=True)
class Holder:
    """One way by which somebody gets the keys."""

    principal: Principal
    role: str
    scope: str
    """Id of the scope at which the role was assigned."""
    action: str
    """The role's Action that covers listKeys."""
    locks: tuple[str, ...]
    """Ids of ReadOnly locks, which forbid listKeys to everybody for as long as they stand."""


def of(database: Database, workspace: ResourceId, *, trusting: bool = False) -> list[Holder] | None:
    """Everybody who may list the keys of a workspace, by name; None where there is no such workspace.

    Somebody who is disabled is left out, and so is a role of somebody who is gone; but where other issuers are trusted,
    whoever is not in the directory may be one of their subjects.
    """
    with database.reading() as connection:
        found = resources.find(connection, workspace.key)
        if found is None or found.deleted_at is not None:
            return None
        everybody = directory.principals_all(connection)
        if trusting:
            strangers = resources.holders(connection) - {one.object_id for one in everybody}
            everybody += [Principal(one, PrincipalKind.USER, "", "", _STRANGER) for one in sorted(strangers)]
        return list(_holders(connection, found.id, everybody))


def _holders(connection: Any, workspace: ResourceId, everybody: Iterable[Principal]) -> Iterator[Holder]:
    above = {scope.key: scope.text for scope in workspace.scopes()}
    locks = tuple(lock.id for lock in resources.locks(connection) if lock.scope in above and lock.level == "ReadOnly")
    for principal in everybody:
        if principal.disabled:
            continue
        for held in resources.assignments_of(connection, principal.object_id):
            role = role_of(held.role, partial(resources.find, connection))
            if role is not None and held.scope in above and access.permits(role, LIST_KEYS):
                action = next(one for one in role.actions if access.matches(one, LIST_KEYS))
                yield Holder(principal, role.name, above[held.scope], action, locks)
