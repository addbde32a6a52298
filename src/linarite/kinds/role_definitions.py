"""Microsoft.Authorization/roleDefinitions (2022-04-01): the built-in roles, and those that somebody made.

A custom role is one thing in the tenant. It is there at its assignable scopes and below them, for whoever may read
roles there; a change of it counts for the very next request, as a change of any resource does. Codes and sentences are
those of Microsoft's "Troubleshoot Azure RBAC", of Azure's own tests and of public issue reports; what those leave open
is refused as a problem of the body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict, Problem
from linarite.errors.access import built_in, linked_authorization_failed
from linarite.ids import ROOT, SUBSCRIPTION, is_guid, parse_id
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds import role_actions
from linarite.kinds.fields import read_only
from linarite.moments import written
from linarite.roles import BUILT_IN, BY_ID, DEFINITIONS, custom, kept_at
from linarite.schema import Field, Listed, Object, Text, Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource, Role
    from linarite.world import Reading, Writing

VERSIONS = Versions(("2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"), any_dated=True)
_SHOWS_WHO = "2022-05-01-preview"
"""The first api-version that says who made a role."""

_CONDITION = r"(?:(?:roleName|type)\s+eq\s+'(?:[^']|'')*'|atScopeAndBelow\(\))"
_FILTER = re.compile(rf"\s*{_CONDITION}(?:\s+and\s+{_CONDITION})*\s*", re.IGNORECASE)
_NAMED = re.compile(r"(roleName|type)\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_BELOW = re.compile(r"atScopeAndBelow\(\)", re.IGNORECASE)

_MOST_ACTIONS = 1000
_ACTIONS = Listed(Text(longest=512), most=_MOST_ACTIONS)
_PERMISSION = Object(
    tuple(
        Field(name=name, shape=_ACTIONS, default=[])
        for name in ("actions", "notActions", "dataActions", "notDataActions")
    )
)
_PROPERTIES = Object(
    (
        Field(name="roleName", shape=Text(pattern=r"\S(.{0,510}\S)?"), required=True),
        Field(name="type", shape=Text(words=("CustomRole", "BuiltInRole")), default="CustomRole"),
        Field(name="description", shape=Text(longest=2048), default=""),
        Field(name="assignableScopes", shape=Listed(Text(), most=2000), required=True),
        Field(name="permissions", shape=Listed(_PERMISSION), required=True),
        read_only("createdOn", Time(), since=_SHOWS_WHO),
        read_only("updatedOn", Time(), since=_SHOWS_WHO),
        read_only("createdBy", Text(), since=_SHOWS_WHO),
        read_only("updatedBy", Text(), since=_SHOWS_WHO),
    )
)


class _Roles:
    """The built-in roles, and the custom ones that the caller may see."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        if (role := BY_ID.get(id_.name.lower())) is not None:
            return _body(role)
        found = reading.find(kept_at(id_.name.lower()))
        return found.body if found is not None and _is_seen(reading, found, id_.parent or ROOT) else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        yield from ((scope.child(DEFINITIONS, role.id), _body(role)) for role in BUILT_IN)
        for found in reading.at(ROOT, DEFINITIONS):
            if _is_seen(reading, found, scope):
                yield scope.child(DEFINITIONS, found.name), found.body


def _body(role: Role) -> Body:
    return {
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": list(role.scopes),
            "permissions": [role.granted],
        }
    }


def _is_seen(reading: Reading, definition: Resource, scope: ResourceId) -> bool:
    """Whether the caller may read roles at the scope, or at one that the role is made for."""
    read = f"{DEFINITIONS}/read"
    return reading.may(read, scope) or any(reading.may(read, one) for one in _scopes(definition.properties))


def _scopes(properties: Body) -> Iterator[ResourceId]:
    """The assignable scopes that are ids of something."""
    return (id_ for text in properties["assignableScopes"] if (id_ := parse_id(text)) is not None)


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _filter(scope: ResourceId, text: str) -> Callable[[Resource], bool]:
    """`roleName eq '…'`, `type eq '…'`, and `atScopeAndBelow()`; without that, what can be assigned at the scope."""
    if text and _FILTER.fullmatch(text) is None:
        raise BadRequest(
            "UnsupportedQuery",
            f"The filter '{text}' is not supported. Supported filters are 'atScopeAndBelow()', "
            "'roleName eq '{value}'' and 'type eq '{value}'', joined by 'and'.",
        )
    wanted = [(name.lower(), value.replace("''", "'").lower()) for name, value in _NAMED.findall(text)]
    below = scope.key.rstrip("/") + "/" if _BELOW.search(text) else None

    def fits(definition: Resource) -> bool:
        properties = definition.properties
        seen = {"rolename": properties["roleName"].lower(), "type": properties["type"].lower()}
        scopes = [one.lower() for one in properties["assignableScopes"]]
        there = any(one in scope.keys or (below is not None and one.startswith(below)) for one in scopes)
        return there and all(seen[name] == value for name, value in wanted)

    return fits


