"""azure-mgmt-monitor: who did what, read back by Azure's own client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from azure.mgmt.monitor import MonitorManagementClient

from linarite.first_start import OWNER_OBJECT

if TYPE_CHECKING:
    from tests.clients.house import Azure


def test_a_release_of_keys_is_read_back_with_who_where_and_when(azure: Azure, group: str, workspace: str) -> None:
    correlation = str(uuid4())
    started = datetime.now(UTC) - timedelta(minutes=1)
    azure.workspaces.list_keys(group, workspace, headers={"x-ms-correlation-request-id": correlation})
    log = azure(MonitorManagementClient).activity_logs
    since = f"eventTimestamp ge '{started.isoformat()}'"
    [event] = log.list(filter=f"{since} and correlationId eq '{correlation}'")
    assert event.operation_name.value == "Microsoft.MachineLearningServices/workspaces/listKeys/action"
    assert (event.caller, event.status.value, event.resource_group_name) == (OWNER_OBJECT, "Succeeded", group)
    assert event.resource_id.endswith(f"/workspaces/{workspace}")
    assert event.event_timestamp > started
    found = list(log.list(filter=f"{since} and resourceGroupName eq '{group}'", select="operationName,status"))
    assert "Microsoft.MachineLearningServices/workspaces/write" in {one.operation_name.value for one in found}
    assert {one.caller for one in found} == {None}
