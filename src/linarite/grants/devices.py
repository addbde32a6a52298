"""The device code flow (RFC 8628): a program without a browser is signed in by its user on another machine.

The program holds the device code, the user types the user code. Both are tickets of one family; the user code is spent
when the user decides, and the device code when the program has its tokens.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from linarite.grants import tries
from linarite.grants.ask import Endpoint
from linarite.grants.asking import asking_client, client_named
from linarite.grants.browsers import session_of
from linarite.grants.delegation import Delegation, answer, consent_ticket, delegated
from linarite.grants.denied import Denied
from linarite.grants.denied.tickets import (
    code_redeemed,
    device_code_expired,
    device_code_unknown,
    device_declined,
    device_hasty,
    device_pending,
)
from linarite.grants.denied.users import consent_declined, session_missing
from linarite.grants.tickets import (
    LIFETIMES,
    Granted,
    Sort,
    digest_of,
    granted_with,
    new_family,
    new_text,
    new_user_code,
    ticket,
)
from linarite.grants.wishes import wished
from linarite.model import Deed
from linarite.store import tickets

if TYPE_CHECKING:
    from linarite.grants.azure_clients import Client
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body
    from linarite.store.tickets import Ticket
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

INTERVAL = 5
"""Seconds between two questions of a program, as it is told."""

MOST_OFTEN = 2.0
"""Seconds between them that are borne: clocks and networks are not exact."""

PAGE = "devicelogin"
"""Where the user types the code, below our origin."""


async def begun(service: TokenService, case: Case) -> Body:
    """Codes for a program and its user, and what the program tells the user.

    Raises:
        Denied: the program is unknown, or what it wishes cannot be had.
    """
    endpoint, form = case.ask.endpoint, case.form
    case.client = form.need("client_id")
    wish = wished(form, endpoint, service.authority)
    device, user_code, family = new_text(service.random), new_user_code(service.random), new_family(service.random)

    def work(transaction: Transaction) -> None:
        now, connection = service.clock(), transaction.connection()
        client = client_named(transaction, case.client, service.authority.tenant)
        granted = Granted(client.id, wish)
        case.audience = wish.audience
        tickets.add(connection, ticket(Sort.DEVICE, device.reveal(), family, granted, now=now), now)
        tickets.add(connection, ticket(Sort.USER_CODE, user_code, family, granted, now=now), now)

    await service.decided(case, work, Deed.WRITE)
    page = f"{service.authority.origin}/{PAGE}"
    seconds = int(LIFETIMES[Sort.DEVICE].total_seconds())
    is_v1 = endpoint is Endpoint.V1
    return {
        "user_code": user_code,
        "device_code": device.reveal(),
        "verification_url" if is_v1 else "verification_uri": page,
        "expires_in": str(seconds) if is_v1 else seconds,
        "interval": str(INTERVAL) if is_v1 else INTERVAL,
        "message": (
            f"To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
        ),
    }


async def device_code(service: TokenService, case: Case) -> Body:
    """Answer a program that asks whether its user has signed in.

    Raises:
        Denied: not yet, or asked too soon; or the user declined, or the code has ended or is none.
    """
    text = case.form.get("device_code") or case.form.need("code")
    client = await asking_client(service, case)

    def work(transaction: Transaction) -> Delegation | Denied:
        found = _found(service, transaction, Sort.DEVICE, text)
        granted = granted_with(found)
        if granted.client != client.id:
            raise device_code_unknown()
        if found.spent:
            tickets.spend_family(transaction.connection(), found.family)
            return code_redeemed()
        if found.principal is None:
            return _pending(service, transaction, found, granted)
        tickets.spend(transaction.connection(), found.digest)
        if granted.declined:
            return device_declined()
        return delegated(service, transaction, case, client, user=found.principal, granted=granted, family=found.family)

    return answer(service, case, await service.decided(case, work))


def _pending(service: TokenService, transaction: Transaction, found: Ticket, granted: Granted) -> Denied:
    now = service.clock().timestamp()
    hasty = now - granted.polled < MOST_OFTEN
    changed = msgspec.structs.replace(granted, polled=now)
    tickets.rewrite(transaction.connection(), replace(found, body=msgspec.json.encode(changed)))
    return device_hasty() if hasty else device_pending()


async def waiting(service: TokenService, case: Case, user_code: str) -> tuple[Client, Granted]:
    """The program that waits for a user code, and what it wishes.

    Raises:
        Denied: AADSTS70018, there is none; AADSTS70020, it has waited too long; AADSTS50053, from this address there
            came too many that are none.
    """
    codes = tries.codes(case.ask.address)

    def work(transaction: Transaction) -> tuple[Client, Granted] | Denied:
        denied = tries.held_up(transaction, service.clock(), codes)
        if denied is not None:
            return denied
        try:
            granted = granted_with(_waiting(service, transaction, user_code))
            return client_named(transaction, granted.client, service.authority.tenant), granted
        except Denied as wrong:
            tries.count(transaction, service.clock(), codes)
            return wrong

    # In the order of commits a right code that comes too late is no better than a wrong one.
    return await service.decided(case, work, None)


async def settle(service: TokenService, case: Case, user_code: str, session: str, *, declined: bool) -> None:
    """Let the user of a session decide, which is a consent too; the user code is spent with that.

    Raises:
        Denied: as `waiting` does; AADSTS50058, the session has ended; AADSTS65004, the user declined.
    """

    def work(transaction: Transaction) -> Denied | None:
        connection = transaction.connection()
        code = _waiting(service, transaction, user_code)
        case.principal = session_of(service, transaction, session)
        device = tickets.of_family(connection, code.family, Sort.DEVICE)
        if case.principal is None or device is None:
            raise session_missing()
        tickets.spend(connection, code.digest)
        changed = msgspec.structs.replace(granted_with(device), declined=declined)
        user = case.principal.object_id
        tickets.rewrite(connection, replace(device, principal=user, body=msgspec.json.encode(changed)))
        if declined:
            return consent_declined()
        client = client_named(transaction, changed.client, service.authority.tenant)
        tickets.add(connection, consent_ticket(service, client, user, changed.wish), service.clock())
        return None

    await service.decided(case, work)


def _waiting(service: TokenService, view: View, user_code: str) -> Ticket:
    """The ticket of a user code that nobody has decided about."""
    found = _found(service, view, Sort.USER_CODE, plain(user_code))
    if found.spent:
        raise device_code_unknown()
    return found


def plain(user_code: str) -> str:
    """A user code as it was given out: people type small letters, blanks and dashes."""
    return "".join(letter for letter in user_code.upper() if letter.isascii() and letter.isalnum())


def _found(service: TokenService, view: View, sort: Sort, text: str) -> Ticket:
    found = tickets.find(view.connection(), digest_of(sort, text))
    if found is None:
        raise device_code_unknown()
    if found.expires <= service.clock():
        raise device_code_expired()
    return found
