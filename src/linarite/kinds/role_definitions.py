"""Microsoft.Authorization/roleDefinitions: the built-in roles, readable at every scope; and no deny assignments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.errors import BadRequest
from linarite.kind import Kind, Versions
from linarite.roles import BUILT_IN, BY_ID
from linarite.schema import Field, Free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.ids import ResourceId
    from linarite.kind import Reading
    from linarite.model import Body, Resource
    from linarite.roles import Role

TYPE = "Microsoft.Authorization/roleDefinitions"
_VERSIONS = Versions(("2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"), any_dated=True)
_CONDITION = r"(?:(?:roleName|type)\s+eq\s+'(?:[^']|'')*'|atScopeAndBelow\(\))"
_FILTER = re.compile(rf"\s*{_CONDITION}(?:\s+and\s+{_CONDITION})*\s*", re.IGNORECASE)
_NAMED = re.compile(r"(roleName|type)\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)


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


def _filter(scope: ResourceId, text: str) -> Callable[[Resource], bool]:
    """`roleName eq '…'`, `type eq 'BuiltInRole'`, and `atScopeAndBelow()`, which is all: roles are at every scope."""
    del scope
    if _FILTER.fullmatch(text) is None:
        raise BadRequest(
            "UnsupportedQuery",
            f"The filter '{text}' is not supported. Supported filters are 'atScopeAndBelow()', "
            "'roleName eq '{value}'' and 'type eq '{value}'', joined by 'and'.",
        )
    wanted = [(name.lower(), value.replace("''", "'").lower()) for name, value in _NAMED.findall(text)]

    def fits(definition: Resource) -> bool:
        properties = definition.properties
        seen = {"rolename": properties["roleName"].lower(), "type": properties["type"].lower()}
        return all(seen[name] == value for name, value in wanted)

    return fits


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
