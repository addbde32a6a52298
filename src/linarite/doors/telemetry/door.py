"""The telemetry door's HTTP: `POST /v2/track` and `/v2.1/track`, and `GET /v1/apps/{appId}/events/{type}`.

An RSGI application. A batch is on disk before it is acknowledged; of one that is partly in order the good part is kept
and the rest reported item by item. It decides nothing about keys or readers: the desk does.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from linarite.doors.body import Unread, whole
from linarite.doors.telemetry.asked import BadArgument, asked_of, microseconds
from linarite.doors.telemetry.desk import Reading
from linarite.doors.telemetry.envelope import Unreadable, items_of, key_of
from linarite.doors.telemetry.event import COLLECTIONS
from linarite.doors.telemetry.intake import error, intake_of, report
from linarite.doors.telemetry.journal import Journal, Retention
from linarite.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from linarite.doors.telemetry.desk import TelemetryDesk

LARGEST_BODY = 16 << 20
"""Bytes of a request, packed or not; it is far above what the service itself takes."""
BODY_WITHIN = 60.0
"""Seconds a client may take to send its body."""
PRUNED_EVERY = 600.0

TRACK = re.compile(r"/+v2(\.1)?/track/?")
"""Azure's own connection strings end their IngestionEndpoint with a slash, and clients add another."""
EVENTS = re.compile(r"/+v1/apps/(?P<app_id>[^/]+)/events/(?P<collection>[^/]+)/?")
KEEP_ALL = Retention()
AGAIN = (("retry-after", "1"),)

log = logging.getLogger("linarite.doors.telemetry")


class Answer(NamedTuple):
    """A status and what becomes JSON."""

    status: int
    body: Mapping[str, Any] | bytes
    headers: Sequence[tuple[str, str]] = ()


class TelemetryDoor:
    """Ingestion and query of Application Insights, from `start` until `stop`."""

    def __init__(
        self,
        folder: Path,
        desk: TelemetryDesk,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        retention: Retention = KEEP_ALL,
    ) -> None:
        """`now` must know its time zone; `new_id` makes the id of an event, a GUID in Azure."""
        self._desk = desk
        self._now = now
        self._new_id = new_id
        self._journal = Journal(folder / "telemetry.sqlite", retention)
        self._pruning: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the file in the folder.

        Raises:
            JournalUnusable: that cannot be done.
        """
        await self._journal.open()
        self._pruning = asyncio.create_task(self._prune())

    async def stop(self) -> None:
        """Finish what has arrived, then close."""
        if self._pruning is not None:
            self._pruning.cancel()
            await asyncio.wait([self._pruning])
        await self._journal.close()

    async def forget(self, app_id: str) -> None:
        """Let go of everything a component was ever sent."""
        await self._journal.forget(app_id)

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request, by RSGI."""
        try:
            answer = await self._answer(scope, protocol)
        except (Unavailable, sqlite3.Error) as busy:
            log.warning("A telemetry request has to wait: %s", busy)
            answer = _refusal(503, "ServiceUnavailable", "The service is busy. Please try again.", headers=AGAIN)
        except Exception:
            log.exception("A telemetry request failed: %s %s", scope.method, scope.path)
            answer = _refusal(500, "InternalServerError", "Something went wrong in Linarite; its log says what.")
        body = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
        headers = [("content-type", "application/json; charset=utf-8"), *answer.headers]
        protocol.response_bytes(answer.status, headers, body)

    async def _answer(self, scope: Any, protocol: Any) -> Answer:
        if TRACK.fullmatch(scope.path):
            return await self._track(scope, protocol) if scope.method == "POST" else _only("POST")
        events = EVENTS.fullmatch(scope.path)
        if events and events["collection"] in COLLECTIONS:
            return await self._events(scope, **events.groupdict()) if scope.method == "GET" else _only("GET")
        return _refusal(404, "PathNotFoundError", "The requested path does not exist")

    # ── ingestion ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _track(self, scope: Any, protocol: Any) -> Answer:
        encoding = scope.headers.get("content-encoding")
        try:
            body = await _body_of(scope, protocol)
            items = await asyncio.to_thread(items_of, body, encoding, LARGEST_BODY)
        except Unreadable as problem:
            return Answer(problem.status, report(0, 0, [error(0, problem.status, problem.message)]))
        components = {key: self._desk.component_of(key) for key in {key_of(item) for item in items} if key}
        intake = await asyncio.to_thread(intake_of, items, components, self._now(), self._new_id)
        try:
            if any(components.get(key_of(item) or "") is None for item in items):
                await self._desk.turned_away(scope.path, scope.client)
            if intake.rows:
                await self._journal.append(intake.rows)
        except (Unavailable, sqlite3.Error):
            log.exception("%d telemetry items were not kept.", len(intake.rows))
            every = [error(index, 503, "Service Unavailable") for index in range(intake.received)]
            return Answer(503, report(intake.received, 0, every))
        return Answer(intake.status, intake.report())

    # ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _events(self, scope: Any, app_id: str, collection: str) -> Answer:
        reading = await self._desk.may_read(app_id, scope.headers.get("authorization"))
        if reading is Reading.UNAUTHENTICATED:
            message = "Valid authentication was not provided"
            return _refusal(401, "AuthorizationRequiredError", message, headers=[("www-authenticate", "Bearer")])
        if reading is not Reading.ALLOWED:
            message = "The provided credentials have insufficient access to perform the requested operation"
            return _refusal(403, "InsufficientAccessError", message)
        try:
            asked = asked_of(scope.query_string, self._now())
        except BadArgument as problem:
            inner = {"code": "BadArgumentError", "message": str(problem)}
            return _refusal(400, "BadArgumentError", "The request had some invalid properties", inner=inner)
        bodies = await self._journal.select(app_id, COLLECTIONS[collection], asked)
        head: dict[str, Any] = {"@odata.context": f"{_origin(scope)}/v1/apps/{app_id}/events/$metadata#{collection}"}
        if asked.notes:
            head["@ai.messages"] = [{"code": code, "message": message} for code, message in asked.notes]
        return Answer(200, orjson.dumps({**head, "value": [orjson.Fragment(body) for body in bodies]}))

    async def _prune(self) -> None:
        while True:
            try:
                await self._journal.prune(microseconds(self._now()))
            except sqlite3.Error:
                log.exception("The telemetry journal was not pruned.")
            await asyncio.sleep(PRUNED_EVERY)


async def _body_of(scope: Any, protocol: Any) -> bytes:
    """The whole body, read no further than the limit.

    Raises:
        Unreadable: it is too large, or does not come.
    """
    try:
        return await whole(scope, protocol, limit=LARGEST_BODY, within=BODY_WITHIN)
    except Unread as unread:
        raise Unreadable(unread.status, str(unread)) from unread


def _refusal(
    status: int,
    code: str,
    message: str,
    *,
    inner: Mapping[str, str] | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Answer:
    body: dict[str, Any] = {"message": message, "code": code}
    return Answer(status, {"error": {**body, "innererror": inner} if inner else body}, headers)


def _only(method: str) -> Answer:
    message = f"Only {method} is understood here."
    return _refusal(405, "MethodNotAllowed", message, headers=[("allow", method)])


def _origin(scope: Any) -> str:
    return f"{scope.scheme}://{scope.headers.get('host') or scope.authority or scope.server}"
