"""Applications that ask for a user: who they are, where answers for them may go, and whether they prove themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.grants.azure_clients import AZURE_CLIENTS, Client
from linarite.grants.clients import claimed_client, proven_client
from linarite.grants.denied.clients import client_disabled, client_public, client_unknown, client_unproven
from linarite.model import PrincipalKind
from linarite.store import tickets

if TYPE_CHECKING:
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.store.view import View

_LONGEST_ID = 128
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(/[!$-;=?-\[\]-~]*)?", re.IGNORECASE)

_SAFE = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[!$-;=?-\[\]-~]*)?")


def client_named(view: View, id_: str, tenant: str) -> Client:
    """The application of that id.

    Raises:
        Denied: AADSTS700016, there is none; AADSTS7000112, it is disabled.
    """
    name = id_.lower()
    if name in AZURE_CLIENTS:
        return AZURE_CLIENTS[name]
    object_id = view.object_id(name) if len(name) <= _LONGEST_ID and name.isprintable() else None
    principal = view.principal(object_id) if object_id else None
    if principal is None or principal.kind is not PrincipalKind.SERVICE_PRINCIPAL:
        raise client_unknown(id_, tenant)
    if principal.disabled:
        raise client_disabled(id_, principal.name)
    redirects = tickets.redirects_of(view.connection(), principal.object_id)
    public = not view.credentials_of(principal.object_id)
    return Client(principal.client, principal.name, redirects, public, principal)


async def asking_client(service: TokenService, case: Case) -> Client:
    """The application that asks at the token endpoint; one that has secrets proves one of them, and no other may.

    Raises:
        Denied: it is unknown or disabled, or proves nothing where it must, or anything where it cannot.
    """
    claimed = claimed_client(case.form, case.ask.authorization)
    case.client = claimed.client
    client, _ = await service.gate.look(lambda view: client_named(view, claimed.client, service.authority.tenant))
    proves = claimed.secret is not None or bool(case.form.get("client_assertion"))
    if client.public and proves:
        raise client_public()
    if not client.public:
        if not proves:
            raise client_unproven()
        await proven_client(service, case)
    case.client = client.id
    return client


def registered(redirect: str, client: Client) -> bool:
    """Whether answers may be sent there: exactly an address of the application, but for the port on loopback."""
    asked = _LOOPBACK.fullmatch(redirect)
    if asked is None:
        return redirect in client.redirects
    known = (_LOOPBACK.fullmatch(one) for one in client.redirects)
    return any(one is not None and _place(one) == _place(asked) for one in known)


def fit_redirect(address: str) -> bool:
    """Whether an address may be registered: over TLS, or on the user's machine."""
    return is_loopback(address) or _SAFE.fullmatch(address) is not None


def is_loopback(redirect: str) -> bool:
    """Whether an answer that goes there stays on the user's machine."""
    return _LOOPBACK.fullmatch(redirect) is not None


def _place(found: re.Match[str]) -> tuple[str, str]:
    return found[1].lower(), found[2] or "/"
