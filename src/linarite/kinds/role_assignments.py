"""Microsoft.Authorization/roleAssignments, at every scope (2022-04-01): what makes a role count.

An assignment is a resource like any other; as long as it exists, `work.assign` makes its role count, for the very next
request on every replica.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.errors import BadRequest, Conflict
from linarite.ids import ROOT, SUBSCRIPTION, is_guid
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import read_only
from linarite.model import Assignment, PrincipalKind
from linarite.moments import written
from linarite.roles import DEFINITIONS
from linarite.schema import Field, Guid, Id, Object, Text, Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.errors import Problem
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

TYPE = "Microsoft.Authorization/roleAssignments"

_FILTER = re.compile(
    r"\s*(?:(?P<here>atScope\(\))(?:\s+and\s+assignedTo\('(?P<here_to>[^']+)'\))?"
    r"|principalId\s+eq\s+'(?P<of>[^']+)'|assignedTo\('(?P<to>[^']+)'\))\s*",
    re.IGNORECASE,
)
"""The filters of "List Azure role assignments using the REST API"; `atScope()` goes with `assignedTo` alone."""

_PRINCIPAL_TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")

_PROPERTIES = Object(
    (
        Field(name="roleDefinitionId", shape=Id(DEFINITIONS), required=True),
        Field(name="principalId", shape=Guid(), required=True),
        Field(name="principalType", shape=Text(words=_PRINCIPAL_TYPES)),
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


def _assignment(id_: ResourceId, properties: Body) -> Assignment:
    """What counts of an assignment: who, which role, where."""
    return Assignment(properties["principalId"], _role(properties["roleDefinitionId"]), _scope(id_).key)


def _prepare(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> None:
    properties = draft["properties"]
    at = written(work.now)
    by = work.caller.object_id if work.caller else ""
    properties["principalType"] = _principal_type(work, properties)
    if before is None:
        found = work.find(_scope(id_))
        properties |= {"scope": (found.id if found else _scope(id_)).text, "createdOn": at, "createdBy": by}
    properties |= {"updatedOn": at, "updatedBy": by}


def _principal_type(work: Writing, properties: Body) -> str:
    """What the principal is, which has to be what the request says.

    As in Azure, nobody is looked for where a service principal is named as such: it may be too new to be known.

    Raises:
        BadRequest: there is no such principal, or it is something else.
    """
    said = properties.get("principalType")
    who = work.principal(properties["principalId"])
    plain = properties["principalId"].replace("-", "")
    if who is None:
        # Whom other issuers stand for is in no directory of ours.
        if said == PrincipalKind.SERVICE_PRINCIPAL or (said and work.options.trusting):
            return str(said)
        raise BadRequest(
            "PrincipalNotFound",
            f"Principal {plain} does not exist in the directory {work.options.tenant}. Check that you have the correct "
            "principal ID. If you are creating this principal and then immediately assigning a role, this error might "
            "be related to a replication delay. In this case, set the role assignment principalType property to a "
            "value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        )
    found = PrincipalKind.USER if who.kind is PrincipalKind.USER else PrincipalKind.SERVICE_PRINCIPAL
    if said not in {None, str(found)}:
        raise BadRequest(
            "UnmatchedPrincipalType",
            f"The PrincipalId '{plain}' has type '{found}' , which is different from specified PrinciaplType '{said}'.",
        )
    return str(found)


def _require_role(work: Writing, id_: ResourceId, role: str) -> None:
    """A role that is there, and may be assigned at the scope."""
    found = work.role(role)
    if found is None or not found.is_assignable(_scope(id_)):
        raise BadRequest(
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{role.replace('-', '')}' does not exist.",
        )


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
    _require_role(work, id_, _role(properties["roleDefinitionId"]))
    wanted = _assignment(id_, properties)
    if before is not None and wanted != _assignment(id_, before.properties):
        raise BadRequest(
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    if before is None and wanted in work.assignments_of(wanted.principal):
        raise Conflict("RoleAssignmentExists", "The role assignment already exists.")
    return ()


def _created(work: Writing, assignment: Resource) -> None:
    work.assign(assignment.key, _assignment(assignment.id, assignment.properties))


def _deleting(work: Writing, assignment: Resource) -> None:
    """The last owner's own: without it nobody could give a role any more."""
    owners = work.owners()
    if owners.keys() == {assignment.key}:
        raise Conflict(
            "LastOwnerAssignment",
            "Cannot delete the last RBAC admin assignment. Make somebody else an Owner of the subscription first.",
        )


def _present(reading: Reading, assignment: Resource, shown: Body) -> Body:
    """Its role is named as definitions are listed where one asks, so that clients find it there by its id."""
    at = reading.asked.within(SUBSCRIPTION) or assignment.id.within(SUBSCRIPTION) or ROOT
    properties = shown["properties"]
    definition = at.child(DEFINITIONS, _role(properties["roleDefinitionId"])).text
    return {**shown, "properties": {**properties, "roleDefinitionId": definition}}


def _filter(scope: ResourceId, text: str) -> Callable[[Resource], bool]:
    """`atScope()` is the scope and all above it; `principalId eq '…'` and `assignedTo('…')` say whose."""
    if not text:
        return lambda _: True
    found = _FILTER.fullmatch(text)
    if found is None:
        raise BadRequest(
            "UnsupportedQuery",
            f"The filter '{text}' is not supported. Supported filters are either 'atScope()' or "
            "'principalId eq '{value}' or assignedTo('{value}')'.",
        )
    principal = (found["here_to"] or found["of"] or found["to"] or "").lower()

    def fits(assignment: Resource) -> bool:
        counts = _assignment(assignment.id, assignment.properties)
        return principal in {"", counts.principal} and (not found["here"] or counts.scope in scope.keys)

    return fits


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
    present=_present,
    created=_created,
    deleting=_deleting,
)
