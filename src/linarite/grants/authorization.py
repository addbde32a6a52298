"""Authorization requests: what a browser brings from an application, and whether it may be answered.

First it is decided where an answer may go: until that is known, nothing is sent anywhere. Nothing here knows pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.grants.asking import client_named, is_loopback, registered
from linarite.grants.denied.authorization import (
    challenge_missing,
    challenge_unsupported,
    prompt_unsupported,
    redirect_missing,
    redirect_unregistered,
    response_mode_unsupported,
)
from linarite.grants.denied.requests import response_unsupported
from linarite.grants.tickets import Granted
from linarite.grants.wishes import wished

if TYPE_CHECKING:
    from linarite.grants.ask import Endpoint, Form
    from linarite.grants.azure_clients import Client
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService

MODES = ("query", "fragment", "form_post")
PROMPTS = frozenset({"none", "login", "select_account", "consent", "create", "admin_consent"})
TYPES = ("code", "id_token", "code id_token", "token", "id_token token")
"""The response types, as Entra has them; their words may come in any order."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Back:
    """Where an answer goes, and how."""

    redirect: str
    mode: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that may be answered."""

    client: Client
    back: Back
    endpoint: Endpoint
    types: frozenset[str]
    """Of `code`, `token` and `id_token`."""
    granted: Granted
    prompts: frozenset[str]
    hint: str
    """The user's name, as the application believes it to be."""


async def way_back(service: TokenService, case: Case) -> tuple[Client, Back]:
    """The application that asks, and where its answer goes.

    Raises:
        Denied: the application is unknown, or the address is none of its own; tell the user, and nobody else.
    """
    form = case.form
    case.client = form.need("client_id")
    client, _ = await service.gate.look(lambda view: client_named(view, case.client, service.authority.tenant))
    redirect = form.get("redirect_uri")
    if not redirect:
        raise redirect_missing()
    if not registered(redirect, client):
        raise redirect_unregistered(redirect, client.id)
    asked, usual = form.get("response_mode"), "query" if form.get("response_type") in {"", "code"} else "fragment"
    return client, Back(redirect, asked if asked in MODES else usual, form.values.get("state"))


def understood(service: TokenService, case: Case, client: Client, back: Back) -> Asked:
    """What is asked for.

    Raises:
        Denied: it cannot be had; tell the application.
    """
    form, endpoint = case.form, case.ask.endpoint
    types = _types(form, implicit=service.implicit)
    mode = form.get("response_mode")
    if mode and (mode not in MODES or (mode == "query" and types != {"code"})):
        raise response_mode_unsupported(mode)
    prompts = frozenset(form.get("prompt").split())
    if strange := prompts - PROMPTS:
        raise prompt_unsupported(" ".join(sorted(strange)))
    if "id_token" in types:
        form.need("nonce")
    wish = wished(form, endpoint, service.authority)
    case.audience = wish.audience
    granted = Granted(client.id, wish, back.redirect, _challenge(form, types, client, back), form.get("nonce"))
    return Asked(client, back, endpoint, types, granted, prompts, form.get("login_hint"))


def _types(form: Form, *, implicit: bool) -> frozenset[str]:
    words = form.need("response_type")
    types = frozenset(words.split())
    if types not in {frozenset(one.split()) for one in TYPES} or (types != {"code"} and not implicit):
        raise response_unsupported(words)
    return types


def _challenge(form: Form, types: frozenset[str], client: Client, back: Back) -> str:
    """PKCE's challenge: S256 alone. A public client whose answer leaves the user's machine must have one."""
    challenge = form.get("code_challenge")
    if not challenge:
        if "code" in types and client.public and not is_loopback(back.redirect):
            raise challenge_missing()
        return ""
    if form.get("code_challenge_method") != "S256":
        raise challenge_unsupported("code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise challenge_unsupported("it is no SHA-256 in base64url.")
    return challenge
