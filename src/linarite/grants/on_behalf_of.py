"""The grant `jwt-bearer`: an application that a user came to with a token goes on to another resource for that user.

What it gets says the same user, and itself as the application. It must prove itself, and have consent for the resource,
as any application that asks for the user (Microsoft's "OAuth 2.0 On-Behalf-Of flow").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import Unauthenticated
from linarite.grants.asking import asking_client
from linarite.grants.delegation import Delegation, answer, delegated, wish_is_consented
from linarite.grants.denied.clients import client_unproven
from linarite.grants.denied.requests import request_malformed
from linarite.grants.denied.users import (
    consent_missing,
    user_assertion_ended,
    user_assertion_for_another,
    user_assertion_wrong,
)
from linarite.grants.tickets import Granted, new_family
from linarite.grants.wishes import wished
from linarite.tokens import Reader

if TYPE_CHECKING:
    from linarite.grants.azure_clients import Client
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body
    from linarite.store.transaction import Transaction
    from linarite.tokens import Claims

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def on_behalf_of(service: TokenService, case: Case) -> Body:
    """The answer with a token for the user of another token.

    Raises:
        Denied: the application proves nothing, has no consent, or the token is no user's, or not for it.
    """
    if case.form.need("requested_token_use") != "on_behalf_of":
        raise request_malformed("The 'requested_token_use' must be 'on_behalf_of'.")
    assertion = case.form.need("assertion")
    client = await asking_client(service, case)
    if client.public:
        raise client_unproven()
    wish = wished(case.form, case.ask.endpoint, service.authority)
    claims = await _claims(service, client, assertion)

    def work(transaction: Transaction) -> Delegation:
        if not wish_is_consented(service, transaction, client, claims.object_id, wish):
            raise consent_missing(client.id, client.name)
        granted, family = Granted(client.id, wish), new_family(service.random)
        return delegated(service, transaction, case, client, user=claims.object_id, granted=granted, family=family)

    return answer(service, case, await service.decided(case, work))


async def _claims(service: TokenService, client: Client, assertion: str) -> Claims:
    """What a user's token says that is for the application, or for Resource Manager."""
    audiences = (client.id, f"api://{client.id}", *service.authority.audiences)
    reader = Reader(service.authority, service.clock, audiences)
    keys, _ = await service.gate.look(lambda view: view.signing_keys())
    try:
        claims = reader.read(f"Bearer {assertion}", keys)
    except Unauthenticated as error:
        if error.code == "ExpiredAuthenticationToken":
            raise user_assertion_ended() from None
        if error.code == "InvalidAuthenticationTokenAudience":
            raise user_assertion_for_another(client.id, client.name) from None
        raise user_assertion_wrong() from None
    if claims.all.get("idtyp") != "user" or not claims.all.get("scp"):
        raise user_assertion_wrong("The token is not a user's.")
    return claims
