"""What an application gets that acts for a user: access, ID and refresh token, and how the answer shows them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from linarite.grants.ask import Endpoint
from linarite.grants.denied.clients import client_unknown
from linarite.grants.denied.scopes import resource_unknown
from linarite.grants.denied.users import user_disabled
from linarite.grants.signer import newest_key
from linarite.grants.tickets import Granted, Sort, digest_of, new_text, ticket
from linarite.grants.wishes import application_of
from linarite.store import tickets
from linarite.tokens.minting import delegated_claims, mint, pairwise

if TYPE_CHECKING:
    from linarite.grants.azure_clients import Client
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.grants.wishes import Wish
    from linarite.model import Body, Principal, Secret
    from linarite.store.directory import SigningKey
    from linarite.store.transaction import Transaction
    from linarite.store.view import View


@dataclass(frozen=True, slots=True)
class Delegation:
    """A user's leave for an application, as one committed state has it."""

    user: Principal
    client: Client
    granted: Granted
    key: SigningKey
    """What signs, in that state."""
    proof: str
    """How the application proved itself, as `appidacr` says it: `0` if not at all."""
    refresh: Secret | None = None


def delegated(
    service: TokenService,
    transaction: Transaction,
    case: Case,
    client: Client,
    *,
    user: str,
    granted: Granted,
    family: str,
) -> Delegation:
    """Give an application leave to act for a user, by object id; with a refresh token, if it wished for one.

    Raises:
        Denied: AADSTS50057 and AADSTS700016, the user or the application may not sign in any more.
    """
    application = client.principal and transaction.principal(client.principal.object_id)
    if client.principal is not None and (application is None or application.disabled):
        raise client_unknown(client.id, service.authority.tenant)
    found = transaction.principal(user)
    if found is None or found.disabled:
        raise user_disabled()
    case.principal, case.audience = found, granted.wish.audience
    application_wanted = application_of(granted.wish.audience)
    if application_wanted and transaction.object_id(application_wanted) is None:
        raise resource_unknown(granted.wish.audience, service.authority.tenant)
    refresh = None
    if "offline_access" in granted.wish.about:
        refresh = new_text(service.random)
        kept = Granted(client.id, granted.wish)
        now = service.clock()
        tickets.add(
            transaction.connection(),
            ticket(Sort.REFRESH, refresh.reveal(), family, kept, now=now, user=user),
            now,
        )
    key = newest_key(transaction)
    return Delegation(found, client, granted, key, "0" if client.public else case.proof, refresh)


def answer(service: TokenService, case: Case, made: Delegation) -> Body:
    """The answer of the token endpoint, in the endpoint's own way."""
    endpoint, wish = case.ask.endpoint, made.granted.wish
    token, claims = access_token(service, made)
    seconds: Any = claims["exp"] - claims["iat"]
    seconds = str(seconds) if endpoint is Endpoint.V1 else seconds
    body: Body = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds}
    by_resource = endpoint is Endpoint.V1 or bool(case.form.get("resource"))
    body["scope"] = wish.spoken if by_resource else wish.answered
    if by_resource:
        body |= {"expires_on": str(claims["exp"]), "not_before": str(claims["nbf"]), "resource": wish.audience}
    body["access_token"] = token
    if made.refresh is not None:
        body["refresh_token"] = made.refresh.reveal()
    if "openid" in wish.about:
        body["id_token"] = id_token(service, endpoint, made)
    if case.form.get("client_info") == "1":
        info = {"uid": made.user.object_id, "utid": service.authority.tenant}
        body["client_info"] = _unpadded(orjson.dumps(info))
    return body


def access_token(service: TokenService, made: Delegation) -> tuple[str, dict[str, Any]]:
    """The access token, and its claims."""
    claims = delegated_claims(
        service.authority,
        made.user,
        made.granted.wish.audience,
        client=made.client.id,
        public=made.client.public,
        scope=made.granted.wish.spoken,
        now=service.clock(),
        lifetime=service.lifetime,
        uti=service.new_uti(),
    )
    claims["appidacr"] = made.proof
    return mint(service.signer.half(made.key), claims), claims


def id_token(service: TokenService, endpoint: Endpoint, made: Delegation, **beside: str) -> str:
    """Who the user is, said to the application; `beside` are texts that it vouches for: `at_hash` and `c_hash`."""
    user, authority, wish = made.user, service.authority, made.granted.wish
    start = int(service.clock().timestamp())
    claims: dict[str, Any] = {
        "aud": made.client.id,
        "iss": f"{authority.url}/v2.0" if endpoint is Endpoint.V2 else authority.issuer,
        "iat": start,
        "nbf": start,
        "exp": start + int(service.lifetime.total_seconds()),
        "oid": user.object_id,
        "sub": pairwise(user, made.client.id),
        "tid": authority.tenant,
        "uti": service.new_uti(),
        "ver": "2.0" if endpoint is Endpoint.V2 else "1.0",
    }
    if "profile" in wish.about:
        claims |= {"name": user.name, "preferred_username": user.client}
    if endpoint is not Endpoint.V2:
        claims |= {"amr": ["pwd"], "name": user.name, "unique_name": user.client, "upn": user.client}
    if made.granted.nonce:
        claims["nonce"] = made.granted.nonce
    return mint(service.signer.half(made.key), claims | {name: _half_of_a_hash(text) for name, text in beside.items()})


def wish_is_consented(service: TokenService, view: View, client: Client, user: str, wish: Wish) -> bool:
    """Whether the user let the application do this before, or the operator everything; Azure's own need not ask."""
    if client.principal is None:
        return True
    digests = (consent_ticket(service, client, user, wish).digest, digest_of(Sort.CONSENT, for_everybody(client.id)))
    held = [tickets.find(view.connection(), digest) for digest in digests]
    return any(one is not None and not one.spent and one.expires > service.clock() for one in held)


def for_everybody(client: str) -> str:
    """By what the operator's consent is found: that an application may do everything for everybody."""
    return f"* {client}"


def consent_ticket(service: TokenService, client: Client, user: str, wish: Wish) -> tickets.Ticket:
    """A user's consent to what an application wishes: it is found by what it says."""
    said = f"{user} {client.id} {wish.audience.rstrip('/')} {' '.join(sorted(wish.scopes))}"
    return ticket(Sort.CONSENT, said, client.id, Granted(client.id, wish), now=service.clock(), user=user)


def _half_of_a_hash(text: str) -> str:
    """OpenID Connect Core, 3.3.2.11."""
    return _unpadded(hashlib.sha256(text.encode()).digest()[:16])


def _unpadded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
