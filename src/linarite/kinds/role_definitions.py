"""Microsoft.Authorization/roleDefinitions: the built-in roles, readable at every scope; and no deny assignments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.kind import Kind, Versions
from linarite.roles import BUILT_IN, BY_ID
from linarite.schema import Field, Free

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.kind import Reading
    from linarite.model import Body, Resource
    from linarite.roles import Role

TYPE = "Microsoft.Authorization/roleDefinitions"
_VERSIONS = Versions(("2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"), any_dated=True)
_ROLE_NAME = re.compile(r"\s*roleName\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
_TYPE = re.compile(r"\s*type\s+eq\s+'(\w+)'\s*", re.IGNORECASE)


class _Roles:
    """The built-in roles."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        del reading
        role = BY_ID.get(id_.name.lower())
        return _body(role) if role else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        del reading
        return ((scope.child(TYPE, role.id), _body(role)) for role in BUILT_IN)


def _body(role: Role) -> Body:
    return {
        "properties": {
            "roleName": role.name,
            "type": "CustomRole" if role.custom else "BuiltInRole",
            "description": role.description,
            "assignableScopes": list(role.scopes),
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": list(role.data_actions),
                    "notDataActions": list(role.not_data_actions),
                }
            ],
        }
    }


def _filter(reading: Reading, definition: Resource, text: str) -> bool:
    """`roleName eq '…'` and `type eq 'BuiltInRole'`."""
    del reading
    properties = definition.properties
    for part in re.split(r"\s+and\s+", text):
        if (named := _ROLE_NAME.fullmatch(part)) and named[1].replace("''", "'").lower() != properties[
            "roleName"
        ].lower():
            return False
        if (typed := _TYPE.fullmatch(part)) and typed[1].lower() != properties["type"].lower():
            return False
    return True


class _Nothing:
    """Nobody is denied anything by assignment here."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        del reading, id_
        return None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        del reading, scope
        return ()


ROLE_DEFINITIONS = Kind(
    type=TYPE,
    versions=_VERSIONS,
    fields=(Field(name="properties", shape=Free()),),
    parent="*",
    tracked=False,
    methods=frozenset({"GET"}),
    for_everybody=True,
    filter=_filter,
    source=_Roles(),
)

DENY_ASSIGNMENTS = Kind(
    type="Microsoft.Authorization/denyAssignments",
    versions=_VERSIONS,
    fields=(Field(name="properties", shape=Free()),),
    parent="*",
    tracked=False,
    methods=frozenset({"GET"}),
    source=_Nothing(),
)
