"""Who a user is, told to whoever has a token of theirs for Graph: OpenID's userinfo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors import Unauthenticated
from linarite.grants.denied.users import token_unusable
from linarite.grants.wishes import GRAPH
from linarite.tokens import Reader
from linarite.tokens.minting import pairwise

if TYPE_CHECKING:
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body


async def user_info(service: TokenService, case: Case) -> Body:
    """What is known of the user.

    Raises:
        Denied: the token cannot be used for it.
    """
    reader = Reader(service.authority, service.clock, (GRAPH, f"{GRAPH}/"))
    keys, _ = await service.gate.look(lambda view: view.signing_keys())
    try:
        claims = reader.read(case.ask.authorization, keys)
    except Unauthenticated:
        raise token_unusable() from None
    user, _ = await service.gate.look(lambda view: view.principal(claims.object_id))
    if user is None or user.disabled or "openid" not in str(claims.all.get("scp", "")).split():
        raise token_unusable()
    return {"sub": pairwise(user, str(claims.all["appid"])), "name": user.name, "preferred_username": user.client}
