"""Azure's own exporters deliver here, unmodified, and what they sent can be read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
)
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from tests.doors.telemetry.conftest import APP, KEY

if TYPE_CHECKING:
    from tests.doors.telemetry.conftest import Served

RESOURCE = Resource.create({"service.name": "trainer", "service.instance.id": "node-1"})


@pytest.fixture(autouse=True)
def _no_telemetry_of_the_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would otherwise report on itself, here and to Microsoft, and ask Microsoft for orders."""
    for what in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{what}", "true")


def how(served: Served, key: str = KEY) -> dict[str, Any]:
    """A connection string as Azure writes it: the endpoint ends in a slash."""
    endpoint = f"IngestionEndpoint={served.listener.origin}/"
    return {
        "connection_string": f"InstrumentationKey={key};{endpoint};ApplicationId={APP}",
        "disable_offline_storage": True,
    }


def test_spans_arrive_as_requests_and_dependencies_of_one_operation(served: Served) -> None:
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(AzureMonitorTraceExporter(**how(served))))
    tracer = provider.get_tracer("test")
    with (
        tracer.start_as_current_span("POST /score", kind=SpanKind.SERVER, attributes={"http.request.method": "POST"}),
        tracer.start_as_current_span("load", kind=SpanKind.CLIENT, attributes={"model": "iris"}) as inner,
    ):
        inner.record_exception(ValueError("no such model"))
        operation = f"{inner.get_span_context().trace_id:032x}"
    provider.shutdown()
    [request] = served.events("requests")
    [dependency] = served.events("dependencies")
    [exception] = served.events("exceptions")
    assert {event["operation"]["id"] for event in (request, dependency, exception)} == {operation}
    assert request["cloud"] == {"roleName": "trainer", "roleInstance": "node-1"}
    assert dependency["dependency"]["name"] == "load"
    assert dependency["customDimensions"]["model"] == "iris"
    assert dependency["operation"]["parentId"] == request["request"]["id"]
    assert exception["exception"]["message"] == "no such model"
    assert len(served.events(_filter=f"operation/id eq '{operation}'")) == 3


def test_log_records_arrive_as_traces_with_their_severity(served: Served) -> None:
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(AzureMonitorLogExporter(**how(served))))
    logger = provider.get_logger("training")
    logger.emit(body="loss is nan", severity_number=SeverityNumber.WARN, attributes={"run": "7"})
    provider.shutdown()
    [event] = served.events("traces")
    assert event["trace"] == {"message": "loss is nan", "severityLevel": 2}
    assert event["customDimensions"]["run"] == "7"


def test_measurements_arrive_as_custom_metrics(served: Served) -> None:
    reader = PeriodicExportingMetricReader(AzureMonitorMetricExporter(**how(served)))
    provider = MeterProvider([reader], resource=RESOURCE)
    histogram = provider.get_meter("test").create_histogram("accuracy")
    for value in (0.5, 0.75):
        histogram.record(value, {"fold": "1"})
    provider.shutdown()
    [event] = [event for event in served.events("customMetrics") if event["customMetric"]["name"] == "accuracy"]
    metric = event["customMetric"]
    assert (metric["valueSum"], metric["valueCount"], metric["valueMin"], metric["valueMax"]) == (1.25, 2, 0.5, 0.75)
    assert event["customDimensions"]["fold"] == "1"


def test_an_exporter_with_a_key_of_nobody_delivers_nothing(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    provider = LoggerProvider(resource=RESOURCE)
    exporter = AzureMonitorLogExporter(**how(served, key="99999999-7c0b-4a53-9d2f-5a4e3b2c1d0e"))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("training").emit(body="lost", severity_number=SeverityNumber.WARN)
    provider.shutdown()
    assert served.events() == []
    assert "Non-retryable server side error" in caplog.text
