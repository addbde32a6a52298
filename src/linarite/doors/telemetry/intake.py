"""Of a batch: what is kept, what is refused, and how that is reported. Azure's `TrackResponse`.

Pure: whose keys the batch names was found out before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from linarite.doors.telemetry.asked import microseconds
from linarite.doors.telemetry.envelope import Malformed, envelope_of, key_of
from linarite.doors.telemetry.event import event_of
from linarite.doors.telemetry.file import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from linarite.doors.telemetry.desk import Component

UNKNOWN_KEY = "Invalid instrumentation key"
"""The service's words for a key that belongs to nobody (dmolokanov/appinsights-rs#221); 400, for clients would repeat
what is answered with 401 or 403 for ever."""


@dataclass(slots=True)
class Intake:
    """A batch, sorted."""

    received: int
    rows: list[Row] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int:
        """200 if all is kept, 206 if some of it, 400 if nothing."""
        if not self.errors:
            return 200
        return 206 if self.rows else 400

    def report(self) -> dict[str, Any]:
        """The answer to the client."""
        app_id = self.rows[0].app_id if self.rows else None
        return report(self.received, len(self.rows), self.errors, app_id)


def intake_of(
    items: Sequence[Any], components: Mapping[str, Component | None], now: datetime, new_id: Callable[[], str]
) -> Intake:
    """Sort the items of a batch; `components` has an entry for every key in it."""
    intake = Intake(len(items))
    for index, item in enumerate(items):
        try:
            intake.rows.append(_row(item, components.get(key_of(item) or ""), now, new_id))
        except Malformed as problem:
            intake.errors.append(error(index, 400, str(problem)))
    return intake


def report(
    received: int, accepted: int, errors: Sequence[Mapping[str, Any]], app_id: str | None = None
) -> dict[str, Any]:
    """`TrackResponse`, with the `appId` that Node's client reads from it."""
    return {"itemsReceived": received, "itemsAccepted": accepted, "appId": app_id, "errors": list(errors)}


def error(index: int, status: int, message: str) -> dict[str, Any]:
    """`ErrorDetails`: what is wrong with the item at this place of the batch."""
    return {"index": index, "statusCode": status, "message": message}


def _row(item: Any, component: Component | None, now: datetime, new_id: Callable[[], str]) -> Row:
    if not isinstance(item, dict):
        raise Malformed("Invalid JSON")  # our words
    if component is None:
        raise Malformed(UNKNOWN_KEY)
    envelope = envelope_of(item, now)
    event = event_of(envelope, component, new_id())
    try:
        body = orjson.dumps(event)
    except orjson.JSONEncodeError as deep:
        raise Malformed("The item is nested too deeply.") from deep  # our words
    operation = event["operation"]["id"]
    return Row(component.app_id, event["type"], microseconds(envelope.time), operation, microseconds(now), body)
