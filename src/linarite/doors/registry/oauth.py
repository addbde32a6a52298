"""The token service of the registry: `/oauth2/token` and `/oauth2/exchange`, as Azure documents them.

Docker's clients come with Basic credentials and GET, OAuth clients with a form and POST; Azure's clients first exchange
an Entra access token for a refresh token. This module knows no content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.doors.registry import scopes
from linarite.doors.registry.front import basic
from linarite.doors.registry.messages import json_answer
from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from linarite.doors.registry.desk import Credential, Reason
    from linarite.doors.registry.front import Front, Proof
    from linarite.doors.registry.messages import Answer, Request
    from linarite.doors.registry.refused import Refused

TOKEN = "/oauth2/token"  # noqa: S105 - a path
EXCHANGE = "/oauth2/exchange"

_NO_CACHE = [("Cache-Control", "no-store")]


async def answer(front: Front, request: Request) -> Answer:
    """Answer a request to one of the two paths.

    Raises:
        Refused: the credentials are wrong, or the request is not one of those that are known here.
    """
    match request.method, request.path:
        case "GET", "/oauth2/token":
            return await _token_for_docker(front, request)
        case "POST", "/oauth2/token":
            return await _token(front, request)
        case "POST", "/oauth2/exchange":
            return await _exchange(front, request)
    raise refused("UNSUPPORTED", headers=[("Allow", "GET, POST" if request.path == TOKEN else "POST")])


async def _token_for_docker(front: Front, request: Request) -> Answer:
    scheme, _, rest = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        raise await _turned_away(front, "anonymous", request)
    user, password = basic(rest)
    proof = await front.sign_in(request, user, password)
    if proof is None:
        raise await _turned_away(front, "password", request, user=user)
    return _access_token(front, request, proof, request.query.get("scope", []), all_of_it=True)


async def _token(front: Front, request: Request) -> Answer:
    form = await request.form()

    def first(name: str) -> str:
        return form.get(name, [""])[0]

    match first("grant_type"):
        case "refresh_token":
            token = front.mint.read(first("refresh_token"))
            if token is None or token.kind != "refresh_token":
                raise await _turned_away(front, "token", request)
            proof = await front.proof(token.credential)
            if proof is None:
                raise await _turned_away(front, "revoked", request, credential=token.credential)
        case "password":
            user = first("username")
            proof = await front.sign_in(request, user, first("password")) if user else None
            if proof is None:
                raise await _turned_away(front, "password" if user else "anonymous", request, user=user)
        case _:
            raise refused("UNSUPPORTED", status=400, message="grant_type must be refresh_token or password")
    return _access_token(front, request, proof, form.get("scope", []), all_of_it=False)


async def _exchange(front: Front, request: Request) -> Answer:
    form = await request.form()
    token = form.get("access_token", [""])[0]
    if form.get("grant_type", [""])[0] not in {"access_token", "access_token_refresh_token"} or not token:
        raise refused("UNSUPPORTED", status=400, message="grant_type must be access_token, and access_token be given")
    proof = await front.exchange(request, token)
    if proof is None:
        raise await _turned_away(front, "exchange", request)
    return json_answer({"refresh_token": front.mint.refresh(proof.credential, request.host)}, _NO_CACHE)


def _access_token(front: Front, request: Request, proof: Proof, scope: list[str], *, all_of_it: bool) -> Answer:
    asked = scopes.parse(scope)
    if proof.held is not None:
        asked, all_of_it = scopes.within(asked, proof.held), False
    access = scopes.granted(asked, proof.grant, all_of_it=all_of_it)
    return json_answer({"access_token": front.mint.access(proof.credential, access, request.host)}, _NO_CACHE)


async def _turned_away(
    front: Front, reason: Reason, request: Request, *, user: str | None = None, credential: Credential | None = None
) -> Refused:
    """The same words for every reason, and no challenge: there is nowhere else to go for a token."""
    await front.turn_away(reason, request, user=user, credential=credential)
    return refused("UNAUTHORIZED")
