"""The clerk at the vault door: who is calling, whether they may, and the entry that goes before the answer.

The engine's way, over the vault's own data: a value leaves only after its release was recorded at the state version it
was read at, and is read again where the state has moved on; a change is committed together with its entry; a refusal is
on the trail before it is said. A request without any token is how clients ask where to get one, and leaves no entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from linarite import hosts
from linarite.calls import entry_of
from linarite.doors import behind
from linarite.doors.vault import bundle, permission, refusals, shelf
from linarite.doors.vault.asked import Asked, asked_of, resource_of
from linarite.doors.vault.operations import CHANGING, LOOKING, Visit
from linarite.errors import Conflict, Refusal, Unauthenticated
from linarite.errors.server import server_sealed
from linarite.grants.ask import AZURE
from linarite.kind import Effect
from linarite.model import Deed, Entry
from linarite.store.gate import Stale
from linarite.tokens import Reader

if TYPE_CHECKING:
    from linarite.calls import Call
    from linarite.engine import Engine
    from linarite.model import Answer, Principal, Resource
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from linarite.tokens import Claims

VAULTS = "Microsoft.KeyVault/vaults"
AUDIENCES = (hosts.VAULTS, "https://vault.azure.net")
"""Whom a token may be for: this cloud's vaults, or Azure's, as clients ask that know no other."""

_RECOMPUTE = 64
_SAYINGS = {
    "AuthenticationFailed": refusals.TOKEN_MISSING,
    "AuthenticationFailedMissingToken": refusals.TOKEN_MISSING,
    "AuthenticationFailedInvalidHeader": refusals.TOKEN_MISSING,
    "ExpiredAuthenticationToken": refusals.TOKEN_EXPIRED,
}
"""What a vault says where Resource Manager has a code; of any other token, that its key is not known."""


@dataclass(slots=True)
class _Case:
    """What turned out while a call was decided, for the trail."""

    caller: Principal | None = None
    target: str = ""


class VaultClerk:
    """Serves the calls of one door over the engine's gate."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        authority = engine.reader.authority
        # A token for somebody else is read too, so that the caller can be told for whom it is.
        everybody = (*AZURE, *(f"{one}/" for one in AZURE), *authority.audiences, hosts.VAULTS)
        self._reader = Reader(authority, engine.clock, everybody)

    async def serve(self, call: Call) -> Answer:
        """Answer a call.

        Raises:
            Refusal: it is refused, in the vault's words.
        """
        if call.authorization is None:
            raise self._unauthorized(refusals.TOKEN_MISSING, call)
        asked: Asked | Refusal
        try:
            asked = asked_of(call)
        except Refusal as refusal:
            asked = refusal
        if isinstance(asked, Asked) and asked.operation.effect is Effect.WRITE:
            return await self._change(call, asked)
        return await self._look(call, asked)

    async def purge_overdue(self) -> int:
        """Remove for good what was deleted too long ago to be recovered; answers how many secrets that were."""
        overdue, _ = await self._engine.gate.look(self._overdue)
        if not overdue:
            return 0

        def work(transaction: Transaction) -> int:
            gone = self._overdue(transaction)
            for secret in gone:
                transaction.remove(secret.id)
                transaction.entries.append(self._purged(secret))
            return len(gone)

        return await self._engine.gate.commit(work, lambda _: None)

    # ── the two ways of a call ──────────────────────────────────────────────────────────────────────────────────────

    async def _change(self, call: Call, asked: Asked) -> Answer:
        case = _Case()

        def work(transaction: Transaction) -> Answer:
            return CHANGING[asked.operation](self._admit(transaction, call, asked, case), transaction)

        return await self._engine.gate.commit(work, lambda outcome: self._entry(call, asked, case, outcome))

    async def _look(self, call: Call, asked: Asked | Refusal) -> Answer:
        """Answer from the newest state; a value, or a refusal, only once it is recorded that just this has left."""
        for _ in range(_RECOMPUTE):
            case = _Case()
            outcome, version = await self._engine.gate.look(partial(self._outcome, call, asked, case))
            if not isinstance(outcome, Refusal) and isinstance(asked, Asked) and asked.operation.effect is Effect.READ:
                return outcome
            try:
                await self._engine.gate.record(self._entry(call, asked, case, outcome, version), version)
            except Stale:
                continue
            if isinstance(outcome, Refusal):
                raise outcome
            return outcome
        raise Conflict("Conflict", "The state changes faster than it can be read. Please try again.")

    def _outcome(self, call: Call, asked: Asked | Refusal, case: _Case, view: View) -> Answer | Refusal:
        try:
            visit = self._admit(view, call, asked, case)
            return LOOKING[visit.asked.operation](visit)
        except Refusal as refusal:
            return refusal

    # ── deciding ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _admit(self, view: View, call: Call, asked: Asked | Refusal, case: _Case) -> Visit:
        """Decide over one state who it is, what it is about, and whether it may be.

        Raises:
            Refusal: it may not.
        """
        claims = self._claims(view, call)
        caller = case.caller = view.principal(claims.object_id)
        if caller is None or caller.disabled:
            raise self._unauthorized(refusals.TOKEN_UNKNOWN, call)
        if isinstance(asked, Refusal):
            raise asked.with_traceback(None)
        vault = behind.named(view, VAULTS, asked.vault)
        if vault is None:
            raise refusals.vault_not_found(asked.vault)
        scope = shelf.id_of(vault, asked.secret) if asked.secret else vault.id
        case.target = f"{scope.text}/{asked.version}" if asked.version else scope.text
        if vault.properties["tenantId"] != claims.tenant:
            expected = f"https://sts.windows.net/{vault.properties['tenantId']}/"
            raise self._unauthorized(refusals.issuer_wrong(expected, claims.all["iss"]), call)
        permission.require(view, vault, caller, claims, operation=asked.operation, scope=scope)
        if call.refusal is not None:
            raise call.refusal.with_traceback(None)
        keyring = self._engine.gate.keyring
        if keyring is None:
            raise server_sealed()
        return Visit(view, vault, asked, call, self._engine.clock(), keyring, lambda: uuid4().hex)

    def _claims(self, view: View, call: Call) -> Claims:
        try:
            claims = self._reader.read(call.authorization, view.signing_keys())
        except Unauthenticated as refusal:
            raise self._unauthorized(_SAYINGS.get(refusal.code, refusals.TOKEN_UNKNOWN), call) from None
        if claims.audience.removesuffix("/") not in AUDIENCES:
            raise self._unauthorized(refusals.audience_wrong(hosts.VAULTS, claims.audience), call)
        return claims

    def _unauthorized(self, message: str, call: Call) -> Unauthenticated:
        return refusals.unauthorized(message, self._reader.authority.url, resource_of(call.origin))

    def _overdue(self, view: View) -> list[Resource]:
        now = self._engine.clock()
        return [
            secret
            for vault in behind.everyone(view, VAULTS)
            for secret in shelf.page(view, vault, deleted=True)
            if secret.deleted_at is not None and secret.deleted_at + timedelta(days=bundle.retention(vault)) <= now
        ]

    # ── the trail ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(
        self, call: Call, asked: Asked | Refusal, case: _Case, outcome: Answer | Refusal, version: int | None = None
    ) -> Entry:
        operation = asked.operation if isinstance(asked, Asked) else None
        releases = operation is not None and operation.effect is Effect.RELEASE
        return entry_of(
            call,
            outcome,
            case.caller,
            at=self._engine.clock(),
            action=f"{shelf.SECRETS}/{operation.action}" if operation else "",
            target=case.target or f"{call.origin}{call.path}"[:1024],
            deed=Deed.RELEASE if releases else Deed.WRITE,
            version=version if releases else None,
        )

    def _purged(self, secret: Resource) -> Entry:
        """Of what nobody asked for: the days in which the secret could be recovered are over."""
        request = str(uuid4())
        return Entry(
            at=self._engine.clock(),
            deed=Deed.WRITE,
            action=f"{shelf.SECRETS}/purge/action",
            target=secret.id.text,
            caller="",
            client="linarite",
            status=204,
            code="",
            request=request,
            correlation=request,
            address="",
        )
