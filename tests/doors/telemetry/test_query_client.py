"""The events API, judged by Azure's own query client: every type it knows is read into its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.doors.telemetry.conftest import APP, READER, envelope

if TYPE_CHECKING:
    from tests.doors.telemetry.conftest import Served

insights = pytest.importorskip("azure.applicationinsights", reason="azure-applicationinsights is not installed")
msrest = pytest.importorskip("msrest.authentication")


@pytest.fixture
def client(served: Served) -> Any:
    credentials = msrest.ApiKeyCredentials(in_headers={"Authorization": READER})
    return insights.ApplicationInsightsDataClient(credentials, base_url=f"{served.listener.origin}/v1")


@pytest.mark.parametrize(
    ("collection", "kind", "data", "model"),
    [
        ("traces", "MessageData", {"message": "x", "severityLevel": 1}, "EventsTraceResult"),
        ("customEvents", "EventData", {"name": "x"}, "EventsCustomEventResult"),
        ("pageViews", "PageViewData", {"name": "x", "duration": "00:00:01"}, "EventsPageViewResult"),
        ("browserTimings", "PageViewPerfData", {"name": "x"}, "EventsBrowserTimingResult"),
        ("requests", "RequestData", {"id": "1", "duration": "00:00:01", "responseCode": "200"}, "EventsRequestResult"),
        ("dependencies", "RemoteDependencyData", {"name": "x", "duration": "00:00:01"}, "EventsDependencyResult"),
        ("exceptions", "ExceptionData", {"exceptions": [{"message": "x"}]}, "EventsExceptionResult"),
        (
            "availabilityResults",
            "AvailabilityData",
            {"id": "1", "name": "x", "duration": "00:00:01"},
            "EventsAvailabilityResultResult",
        ),
        ("customMetrics", "MetricData", {"metrics": [{"name": "x", "value": 1}]}, "EventsCustomMetricResult"),
    ],
)
def test_the_query_client_reads_each_type_into_its_model(  # noqa: PLR0917  the columns of the table above
    served: Served, client: Any, collection: str, kind: str, data: dict[str, Any], model: str
) -> None:
    served.track([envelope(served.clock.now, kind, data)])
    results = client.events.get_by_type(APP, collection, top=5, timespan="PT1H")
    [event] = results.value
    assert type(event).__name__ == model
    assert event.ai.app_id == APP
    assert results.odatacontext.endswith(f"/events/$metadata#{collection}")


def test_the_query_client_names_the_reason_of_a_refusal(served: Served, client: Any) -> None:
    with pytest.raises(insights.models.ErrorResponseException) as caught:
        client.events.get_by_type(APP, "traces", orderby="timestamp")
    assert caught.value.error.error.code == "BadArgumentError"
