"""Browsers: their sessions, and what they take back to an application once their user has signed in and consented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.grants.delegation import (
    Delegation,
    access_token,
    consent_ticket,
    delegated,
    id_token,
    wish_is_consented,
)
from linarite.grants.denied.users import consent_missing, session_missing
from linarite.grants.passwords import let_in, proven_user
from linarite.grants.tickets import Granted, Sort, digest_of, new_family, new_text, ticket
from linarite.model import Deed, Principal, Secret
from linarite.store import tickets

if TYPE_CHECKING:
    from linarite.grants.authorization import Asked
    from linarite.grants.case import Case
    from linarite.grants.denied import Denied
    from linarite.grants.endpoint import TokenService
    from linarite.grants.wishes import Wish
    from linarite.store.transaction import Transaction
    from linarite.store.view import View


async def session(service: TokenService, text: str) -> Principal | None:
    """Whose session a browser has; None where it has none that counts."""
    if not text:
        return None
    found, _ = await service.gate.look(lambda view: session_of(service, view, text))
    return found


async def signed_in(service: TokenService, case: Case, name: str, password: Secret, before: str) -> Secret:
    """Begin a session for a user who proves to be one, in the place of the session that the browser had before.

    Raises:
        Denied: as `proven_user` does, or what `let_in` has against it.
    """
    proven = await proven_user(service, case, name, password)
    text = new_text(service.random)

    def work(transaction: Transaction) -> Denied | None:
        denied = let_in(service, transaction, case, proven)
        if denied is not None:
            return denied
        now, connection = service.clock(), transaction.connection()
        tickets.spend(connection, digest_of(Sort.SESSION, before))
        family = new_family(service.random)
        begun = ticket(Sort.SESSION, text.reveal(), family, Granted(), now=now, user=proven.user.object_id)
        tickets.add(connection, begun, now)
        return None

    await service.decided(case, work)
    return text


async def signed_out(service: TokenService, case: Case, text: str) -> None:
    """End a browser's session."""

    def work(transaction: Transaction) -> None:
        case.principal = session_of(service, transaction, text)
        tickets.spend(transaction.connection(), digest_of(Sort.SESSION, text))

    await service.decided(case, work, Deed.WRITE)


async def needs_consent(service: TokenService, asked: Asked, user: Principal) -> bool:
    """Whether the user has to be asked first."""
    if "consent" in asked.prompts:
        return True
    wish = asked.granted.wish
    answer, _ = await service.gate.look(
        lambda view: wish_is_consented(service, view, asked.client, user.object_id, wish)
    )
    return not answer


async def answered(
    service: TokenService, case: Case, asked: Asked, session_text: str, *, consents: bool = False
) -> dict[str, str]:
    """What the browser takes back to the application; the sign-in is on the trail.

    Raises:
        Denied: AADSTS50058, the session has ended; AADSTS65001, the user has not consented.
    """
    granted, client = asked.granted, asked.client
    code, family = new_text(service.random), new_family(service.random)

    def work(transaction: Transaction) -> Delegation:
        now, connection = service.clock(), transaction.connection()
        user = session_of(service, transaction, session_text)
        if user is None:
            raise session_missing()
        case.principal = user
        if consents:
            tickets.add(connection, consent_ticket(service, client, user.object_id, granted.wish), now)
        elif not wish_is_consented(service, transaction, client, user.object_id, granted.wish):
            raise consent_missing(client.id, client.name)
        if "code" in asked.types:
            new = ticket(Sort.CODE, code.reveal(), family, granted, now=now, user=user.object_id)
            tickets.add(connection, new, now)
        front = msgspec.structs.replace(granted, wish=_at_once(granted.wish))
        return delegated(service, transaction, case, client, user=user.object_id, granted=front, family=family)

    made = await service.decided(case, work)
    return _parameters(service, asked, made, code.reveal())


def _at_once(wish: Wish) -> Wish:
    """What is granted through the browser itself: who the user is, always, and never a refresh token."""
    about = dict.fromkeys(("openid", *(one for one in wish.about if one != "offline_access")))
    return msgspec.structs.replace(wish, about=tuple(about))


def _parameters(service: TokenService, asked: Asked, made: Delegation, code: str) -> dict[str, str]:
    answer, beside = {}, {}
    if "code" in asked.types:
        answer["code"] = beside["c_hash"] = code
    if "token" in asked.types:
        token, claims = access_token(service, made)
        beside["at_hash"] = token
        answer |= {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": str(claims["exp"] - claims["iat"]),
            "scope": made.granted.wish.answered,
        }
    if "id_token" in asked.types:
        answer["id_token"] = id_token(service, asked.endpoint, made, **beside)
    return answer


def session_of(service: TokenService, view: View, text: str) -> Principal | None:
    """Whose session it is in one state; None where it counts no more."""
    found = tickets.find(view.connection(), digest_of(Sort.SESSION, text))
    if found is None or found.spent or found.principal is None or found.expires <= service.clock():
        return None
    user = view.principal(found.principal)
    return user if user is not None and not user.disabled else None
