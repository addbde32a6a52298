"""Who guesses is held up: after so many tries in vain in a row, for a minute.

Tries are counted in the database, in units of work, so they count for all processes and over restarts, and those that
arrive at the same time stand in one order. Kept is a digest that only the keyring can make, for what is typed into the
field of a name may be a password.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from linarite.grants.denied.users import tried_too_often
from linarite.store import tries

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.grants.denied import Denied
    from linarite.store.transaction import Transaction

OF_A_USER = 10
"""As in Entra's smart lockout."""
OF_AN_ADDRESS = 50
CODES_OF_AN_ADDRESS = 20

HELD_UP = timedelta(minutes=1)


class Subject(NamedTuple):
    """What is counted together, and how many tries in vain are borne."""

    name: str
    most: int


def user(name: str) -> Subject:
    """Passwords for a user's name, from anywhere."""
    return Subject(f"user:{name}", OF_A_USER)


def address(text: str) -> Subject:
    """Passwords from an address, for anybody."""
    return Subject(f"address:{text}", OF_AN_ADDRESS)


def codes(address: str) -> Subject:
    """Codes of devices from an address."""
    return Subject(f"codes:{address}", CODES_OF_AN_ADDRESS)


def held_up(transaction: Transaction, now: datetime, *subjects: Subject) -> Denied | None:
    """AADSTS50053 while one of the subjects was tried too often."""
    for one in subjects:
        if tries.times(transaction.connection(), _digest(transaction, one), now) >= one.most:
            return tried_too_often()
    return None


def count(transaction: Transaction, now: datetime, *subjects: Subject) -> None:
    """Count a try; after a pause the count begins anew."""
    for one in subjects:
        tries.add(transaction.connection(), _digest(transaction, one), now, now + HELD_UP)


def take_back(transaction: Transaction, subject: Subject) -> None:
    """Count no more what was not in vain."""
    tries.take_back(transaction.connection(), _digest(transaction, subject))


def forget(transaction: Transaction, subject: Subject) -> None:
    """Count anew what was tried at last with success."""
    tries.forget(transaction.connection(), _digest(transaction, subject))


def _digest(transaction: Transaction, subject: Subject) -> bytes:
    return transaction.keyring.digest(subject.name, "tries")
