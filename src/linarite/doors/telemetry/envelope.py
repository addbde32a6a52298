"""What clients send: a body into items, an item into an envelope that is in order, or the service's own sentence.

Three forms of body are read, as real clients send them: a JSON array, one JSON object, and one object a line. Sentences
and their numbers are the ingestion service's, as quoted in public issue reports of its SDKs, unless a comment says
otherwise. This module does not know whose keys are valid, nor how anything is kept.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

OLDEST = timedelta(milliseconds=172_800_000)
NEWEST = timedelta(milliseconds=7_200_000)
MILLISECOND = timedelta(milliseconds=1)

REQUIRED = {
    "MessageData": ("message",),
    "EventData": ("name",),
    "PageViewData": ("name",),
    "PageViewPerfData": ("name",),
    "RequestData": ("id", "duration", "responseCode"),
    "RemoteDependencyData": ("name", "duration"),
    "ExceptionData": ("exceptions",),
    "AvailabilityData": ("id", "name", "duration"),
    "MetricData": ("metrics",),
}
"""Kind of item → the fields it must have. Source: the ingestion API's published Swagger document, v2.1."""

DURATION = re.compile(r"(?:(\d{1,3})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?", re.ASCII)


class Unreadable(Exception):
    """The body as a whole cannot be taken; `status` is the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Malformed(Exception):
    """One item is not in order; the message is the service's."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An item that is in order."""

    key: str
    """The instrumentation key, in lower case."""
    time: datetime
    count: int
    """How many events it stands for: more than one where the client sends a sample."""
    tags: dict[str, Any]
    kind: str
    """`MessageData`, `RequestData` and so on: a key of `REQUIRED`."""
    data: dict[str, Any]


def items_of(body: bytes, encoding: str | None, limit: int) -> list[Any]:
    """The items of a request, whatever each of them is; at most `limit` bytes are unpacked.

    Raises:
        Unreadable: too large (413), an encoding nobody sends (415), or neither JSON nor lines of JSON (400).
    """
    text = _unpacked(body, (encoding or "").strip().lower(), limit).removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise Unreadable(400, "The request body is empty.")  # our words
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _lines(text, error)
    return whole if isinstance(whole, list) else [whole]


def _lines(text: bytes, error: orjson.JSONDecodeError) -> list[Any]:
    """One object a line; a line that is no JSON becomes None. The first must be one, else the body is just broken."""
    items = [_line(line) for line in text.splitlines() if line.strip()]
    if not isinstance(items[0], dict):
        raise Unreadable(400, f"Invalid JSON: {error.msg}") from error  # our words
    return items


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding == "gzip" or body.startswith(b"\x1f\x8b"):  # some clients do not say that they pack
        return _inflated(body, zlib.MAX_WBITS | 16, limit)
    if encoding == "deflate":
        return _inflated(body, zlib.MAX_WBITS, limit)
    if encoding not in {"", "identity"}:
        raise Unreadable(415, f"Content-Encoding {encoding!r} is not supported.")
    return body


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    """Unpacks member by member, and never more than `limit` bytes."""
    whole = b""
    while body:
        packed = zlib.decompressobj(window)
        try:
            whole += packed.decompress(body, limit + 1 - len(whole))
        except zlib.error as error:
            raise Unreadable(400, "The request body is not what its Content-Encoding says.") from error
        if len(whole) > limit:
            raise Unreadable(413, f"The request body is larger than {limit} bytes when it is unpacked.")
        if not packed.eof:
            raise Unreadable(400, "The request body ends in the middle of what its Content-Encoding says.")
        body = packed.unused_data
    return whole


def key_of(item: object) -> str | None:
    """The instrumentation key an item names, in lower case."""
    key = item.get("iKey") if isinstance(item, dict) else None
    return key.lower() if isinstance(key, str) else None


