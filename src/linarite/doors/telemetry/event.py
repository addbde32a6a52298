"""An envelope as the events API shows it: the shapes of Application Insights' data-plane API, v1.

Source: AppInsights.json (`eventsResultData` and its kin) and its example answers in the public API specifications. What
Azure adds from the sender's address (city, country) is null here, for nothing is looked up.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from linarite.doors.telemetry.envelope import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.doors.telemetry.desk import Component
    from linarite.doors.telemetry.envelope import Envelope

Details = dict[str, Any]

SEVERITIES = ("Verbose", "Information", "Warning", "Error", "Critical")
BUCKETS = {
    0: "<250ms",
    250: "250ms-500ms",
    500: "500ms-1sec",
    1_000: "1sec-3sec",
    3_000: "3sec-7sec",
    7_000: "7sec-15sec",
    15_000: "15sec-30sec",
    30_000: "30sec-1min",
    60_000: "1min-2min",
    120_000: "2min-5min",
    300_000: ">=5min",
}
"""Milliseconds from which a duration counts to a performance bucket, and the bucket's name."""


def event_of(envelope: Envelope, component: Component, identifier: str) -> Details:
    """The whole event, as it stands in `value` of an answer."""
    kind, details = KINDS[envelope.kind]

    def tag(name: str) -> str | None:
        value = envelope.tags.get(name)
        return value if isinstance(value, str) else None

    return {
        "id": identifier,
        "type": kind,
        "count": envelope.count,
        "timestamp": shown(envelope.time),
        "customDimensions": envelope.data.get("properties") or None,
        "customMeasurements": envelope.data.get("measurements") or None,
        "operation": {
            "name": tag("ai.operation.name"),
            "id": tag("ai.operation.id"),
            "parentId": tag("ai.operation.parentId"),
            "syntheticSource": tag("ai.operation.syntheticSource"),
        },
        "session": {"id": tag("ai.session.id")},
        "user": {
            "id": tag("ai.user.id"),
            "accountId": tag("ai.user.accountId"),
            "authenticatedId": tag("ai.user.authUserId"),
        },
        "cloud": {"roleName": tag("ai.cloud.role"), "roleInstance": tag("ai.cloud.roleInstance")},
        "ai": {
            "iKey": envelope.key,
            "appName": component.name,
            "appId": component.app_id,
            "sdkVersion": tag("ai.internal.sdkVersion"),
        },
        kind: details(envelope.data),
        "application": {"version": tag("ai.application.ver")},
        "client": {
            "model": tag("ai.device.model"),
            "os": tag("ai.device.osVersion"),
            "type": tag("ai.device.type"),
            "browser": None,
            "ip": tag("ai.location.ip"),
            "city": None,
            "stateOrProvince": None,
            "countryOrRegion": None,
        },
    }


def shown(time: datetime) -> str:
    """`2018-01-24T20:04:32.243Z`."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _trace(data: Details) -> Details:
    return {"message": data["message"], "severityLevel": _severity(data)}


def _custom_event(data: Details) -> Details:
    return {"name": data["name"]}


def _page_view(data: Details) -> Details:
    return {"name": data["name"], "url": data.get("url"), **_lasting(data)}


def _browser_timing(data: Details) -> Details:
    return {
        "name": data["name"],
        "url": data.get("url"),
        "totalDuration": milliseconds(data.get("perfTotal")),
        "networkDuration": milliseconds(data.get("networkConnect")),
        "sendDuration": milliseconds(data.get("sentRequest")),
        "receiveDuration": milliseconds(data.get("receivedResponse")),
        "processingDuration": milliseconds(data.get("domProcessing")),
    }


def _request(data: Details) -> Details:
    return {
        "name": data.get("name"),
        "url": data.get("url"),
        "success": _success(data),
        **_lasting(data),
        "resultCode": data["responseCode"],
        "source": data.get("source"),
        "id": data["id"],
    }


def _dependency(data: Details) -> Details:
    return {
        "target": data.get("target"),
        "data": data.get("data"),
        "success": _success(data),
        **_lasting(data),
        "resultCode": data.get("resultCode"),
        "type": data.get("type"),
        "name": data["name"],
        "id": data.get("id"),
    }


def _exception(data: Details) -> Details:
    chain = data["exceptions"]
    outermost, innermost = chain[0], chain[-1]
    return {
        "severityLevel": _severity(data),
        "problemId": data.get("problemId"),
        "handledAt": data.get("handledAt"),
        "type": outermost.get("typeName"),
        "message": outermost["message"],
        "outerType": outermost.get("typeName"),
        "outerMessage": outermost["message"],
        "innermostType": innermost.get("typeName"),
        "innermostMessage": innermost["message"],
        "details": [_exception_detail(link) for link in chain],
    }


def _exception_detail(link: Details) -> Details:
    return {
        "id": link.get("id"),
        "outerId": link.get("outerId"),
        "type": link.get("typeName"),
        "message": link["message"],
        "parsedStack": link.get("parsedStack"),
        "rawStack": link.get("stack"),
    }


def _availability_result(data: Details) -> Details:
    return {
        "name": data["name"],
        "success": _success(data),
        **_lasting(data),
        "message": data.get("message"),
        "location": data.get("runLocation"),
        "id": data["id"],
        "size": None,
    }


def _custom_metric(data: Details) -> Details:
    """Of several data points only the first is used: so the ingestion API's own description."""
    point = data["metrics"][0]
    value = point.get("value")
    least, most = point.get("min"), point.get("max")
    return {
        "name": point["name"],
        "value": value,
        "valueSum": value,
        "valueCount": point.get("count") or 1,
        "valueMin": value if least is None else least,
        "valueMax": value if most is None else most,
        "valueStdDev": point.get("stdDev"),
    }


def _severity(data: Details) -> int | None:
    level = data.get("severityLevel")
    if isinstance(level, str) and level in SEVERITIES:
        return SEVERITIES.index(level)
    return level if isinstance(level, int) else None


def _success(data: Details) -> str:
    return str(data.get("success") is not False)


def _lasting(data: Details) -> Details:
    duration = milliseconds(data.get("duration"))
    bucket = None if duration is None else list(BUCKETS.values())[bisect_right(list(BUCKETS), duration) - 1]
    return {"duration": duration, "performanceBucket": bucket}


KINDS: dict[str, tuple[str, Callable[[Details], Details]]] = {
    "MessageData": ("trace", _trace),
    "EventData": ("customEvent", _custom_event),
    "PageViewData": ("pageView", _page_view),
    "PageViewPerfData": ("browserTiming", _browser_timing),
    "RequestData": ("request", _request),
    "RemoteDependencyData": ("dependency", _dependency),
    "ExceptionData": ("exception", _exception),
    "AvailabilityData": ("availabilityResult", _availability_result),
    "MetricData": ("customMetric", _custom_metric),
}
"""What a client calls it → what the events API calls it, and how its own part is shown."""

COLLECTIONS = {
    "traces": "trace",
    "customEvents": "customEvent",
    "pageViews": "pageView",
    "browserTimings": "browserTiming",
    "requests": "request",
    "dependencies": "dependency",
    "exceptions": "exception",
    "availabilityResults": "availabilityResult",
    "customMetrics": "customMetric",
    "$all": None,
}
"""The word in the path of the events API → the type of its events; None is every type."""
