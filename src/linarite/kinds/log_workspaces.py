"""Microsoft.OperationalInsights/workspaces: the Log Analytics workspace behind a component, with two shared keys."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from linarite.ids import new_guid
from linarite.kind import Action, Created, Effect, Kind, NameRule, Versions
from linarite.kinds.fields import LOCATION, PROVISIONING_STATE, SYSTEM_DATA, TAGS, read_only
from linarite.model import Secret
from linarite.moments import written
from linarite.schema import Field, Flag, Guid, Object, Text, Time, Whole

if TYPE_CHECKING:
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

TYPE = "Microsoft.OperationalInsights/workspaces"
KEYS = ("primarySharedKey", "secondarySharedKey")
KEY_BYTES = 64

_SKU = Object((Field(name="name", shape=Text(), required=True), Field(name="lastSkuUpdate", shape=Time())))

_PROPERTIES = Object(
    (
        read_only("customerId", Guid()),
        PROVISIONING_STATE,
        Field(name="sku", shape=_SKU, default={"name": "PerGB2018"}),
        Field(name="retentionInDays", shape=Whole(least=7, most=730), default=30),
        Field(name="publicNetworkAccessForIngestion", shape=Text(), default="Enabled"),
        Field(name="publicNetworkAccessForQuery", shape=Text(), default="Enabled"),
        Field(
            name="features",
            shape=Object((Field(name="enableLogAccessUsingOnlyResourcePermissions", shape=Flag()),), open=True),
            default={"enableLogAccessUsingOnlyResourcePermissions": True},
        ),
        read_only("createdDate", Time()),
        read_only("modifiedDate", Time()),
    ),
    open=True,
)


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    properties = draft.setdefault("properties", {})
    at = written(work.now)
    properties["modifiedDate"] = at
    if before is None:
        properties["createdDate"] = at
        properties["customerId"] = new_guid(work.random)


def _created(work: Writing, workspace: Resource) -> None:
    for name in KEYS:
        work.keep(workspace.id, name, Secret(base64.b64encode(work.random(KEY_BYTES)).decode()))


def _shared_keys(reading: Reading, workspace: Resource, _: Body) -> Any:
    secrets = reading.secrets(workspace)
    return {name: secrets.get(name) for name in KEYS}


def _regenerate(work: Writing, workspace: Resource, _: Body) -> Any:
    _created(work, workspace)
    return _shared_keys(work, workspace, {})


LOG_WORKSPACES = Kind(
    type=TYPE,
    versions=Versions(("2015-03-20", "2020-08-01", "2021-06-01", "2022-10-01", "2023-09-01"), any_dated=True),
    name=NameRule(
        r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
        "Workspace names are 4 to 63 characters long: letters, digits and hyphens, with no hyphen first or last.",
    ),
    fields=(LOCATION, TAGS, Field(name="properties", shape=_PROPERTIES, default={}), SYSTEM_DATA),
    put=Created(new=201, again=200),
    prepare=_prepare,
    created=_created,
    actions=(
        Action(name="sharedKeys", effect=Effect.RELEASE, run=_shared_keys),
        Action(name="regenerateSharedKey", effect=Effect.WRITE, run=_regenerate),
    ),
)
