"""The grants `authorization_code` and `refresh_token`: something that was given out comes back, and counts once.

What comes back a second time was copied: everything of its family is revoked, whoever has it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from linarite.grants.asking import asking_client
from linarite.grants.delegation import Delegation, answer, delegated, wish_is_consented
from linarite.grants.denied.tickets import (
    code_redeemed,
    grant_expired,
    grant_invalid,
    grant_revoked,
    redirect_changed,
    verifier_wrong,
)
from linarite.grants.denied.users import consent_missing
from linarite.grants.tickets import Granted, Sort, digest_of, granted_with
from linarite.grants.wishes import wished
from linarite.store import tickets

if TYPE_CHECKING:
    from linarite.grants.ask import Form
    from linarite.grants.azure_clients import Client
    from linarite.grants.case import Case
    from linarite.grants.denied import Denied
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body
    from linarite.store.tickets import Ticket
    from linarite.store.transaction import Transaction


async def authorization_code(service: TokenService, case: Case) -> Body:
    """Redeem a code.

    Raises:
        Denied: the code is no code, or not this application's, or was redeemed; or the request is not the one that the
            code was given for.
    """
    code = case.form.need("code")
    case.form.need("redirect_uri")
    client = await asking_client(service, case)

    def work(transaction: Transaction) -> Delegation | Denied:
        found = _found(service, transaction, Sort.CODE, code)
        granted = granted_with(found)
        if found.spent:
            tickets.spend_family(transaction.connection(), found.family)
            return code_redeemed()
        # Whatever comes of it, this was the one time that the code is looked at.
        tickets.spend(transaction.connection(), found.digest)
        wrong = _wrong_with(granted, client, case.form)
        if wrong is not None or found.principal is None:
            return wrong or grant_invalid()
        return delegated(service, transaction, case, client, user=found.principal, granted=granted, family=found.family)

    return answer(service, case, await service.decided(case, work))


async def refresh_token(service: TokenService, case: Case) -> Body:
    """Exchange a refresh token for another one and an access token, for the same resource or another.

    Raises:
        Denied: the refresh token is none, or not this application's, or was used, ended or revoked.
    """
    text = case.form.need("refresh_token")
    client = await asking_client(service, case)

    def work(transaction: Transaction) -> Delegation | Denied:
        found = _found(service, transaction, Sort.REFRESH, text)
        granted = granted_with(found)
        if granted.client != client.id or found.principal is None:
            raise grant_invalid()
        if found.spent:
            tickets.spend_family(transaction.connection(), found.family)
            return grant_revoked()
        wish = wished(case.form, case.ask.endpoint, service.authority, granted.wish)
        if not wish_is_consented(service, transaction, client, found.principal, wish):
            raise consent_missing(client.id, client.name)
        tickets.spend(transaction.connection(), found.digest)
        renewed = Granted(client.id, wish)
        return delegated(service, transaction, case, client, user=found.principal, granted=renewed, family=found.family)

    return answer(service, case, await service.decided(case, work))


def _found(service: TokenService, transaction: Transaction, sort: Sort, text: str) -> Ticket:
    """The ticket behind a text.

    Raises:
        Denied: AADSTS70000, there is none; AADSTS70008, it has ended.
    """
    found = tickets.find(transaction.connection(), digest_of(sort, text))
    if found is None:
        raise grant_invalid()
    if found.expires <= service.clock():
        raise grant_expired()
    return found


def _wrong_with(granted: Granted, client: Client, form: Form) -> Denied | None:
    """What keeps a code from being redeemed by this request."""
    if granted.client != client.id:
        return grant_invalid()
    if granted.redirect != form.get("redirect_uri"):
        return redirect_changed(form.get("redirect_uri"))
    if not _matches(form.get("code_verifier"), granted.challenge):
        return verifier_wrong()
    return None


def _matches(verifier: str, challenge: str) -> bool:
    """RFC 7636, 4.6; a verifier without a challenge is wrong as well, for then somebody took the challenge away."""
    if not verifier or not challenge:
        return verifier == challenge
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())
