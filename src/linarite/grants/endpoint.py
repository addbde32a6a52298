"""The token endpoint: which grant a request asks for, what is recorded of it, and what is answered.

Each grant type is one function in the table `GRANTS`. It may be run twice, like a unit of work: a sign-in is recorded
at the state version in which it was decided, and where the state has moved on it is decided again. So no token leaves
for a secret that was removed, or with a key that was retired, before the entry became durable.
"""

from __future__ import annotations

import base64
import os
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from linarite import faults
from linarite.errors import Refusal
from linarite.errors.server import cut, server_busy
from linarite.foreign import IssuerKeys
from linarite.grants import devices
from linarite.grants.ask import Endpoint, tenant_of
from linarite.grants.case import ACTION, Case
from linarite.grants.client_credentials import client_credentials
from linarite.grants.denied import Denied, quoted
from linarite.grants.denied.requests import grant_unsupported
from linarite.grants.denied.server import disturbed
from linarite.grants.managed_identity import managed_identity
from linarite.grants.on_behalf_of import JWT_BEARER, on_behalf_of
from linarite.grants.proofs import Proofs
from linarite.grants.redeeming import authorization_code, refresh_token
from linarite.grants.resource_owner import resource_owner
from linarite.grants.signer import Signer
from linarite.grants.user_info import user_info
from linarite.model import Deed
from linarite.store.gate import Stale
from linarite.tokens.minting import access_claims, mint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime, timedelta

    from linarite.grants.ask import Ask
    from linarite.grants.managed_identity import Place
    from linarite.model import Body, Entry, Principal
    from linarite.seal import Random
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.tokens import Authority

    Grant = Callable[["TokenService", "Case"], Awaitable[Body]]

GRANTS: Mapping[str, Grant] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "refresh_token": refresh_token,
    "device_code": devices.device_code,
    "urn:ietf:params:oauth:grant-type:device_code": devices.device_code,
    JWT_BEARER: on_behalf_of,
    "password": resource_owner,
}

T = TypeVar("T")

_RECOMPUTE = 64


