"""Microsoft.Authorization/permissions and denyAssignments: what the caller may do at a scope, and what nobody may.

Facts: "Permissions - List For Resource" of the Authorization REST API, 2022-04-01. Whoever may read permissions at the
scope gets one item for each of their roles that counts there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.kind import Kind
from linarite.kinds.role_definitions import VERSIONS
from linarite.schema import Field, Free

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body
    from linarite.world import Reading


def _pages(reading: Reading, scope: ResourceId, filter_: str, token: str) -> tuple[list[Body], str]:
    del filter_, token
    held = reading.assignments_of(reading.caller.object_id) if reading.caller else ()
    roles = (reading.role(one.role) for one in held if one.scope in scope.keys)
    return [role.granted for role in roles if role is not None], ""


class _Nothing:
    """Nobody is denied anything by assignment here."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        del reading, id_
        return None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        del reading, scope
        return ()


PERMISSIONS = Kind(
    type="Microsoft.Authorization/permissions",
    versions=VERSIONS,
    fields=(),
    parent="*",
    tracked=False,
    methods=frozenset(),
    pages=_pages,
)

DENY_ASSIGNMENTS = Kind(
    type="Microsoft.Authorization/denyAssignments",
    versions=VERSIONS,
    fields=(Field(name="properties", shape=Free()),),
    parent="*",
    tracked=False,
    methods=frozenset({"GET"}),
    source=_Nothing(),
)
