"""Tickets: what the token service gave out and will take back, over one connection. Of its text a digest is kept.

Codes, refresh tokens, device codes, sessions of browsers and consents are all tickets. Those that come of one sign-in
are a family, and are revoked together. One that is spent stays until it ends, so that a second use is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from linarite.store.tables import moment, redirects, stamp, tickets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

REMEMBERED = timedelta(days=1)
"""How long a ticket is known to have ended, and not to have been there never."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket; `body` is what was granted with it, as its giver writes it."""

    digest: bytes
    kind: str
    family: str
    body: bytes
    expires: datetime
    principal: str | None = None
    """Object id of the user; None while a device waits for one."""
    spent: bool = False


def find(connection: Connection, digest: bytes) -> Ticket | None:
    """The ticket of that digest, spent and expired ones included."""
    row = connection.execute(select(tickets).where(tickets.c.digest == digest)).first()
    return _ticket(row) if row else None


def of_family(connection: Connection, family: str, kind: str) -> Ticket | None:
    """The ticket of that kind in a family that has one."""
    row = connection.execute(select(tickets).where(tickets.c.family == family, tickets.c.kind == kind)).first()
    return _ticket(row) if row else None


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(row.digest, row.kind, row.family, row.body, moment(row.expires), row.principal, row.spent)


def add(connection: Connection, new: Ticket, now: datetime) -> None:
    """Keep a new ticket in the place of an equal one, and forget those that ended long ago."""
    ended = tickets.c.expires <= stamp(now - REMEMBERED)
    connection.execute(delete(tickets).where(or_(ended, tickets.c.digest == new.digest)))
    connection.execute(
        insert(tickets).values(
            digest=new.digest,
            kind=new.kind,
            family=new.family,
            body=new.body,
            expires=stamp(new.expires),
            principal=new.principal,
            spent=new.spent,
        )
    )


def rewrite(connection: Connection, changed: Ticket) -> None:
    """Write again whose a ticket is, and what was granted with it."""
    connection.execute(
        update(tickets).where(tickets.c.digest == changed.digest).values(principal=changed.principal, body=changed.body)
    )


def spend(connection: Connection, digest: bytes) -> None:
    """Let a ticket count no more."""
    connection.execute(update(tickets).where(tickets.c.digest == digest).values(spent=True))


def spend_family(connection: Connection, family: str) -> None:
    """Revoke all that came of one sign-in."""
    connection.execute(update(tickets).where(tickets.c.family == family).values(spent=True))


def spend_all_of(connection: Connection, principal: str) -> None:
    """Revoke all that a user was given."""
    connection.execute(update(tickets).where(tickets.c.principal == principal).values(spent=True))


def redirects_of(connection: Connection, application: str) -> tuple[str, ...]:
    """The addresses to which answers for an application, by object id, may be sent."""
    query = select(redirects.c.uri).where(redirects.c.application == application).order_by(redirects.c.uri)
    return tuple(connection.execute(query).scalars())


def add_redirects(connection: Connection, application: str, uris: Iterable[str]) -> None:
    """Register addresses for an application."""
    for uri in uris:
        connection.execute(insert(redirects).values(application=application, uri=uri))
