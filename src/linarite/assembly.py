"""What answers requests, put together as the settings say: engine, token service, and the front that has both.

Nothing is opened here and nothing started; `app` does that.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from linarite import first_start
from linarite.engine import Engine
from linarite.foreign import Trust
from linarite.grants import TokenService
from linarite.graph import Graph
from linarite.guids import guids
from linarite.issuers import trusted_in
from linarite.kinds import KINDS
from linarite.longrunning import Pace
from linarite.routes import Registry
from linarite.throttle import Buckets
from linarite.tokens import Reader
from linarite.web.arm import Arm
from linarite.web.front import Front
from linarite.web.graph import Directory
from linarite.web.metadata import Metadata
from linarite.web.oauth import OAuth
from linarite.world import Options

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from linarite.foreign import IssuerKeys
    from linarite.settings import Settings
    from linarite.store.gate import Gate
    from linarite.tokens import Authority

    Clock = Callable[[], datetime]


def engine(settings: Settings, gate: Gate, authority: Authority, issuers: IssuerKeys, clock: Clock) -> Engine:
    """The engine, with every kind; its options name no door yet."""
    trusted = trusted_in(settings.trust_issuers)
    options = Options(
        tenant=authority.tenant,
        origin=authority.origin,
        location=settings.location,
        storage_id_member=settings.storage_id_member,
        resync=settings.resync,
        trusting=bool(trusted),
    )
    return Engine(
        gate,
        Registry(KINDS),
        Reader(authority, clock),
        options=options,
        pace=Pace(settings.lro == "immediate", settings.lro_delay, settings.lro_retry_after),
        clock=clock,
        buckets=Buckets(settings.throttle),
        trust=Trust(trusted, issuers, authority.url, clock) if trusted else None,
    )


def token_service(
    settings: Settings, gate: Gate, authority: Authority, issuers: IssuerKeys, clock: Clock
) -> TokenService:
    return TokenService(
        gate,
        authority,
        clock,
        timedelta(seconds=settings.token_lifetime),
        issuers=issuers,
        assertions_count_often=settings.assertion_replay == "allow",
        takes_passwords=settings.password_grant,
        implicit=settings.implicit,
    )


def front(settings: Settings, engine: Engine, tokens: TokenService, authority: Authority) -> Front:
    """The application of the API's own port."""
    gate = engine.gate
    return Front(
        arm=Arm(engine, partial(next, guids()), settings.location),
        oauth=OAuth(tokens, authority),
        graph=Directory(Graph(gate, authority, engine.clock, kept=frozenset({first_start.OWNER_OBJECT}))),
        metadata=Metadata(authority.origin, first_start.TENANT),
        sealed=lambda: gate.keyring is None,
        origin=authority.origin,
        body_limit=settings.body_limit,
    )
