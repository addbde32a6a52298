"""The trail as an auditor reads it: which entries are wanted, each as one line, and whether the chain holds.

It reads the database alone and needs no key. Entries hold no secrets, so everything here may be shown.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from linarite.model import Deed
from linarite.moments import written
from linarite.store import trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.model import Entry
    from linarite.store.database import Database

_PAGE = 1000
_POLL = 0.2
"""Seconds between two looks for more."""

_AGO = re.compile(r"(\d{1,6})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Unreadable(Exception):
    """What was asked for cannot be read, or an entry cannot; the message is a sentence for the command line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted; what is None says nothing."""

    since: datetime | None = None
    caller: str | None = None
    """Object id or client of who called, in any case."""
    resource: str | None = None
    """A part of the resource's id, in any case."""
    deed: Deed | None = None

    def fits(self, entry: Entry) -> bool:
        return (
            (self.since is None or entry.at >= self.since)
            and (self.caller is None or self.caller.lower() in {entry.caller.lower(), entry.client.lower()})
            and (self.resource is None or self.resource.lower() in entry.target.lower())
            and (self.deed is None or entry.deed is self.deed)
        )


def wanted(since: str | None, caller: str | None, resource: str | None, deed: str | None, now: datetime) -> Wanted:
    """Read the options; `since` is a moment in ISO 8601, in UTC unless it says else, or how long ago: `30m`, `2d`.

    Raises:
        Unreadable: one of them cannot be read.
    """
    if deed is not None and deed not in set(Deed):
        raise Unreadable(f"There is no deed '{deed}'. There are {', '.join(Deed)}.")
    return Wanted(_moment(since, now) if since is not None else None, caller, resource, Deed(deed) if deed else None)


def _moment(text: str, now: datetime) -> datetime:
    try:
        if ago := _AGO.fullmatch(text.strip()):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        message = f"There is no moment '{text}'. It looks like 2026-01-31T09:00:00Z, or 30m, 2h or 3d for how long ago."
        raise Unreadable(message) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def entries(database: Database, which: Wanted, *, follow: bool = False) -> Iterator[tuple[int, Entry]]:
    """The wanted entries with their places, oldest first; with `follow` it waits for more and does not end.

    Raises:
        Unreadable: an entry was damaged.
    """
    after = 0
    while True:
        page = _page(database, after)
        yield from ((place, entry) for place, entry in page if which.fits(entry))
        if page:
            after = page[-1][0]
        elif follow:
            time.sleep(_POLL)
        else:
            return


def _page(database: Database, after: int) -> list[tuple[int, Entry]]:
    try:
        with database.reading() as connection:
            return trail.entries(connection, after, _PAGE)
    except msgspec.MsgspecError as error:
        message = f"An entry behind place {after} cannot be read. `linarite trail verify` says where the trail breaks."
        raise Unreadable(message) from error


def as_json(place: int, entry: Entry) -> str:
    """An entry as one line of JSON, its place first."""
    return msgspec.json.encode({"place": place, **msgspec.to_builtins(entry)}).decode()


def as_text(place: int, entry: Entry) -> str:
    """An entry as one line for people: place, moment, deed, status, what, on what, by whom, and the refusal's code.

    What came from a client is written so that it can neither end the line nor steer the terminal.
    """
    at = written(entry.at.astimezone(UTC), "milliseconds")
    said = f"{entry.action} {entry.target} by {entry.client or entry.caller or 'nobody'} {entry.code}".rstrip()
    printable = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in said)
    return f"{place} {at} {entry.deed} {entry.status} {printable}"


def verify(database: Database) -> tuple[int | None, int]:
    """Prove the chain from the first entry on: its first bad place, None where it holds; and how long it is."""
    with database.reading() as connection:
        return trail.first_broken(connection), trail.length(connection)
