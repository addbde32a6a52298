"""Users as an operator makes, lists and takes them away, each as one unit of work with its entries.

It runs inside a transaction of the gate, and knows neither the command line nor where the database is.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from linarite.first_start import TENANT
from linarite.grants import DOMAIN, LONGEST, SHORTEST, add_user, set_password
from linarite.membership import Held, Unfit, assign, held, noted, take_away
from linarite.model import Principal, PrincipalKind, Secret
from linarite.store import directory

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.ids import ResourceId
    from linarite.seal import Random
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
"""A user principal name, in lower case."""

_LONGEST_SHOWN = 256


def name_of(text: str) -> str:
    """The user principal name that a text says: without a domain it is one of the tenant's.

    Raises:
        Unfit: it is none.
    """
    name = text.strip().lower()
    name = name if "@" in name else f"{name}@{DOMAIN}"
    if not _NAME.fullmatch(name):
        raise Unfit(f"A user cannot be called '{text}'. A name looks like reader, or reader@{DOMAIN}.")
    return name


def fit(password: Secret) -> Secret:
    """A password that may be one.

    Raises:
        Unfit: it is too short or too long, or cannot be typed.
    """
    text = password.reveal()
    if not SHORTEST <= len(text) <= LONGEST or not text.isprintable():
        raise Unfit(f"A password has {SHORTEST} to {LONGEST} characters that can be printed.")
    return password


async def add(
    gate: Gate,
    name: str,
    password: Secret,
    *,
    shown: str | None,
    role: str | None,
    scope: ResourceId,
    now: datetime,
    random: Random = os.urandom,
) -> Principal:
    """Register a user, and give them a role at a scope where one is given.

    Raises:
        Unfit: there is one of that name, there is no such role, or there is nothing at the scope.
    """
    if shown is not None and not (0 < len(shown) <= _LONGEST_SHOWN and shown.isprintable()):
        raise Unfit(f"What people call a user is 1 to {_LONGEST_SHOWN} characters that can be printed.")

    def work(transaction: Transaction) -> Principal:
        if transaction.object_id(name) is not None:
            raise Unfit(f"There is a user '{name}' already. `linarite user password` gives them another password.")
        made = add_user(transaction, name, password, tenant=TENANT, now=now, shown=shown or "", random=random)
        transaction.entries.append(noted("Linarite/users/write", _path(made), now, random))
        if role is not None:
            assign(transaction, made, role, scope, now=now, random=random)
        return made

    return await gate.commit(work, lambda _: None)


async def listed(gate: Gate) -> list[Held]:
    """Every user, by what people call them, with the roles that they hold."""
    answer, _ = await gate.look(lambda view: [held(view, one) for one in _users(view)])
    return answer


async def remove(gate: Gate, named: str, *, now: datetime, random: Random = os.urandom) -> Principal:
    """Take a user away, by user principal name or object id: tokens, password and roles count no more.

    Raises:
        Unfit: there is none, or it is the last one that owns the subscription.
    """

    def work(transaction: Transaction) -> Principal:
        gone = _the_one(transaction, named)
        take_away(transaction, gone, now=now, random=random)
        transaction.entries.append(noted("Linarite/users/delete", _path(gone), now, random))
        return gone

    return await gate.commit(work, lambda _: None)


async def change_password(
    gate: Gate, named: str, password: Secret, *, now: datetime, random: Random = os.urandom
) -> Principal:
    """Give a user another password.

    Raises:
        Unfit: there is none.
    """

    def work(transaction: Transaction) -> Principal:
        user = _the_one(transaction, named)
        set_password(transaction, user, password, now=now, random=random)
        transaction.entries.append(noted("Linarite/users/password/write", _path(user), now, random))
        return user

    return await gate.commit(work, lambda _: None)


def _users(view: View) -> list[Principal]:
    return [one for one in directory.principals_all(view.connection()) if one.kind is PrincipalKind.USER]


def _the_one(view: View, named: str) -> Principal:
    """The user of that name or object id."""
    wanted = named.strip().lower()
    names = {wanted, f"{wanted}@{DOMAIN}"}
    found = next((one for one in _users(view) if one.client in names or one.object_id == wanted), None)
    if found is None:
        raise Unfit(f"There is no user '{named}'. `linarite user list` shows those that there are.")
    return found


def _path(user: Principal) -> str:
    """How an entry names a user."""
    return f"/users/{user.client}"
