"""microsoft.insights/eventtypes/management/values: the activity log of a subscription, told from the trail.

Facts: "Activity Logs - List" of the Monitor REST API, 2015-04-01. As in Azure, reads are no events, refused ones
neither, and the filter has to say from when on. A page looks at a bounded number of entries, so it may be empty and
still have a next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from linarite.errors import BadRequest
from linarite.ids import SUBSCRIPTION, parse_id
from linarite.kind import Kind, Versions
from linarite.model import Deed
from linarite.moments import written
from linarite.odata import joined_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Entry
    from linarite.world import Reading

TYPE = "microsoft.insights/eventtypes"

_PAGE = 200
_LOOKED_AT = 5_000
"""Entries that one page looks at, at most."""

_CONDITION = re.compile(r"(\w+)\s+(eq|ge|le)\s+(?:'((?:[^']|'')*)'|(\S+))", re.IGNORECASE)
_TEXTS = ("resourcegroupname", "resourceuri", "resourceid", "resourceprovider", "correlationid", "caller", "status")
_ALWAYS = "eventchannels"
"""Named by clients to ask for all that there is here."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS_AT_EPOCH = 621_355_968_000_000_000
"""Tenths of microseconds from year 1 to 1970, which .NET counts from."""


@dataclass(frozen=True, slots=True)
class _Filter:
    """What a `$filter` asks for: a time, and texts by the lower-case name of what they are compared with."""

    since: datetime
    until: datetime | None = None
    texts: dict[str, str] = field(default_factory=dict)

    def fits(self, entry: Entry, id_: ResourceId) -> bool:
        told = {
            "resourcegroupname": id_.group or "",
            "resourceuri": id_.text,
            "resourceid": id_.text,
            "resourceprovider": id_.namespace,
            "correlationid": entry.correlation,
            "caller": _caller(entry),
            "status": _status(entry),
        }
        return (
            self.since <= entry.at
            and (self.until is None or entry.at <= self.until)
            and all(told[name].lower() == wanted.lower() for name, wanted in self.texts.items())
        )


def _read(text: str) -> _Filter:
    """Read a `$filter`; refused where it cannot be read, or does not say from when on."""
    times: dict[str, datetime] = {}
    texts: dict[str, str] = {}
    for part in joined_by("and", text):
        found = _CONDITION.fullmatch(part.strip())
        if found is None:
            raise _unsupported(text)
        name, operator = found[1].lower(), found[2].lower()
        value = found[4] if found[3] is None else found[3].replace("''", "'")
        if name == "eventtimestamp" and operator != "eq":
            times[operator] = _moment(value, text)
        elif name in _TEXTS and operator == "eq":
            texts[name] = value
        elif name != _ALWAYS:
            raise _unsupported(text)
    if "ge" not in times:
        raise _unsupported(text)
    return _Filter(times["ge"], times.get("le"), texts)