def envelope_of(item: dict[str, Any], now: datetime) -> Envelope:
    """The item as an envelope that is in order.

    Raises:
        Malformed: it is not, or is older than two days, or two hours from the future.
    """
    _required(item, "Envelope", "name")
    time = _time(item, now)
    tags = _object(item, "Envelope", "tags", {})
    data = _object(item, "Envelope", "data")
    kind = data.get("baseType")
    if not isinstance(kind, str) or kind not in REQUIRED:
        expected = ", ".join(REQUIRED)
        message = f"106: Field 'baseType' on type 'Data' is of incorrect type. Expected: one of {expected}"  # our words
        raise Malformed(message)
    base = _object(data, "Data", "baseData")
    _check(base, kind)
    return Envelope(key_of(item) or "", time, _count(item), tags, kind, base)


def _check(base: dict[str, Any], kind: str) -> None:
    for field in REQUIRED[kind]:
        _required(base, kind, field)
    for field in ("properties", "measurements"):
        _object(base, kind, field, {})
    if base.get("duration") is not None and milliseconds(base["duration"]) is None:
        expected = "Expected: TimeSpan DD.HH:MM:SS.MMMMMM format"
        raise Malformed(f"108: Field 'duration' on type '{kind}' is not a valid duration string. {expected}")
    for field, inner in (("exceptions", "ExceptionDetails"), ("metrics", "DataPoint")):
        for part in _list(base, kind, field):
            if not isinstance(part, dict):
                raise Malformed(f"106: Field '{field}' on type '{kind}' is of incorrect type. Expected: object")
            _required(part, inner, "message" if inner == "ExceptionDetails" else "name")


def _required(owner: dict[str, Any], kind: str, field: str) -> None:
    if owner.get(field) in (None, "", [], {}):
        expected = "Expected: string, Actual: undefined"
        raise Malformed(f"109: Field '{field}' on type '{kind}' is required but missing or empty. {expected}")


def _object(owner: dict[str, Any], kind: str, field: str, absent: dict[str, Any] | None = None) -> dict[str, Any]:
    value = owner.get(field)
    if value is None and absent is not None:
        return absent
    if value is None:
        _required(owner, kind, field)
    if not isinstance(value, dict):
        raise Malformed(f"106: Field '{field}' on type '{kind}' is of incorrect type. Expected: object")
    return value


def _list(owner: dict[str, Any], kind: str, field: str) -> list[Any]:
    value = owner.get(field, [])
    if not isinstance(value, list):
        raise Malformed(f"106: Field '{field}' on type '{kind}' is of incorrect type. Expected: array")
    return value


def _time(item: dict[str, Any], now: datetime) -> datetime:
    _required(item, "Envelope", "time")
    time = moment(item["time"])
    if time is None:
        raise Malformed("102: Field 'time' on type 'Envelope' is not a valid time string. Expected: date")
    age = now - time
    if age > OLDEST:
        limit = f"Expected: now - {OLDEST // MILLISECOND}ms, Actual: now - {age // MILLISECOND}ms"
        raise Malformed(f"103: Field 'time' on type 'Envelope' is older than the allowed min date. {limit}")
    if -age > NEWEST:
        limit = f"Expected: now + {NEWEST // MILLISECOND}ms, Actual: now + {-age // MILLISECOND}ms"
        raise Malformed(f"104: Field 'time' on type 'Envelope' is newer than the max date. {limit}")
    return time


def _count(item: dict[str, Any]) -> int:
    rate = item.get("sampleRate")
    return round(100 / rate) if isinstance(rate, int | float) and 0.001 <= rate < 100 else 1  # noqa: PLR2004  percent


def moment(text: object) -> datetime | None:
    """An ISO 8601 date and time; UTC where it does not say."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


def milliseconds(duration: object) -> float | None:
    """A .NET time span, `DD.HH:MM:SS.MMMMMM` with the days left out at will, in milliseconds."""
    found = DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return round((whole + float(f"0.{found[5] or 0}")) * 1000, 4)
