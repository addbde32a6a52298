"""What can be asked of the events API, in whose shape it answers, and who is answered at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from linarite.doors.telemetry.asked import Asked, BadArgument, asked_of, microseconds
from linarite.doors.telemetry.envelope import milliseconds
from tests.doors.telemetry.conftest import APP, KEY, OTHER_APP, READER, envelope

if TYPE_CHECKING:
    from tests.doors.telemetry.conftest import Served

FRAME = {"level": 0, "method": "g"}
NOW = datetime(2031, 5, 17, 12, 30, 15, 250_000, tzinfo=UTC)


def at(*when: int) -> int:
    return microseconds(datetime(*when, tzinfo=UTC))  # type: ignore[arg-type]


# ── who is answered ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_may_not_read_is_told_so_and_nothing_else(served: Served) -> None:
    served.track([served.message("secret")])
    nobody = served.ask(authorization=None)
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert nobody.json()["error"]["code"] == "AuthorizationRequiredError"
    for answer in (served.ask(authorization="Bearer somebody"), served.ask(app_id=OTHER_APP), served.ask(app_id="x")):
        assert answer.status_code == 403
        assert answer.json() == {
            "error": {
                "message": "The provided credentials have insufficient access to perform the requested operation",
                "code": "InsufficientAccessError",
            }
        }


def test_who_may_not_read_is_not_told_what_is_wrong_with_the_query(served: Served) -> None:
    assert served.ask(authorization="Bearer somebody", _top="x").status_code == 403
    assert served.ask(authorization=READER, _top="x").status_code == 400


# ── shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_has_the_shape_of_the_published_example(served: Served) -> None:
    served.clock.now = NOW
    tags = {
        "ai.operation.name": "GET /",
        "ai.operation.id": "HPFy1bNlyQ0=",
        "ai.operation.parentId": "|HPFy1bNlyQ0=.c642e1f1_",
        "ai.operation.syntheticSource": "Monitoring",
        "ai.session.id": "session",
        "ai.user.id": "user",
        "ai.user.accountId": "account",
        "ai.user.authUserId": "signed in",
        "ai.cloud.role": "web",
        "ai.cloud.roleInstance": "AIConnect2",
        "ai.internal.sdkVersion": "py:1",
        "ai.application.ver": "1.2.3",
        "ai.device.type": "PC",
        "ai.device.model": "Other",
        "ai.device.osVersion": "Linux",
        "ai.location.ip": "127.0.0.1",
    }
    sent = envelope(
        NOW, "MessageData", {"message": "New Request", "severityLevel": "Warning", "properties": {"a": "b"}}
    )
    served.track([sent | {"tags": tags, "sampleRate": 25.0}])
    answer = served.ask("traces")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert body["@odata.context"] == f"{served.listener.origin}/v1/apps/{APP}/events/$metadata#traces"
    [event] = body["value"]
    assert len(event.pop("id")) == 36
    assert event == {
        "type": "trace",
        "count": 4,
        "timestamp": "2031-05-17T12:30:15.250Z",
        "customDimensions": {"a": "b"},
        "customMeasurements": None,
        "operation": {
            "name": "GET /",
            "id": "HPFy1bNlyQ0=",
            "parentId": "|HPFy1bNlyQ0=.c642e1f1_",
            "syntheticSource": "Monitoring",
        },
        "session": {"id": "session"},
        "user": {"id": "user", "accountId": "account", "authenticatedId": "signed in"},
        "cloud": {"roleName": "web", "roleInstance": "AIConnect2"},
        "ai": {"iKey": KEY, "appName": "insights", "appId": APP, "sdkVersion": "py:1"},
        "trace": {"message": "New Request", "severityLevel": 2},
        "application": {"version": "1.2.3"},
        "client": {
            "model": "Other",
            "os": "Linux",
            "type": "PC",
            "browser": None,
            "ip": "127.0.0.1",
            "city": None,
            "stateOrProvince": None,
            "countryOrRegion": None,
        },
    }


def metric(value: int, count: int, least: int, most: int) -> dict[str, Any]:
    extent = {"valueMin": least, "valueMax": most, "valueStdDev": None}
    return {"value": value, "valueSum": value, "valueCount": count, **extent}


@pytest.mark.parametrize(
    ("kind", "data", "collection", "own", "shown"),
    [
        ("EventData", {"name": "click", "measurements": {"x": 1.5}}, "customEvents", "customEvent", {"name": "click"}),
        (
            "PageViewData",
            {"name": "home", "url": "https://x/", "duration": "0.00:00:00.249"},
            "pageViews",
            "pageView",
            {"name": "home", "url": "https://x/", "duration": 249.0, "performanceBucket": "<250ms"},
        ),
        (
            "PageViewPerfData",
            {"name": "home", "perfTotal": "00:00:02", "networkConnect": "00:00:00.5", "domProcessing": "00:00:01"},
            "browserTimings",
            "browserTiming",
            {
                "name": "home",
                "url": None,
                "totalDuration": 2000.0,
                "networkDuration": 500.0,
                "sendDuration": None,
                "receiveDuration": None,
                "processingDuration": 1000.0,
            },
        ),
        (
            "RequestData",
            {"id": "1", "name": "GET /", "duration": "00:00:01.5", "responseCode": "500", "success": False},
            "requests",
            "request",
            {
                "name": "GET /",
                "url": None,
                "success": "False",
                "duration": 1500.0,
                "performanceBucket": "1sec-3sec",
                "resultCode": "500",
                "source": None,
                "id": "1",
            },
        ),
        (
            "RemoteDependencyData",
            {"name": "select", "duration": "1.00:00:00", "type": "SQL", "target": "db", "data": "select 1"},
            "dependencies",
            "dependency",
            {
                "target": "db",
                "data": "select 1",
                "success": "True",
                "duration": 86_400_000.0,
                "performanceBucket": ">=5min",
                "resultCode": None,
                "type": "SQL",
                "name": "select",
                "id": None,
            },
        ),
        (
            "AvailabilityData",
            {"id": "7", "name": "ping", "duration": "00:00:00.0000001", "runLocation": "here", "message": "ok"},
            "availabilityResults",
            "availabilityResult",
            {
                "name": "ping",
                "success": "True",
                "duration": 0.0001,
                "performanceBucket": "<250ms",
                "message": "ok",
                "location": "here",
                "id": "7",
                "size": None,
            },
        ),
        (
            "MetricData",
            {"metrics": [{"name": "m", "value": 6, "count": 3, "min": 0, "max": 4}, {"name": "ignored", "value": 1}]},
            "customMetrics",
            "customMetric",
            {
                "name": "m",
                "value": 6,
                "valueSum": 6,
                "valueCount": 3,
                "valueMin": 0,
                "valueMax": 4,
                "valueStdDev": None,
            },
        ),
        (
            "MetricData",
            {"metrics": [{"name": "m", "value": 6}]},
            "customMetrics",
            "customMetric",
            {
                "name": "m",
                "value": 6,
                "valueSum": 6,
                "valueCount": 1,
                "valueMin": 6,
                "valueMax": 6,
                "valueStdDev": None,
            },
        ),
    ],
)
def test_each_type_shows_its_own_part(  # noqa: PLR0917  the columns of the table above
    served: Served, kind: str, data: dict[str, Any], collection: str, own: str, shown: dict[str, Any]
) -> None:
    served.track([envelope(served.clock.now, kind, data), served.message("of another type")])
    [event] = served.events(collection)
    assert (event["type"], event[own]) == (own, shown)
    assert event["customMeasurements"] == data.get("measurements")
    assert len(served.events("$all")) == 2


def test_an_exception_shows_its_chain(served: Served) -> None:
    chain = [
        {"id": 1, "typeName": "ValueError", "message": "outer", "stack": "at f"},
        {
            "id": 2,
            "outerId": 1,
            "typeName": "KeyError",
            "message": "inner",
            "parsedStack": [{"level": 0, "method": "g"}],
        },
    ]
    served.track([envelope(served.clock.now, "ExceptionData", {"exceptions": chain, "severityLevel": 3})])
    [event] = served.events("exceptions")
    exception = event["exception"]
    assert (exception["type"], exception["message"], exception["severityLevel"]) == ("ValueError", "outer", 3)
    assert (exception["innermostType"], exception["innermostMessage"]) == ("KeyError", "inner")
    assert [detail["message"] for detail in exception["details"]] == ["outer", "inner"]
    assert exception["details"][1]["parsedStack"] == [FRAME]
    assert exception["details"][0]["rawStack"] == "at f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:00", 0.0),
        ("1.02:03:04.5", 93_784_500.0),
        ("00:00:02.2279999", 2227.9999),
        ("00:00:02.227.99999999988358", None),
        ("1000.00:00:00", None),
        ("\u06600:00:00", None),
        ("", None),
        (5, None),
    ],
)
def test_a_time_span_is_read_as_dot_net_writes_it(text: object, expected: float | None) -> None:
    assert milliseconds(text) == expected


# ── which events ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def five(served: Served) -> Served:
    """Five traces, an hour apart, the last one an hour ago; `op` is the operation of those with an even number."""
    served.clock.now = NOW
    ages = [timedelta(hours=hours) for hours in (5, 4, 3, 2, 1)]
    served.track(
        [
            served.message(str(number), time=(NOW - age).isoformat())
            | {"tags": {"ai.operation.id": "it's" if number % 2 == 0 else "odd"}}
            for number, age in enumerate(ages)
        ]
    )
    return served


def shown(served: Served, **query: str) -> str:
    return "".join(event["trace"]["message"] for event in served.events("traces", **query))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "43210"),
        ({"_top": "2"}, "43"),
        ({"_top": "2", "_skip": "1"}, "32"),
        ({"_top": "0"}, ""),
        ({"_skip": "9"}, ""),
        ({"timespan": "PT150M"}, "43"),
        ({"timespan": "P1D"}, "43210"),
        ({"timespan": "2031-05-17T09:00:00Z/2031-05-17T11:00:00Z"}, "32"),
        ({"timespan": "2031-05-17T09:00:00Z/PT2H"}, "32"),
        ({"timespan": "PT2H/2031-05-17T11:00:00Z"}, "32"),
        ({"timespan": "2031-05-17T11:00:00+02:00/2031-05-17T13:00:00+02:00"}, "32"),
        ({"_filter": "operation/id eq 'it''s'"}, "420"),
        ({"_filter": "operation/id eq 'it''s' and timestamp ge 2031-05-17T09:30:15.25Z"}, "42"),
        ({"_filter": "timestamp gt 2031-05-17T09:30:15.25Z and timestamp lt 2031-05-17T11:30:15.25Z"}, "3"),
        ({"_filter": "timestamp ge 2031-05-17T09:30:15.25Z  and  timestamp le 2031-05-17T11:30:15.25Z"}, "432"),
        ({"_filter": "timestamp eq 2031-05-17T09:30:15.25Z"}, "2"),
        ({"_filter": "operation/id eq 'nobody'' or 1 eq 1'"}, ""),
        ({"_filter": "operation/id eq 'it''s'", "timespan": "PT150M"}, "4"),
        ({"_filter": "operation/id eq 'it''s'", "_top": "1", "_skip": "1"}, "2"),
    ],
)
def test_the_events_asked_for_come_newest_first(five: Served, query: dict[str, str], expected: str) -> None:
    assert shown(five, **query) == expected


def test_of_events_of_one_moment_the_last_to_arrive_comes_first(served: Served) -> None:
    served.track([served.message(text) | {"tags": {"ai.operation.id": "op"}} for text in "abc"])
    assert shown(served) == "cba"
    assert shown(served, _filter="operation/id eq 'op'") == "cba"


def test_what_the_service_adds_to_a_query_it_says(five: Served) -> None:
    five.clock.now = NOW + timedelta(hours=9, minutes=30)
    body = five.ask("traces").json()
    assert body["@ai.messages"] == [
        {
            "code": "AddedLimitToQuery",
            "message": "The query was limited to last 12 hours, since no other limit for timestamp field was specified",
        },
        {"code": "AddedLimitToQuery", "message": "The query was limited to 500 rows"},
    ]
    assert [event["trace"]["message"] for event in body["value"]] == ["4", "3"]
    assert "@ai.messages" not in five.ask("traces", timespan="P1D", _top="10").json()


@pytest.mark.parametrize(
    "query",
    [
        {"_top": "-1"},
        {"_top": "ten"},
        {"_top": "10001"},
        {"_top": "\u0663"},
        {"_skip": "1.5"},
        {"_skip": "9999999999"},
        {"timespan": ""},
        {"timespan": "P"},
        {"timespan": "PT"},
        {"timespan": "P1DT"},
        {"timespan": "P1M"},
        {"timespan": "tomorrow"},
        {"timespan": "PT1H/PT1H"},
        {"timespan": "2031-05-17/x"},
        {"timespan": "x/2031-05-17"},
        {"timespan": "/"},
        {"_filter": ""},
        {"_filter": "operation/id eq it"},
        {"_filter": "operation/id ne 'it'"},
        {"_filter": "operation/id eq 'it' or timestamp gt 2031-05-17"},
        {"_filter": "operation/id eq 'it' and"},
        {"_filter": "operation/id eq 'it' and operation/id eq 'them'"},
        {"_filter": "timestamp gt yesterday"},
        {"_filter": "trace/message eq 'x'"},
        {"_filter": "(timestamp gt 2031-05-17)"},
        {"_orderby": "timestamp"},
        {"_select": "id"},
        {"_search": "x"},
        {"_count": "true"},
        {"_apply": "x"},
    ],
    ids=str,
)
def test_what_is_not_understood_is_refused_and_not_ignored(served: Served, query: dict[str, str]) -> None:
    answer = served.ask("traces", **query)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("BadArgumentError", "The request had some invalid properties")
    assert error["innererror"]["message"]


@pytest.mark.parametrize("query", ["%24top=1&%24top=2", "timespan=%ff", "&".join(f"a{n}=1" for n in range(30))])
def test_a_query_string_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(BadArgument):
        asked_of(query, NOW)


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ("timespan=P1W", at(2031, 5, 10, 12, 30, 15, 250_000), None),
        ("timespan=P1DT2H3M4.5S", at(2031, 5, 16, 10, 27, 10, 750_000), None),
        ("timespan=2031-05-17/P1D", at(2031, 5, 17), at(2031, 5, 18)),
        ("timespan=P1D&$filter=timestamp ge 2031-05-17", at(2031, 5, 17), None),
        ("$filter=timestamp lt 2031-05-17", None, at(2031, 5, 17)),
        ("timespan=0001-01-01/9999-12-31", at(1, 1, 1), at(9999, 12, 31)),
    ],
)
def test_periods_and_filters_bound_the_time_together(query: str, since: int | None, until: int | None) -> None:
    asked = asked_of(f"$top=5&{query}", NOW)
    assert asked == Asked(since, until, None, top=5)


def test_a_period_longer_than_time_itself_is_no_trouble(served: Served) -> None:
    served.track([served.message("x")])
    assert shown(served, timespan="P" + "9" * 40 + "W") == "x"
    assert shown(served, timespan="2031-05-17/P" + "9" * 40 + "D") == ""
