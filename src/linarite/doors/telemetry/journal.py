"""What was sent, kept: durable before it is acknowledged, pruned by age and by size, and read beside the writing.

Batches that arrive together share one commit, on a thread of its own; readers have another and do not wait for it. This
module does not know what is in an event.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from linarite.doors.telemetry import file
from linarite.doors.telemetry.asked import MICROSECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from linarite.doors.telemetry.asked import Asked
    from linarite.doors.telemetry.file import Row

Result = TypeVar("Result")

log = logging.getLogger("linarite.doors.telemetry")


class JournalUnusable(Exception):
    """The file cannot be opened as what it should be; the message is a sentence for the command line."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: nothing that was received longer ago than `age`, and not much more than `size` bytes in all."""

    age: timedelta = timedelta(days=30)
    size: int = 256 << 20


class Journal:
    """Events of all components, from `open` until `close`."""

    def __init__(self, path: Path, retention: Retention) -> None:
        self._path = path
        self._retention = retention
        self._writing = ThreadPoolExecutor(1, "telemetry-writer")
        self._reading = ThreadPoolExecutor(1, "telemetry-reader")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._arrived: list[tuple[Sequence[Row], asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._unpruned = 0

    async def open(self) -> None:
        """Open the file, or make it.

        Raises:
            JournalUnusable: it is no database, or may not be written.
        """
        on = asyncio.get_running_loop().run_in_executor
        try:
            self._writer = await on(self._writing, file.open_to_write, self._path)
            self._reader = await on(self._reading, file.open_to_read, self._path)
        except (OSError, sqlite3.Error) as error:
            message = f"The telemetry door cannot use {self._path}: {error}."
            raise JournalUnusable(message) from error

    async def close(self) -> None:
        """Finish what has arrived, then close; whatever comes later is refused."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        reader, writer, self._reader, self._writer = self._reader, self._writer, None, None
        for thread, connection in ((self._reading, reader), (self._writing, writer)):
            if connection is not None:
                await _on(thread, connection, sqlite3.Connection.close)
            thread.shutdown()

    async def append(self, rows: Sequence[Row]) -> None:
        """Keep these; they are on disk when this returns.

        Raises:
            sqlite3.Error: they are not, and none of them was kept.
        """
        written = asyncio.get_running_loop().create_future()
        self._arrived.append((rows, written))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        await written

    async def select(self, app_id: str, kind: str | None, asked: Asked) -> list[bytes]:
        """The bodies asked for, newest first; `kind` is an event's type, or None for any."""
        return await _on(self._reading, self._reader, lambda reader: file.select(reader, app_id, kind, asked))

    async def forget(self, app_id: str) -> None:
        """Nothing of this component is left when this returns."""
        await _on(self._writing, self._writer, lambda writer: file.forget(writer, app_id))

    async def prune(self, now: int) -> None:
        """Let go of what is too old at `now`, in microseconds since 1970, and of the oldest where there is too much."""
        oldest = now - self._retention.age // MICROSECOND
        await _on(self._writing, self._writer, lambda writer: file.prune(writer, oldest, self._retention.size))

    async def _commit(self) -> None:
        """Until nothing is left that arrived: everything there is in one commit, then its senders are told."""
        while self._arrived:
            batches, self._arrived = self._arrived, []
            rows = [row for batch, _ in batches for row in batch]
            try:
                await _on(self._writing, self._writer, partial(file.insert, rows=rows))
            except Exception as error:  # noqa: BLE001  whatever it was, senders must not wait for ever
                _tell([written for _, written in batches], error)
                continue
            _tell([written for _, written in batches], None)
            await self._prune_at_times(rows)
        self._committing = None

    async def _prune_at_times(self, rows: Sequence[Row]) -> None:
        self._unpruned += sum(len(row.body) for row in rows)
        if self._unpruned > self._retention.size // 16:
            self._unpruned = 0
            try:
                await self.prune(rows[-1].received)
            except sqlite3.Error:
                log.exception("The telemetry journal was not pruned.")


def _tell(senders: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for written in senders:
        if written.done():
            continue  # the sender has gone
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)


async def _on(
    thread: ThreadPoolExecutor, connection: sqlite3.Connection | None, work: Callable[[sqlite3.Connection], Result]
) -> Result:
    if connection is None:
        raise sqlite3.ProgrammingError("The telemetry journal is closed.")
    return await asyncio.get_running_loop().run_in_executor(thread, work, connection)
