"""Which application asks, by its own word, and whether it proves to be that application.

Every grant of an application starts here; how a secret is proved is `proofs`' matter, and an assertion `assertions`'.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from linarite.grants import assertions
from linarite.grants.denied.clients import client_disabled, client_unknown, secret_expired, secret_missing, secret_wrong
from linarite.grants.denied.requests import request_malformed
from linarite.model import PrincipalKind, Secret

if TYPE_CHECKING:
    from linarite.grants.ask import Form
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Principal
    from linarite.store.directory import Credential
    from linarite.store.view import View

BY_ASSERTION = "2"
"""`appidacr` of a token that was had without a secret."""

_LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who a client says it is, and its secret where it sent one."""

    client: str
    secret: Secret | None


def claimed_client(form: Form, authorization: str | None) -> Claimed:
    """The client of a request: named in the form, or in a Basic header (RFC 6749, 2.3.1), never in two different ways.

    Raises:
        Denied: AADSTS900144, no client is named; AADSTS9002313, the form and the header both say something.
    """
    basic = _basic(authorization)
    if basic is None:
        return Claimed(form.need("client_id"), form.secret("client_secret"))
    if form.get("client_secret") or form.get("client_id") not in {"", basic.client}:
        raise request_malformed("The client authenticates in the header and in the body.")
    return basic


async def proven_client(service: TokenService, case: Case) -> tuple[Principal, int]:
    """The application that asks, proved by its secret or an assertion, and the version of the state in which it was so.

    An unknown application takes as long as a wrong secret; the service's words, which are Entra's, do tell them apart.

    Raises:
        Denied: the application is unknown or disabled, or what it proves itself with is missing, wrong or expired.
    """
    claimed = claimed_client(case.form, case.ask.authorization)
    case.client = claimed.client
    asserted = bool(case.form.get("client_assertion"))
    if asserted and claimed.secret is not None:
        raise request_malformed("The client authenticates with an assertion and with a secret.")
    if not asserted and claimed.secret is None:
        raise secret_missing(case.grant_type)
    (principal, credentials), version = await service.gate.look(lambda view: _registered(view, claimed.client))
    proven = None if claimed.secret is None else await service.proofs.find(claimed.secret, _secrets(credentials))
    if principal is None:
        raise client_unknown(claimed.client, service.authority.tenant)
    if asserted:
        await assertions.prove(service, case, claimed.client, credentials)
        case.proof = BY_ASSERTION
    elif proven is None:
        raise secret_wrong(claimed.client)
    case.principal = principal
    if proven is not None and proven.expires is not None and proven.expires <= service.clock():
        raise secret_expired(claimed.client)
    if principal.disabled:
        raise client_disabled(claimed.client, principal.name)
    return principal, version


def _secrets(credentials: tuple[Credential, ...]) -> tuple[Credential, ...]:
    return tuple(one for one in credentials if one.kind == "secret")


def _registered(view: View, client: str) -> tuple[Principal | None, tuple[Credential, ...]]:
    """The application with that id, and its credentials; no database is asked about what cannot be an id."""
    name = client.lower()
    if len(name) > _LONGEST_ID or not name.isprintable():
        return None, ()
    object_id = view.object_id(name)
    principal = view.principal(object_id) if object_id else None
    if principal is None or principal.kind is not PrincipalKind.SERVICE_PRINCIPAL:
        return None, ()
    return principal, view.credentials_of(principal.object_id)


def _basic(authorization: str | None) -> Claimed | None:
    """What a Basic header says; None where there is none that can be read."""
    scheme, _, text = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, colon, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    if not colon or not client:
        return None
    # The two halves are encoded like a form's values, so that either may hold a colon.
    return Claimed(unquote_plus(client), Secret(unquote_plus(secret)) if secret else None)
