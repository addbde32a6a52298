"""Users prove themselves with a password, and who guesses is held up: for a user's name, and for an address.

A try is counted before it is proved, so that many at once are not let through by being quick: in one process or in
several, no more are proved than are borne. A password that this process has proved before is known to be right at once,
and need not be counted. Whether it comes too late is seen when it lets somebody in, in the order of commits, which is
also that in which others are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.grants import tries
from linarite.grants.denied.users import password_wrong, user_disabled
from linarite.grants.users import PASSWORD
from linarite.model import PrincipalKind

if TYPE_CHECKING:
    from linarite.grants.case import Case
    from linarite.grants.denied import Denied
    from linarite.grants.endpoint import TokenService
    from linarite.grants.tries import Subject
    from linarite.model import Principal, Secret
    from linarite.store.directory import Credential
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Proven:
    """A user, and the password that they have. It has let nobody in yet."""

    user: Principal
    credential: Credential
    name: Subject
    address: Subject
    counted: bool
    """Whether the try was counted as one in vain."""


async def proven_user(service: TokenService, case: Case, name: str, password: Secret) -> Proven:
    """The user of that name, proved by the password; what they get is theirs once `let_in` has nothing against it.

    Raises:
        Denied: AADSTS50126, there is no such user or it is another password; AADSTS50053, it was tried too often.
    """
    user_name = name.strip().lower()[:_LONGEST_NAME]
    subjects = tries.user(user_name), tries.address(case.ask.address)
    (user, credentials), _ = await service.gate.look(lambda view: _user(view, user_name))
    if user is not None:
        case.client = user.client  # what was typed is not repeated: it may be a password in the wrong field
    proven = service.proofs.recall(password, credentials)
    counted = proven is None
    if proven is None:
        await service.decided(case, lambda transaction: _counted(service, transaction, *subjects), None)
        proven = await service.proofs.find(password, credentials)
    if user is None or proven is None:
        raise password_wrong()
    return Proven(user, proven, *subjects, counted)


def _counted(service: TokenService, transaction: Transaction, *subjects: Subject) -> Denied | None:
    """Count a try, as long as that many are borne."""
    now = service.clock()
    denied = tries.held_up(transaction, now, *subjects)
    if denied is None:
        tries.count(transaction, now, *subjects)
    return denied


def let_in(service: TokenService, transaction: Transaction, case: Case, proven: Proven) -> Denied | None:
    """What there is against a user in spite of the right password: AADSTS50126, 50053 or 50057; else nothing.

    What was tried at the user is forgotten with that; of the address this one try is, for it may guess at others. So
    the unit of work gives the refusal, and does not raise it.
    """
    user = proven.user
    if proven.credential.id not in {one.id for one in transaction.credentials_of(user.object_id)}:
        return password_wrong()
    if not proven.counted:
        denied = tries.held_up(transaction, service.clock(), proven.name, proven.address)
        if denied is not None:
            return denied
    else:
        tries.take_back(transaction, proven.address)
    tries.forget(transaction, proven.name)
    case.principal = user
    return user_disabled() if user.disabled else None


def _user(view: View, name: str) -> tuple[Principal | None, tuple[Credential, ...]]:
    object_id = view.object_id(name) if name.isprintable() else None
    user = view.principal(object_id) if object_id else None
    if user is None or user.kind is not PrincipalKind.USER:
        return None, ()
    return user, tuple(one for one in view.credentials_of(user.object_id) if one.kind == PASSWORD)
