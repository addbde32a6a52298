"""The desk of Microsoft Graph: which operation a request asks for, who asks, and the entry that goes before the answer.

Plain looks leave no entry. A change is committed together with its entry, and a refusal is durable on the trail before
it is said.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.calls import entry_of
from linarite.errors import Refusal, Unauthenticated
from linarite.grants import hash_secret, new_secret
from linarite.graph import operations
from linarite.graph.objects import APPLICATIONS, SERVICE_PRINCIPALS, USERS
from linarite.graph.refusals import method_unknown, segment_unknown, token_refused
from linarite.graph.visit import Fresh, Visit
from linarite.ids import new_guid
from linarite.model import Entry, Secret
from linarite.tokens import Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from linarite.calls import Call
    from linarite.model import Answer, Principal
    from linarite.seal import Random
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from linarite.tokens import Authority

VERSIONS = ("v1.0", "beta")
"""What a path goes on with after `/graph`; both are served alike."""

_ITEM = re.compile(r"(?P<collection>\w+)\((?P<key>[^()]+)\)")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: what the trail calls it, what it does, and whether it changes anything."""

    action: str
    run: Callable[[Visit], Answer]
    changes: bool = False


def _of(collection: str, *, owned: bool) -> dict[tuple[str, str], Operation]:
    """The operations of a collection, by method and pattern of the path; `owned` ones can be changed."""
    named = f"Microsoft.Graph/{collection}"
    looking = {
        ("GET", collection): Operation(f"{named}/read", operations.list_),
        ("GET", f"{collection}/*"): Operation(f"{named}/read", operations.get),
    }
    if not owned:
        return looking
    return looking | {
        ("GET", f"{collection}/*/owners"): Operation(f"{named}/owners/read", operations.none),
        ("PATCH", f"{collection}/*"): Operation(f"{named}/write", operations.rename, changes=True),
        ("DELETE", f"{collection}/*"): Operation(f"{named}/delete", operations.remove, changes=True),
        ("POST", f"{collection}/*/addPassword"): Operation(
            f"{named}/addPassword/action", operations.add_password, changes=True
        ),
        ("POST", f"{collection}/*/removePassword"): Operation(
            f"{named}/removePassword/action", operations.remove_password, changes=True
        ),
    }


_OBJECTS = "Microsoft.Graph/directoryObjects"
TABLE: dict[tuple[str, str], Operation] = {
    ("GET", "me"): Operation("Microsoft.Graph/users/read", operations.me),
    ("GET", "me/ownedObjects"): Operation(f"{_OBJECTS}/read", operations.none),
    **_of(USERS, owned=False),
    **_of(SERVICE_PRINCIPALS, owned=True),
    **_of(APPLICATIONS, owned=True),
    ("POST", SERVICE_PRINCIPALS): Operation(
        f"Microsoft.Graph/{SERVICE_PRINCIPALS}/write", operations.create_service_principal, changes=True
    ),
    ("POST", APPLICATIONS): Operation(
        f"Microsoft.Graph/{APPLICATIONS}/write", operations.create_application, changes=True
    ),
    ("GET", "groups"): Operation("Microsoft.Graph/groups/read", operations.none),
    ("GET", "directoryObjects/*"): Operation(f"{_OBJECTS}/read", operations.get_object),
    ("POST", "directoryObjects/getByIds"): Operation(f"{_OBJECTS}/read", operations.get_by_ids),
    ("POST", "directoryObjects/*/getMemberGroups"): Operation(f"{_OBJECTS}/read", operations.none),
}
"""Every operation, by method and pattern: `*` stands for what names one object."""