class TokenService:
    """Answers requests for tokens over one gate."""

    def __init__(
        self,
        gate: Gate,
        authority: Authority,
        clock: Callable[[], datetime],
        lifetime: timedelta,
        random: Random = os.urandom,
        *,
        issuers: IssuerKeys | None = None,
        assertions_count_often: bool = True,
        implicit: bool = True,
        takes_passwords: bool = False,
    ) -> None:
        """`implicit` says whether browsers are given tokens, and not codes alone."""
        self.takes_passwords = takes_passwords
        self.gate = gate
        self.authority = authority
        self.clock = clock
        self.lifetime = lifetime
        self.implicit = implicit
        self.proofs = Proofs(random)
        self.issuers = issuers or IssuerKeys(clock)
        self.assertions_count_often = assertions_count_often
        self.random = random
        self.signer = Signer(gate)

    async def token(self, ask: Ask) -> Body:
        """The body of the answer, with the token; the sign-in is on the trail.

        Raises:
            Denied: it is refused; the refusal is on the trail.
            Unavailable: nothing can be recorded now.
        """
        case = Case(ask)
        try:
            case.form = ask.form()
            case.client = case.form.get("client_id")
            tenant_of(ask.claimed_tenant, self.authority)
            case.grant_type = case.form.need("grant_type")
            grant, case.action = GRANTS.get(case.grant_type), f"{ACTION}/{quoted(case.grant_type)}"
            if grant is None:
                raise grant_unsupported(case.grant_type)
            return await self._granted(grant, case)
        except Denied as denied:
            await self.refused(case, denied)
            raise

    async def refused(self, case: Case, denied: Denied) -> None:
        """Record a refusal, unless it came recorded."""
        if not denied.recorded:
            await self.gate.record(case.entry(self.clock(), Deed.REFUSAL, denied.status, denied.code))
            denied.recorded = True

    async def decided(
        self, case: Case, work: Callable[[Transaction], T | Denied], deed: Deed | None = Deed.SIGN_IN
    ) -> T:
        """Run a unit of work that gives something, or a `Denied` where a refusal changes something as well.

        Either is on the trail with the commit; without a deed, the refusal alone, for what is given is not all yet.
        What the unit raises changes nothing, and is recorded by who catches it.

        Raises:
            Denied: the unit gave it, or raised it.
        """

        def entry(outcome: T | Denied | Refusal) -> Entry | None:
            if isinstance(outcome, Refusal):
                return None
            if isinstance(outcome, Denied):
                outcome.recorded = True
                return case.entry(self.clock(), Deed.REFUSAL, outcome.status, outcome.code)
            return None if deed is None else case.entry(self.clock(), deed, 200)

        outcome = await self.gate.commit(work, entry)
        if isinstance(outcome, Denied):
            raise outcome
        return outcome

    async def device(self, ask: Ask) -> Body:
        """The codes with which a program is signed in by its user elsewhere.

        Raises:
            Denied, Unavailable: as `token` does.
        """
        return await self._asked(Case(ask, "Microsoft.AAD/devicecode"), devices.begun)

    async def user_info(self, ask: Ask) -> Body:
        """Who the user of a token for Graph is.

        Raises:
            Denied, Unavailable: as `token` does.
        """
        return await self._asked(Case(ask, "Microsoft.AAD/userinfo"), user_info)

    async def _asked(self, case: Case, grant: Grant) -> Body:
        """What is answered to a form; a refusal is on the trail."""
        try:
            case.form = case.ask.form()
            return await self._granted(grant, case)
        except Denied as denied:
            await self.refused(case, denied)
            raise

    async def identity_token(self, ask: Ask, place: Callable[[], Place]) -> Body:
        """The body of the answer for a managed identity; the sign-in is on the trail.

        Raises:
            Denied: as `place` does, or the identity cannot be had there; the refusal is on the trail.
            Unavailable: nothing can be recorded now.
        """
        case = Case(ask, f"{ACTION}/managed_identity")
        try:
            where = place()
            case.client = where.host
            return await self._granted(partial(managed_identity, place=where), case)
        except Denied as denied:
            await self.refused(case, denied)
            raise

    async def turned_away(self, ask: Ask, action: str, denied: Denied) -> None:
        """Record a refusal that no grant had a part in: a wrong method, or nothing at that address."""
        await self.refused(Case(ask, quoted(action)), denied)

    async def disturb(self, ask: Ask, method: str, path: str, action: str) -> bool:
        """Let the faults on purpose that fit a request strike it, whoever sends it; whether its answer is to be lost.

        Raises:
            Denied: it is refused; the refusal is on the trail.
            Cut: it is not to be answered; that is on the trail.
        """
        if self.gate.keyring is None:
            return False
        standing, _ = await self.gate.look(lambda view: view.faults())
        lost, passed = False, {one.id.key for one in standing if one.what == "challenge"}
        case = Case(ask, quoted(action), client=_claimed_client(ask) if standing else "")
        while (fault := faults.first_met(standing, method, path, (case.client.lower(),), passed)) is not None:
            passed.add(fault.id.key)
            refused = cut() if fault.what == "cut" else disturbed(fault)
            deed = Deed.WRITE if refused is None else Deed.REFUSAL
            status, code = (200, "") if refused is None else (refused.status, refused.code)
            if await faults.strike(self.gate, fault, case.entry(self.clock(), deed, status, code)):
                lost |= fault.what == "lose"
                if refused is not None:
                    raise refused
        return lost

    async def issue(self, case: Case, principal: Principal, audience: str, version: int) -> Body:
        """Mint a token for a proven application, and answer it once the sign-in is durable.

        Raises:
            Stale: the state is no longer at `version`, in which the principal was proven. Nothing was recorded.
        """
        claims = access_claims(
            self.authority, principal, audience, now=self.clock(), lifetime=self.lifetime, uti=self.new_uti()
        )
        claims |= {"appidacr": case.proof, **case.claims}
        token = mint(await self.signer.newest(), claims)
        await self.gate.record(case.entry(self.clock(), Deed.SIGN_IN, 200), version)
        return _shown(case.ask.endpoint, claims, token)

    async def published_keys(self) -> list[Body]:
        """The public half of every key that may have signed a token that still counts, as Entra's key set has them."""
        keys, _ = await self.gate.look(lambda view: view.signing_keys())
        return [{**orjson.loads(key.public), "x5t": key.kid, "issuer": self.authority.issuer} for key in keys]

    async def _granted(self, grant: Grant, case: Case) -> Body:
        for _ in range(_RECOMPUTE):
            try:
                return await grant(self, case)
            except Stale:
                continue
        raise server_busy()

    def new_uti(self) -> str:
        """What no two tokens share."""
        return base64.urlsafe_b64encode(self.random(16)).decode().rstrip("=")


def _claimed_client(ask: Ask) -> str:
    try:
        return ask.form().get("client_id")
    except Denied:
        return ""


def _shown(endpoint: Endpoint, claims: Mapping[str, Any], token: str) -> Body:
    """The answer in the endpoint's own way: v1.0 writes numbers as texts, and says for what the token is."""
    seconds = claims["exp"] - claims["iat"]
    if endpoint is not Endpoint.V1:
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
    return {
        "token_type": "Bearer",
        "expires_in": str(seconds),
        "ext_expires_in": str(seconds),
        "expires_on": str(claims["exp"]),
        "not_before": str(claims["nbf"]),
        "resource": claims["aud"],
        "access_token": token,
    }