def _moment(value: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise _unsupported(text) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unsupported(text: str) -> BadRequest:
    return BadRequest(
        "UnsupportedQuery",
        f"The filter '{text}' is not supported. It says from when on, 'eventTimestamp ge {{time}}', and perhaps 'and "
        "eventTimestamp le', or resourceGroupName, resourceUri, resourceProvider, correlationId, caller or status with "
        "'eq'.",
    )


def _pages(reading: Reading, scope: ResourceId, filter_: str, token: str) -> tuple[list[Body], str]:
    """A page of events, newest first, and the token of the next one: the place on the trail where this one ended.

    The caller sees what was done where they may read events: all of it, or that of their groups and resources.
    """
    wanted = _read(filter_)
    if token and not re.fullmatch(r"[1-9]\d{0,17}", token, re.ASCII):
        message = "The continuation token is invalid. Take it from the 'nextLink' of the page before."
        raise BadRequest("InvalidContinuationToken", message)
    found: list[Body] = []
    entries = reading.trail(int(token) if token else None, _LOOKED_AT)
    for place, entry in entries:
        id_ = parse_id(entry.target)
        if id_ is None or not _same(id_, scope) or not _is_event(entry) or not wanted.fits(entry, id_):
            continue
        if reading.may(f"{TYPE}/values/read", id_):
            found.append(_event(place, entry, id_, reading.options.tenant))
            if len(found) == _PAGE:
                return found, str(place) if place > 1 else ""
    ended = len(entries) < _LOOKED_AT or all(entry.at < wanted.since for _, entry in entries)
    return found, "" if ended else str(entries[-1][0])


def _same(id_: ResourceId, scope: ResourceId) -> bool:
    """Whether both are of one subscription."""
    return (id_.subscription or "").lower() == (scope.subscription or "").lower()


def _is_event(entry: Entry) -> bool:
    """Whether Azure would log it: what changes or releases something, done or refused, by somebody who is known."""
    reads = entry.action.lower().endswith("/read") and entry.deed is Deed.REFUSAL
    return bool(_caller(entry)) and "/" in entry.action and " " not in entry.action and not reads


def _caller(entry: Entry) -> str:
    """A user by name; an application by its object id."""
    return entry.client if "@" in entry.client or not entry.caller else entry.caller


def _status(entry: Entry) -> str:
    return "Failed" if entry.status >= HTTPStatus.BAD_REQUEST else "Succeeded"


def _event(place: int, entry: Entry, id_: ResourceId, tenant: str) -> Body:
    """An entry as Azure's `EventData`."""
    at = written(entry.at)
    ticks = (entry.at - _EPOCH) // timedelta(microseconds=1) * 10 + _TICKS_AT_EPOCH
    event_id = str(uuid5(NAMESPACE_URL, f"{entry.request}/{place}"))
    failed = _status(entry) == "Failed"
    phrase = HTTPStatus(entry.status).phrase
    return {
        "authorization": {"action": entry.action, "scope": id_.text},
        "caller": _caller(entry),
        "channels": "Operation",
        "claims": {"appid": entry.client} if entry.caller and "@" not in entry.client else {},
        "correlationId": entry.correlation,
        "description": "",
        "eventDataId": event_id,
        "eventName": _said("EndRequest", "End request"),
        "category": _said("Administrative"),
        "eventTimestamp": at,
        "httpRequest": {"clientRequestId": entry.request, "clientIpAddress": entry.address},
        "id": f"{id_.text}/events/{event_id}/ticks/{ticks}",
        "level": "Error" if failed else "Informational",
        "operationId": entry.correlation,
        "operationName": _said(entry.action),
        "properties": {"statusCode": phrase.replace(" ", ""), "statusMessage": entry.code},
        "resourceGroupName": id_.group or "",
        "resourceProviderName": _said(id_.namespace),
        "resourceId": id_.text,
        "resourceType": _said(id_.type),
        "status": _said(_status(entry)),
        "subStatus": _said(phrase.replace(" ", ""), f"{phrase} (HTTP Status Code: {entry.status})"),
        "submissionTimestamp": at,
        "subscriptionId": id_.subscription,
        "tenantId": tenant,
    }


def _said(value: str, localized: str = "") -> Body:
    return {"value": value, "localizedValue": localized or value}


class _EventTypes:
    """The one event type, `management`."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        del reading
        scope = id_.parent
        return {} if id_.name.lower() == "management" and scope is not None and scope.type == SUBSCRIPTION else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        del reading, scope
        return ()


_VERSIONS = Versions(("2014-04-01", "2015-04-01"), any_dated=True)

EVENT_TYPES = Kind(
    type=TYPE,
    versions=_VERSIONS,
    fields=(),
    parent=SUBSCRIPTION,
    tracked=False,
    methods=frozenset(),
    lists=frozenset(),
    source=_EventTypes(),
)

ACTIVITY_LOG = Kind(
    type=f"{TYPE}/values",
    versions=_VERSIONS,
    fields=(),
    parent=TYPE,
    tracked=False,
    methods=frozenset(),
    lists=frozenset({"parent"}),
    page_parameter="$skipToken",
    pages=_pages,
)