_OPERATIONS = {(method, pattern.lower()): one for (method, pattern), one in TABLE.items()}
_COLLECTIONS = {one.lower(): one for one in (USERS, SERVICE_PRINCIPALS, APPLICATIONS)}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks, from names alone."""

    operation: Operation
    collection: str = ""
    id: str = ""


@dataclass(slots=True)
class _Case:
    """What turned out while a call was decided, for the trail."""

    caller: Principal | None = None
    about: Principal | None = None

    def tell(self, principal: Principal) -> None:
        self.about = principal


class Graph:
    """Serves calls over one gate."""

    def __init__(
        self,
        gate: Gate,
        authority: Authority,
        clock: Callable[[], datetime],
        *,
        kept: frozenset[str] = frozenset(),
        random: Random = os.urandom,
    ) -> None:
        """`kept` are principals that nobody changes over this way."""
        self._gate = gate
        self._reader = Reader(authority, clock, authority.graph_audiences)
        self._clock = clock
        self._kept = kept
        self._random = random

    def now(self) -> str:
        """The time, as refusals say it."""
        return self._clock().strftime("%Y-%m-%dT%H:%M:%S")

    async def serve(self, call: Call) -> Answer:
        """Answer a call; its path begins with `/graph`.

        Raises:
            Refusal: it is refused, in Graph's words; the refusal is on the trail.
        """
        case = _Case()
        asked: Asked | Refusal
        try:
            asked = asked_of(call.method, call.path)
        except Refusal as refusal:
            asked = refusal
        if isinstance(asked, Asked) and asked.operation.changes:
            fresh = await self._made_up(asked)

            def work(transaction: Transaction) -> Answer:
                return self._decide(transaction, call, asked, case, fresh)

            return await self._gate.commit(work, lambda outcome: self._entry(call, asked, case, outcome))
        outcome, _ = await self._gate.look(lambda view: self._outcome(view, call, asked, case))
        if isinstance(outcome, Refusal):
            await self._gate.record(self._entry(call, asked, case, outcome))
            raise outcome
        return outcome

    async def _made_up(self, asked: Asked) -> Fresh:
        """Ids for what is new, and a secret; hashing one takes long, and is done beside the writing of others."""
        ids = (new_guid(self._random), new_guid(self._random))
        if asked.operation.run is not operations.add_password:
            return Fresh(ids, Secret(""), "")
        secret = new_secret(self._random)
        return Fresh(ids, secret, await asyncio.to_thread(hash_secret, secret))

    def _outcome(self, view: View, call: Call, asked: Asked | Refusal, case: _Case) -> Answer | Refusal:
        try:
            return self._decide(view, call, asked, case, Fresh(("", ""), Secret(""), ""))
        except Refusal as refusal:
            return refusal

    def _decide(self, view: View, call: Call, asked: Asked | Refusal, case: _Case, fresh: Fresh) -> Answer:
        """Decide over one state: who, what, whether they may."""
        try:
            claims = self._reader.read(call.authorization, view.signing_keys())
        except Unauthenticated as refusal:
            raise token_refused(refusal) from None
        caller = case.caller = view.principal(claims.object_id)
        if caller is None or caller.disabled:
            raise token_refused(Unauthenticated("InvalidAuthenticationToken", ""))
        if isinstance(asked, Refusal):
            raise asked.with_traceback(None)
        if call.refusal is not None:
            raise call.refusal.with_traceback(None)
        visit = Visit(
            view=view,
            caller=caller,
            scopes=frozenset(str(scopes).lower().split()) if (scopes := claims.all.get("scp")) is not None else None,
            collection=asked.collection,
            id=asked.id,
            query=call.query,
            json=call.json,
            base=f"{call.origin}/graph/v1.0",
            address=f"{call.origin}{call.path}",
            now=self._clock(),
            fresh=fresh,
            tell=case.tell,
            kept=self._kept,
        )
        return asked.operation.run(visit)

    def _entry(self, call: Call, asked: Asked | Refusal, case: _Case, outcome: Answer | Refusal) -> Entry:
        return entry_of(
            call,
            outcome,
            case.caller,
            at=self._clock(),
            action=asked.operation.action if isinstance(asked, Asked) else "",
            target=f"/applications/{case.about.client}" if case.about else call.path[:1024],
        )


def asked_of(method: str, path: str) -> Asked:
    """What a path asks for.

    Raises:
        BadRequest: nothing that is served here.
        NotAllowed: it is, and not with this method.
    """
    words = [word for word in path.split("/") if word][1:]
    if not words or words[0].lower() not in VERSIONS:
        raise segment_unknown(words[0][:128] if words else "graph")
    words = words[1:]
    if words and (item := _ITEM.fullmatch(words[0])) is not None:
        words[:1] = [item["collection"], item["key"].strip("'") if "=" not in item["key"] else item["key"]]
    lowered = [word.lower() for word in words]
    for pattern in ("/".join(lowered), "/".join([*lowered[:1], "*", *lowered[2:]])):
        operation = _OPERATIONS.get((method, pattern))
        if operation is not None:
            collection = _COLLECTIONS.get(lowered[0], "")
            return Asked(operation, collection, words[1] if len(words) > 1 else "")
        if any(known == pattern for _, known in _OPERATIONS):
            raise method_unknown()
    raise segment_unknown(words[-1][:128] if words else "")
