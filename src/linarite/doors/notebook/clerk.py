"""The clerk at the notebook door's desk: whose key it is, from the newest committed state.

Azure does not document what notebook keys open; here either of them, and an access token that the primary one signed,
opens the notebook door. Whatever was shown is looked up again at every request, so it stops counting with the commit
that takes the workspace or its key away.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import partial
from typing import TYPE_CHECKING

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from linarite.doors import behind
from linarite.doors.clerks import record
from linarite.doors.notebook.desk import Pass
from linarite.ids import parse_id
from linarite.kinds.workspaces.notebook import KEYS, SCOPE

if TYPE_CHECKING:
    from linarite.doors.notebook.desk import Visit
    from linarite.engine import Engine
    from linarite.store.view import View

ACTION = f"{behind.WORKSPACES}/notebooks/signIn"
"""Named by us, as what notebook keys open is: Azure lists no operation for it."""

_SIGNS = KEYS["primaryAccessKey"]
_PARTS_OF_A_JWT = 3
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError)


class NotebookClerk:
    """Knows which workspace a key belongs to, and whether it still does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hints: dict[bytes, str] = {}
        """Digest of a key that once opened the door → key of its workspace: where to look first, and no answer."""

    async def admit(self, unverified_token: str, visit: Visit) -> Pass | None:
        """The pass of whoever shows a notebook key or an access token; a refusal goes on the trail."""
        digest = hashlib.sha256(unverified_token.encode(errors="surrogatepass")).digest()
        found, _ = await self._engine.gate.look(partial(self._holder, unverified_token, self._hints.get(digest)))
        if found is None:
            self._hints.pop(digest, None)
            await self._refuse(visit, "")
        elif found.expires is None:
            self._hints[digest] = found.workspace
        return found

    async def still(self, shown: Pass, visit: Visit | None) -> bool:
        """Whether the key behind a pass is what it was; a visit that is refused goes on the trail."""

        def question(view: View) -> bool:
            key = _keys(view, shown.workspace).get(shown.key)
            return key is not None and hmac.compare_digest(_mark(key), shown.mark)

        good, _ = await self._engine.gate.look(question)
        good = good and not self._is_over(shown.expires)
        if not good and visit is not None:
            await self._refuse(visit, shown.holder)
        return good

    def _holder(self, unverified_token: str, hint: str | None, view: View) -> Pass | None:
        if unverified_token.count(".") == _PARTS_OF_A_JWT - 1:
            return self._bearer(view, unverified_token)
        found = _matching(view, hint, unverified_token) if hint is not None else None
        if found is not None:
            return found
        for workspace in behind.everyone(view, behind.WORKSPACES):
            found = found or _matching(view, workspace.key, unverified_token)
        return found

    def _bearer(self, view: View, unverified_token: str) -> Pass | None:
        """The pass behind an access token, which says itself whose primary key has to have signed it."""
        try:
            unverified = json.loads(jws.extract_compact(unverified_token.encode()).payload)
            id_ = parse_id(str(unverified["aud"]))
            key = _keys(view, id_.key).get(_SIGNS) if id_ is not None else None
            if id_ is None or key is None:
                return None
            claims = jwt.decode(unverified_token, OctKey.import_key(key), algorithms=["HS256"]).claims
            shown = Pass(id_.key, _SIGNS, _mark(key), str(claims["sub"]), int(claims["exp"]))
        except _MALFORMED:
            return None
        return shown if claims.get("scp") == SCOPE and not self._is_over(shown.expires) else None

    def _is_over(self, expires: int | None) -> bool:
        return expires is not None and expires <= self._engine.clock().timestamp()

    async def _refuse(self, visit: Visit, caller: str) -> None:
        await record(
            self._engine,
            action=ACTION,
            target=f"{visit.method} {visit.path}"[:1024],
            caller=caller,
            status=403,
            code="AuthenticationFailed",
            address=visit.address,
        )


def _keys(view: View, workspace: str) -> dict[str, str]:
    """The notebook keys of a workspace by the names they are kept under; none of one that is gone or deleted."""
    if behind.standing(view, workspace) is None:
        return {}
    kept = view.secrets(workspace)
    return {name: kept[name].reveal() for name in KEYS.values() if name in kept}


def _matching(view: View, workspace: str, unverified_token: str) -> Pass | None:
    shown = unverified_token.encode(errors="surrogatepass")
    for name, key in _keys(view, workspace).items():
        if hmac.compare_digest(key.encode(), shown):
            return Pass(workspace, name, _mark(key))
    return None


def _mark(key: str) -> str:
    """Changes with the key and tells nothing of it: a key is 30 random bytes."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
