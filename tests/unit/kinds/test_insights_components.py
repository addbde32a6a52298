"""microsoft.insights/components."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import BadRequest
from linarite.first_start import TENANT
from tests.unit.kinds.house import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.kinds.house import House

COMPONENT = f"{GROUP}/providers/Microsoft.Insights/components/My component"
BODY: dict[str, Any] = {"location": "eastus", "kind": "web", "properties": {}}
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_a_component_has_azures_defaults(house: House) -> None:
    answer = house.put(COMPONENT, BODY)
    properties = answer.body["properties"]
    assert answer.status == 200
    assert properties["Application_Type"] == "web"
    assert properties["Flow_Type"] == "Bluefield"
    assert properties["Request_Source"] == "rest"
    assert properties["IngestionMode"] == "LogAnalytics"
    assert properties["publicNetworkAccessForIngestion"] == properties["publicNetworkAccessForQuery"] == "Enabled"
    assert (properties["Name"], properties["ApplicationId"], properties["TenantId"]) == (
        "My component",
        "My component",
        TENANT,
    )
    assert GUID.fullmatch(properties["InstrumentationKey"])
    assert GUID.fullmatch(properties["AppId"])


def test_the_namespace_is_written_small_as_azure_does(house: House) -> None:
    made = house.put(COMPONENT, BODY).body
    assert made["type"] == "microsoft.insights/components"
    assert made["id"] == f"{GROUP}/providers/microsoft.insights/components/My component"


@pytest.mark.parametrize("version", ["2015-05-01", "2020-02-02-preview", "2020-02-02", "2027-01-01"])
def test_the_instrumentation_key_never_changes(house: House, version: str) -> None:
    made = house.put(COMPONENT, BODY, version=version).body["properties"]
    again = house.put(COMPONENT, {**BODY, "properties": {"InstrumentationKey": TENANT, "RetentionInDays": 30}}).body
    assert again["properties"]["InstrumentationKey"] == made["InstrumentationKey"]
    assert again["properties"]["RetentionInDays"] == 30
    assert (
        house.patch(COMPONENT, {"tags": {"a": "b"}})["properties"]["InstrumentationKey"] == made["InstrumentationKey"]
    )


def test_the_connection_string_leads_to_azure_while_the_door_is_closed(house: House) -> None:
    properties = house.put(COMPONENT, BODY).body["properties"]
    assert properties["ConnectionString"] == (
        f"InstrumentationKey={properties['InstrumentationKey']};"
        "IngestionEndpoint=https://eastus-0.in.applicationinsights.azure.com/;"
        "LiveEndpoint=https://eastus.livediagnostics.monitor.azure.com/;"
        f"ApplicationId={properties['AppId']}"
    )


def test_the_connection_string_leads_to_the_door_while_that_is_open(house_with: Callable[..., House]) -> None:
    house = house_with(telemetry="https://localhost:8445")
    properties = house.put(COMPONENT, BODY).body["properties"]
    assert ";IngestionEndpoint=https://localhost:8445/;" in properties["ConnectionString"]
    assert "azure.com" not in properties["ConnectionString"]


def test_a_component_needs_a_kind(house: House) -> None:
    with pytest.raises(BadRequest) as caught:
        house.put(COMPONENT, {"location": "eastus", "properties": {}})
    assert [problem.target for problem in caught.value.details] == ["kind"]


@pytest.mark.parametrize("percentage", [0, 12.5, 100])
def test_a_part_of_the_telemetry_is_sampled(house: House, percentage: float) -> None:
    made = house.put(COMPONENT, {**BODY, "properties": {"SamplingPercentage": percentage}}).body
    assert made["properties"]["SamplingPercentage"] == percentage


@pytest.mark.parametrize("percentage", [-1, 100.1, True, "12.5", float("nan")])
def test_no_more_than_all_and_no_less_than_nothing_is_sampled(house: House, percentage: Any) -> None:
    with pytest.raises(BadRequest):
        house.put(COMPONENT, {**BODY, "properties": {"SamplingPercentage": percentage}})


def test_the_log_workspace_behind_it_is_kept(house: House) -> None:
    logs = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
    made = house.put(COMPONENT, {**BODY, "properties": {"WorkspaceResourceId": logs}}).body
    assert made["properties"]["WorkspaceResourceId"] == logs
