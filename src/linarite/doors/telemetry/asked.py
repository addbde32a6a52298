"""What a caller of the events API asks for: its query string, in the part of OData that is understood here.

`$top`, `$skip`, `timespan`, and a `$filter` of `operation/id eq '…'` and comparisons of `timestamp`, joined by `and`.
Anything else is refused rather than ignored, for an answer that was not filtered looks like one that was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from linarite.doors.telemetry.envelope import moment

DEFAULT_SPAN = timedelta(hours=12)
DEFAULT_TOP = 500
LARGEST_TOP = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOT_SUPPORTED = ("$search", "$orderby", "$select", "$format", "$count", "$apply")

TERM = re.compile(
    r"operation/id\s+eq\s+'(?P<operation>(?:[^']|'')*)'|timestamp\s+(?P<how>ge|gt|le|lt|eq)\s+(?P<when>[^\s()']+)"
)
AND = re.compile(r"\s+and\s+")
PERIOD = re.compile(
    r"P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII
)


class BadArgument(Exception):
    """The query cannot be understood; the message says what of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events, newest first. Times are microseconds since 1970; `until` is not included."""

    since: int | None = None
    until: int | None = None
    operation: str | None = None
    top: int = DEFAULT_TOP
    skip: int = 0
    notes: tuple[tuple[str, str], ...] = ()
    """Code and sentence of what the service added to the query, for `@ai.messages`."""


def asked_of(query_string: str, now: datetime) -> Asked:
    """The query string, understood.

    Raises:
        BadArgument: it is not.
    """
    given = _parameters(query_string)
    since, until = _timespan(given["timespan"], now) if "timespan" in given else (None, None)
    operation, after, before = _filter(given["$filter"]) if "$filter" in given else (None, None, None)
    since = max((bound for bound in (since, after) if bound is not None), default=None)
    until = min((bound for bound in (until, before) if bound is not None), default=None)
    notes = []
    if since is None and until is None:
        since = microseconds(now - DEFAULT_SPAN)
        limit = "since no other limit for timestamp field was specified"
        notes.append(("AddedLimitToQuery", f"The query was limited to last 12 hours, {limit}"))
    if "$top" not in given:
        notes.append(("AddedLimitToQuery", f"The query was limited to {DEFAULT_TOP} rows"))
    top = _number(given, "$top", DEFAULT_TOP, LARGEST_TOP)
    return Asked(since, until, operation, top, _number(given, "$skip", 0, 2**31 - 1), tuple(notes))


def microseconds(time: datetime) -> int:
    """Since 1970, which may be before it."""
    return (time - EPOCH) // MICROSECOND


def _parameters(query_string: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError as error:
        raise BadArgument("The query string cannot be read.") from error
    given = dict(pairs)
    if len(given) < len(pairs):
        raise BadArgument("A query parameter is given twice.")
    for name in NOT_SUPPORTED:
        if name in given:
            raise BadArgument(f"{name} is not supported by Linarite.")
    return given


def _number(given: dict[str, str], name: str, default: int, largest: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or int(text) > largest:
        raise BadArgument(f"{name} must be a whole number from 0 to {largest}.")
    return int(text)


def _timespan(text: str, now: datetime) -> tuple[int, int | None]:
    """`PT1H`, or two moments, or a moment and a period, with a slash between them."""
    first, slash, last = text.partition("/")
    if not slash:
        return microseconds(now) - _needed(_period(first), text), None
    start, end, span = _moment(first), _moment(last), _period(first if first.startswith("P") else last)
    if start is None:
        return _needed(end, text) - _needed(span, text), _needed(end, text)
    return start, end if end is not None else start + _needed(span, text)


def _needed(value: int | None, text: str) -> int:
    if value is None:
        raise BadArgument(f"timespan {text!r} is not an ISO 8601 time period.")
    return value


def _moment(text: str) -> int | None:
    time = moment(text)
    return None if time is None else microseconds(time)


def _period(text: str) -> int | None:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds, in microseconds; months have no length."""
    found = PERIOD.fullmatch(text)
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    return int(min(total, 1e10) * 1_000_000)


def _filter(text: str) -> tuple[str | None, int | None, int | None]:
    """Operation, first microsecond and first microsecond after the last, of a conjunction."""
    operation: str | None = None
    since: list[int] = []
    until: list[int] = []
    rest = text.strip()
    while True:
        term = TERM.match(rest)
        if term is None:
            raise BadArgument(f"$filter is not supported from here on: {rest[:80]!r}")
        if term["how"] is None:
            operation = _once(operation, term["operation"].replace("''", "'"))
        else:
            first, after = _bounds(term["how"], term["when"])
            since += [first] if first is not None else []
            until += [after] if after is not None else []
        rest = rest[term.end() :]
        if not rest:
            return operation, max(since, default=None), min(until, default=None)
        joint = AND.match(rest)
        if joint is None:
            raise BadArgument(f"$filter is not supported from here on: {rest[:80]!r}")
        rest = rest[joint.end() :]


def _once(before: str | None, operation: str) -> str:
    if before not in {None, operation}:
        raise BadArgument("$filter asks for two operations at once.")
    return operation


def _bounds(how: str, when: str) -> tuple[int | None, int | None]:
    at = _moment(when)
    if at is None:
        raise BadArgument(f"$filter compares timestamp with {when[:80]!r}, which is no date and time.")
    first = {"ge": at, "gt": at + 1, "eq": at}.get(how)
    after = {"lt": at, "le": at + 1, "eq": at + 1}.get(how)
    return first, after
