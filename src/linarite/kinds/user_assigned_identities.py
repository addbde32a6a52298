"""Microsoft.ManagedIdentity/userAssignedIdentities (2023-01-31): an identity that is a resource, for others to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.ids import new_guid
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import LOCATION, SYSTEM_DATA, TAGS, read_only
from linarite.schema import Field, Guid, Object

if TYPE_CHECKING:
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Writing

TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"

_PROPERTIES = Object(
    (read_only("tenantId", Guid()), read_only("principalId", Guid()), read_only("clientId", Guid())),
)


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    new = {name: new_guid(work.random) for name in ("principalId", "clientId")}
    draft["properties"] = before.properties if before else {"tenantId": work.options.tenant, **new}


USER_ASSIGNED_IDENTITIES = Kind(
    type=TYPE,
    versions=Versions(
        ("2015-08-31-preview", "2018-11-30", "2022-01-31-preview", "2023-01-31", "2024-11-30"), any_dated=True
    ),
    name=NameRule(
        r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
        "Identity names are 3 to 128 characters long: letters, digits, '-' and '_', with a letter or digit first.",
    ),
    fields=(LOCATION, TAGS, Field(name="properties", shape=_PROPERTIES), SYSTEM_DATA),
    put=Created(new=201, again=200),
    prepare=_prepare,
)