def _present(reading: Reading, definition: Resource, shown: Body) -> Body:
    """As Azure names it: at the subscription, or at the tenant; never at what is below."""
    del reading
    at, name = definition.id.within(SUBSCRIPTION) or ROOT, definition.name.lower()
    return {**shown, "id": at.child(DEFINITIONS, name).text, "name": name}


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _prepare(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> None:
    del id_
    properties = draft["properties"]
    at = written(work.now)
    by = work.caller.object_id if work.caller else ""
    if before is None:
        properties |= {"createdOn": at, "createdBy": by}
    found = ((text, work.find(text)) for text in properties["assignableScopes"])
    properties["assignableScopes"] = [scope.id.text if scope else text for text, scope in found]
    properties |= {"updatedOn": at, "updatedBy": by}


def _check(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> Iterable[Problem]:
    properties = draft["properties"]
    if not is_guid(id_.name):
        raise BadRequest(
            "InvalidRoleDefinitionId",
            f"The role definition ID '{id_.name}' is not valid. The role definition ID must be a GUID.",
        )
    if id_.name.lower() in BY_ID or properties["type"] != "CustomRole":
        raise built_in(id_.name)
    problems = list(_problems(work, properties))
    if problems:
        return problems
    _require_unique(work, id_, properties["roleName"], before)
    for held in (before.properties if before else {"assignableScopes": []}, properties):
        _require_permission(work, id_, "write", held)
    _require_room(work, id_, properties)
    for name, actions in properties["permissions"][0].items():
        for action in actions:
            role_actions.require(work.registry.kinds, action, data="data" in name.lower())
    return ()


def _problems(work: Writing, properties: Body) -> Iterable[Problem]:
    """What is wrong with the body itself."""
    if len(properties["permissions"]) != 1:
        yield Problem("properties.permissions", "A role definition has exactly one permission.")
    if not properties["assignableScopes"]:
        yield Problem("properties.assignableScopes", "A role definition has at least one assignable scope.", "Required")
    for text in properties["assignableScopes"]:
        if text == ROOT.text:
            message = "The root scope '/' is not an assignable scope of a custom role."
            yield Problem("properties.assignableScopes", message)
        elif work.find(text) is None:
            message = f"The assignable scope '{text}' was not found."
            yield Problem("properties.assignableScopes", message, "LinkedResourceNotFound")


def _require_unique(work: Writing, id_: ResourceId, name: str, before: Resource | None) -> None:
    names = {role.name.lower() for role in BUILT_IN}
    names |= {one.properties["roleName"].lower() for one in work.at(ROOT, DEFINITIONS) if one.key != id_.key}
    if name.lower() in names:
        said = (
            "A custom role with the same name already exists in this directory. Use a different name."
            if before is None
            else "A role definition cannot be updated with a name that already exists."
        )
        raise Conflict("RoleDefinitionWithSameNameExists", said)


def _require_permission(work: Writing, id_: ResourceId, word: str, properties: Body) -> None:
    """Whoever changes a role may do so at all of its assignable scopes, before the change and after it."""
    operation = f"{DEFINITIONS}/{word}"
    for scope in _scopes(properties):
        if not work.may(operation, scope):
            client, object_id = (work.caller.client, work.caller.object_id) if work.caller else ("", "")
            raise linked_authorization_failed(
                client, object_id, operation, id_.text, linked_action=operation, linked=scope.text
            )


def _require_room(work: Writing, id_: ResourceId, properties: Body) -> None:
    """A role stays made for the scopes at which somebody holds it."""
    kept = {scope.key for scope in _scopes(properties)}
    for held in work.assigned(id_.name.lower()).values():
        scope = parse_id(held.scope)
        if scope is not None and kept.isdisjoint(scope.keys):
            raise BadRequest(
                "RoleScopeBeingRemovedContainsAssignments",
                f"Role assignments found under scope '{held.scope}' which is being removed. Removing this scope from "
                "the role will orphan these assignments. Delete these assignments before removing the scope.",
            )


def _deleting(work: Writing, definition: Resource) -> None:
    _require_permission(work, definition.id, "delete", definition.properties)
    if work.assigned(custom(definition).id):
        raise BadRequest("RoleDefinitionHasAssignments", "There are existing role assignments referencing role.")


ROLE_DEFINITIONS = Kind(
    type=DEFINITIONS,
    versions=VERSIONS,
    name=NameRule(),
    fields=(Field(name="properties", shape=_PROPERTIES, required=True),),
    parent="*",
    tracked=False,
    methods=frozenset({"GET", "PUT", "DELETE"}),
    put=Created(new=201, again=201),
    delete_answers=True,
    tenant_wide=True,
    for_everybody=True,
    filter=_filter,
    source=_Roles(),
    prepare=_prepare,
    check=_check,
    deleting=_deleting,
    present=_present,
)
