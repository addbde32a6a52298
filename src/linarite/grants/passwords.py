"""Users prove themselves with a password, and who guesses is held up: for a user's name, and for an address.

What is counted is counted in this process. Counting in the database would let a guesser write as fast as they guess.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from linarite.grants.denied.users import password_wrong, tried_too_often, user_disabled
from linarite.grants.users import PASSWORD
from linarite.model import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Principal, Secret
    from linarite.store.directory import Credential
    from linarite.store.view import View

OF_A_USER = 10
OF_AN_ADDRESS = 50
"""How many wrong ones in a row: for a user as in Entra's smart lockout."""

HELD_UP = timedelta(minutes=1)

_MOST_COUNTED = 10_000
_LONGEST_NAME = 256


class Tries:
    """Counts what was tried in vain."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, datetime]] = {}

    def require(self, subjects: Sequence[tuple[str, int]], now: datetime) -> None:
        """Refuse while one of the subjects was tried too often; each comes with how often is too often.

        Raises:
            Denied: AADSTS50053.
        """
        for subject, most in subjects:
            count, until = self._counted.get(subject, (0, now))
            if count >= most and now < until:
                raise tried_too_often()

    def failed(self, subjects: Sequence[tuple[str, int]], now: datetime) -> None:
        """Count a try; after a pause the count begins anew."""
        for subject, _ in subjects:
            count, until = self._counted.pop(subject, (0, now))
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.pop(next(iter(self._counted)))
            self._counted[subject] = (count + 1 if now < until else 1), now + HELD_UP

    def succeeded(self, user: str, address: str) -> None:
        """Forget what a user tried, and of an address this one try: it may guess at others."""
        self._counted.pop(user, None)
        if address in self._counted:
            count, until = self._counted[address]
            self._counted[address] = count - 1, until


async def proven_user(
    service: TokenService, case: Case, name: str, password: Secret
) -> tuple[Principal, Credential, int]:
    """The user of that name, proved by the password; with the credential, and the version in which it was so.

    Raises:
        Denied: AADSTS50126, there is no such user or it is another password; AADSTS50057, the user is disabled;
            AADSTS50053, it was tried too often.
    """
    now, user_name = service.clock(), name.strip().lower()[:_LONGEST_NAME]
    subjects = ((f"user:{user_name}", OF_A_USER), (f"address:{case.ask.address}", OF_AN_ADDRESS))
    service.tries.require(subjects, now)
    # Counted before it is proved, so that many at once are not let through by being quick.
    service.tries.failed(subjects, now)
    (user, credentials), version = await service.gate.look(lambda view: _user(view, user_name))
    proven = await service.proofs.find(password, credentials)
    if user is not None:
        case.client = user.client  # what was typed is not repeated: it may be a password in the wrong field
    if user is None or proven is None:
        raise password_wrong()
    service.tries.succeeded(*(subject for subject, _ in subjects))
    case.principal = user
    if user.disabled:
        raise user_disabled()
    return user, proven, version


def _user(view: View, name: str) -> tuple[Principal | None, tuple[Credential, ...]]:
    object_id = view.object_id(name) if name.isprintable() else None
    user = view.principal(object_id) if object_id else None
    if user is None or user.kind is not PrincipalKind.USER:
        return None, ()
    return user, tuple(one for one in view.credentials_of(user.object_id) if one.kind == PASSWORD)
