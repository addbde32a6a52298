"""Microsoft.Authorization/roleAssignments, at every scope (2022-04-01): what makes a role count.

An assignment is a resource like any other; as long as it exists, `work.assign` makes its role count, for the very next
request on every replica.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict, Problem
from linarite.ids import ROOT, is_guid
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import read_only
from linarite.model import Assignment
from linarite.roles import BY_ID
from linarite.schema import Field, Guid, Object, Text, Time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.kind import Reading, Writing
    from linarite.model import Body, Resource

TYPE = "Microsoft.Authorization/roleAssignments"

_PRINCIPAL_TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")

_PROPERTIES = Object(
    (
        Field(name="roleDefinitionId", shape=Text(), required=True, immutable=True),
        Field(name="principalId", shape=Guid(), required=True, immutable=True),
        Field(name="principalType", shape=Text(words=_PRINCIPAL_TYPES), default="ServicePrincipal"),
        read_only("scope", Text()),
        Field(name="condition", shape=Text()),
        Field(name="conditionVersion", shape=Text()),
        read_only("createdOn", Time()),
        read_only("updatedOn", Time()),
        read_only("createdBy", Text()),
        read_only("updatedBy", Text()),
        Field(name="delegatedManagedIdentityResourceId", shape=Text()),
        Field(name="description", shape=Text(longest=1024)),
    )
)


def _role(definition: str) -> str:
    """The role's GUID: the last segment of its id."""
    return definition.rpartition("/")[2].lower()


def _scope(id_: ResourceId) -> ResourceId:
    return id_.parent or ROOT


def _prepare(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> None:
    properties = draft["properties"]
    at = work.now.isoformat().replace("+00:00", "Z")
    by = work.caller.object_id if work.caller else ""
    if before is None:
        properties |= {"scope": _scope(id_).text, "createdOn": at, "createdBy": by}
    properties |= {"updatedOn": at, "updatedBy": by}


def _check(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> Iterable[Problem]:
    properties = draft["properties"]
    if not is_guid(id_.name):
        raise BadRequest(
            "InvalidRoleAssignmentId",
            f"The role assignment ID '{id_.name}' is not valid. The role assignment ID must be a GUID.",
        )
    if properties.get("condition") or properties.get("conditionVersion"):
        raise BadRequest(
            "ConditionsNotSupported", "Conditions on role assignments are not evaluated here, so they are refused."
        )
    role = _role(properties["roleDefinitionId"])
    if role not in BY_ID:
        raise BadRequest(
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{role.replace('-', '')}' does not exist.",
        )
    if before is not None:
        return
    wanted = Assignment(properties["principalId"], role, _scope(id_).key)
    if wanted in work.assignments_of(wanted.principal):
        raise Conflict("RoleAssignmentExists", "The role assignment already exists.")
    yield from ()


def _created(work: Writing, assignment: Resource) -> None:
    properties = assignment.properties
    work.assign(
        assignment.key,
        Assignment(properties["principalId"], _role(properties["roleDefinitionId"]), _scope(assignment.id).key),
    )


def _filter(reading: Reading, assignment: Resource, text: str) -> bool:
    """`atScope()`, `principalId eq '…'` and `assignedTo('…')`, as Azure's own tools send them."""
    del reading
    wanted = text.replace(" ", "").lower()
    principal = str(assignment.properties.get("principalId"))
    for part in wanted.split("and"):
        if part in {"", "atscope()"}:
            continue
        if part not in {f"principalideq'{principal}'", f"assignedto('{principal}')"}:
            return False
    return True


ROLE_ASSIGNMENTS = Kind(
    type=TYPE,
    versions=Versions(
        ("2015-07-01", "2018-01-01-preview", "2018-07-01", "2020-04-01-preview", "2022-04-01"), any_dated=True
    ),
    name=NameRule(),
    fields=(Field(name="properties", shape=_PROPERTIES, required=True),),
    parent="*",
    tracked=False,
    methods=frozenset({"GET", "PUT", "DELETE"}),
    put=Created(new=201, again=200),
    delete_answers=True,
    scoped=True,
    filter=_filter,
    prepare=_prepare,
    check=_check,
    created=_created,
)
