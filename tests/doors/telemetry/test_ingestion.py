"""What is taken in: every form clients send, in part where only a part is in order, and nothing that would hurt."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import sqlite3
import tracemalloc
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from linarite.doors.telemetry import door
from linarite.doors.telemetry.envelope import Unreadable, items_of
from tests.doors.telemetry.conftest import APP, KEY, OTHER_APP, OTHER_KEY, READER, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doors.telemetry.conftest import Served


def texts(served: Served) -> list[str]:
    return [event["trace"]["message"] for event in served.events("traces")]


def lines(*items: Any) -> bytes:
    return b"\n".join(json.dumps(item).encode() for item in items)


# ── what is understood ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/v2/track", "/v2.1/track", "//v2.1/track", "///v2/track", "/v2.1/track/"])
def test_every_path_that_clients_build_takes_an_array(served: Served, path: str) -> None:
    answer = served.track([served.message("one"), served.message("two")], path)
    assert answer.status_code == 200
    assert answer.json() == {"itemsReceived": 2, "itemsAccepted": 2, "appId": APP, "errors": []}
    assert sorted(texts(served)) == ["one", "two"]


def test_a_single_object_is_a_batch_of_one(served: Served) -> None:
    assert served.track(served.message("alone")).json()["itemsAccepted"] == 1
    assert texts(served) == ["alone"]


def test_an_empty_array_is_accepted_and_holds_nothing(served: Served) -> None:
    assert served.track([]).json() == {"itemsReceived": 0, "itemsAccepted": 0, "appId": None, "errors": []}


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
def test_one_object_a_line_is_a_batch(served: Served, end: bytes) -> None:
    body = lines(served.message("one"), served.message("two")) + end
    assert served.track(body, **{"Content-Type": "application/x-json-stream"}).json()["itemsAccepted"] == 2
    assert sorted(texts(served)) == ["one", "two"]


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [
        (gzip.compress, "gzip"),
        (gzip.compress, "GZIP"),
        (gzip.compress, ""),
        (zlib.compress, "deflate"),
        (lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:]), "gzip"),
        (lambda body: b"\xef\xbb\xbf" + body, "identity"),
    ],
    ids=["gzip", "GZIP", "gzip unsaid", "deflate", "two members", "byte order mark"],
)
def test_a_packed_body_is_unpacked(served: Served, pack: Any, encoding: str) -> None:
    body = pack(lines(served.message("one"), served.message("two")))
    assert served.track(body, **{"Content-Encoding": encoding}).json()["itemsAccepted"] == 2
    assert sorted(texts(served)) == ["one", "two"]


def test_each_item_goes_to_the_component_whose_key_it_names(served: Served) -> None:
    answer = served.track([served.message("mine"), served.message("theirs", key=OTHER_KEY.upper())])
    assert answer.json()["itemsAccepted"] == 2
    assert texts(served) == ["mine"]
    assert served.ask("traces", OTHER_APP).status_code == 403


def test_a_key_may_be_written_in_capitals(served: Served) -> None:
    assert served.track([served.message("loud", iKey=KEY.upper())]).status_code == 200
    assert texts(served) == ["loud"]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["00000000-0000-4a53-9d2f-5a4e3b2c1d0e", "", None, 7, [KEY]])
def test_a_key_of_nobody_is_refused_in_the_services_words(served: Served, key: Any) -> None:
    answer = served.track([served.message("lost", iKey=key)] * 2)
    assert answer.status_code == 400
    assert answer.json() == {
        "itemsReceived": 2,
        "itemsAccepted": 0,
        "appId": None,
        "errors": [{"index": index, "statusCode": 400, "message": "Invalid instrumentation key"} for index in (0, 1)],
    }
    [(path, address)] = served.desk.told
    assert path == "/v2.1/track"
    assert address.startswith("127.0.0.1:")
    assert texts(served) == []


def test_a_key_stops_the_moment_the_desk_knows_it_no_more(served: Served) -> None:
    assert served.track([served.message("before")]).status_code == 200
    del served.desk.components[KEY]
    assert served.track([served.message("after")]).status_code == 400
    assert texts(served) == ["before"]


def test_of_a_batch_that_is_partly_in_order_that_part_is_kept(served: Served) -> None:
    batch = [served.message("first"), served.message("lost", iKey="nobody"), "text", None, served.message("last")]
    answer = served.track(batch)
    assert answer.status_code == 206
    report = answer.json()
    assert (report["itemsReceived"], report["itemsAccepted"]) == (5, 2)
    assert [(error["index"], error["message"]) for error in report["errors"]] == [
        (1, "Invalid instrumentation key"),
        (2, "Invalid JSON"),
        (3, "Invalid JSON"),
    ]
    assert sorted(texts(served)) == ["first", "last"]


def test_a_line_that_is_no_json_is_one_error_among_good_lines(served: Served) -> None:
    answer = served.track(lines(served.message("good")) + b"\n{broken\n" + lines(served.message("better")))
    assert (answer.status_code, [error["index"] for error in answer.json()["errors"]]) == (206, [1])
    assert sorted(texts(served)) == ["better", "good"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "109: Field 'name' on type 'Envelope' is required but missing or empty."),
        ({"time": None}, "109: Field 'time' on type 'Envelope' is required but missing or empty."),
        ({"time": "fake"}, "102: Field 'time' on type 'Envelope' is not a valid time string."),
        ({"time": 12}, "102: Field 'time' on type 'Envelope' is not a valid time string."),
        ({"tags": []}, "106: Field 'tags' on type 'Envelope' is of incorrect type."),
        ({"data": None}, "109: Field 'data' on type 'Envelope' is required but missing or empty."),
        ({"data": "x"}, "106: Field 'data' on type 'Envelope' is of incorrect type."),
        ({"data": {"baseType": "Nonsense"}}, "106: Field 'baseType' on type 'Data' is of incorrect type."),
        ({"data": {"baseType": ["MessageData"]}}, "106: Field 'baseType' on type 'Data' is of incorrect type."),
        ({"data": {"baseType": "MessageData"}}, "109: Field 'baseData' on type 'Data' is required"),
    ],
)
def test_an_envelope_that_is_not_in_order_is_refused_by_number(
    served: Served, changes: dict[str, Any], message: str
) -> None:
    answer = served.track([served.message("x", **changes)])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith(message)
    assert texts(served) == []


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("MessageData", {}, "109: Field 'message' on type 'MessageData'"),
        ("EventData", {"name": "x", "properties": "x"}, "106: Field 'properties' on type 'EventData'"),
        ("EventData", {"name": "x", "measurements": [1]}, "106: Field 'measurements' on type 'EventData'"),
        ("RequestData", {"id": "1", "duration": "0:0:1"}, "109: Field 'responseCode' on type 'RequestData'"),
        ("PageViewData", {"name": "x", "duration": "soon"}, "108: Field 'duration' on type 'PageViewData'"),
        ("ExceptionData", {"exceptions": []}, "109: Field 'exceptions' on type 'ExceptionData'"),
        ("ExceptionData", {"exceptions": "x"}, "106: Field 'exceptions' on type 'ExceptionData'"),
        ("ExceptionData", {"exceptions": [1]}, "106: Field 'exceptions' on type 'ExceptionData'"),
        ("ExceptionData", {"exceptions": [{}]}, "109: Field 'message' on type 'ExceptionDetails'"),
        ("MetricData", {"metrics": [{"value": 1}]}, "109: Field 'name' on type 'DataPoint'"),
        ("MetricData", {"metrics": {"name": "x"}}, "106: Field 'metrics' on type 'MetricData'"),
    ],
)
def test_data_that_is_not_in_order_is_refused_by_number(
    served: Served, kind: str, data: dict[str, Any], message: str
) -> None:
    answer = served.track([envelope(served.clock.now, kind, data)])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith(message)


@pytest.mark.parametrize(
    ("age", "problem", "limits"),
    [
        (
            timedelta(days=2, seconds=1),
            "103: Field 'time' on type 'Envelope' is older than the allowed min date.",
            "Expected: now - 172800000ms, Actual: now - 172801000ms",
        ),
        (
            -timedelta(hours=2, seconds=1),
            "104: Field 'time' on type 'Envelope' is newer than the max date.",
            "Expected: now + 7200000ms, Actual: now + 7201000ms",
        ),
    ],
)
def test_what_is_too_old_or_from_the_future_is_refused(
    served: Served, age: timedelta, problem: str, limits: str
) -> None:
    late = served.message("x", time=(served.clock.now - age).isoformat())
    assert served.track([late]).json()["errors"] == [{"index": 0, "statusCode": 400, "message": f"{problem} {limits}"}]
    edge = served.message("edge", time=(served.clock.now - age * 0.999).isoformat())
    assert served.track([edge]).status_code == 200


# ── hostile bodies ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [b"", b"  \n ", b"{", b"nonsense", b"[1,", b"\xff\xfe{", b'"text\x00', b"\x00" * 100, b"{}}", b'{"a":NaN}'],
)
def test_what_is_no_json_is_a_bad_request(served: Served, body: bytes) -> None:
    answer = served.track(body)
    assert answer.status_code == 400
    report = answer.json()
    assert (report["itemsReceived"], report["itemsAccepted"], report["errors"][0]["statusCode"]) == (0, 0, 400)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(b"[]", mtime=0)[:-4], "gzip", 400),
        (b"\x1f\x8b", "", 400),
        (b"[]", "br", 415),
    ],
)
def test_an_encoding_that_does_not_hold_is_refused(served: Served, body: bytes, encoding: str, status: int) -> None:
    assert served.track(body, **{"Content-Encoding": encoding}).status_code == status


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(served: Served) -> None:
    one = gzip.compress(b"[" * (1 << 20))
    for bomb in (gzip.compress(b" " * (64 << 20)), one * 64):
        answer = served.track(bomb, **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["itemsAccepted"]) == (413, 0)
    assert served.track([served.message("still here")]).status_code == 200


def test_of_a_gzip_bomb_no_more_is_unpacked_than_the_limit() -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    tracemalloc.start()
    with pytest.raises(Unreadable):
        items_of(bomb, "gzip", limit=1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LARGEST_BODY", 1000)
    assert served.track(b" " * 1001).status_code == 413
    chunks = (b" " * 100 for _ in range(50))
    answer = httpx.post(served.listener.origin + "/v2/track", content=chunks)
    assert answer.status_code == 413
    assert served.track(lines(served.message("small"))).status_code == 200


def test_a_body_that_says_it_is_too_large_is_refused_unread(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.listener.port)) as client:
        client.settimeout(10)
        client.sendall(b"POST /v2/track HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n[")
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("depth", [300, 100_000])
def test_an_item_that_is_nested_too_deeply_is_refused(served: Served, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    body = lines(served.message("x")).replace(b'{"ver": 2', b'{"properties":' + nested + b',"ver": 2')
    assert served.track(body).status_code == 400
    assert served.track([served.message("still here")]).status_code == 200


def test_odd_values_are_kept_or_refused_but_never_break(served: Served) -> None:
    odd = [[], {}, 1, -1.5, True, "", "x" * 10_000, "\u0000", "é𝄞", 10**30, {"a": [None]}]
    batch = [served.message("x", tags={"ai.operation.id": value, "ai.user.id": value}) for value in odd]
    batch += [served.message("x", sampleRate=value) for value in odd]
    batch += [envelope(served.clock.now, "MetricData", {"metrics": [{"name": "m", "value": value}]}) for value in odd]
    batch += [envelope(served.clock.now, "MessageData", {"message": value, "severityLevel": value}) for value in odd]
    report = served.track(batch).json()
    assert report["itemsReceived"] == len(batch)
    assert {error["statusCode"] for error in report["errors"]} == {400}
    assert len(served.events()) == report["itemsAccepted"] > 30


def test_a_client_that_hangs_up_amid_its_body_harms_nobody(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    half = lines(served.message("half"))
    head = f"POST /v2/track HTTP/1.1\r\nHost: x\r\nContent-Length: {len(half) * 2}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.listener.port)) as client:
        client.sendall(head.encode() + half + b"\n")
        client.shutdown(socket.SHUT_WR)
        client.settimeout(10)
        client.recv(1000)
    assert served.track([served.message("next")]).status_code == 200
    assert texts(served) == ["next"]
    assert caplog.text == "", caplog.text


def test_a_body_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BODY_WITHIN", 0.05)
    with socket.create_connection(("127.0.0.1", served.listener.port)) as slow:
        slow.settimeout(10)
        slow.sendall(b"POST /v2/track HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[{")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/track", 405),
        ("OPTIONS", "/v2.1/track", 405),
        ("POST", f"/v1/apps/{APP}/events/traces", 405),
        ("POST", "/v3/track", 404),
        ("POST", "/v2/tracks", 404),
        ("GET", "/", 404),
        ("GET", f"/v1/apps/{APP}/events/nonsense", 404),
        ("GET", f"/v1/apps/{APP}/query", 404),
    ],
)
def test_other_paths_and_methods_are_refused(served: Served, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, served.listener.origin + path, headers={"Authorization": READER})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_a_desk_that_fails_is_an_error_without_a_trace_for_the_caller(
    served: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.desk, "component_of", lambda _key: 1 / 0)
    answer = served.track([served.message("x")])
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalServerError")
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_what_cannot_be_written_is_not_acknowledged(served: Served, tmp_path: Path) -> None:
    served.track([served.message("before")])
    with _locked(tmp_path / "telemetry.sqlite"):
        answer = served.track([served.message("after")])
    assert answer.status_code == 503
    assert answer.json()["itemsAccepted"] == 0
    assert answer.json()["errors"] == [{"index": 0, "statusCode": 503, "message": "Service Unavailable"}]
    assert texts(served) == ["before"]


def test_a_refusal_that_cannot_be_recorded_now_is_answered_as_busy_and_nothing_is_kept(served: Served) -> None:
    served.desk.busy = True
    answer = served.track([served.message("kept"), served.message("lost", key=str(uuid4()))])
    assert answer.status_code == 503
    assert [problem["statusCode"] for problem in answer.json()["errors"]] == [503, 503]
    asked = served.ask()
    assert (asked.status_code, asked.headers["retry-after"]) == (503, "1")
    served.desk.busy = False
    assert served.events() == []


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Somebody else is writing to the file, for longer than SQLite waits."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()
