"""microsoft.insights/components: an instrumentation key that does not change, on GET for whoever may read.

Facts: the Application Insights provider's specifications 2020-02-02 and 2015-05-01. Azure writes the members of its
properties in PascalCase, and the namespace in lower case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.ids import new_guid
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import LOCATION, SYSTEM_DATA, TAGS, Percentage, read_only
from linarite.moments import written
from linarite.schema import Field, Flag, Guid, Id, Object, Text, Time, Whole

if TYPE_CHECKING:
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

TYPE = "microsoft.insights/components"

_ACCESS = Text(words=("Enabled", "Disabled"))

_PROPERTIES = Object(
    (
        read_only("ApplicationId", Text()),
        read_only("AppId", Guid()),
        Field(name="Application_Type", shape=Text(words=("web", "other")), default="web"),
        Field(name="Flow_Type", shape=Text(), default="Bluefield"),
        Field(name="Request_Source", shape=Text(), default="rest"),
        read_only("InstrumentationKey", Guid()),
        read_only("Name", Text()),
        read_only("CreationDate", Time()),
        read_only("TenantId", Guid()),
        read_only("provisioningState", Text()),
        Field(name="SamplingPercentage", shape=Percentage()),
        Field(name="RetentionInDays", shape=Whole(least=30, most=730), default=90),
        Field(name="WorkspaceResourceId", shape=Id()),
        Field(
            name="IngestionMode",
            shape=Text(words=("ApplicationInsights", "ApplicationInsightsWithDiagnosticSettings", "LogAnalytics")),
            default="LogAnalytics",
        ),
        Field(name="publicNetworkAccessForIngestion", shape=_ACCESS, default="Enabled"),
        Field(name="publicNetworkAccessForQuery", shape=_ACCESS, default="Enabled"),
        Field(name="DisableIpMasking", shape=Flag()),
        Field(name="DisableLocalAuth", shape=Flag()),
    ),
    open=True,
)


def _prepare(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> None:
    if before is not None:
        return
    draft.setdefault("properties", {}).update(
        {
            "ApplicationId": id_.name,
            "Name": id_.name,
            "AppId": new_guid(work.random),
            "InstrumentationKey": new_guid(work.random),
            "CreationDate": written(work.now),
            "TenantId": work.options.tenant,
            "provisioningState": "Succeeded",
        }
    )


def _present(reading: Reading, component: Resource, shown: Body) -> Body:
    """Add the connection string: to our door where it is open, else to Azure's own addresses."""
    region, properties = component.location, shown["properties"]
    ours = reading.options.endpoints.get("telemetry")
    ingestion = f"{ours}/" if ours else f"https://{region}-0.in.applicationinsights.azure.com/"
    live = f"{ours}/" if ours else f"https://{region}.livediagnostics.monitor.azure.com/"
    properties["ConnectionString"] = (
        f"InstrumentationKey={properties['InstrumentationKey']};IngestionEndpoint={ingestion};LiveEndpoint={live};"
        f"ApplicationId={properties['AppId']}"
    )
    return shown


INSIGHTS_COMPONENTS = Kind(
    type=TYPE,
    versions=Versions(
        ("2014-04-01", "2015-05-01", "2018-05-01-preview", "2020-02-02-preview", "2020-02-02"), any_dated=True
    ),
    name=NameRule(
        r"[^<>%&\\?/#+]{0,259}[^<>%&\\?/#+. ]",
        "Component names are 1 to 260 characters long, without any of <>%&\\?/#+, and end with no period or space.",
    ),
    fields=(
        Field(name="kind", shape=Text(), required=True),
        Field(name="etag", shape=Text()),
        LOCATION,
        TAGS,
        Field(name="properties", shape=_PROPERTIES, default={}),
        SYSTEM_DATA,
    ),
    put=Created(new=200, again=200),
    prepare=_prepare,
    present=_present,
)
