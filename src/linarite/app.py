"""The composition root: the one place that knows how things fit, opens them in order and closes them in reverse.

An `Instance` runs until it is told to stop: database, gate and engine inside, listeners outside, the worker beside.
What answers requests is built in `assembly`; the doors are opened in `doorways`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog

from linarite import assembly, certificates, data_folder, first_start, hosts, inside, seal
from linarite.data_folder import Ready
from linarite.foreign import IssuerKeys
from linarite.listener import Listener, PortTaken, port_after
from linarite.longrunning import Pace
from linarite.store import keyring
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.memory import Memory
from linarite.store.migrations import bring_up
from linarite.tokens import Authority
from linarite.web.identity import Identity
from linarite.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from linarite.doorways import Doorways
    from linarite.engine import Engine, Follower
    from linarite.grants import TokenService
    from linarite.model import Secret
    from linarite.settings import Settings

_DOORS = ("blob", "registry", "telemetry", "notebook")
"""Doors, as the ready file names them. That of the vaults is not there: a vault's own `vaultUri` says where it is."""

log = structlog.get_logger()


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """What makes an instance a sibling of another: its port, its doors' addresses, and how to tell it of a change."""

    port: int
    endpoints: Mapping[str, str]
    tell: Callable[[frozenset[str]], Awaitable[None]]


class Instance:
    """One running server."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], part: Part | None = None) -> None:
        """`part` is given to a sibling: it shares the port of a running instance, and has neither folder nor doors."""
        self.settings = settings
        self.port = part.port if part else settings.port
        self.endpoints: dict[str, str] = dict(part.endpoints) if part else {}
        self.closed: dict[str, str] = {}
        """Doors that could not be opened, with the reason in a sentence."""
        self._environment = environment
        self._part = part
        self._followers: list[Follower] = []
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> Ready:
        """Bring everything up; returns when every listener answers.

        Raises:
            PortTaken, FolderTrouble, DatabaseTrouble, CertificateTrouble, RootKeyUnavailable, WrongRootKey: each with a
                sentence for the command line.
        """
        settings = self.settings
        if self._part is None:
            self._stack.enter_context(data_folder.held(settings.data))
        bound = _bound(settings.bind)
        certified = certificates.ensure(settings.data, (*bound, *hosts.wildcards()), clock(), bound)
        gate = self._gate()
        front = _Later()
        listener = Listener(
            front,
            settings.bind,
            self.port,
            certificate=certified.chain,
            key=certified.key,
            shared=self._part is not None,
        )
        self.port = listener.port
        authority = Authority(listener.origin, first_start.TENANT)
        issuers = IssuerKeys(clock)
        engine = assembly.engine(settings, gate, authority, issuers, clock)
        tokens = assembly.token_service(settings, gate, authority, issuers, clock)
        front.application = assembly.front(settings, engine, tokens, authority)
        self._followers = engine.followers
        owner_secret = password = None
        if self._part is not None:
            engine.followers.append(self._part.tell)
        elif gate.keyring is not None:
            owner_secret, password = await self._found(gate, engine, authority)
            if settings.doors:
                await self._open_doors(engine, certified)
        engine.options = replace(engine.options, endpoints=self.endpoints)
        await listener.start()
        self._stack.push_async_callback(listener.stop)
        machine = await self._identify(tokens)
        self._work(engine)
        content = _ready(listener.origin, certified.bundle, owner_secret, self.endpoints)
        content["identity"] = {"endpoint": machine, "machine": self.settings.imds or None}
        owner = (first_start.OWNER_USER, password.reveal()) if password else None
        return Ready(content, self.closed, owner)

    async def told(self, changed: frozenset[str]) -> None:
        """Tell the doors what a sibling changed, before it acknowledges the change."""
        for follower in self._followers:
            await follower(changed)

    async def stop(self) -> None:
        """Let running answers end, write what waits, close everything, in the reverse order of the start."""
        await self._stack.aclose()

    def _gate(self) -> Gate:
        """The gate to the database, which has the newest layout then."""
        settings = self.settings
        url = settings.database or f"sqlite:///{settings.data / 'linarite.db'}"
        database = Database(url)
        self._stack.callback(database.close)
        if self._part is None:
            bring_up(url)
        memory = Memory(settings.snapshot_rows, opens_secrets=settings.open_secrets)
        gate = Gate(database, memory, self._keyring(database))
        self._stack.push_async_callback(gate.close)
        return gate

    def _keyring(self, database: Database) -> seal.Keyring | None:
        """Unwrap the keyring; without the root key of an existing instance the server starts sealed."""
        exists = keyring.is_made(database)
        try:
            root = seal.root_key(self.settings.root_key, self._environment, create=not exists)
        except seal.RootKeyUnavailable as error:
            if not exists:
                raise
            log.warning("the server starts sealed", why=str(error))
            return None
        return keyring.unwrapped(database, root)

    async def _found(self, gate: Gate, engine: Engine, authority: Authority) -> tuple[Secret, Secret | None]:
        """The owner's secret; and the owner's password as a user, where this start made it."""
        founded = await first_start.found(gate, clock())
        if not founded.seeded:
            if self.settings.seed == "sample":
                pace, engine.pace = engine.pace, Pace(immediate=True)
                owner = await inside.token_of(gate, authority, first_start.OWNER_OBJECT, clock())
                await first_start.seed_sample(engine, owner, self.settings.location)
                engine.pace = pace
            await first_start.seeded(gate)
        standing, _ = await gate.look(lambda view: view.faults())
        if standing:
            names = ", ".join(one.name for one in standing)
            log.warning("faults on purpose are set: `linarite fault clear` ends them", faults=names)
        return founded.owner_secret, founded.password

    async def _open_doors(self, engine: Engine, certified: certificates.Certificates) -> None:
        """Open the doors; `endpoints` has their addresses then, and `closed` the others."""
        doorways = import_module("linarite.doorways")  # which no start waits for that opens none
        opened: Doorways = await self._stack.enter_async_context(
            doorways.opened(engine, self.settings, certified, self._environment)
        )
        self.endpoints |= opened.endpoints
        self.closed = opened.closed

    async def _identify(self, tokens: TokenService) -> str | None:
        """Answer programs of this machine that ask for a managed identity; where, or None where nowhere."""
        if self._part is not None:
            return None
        try:
            listener = Listener(Identity(tokens, self.settings.imds), "127.0.0.1", port_after(self.settings.port, 8))
        except PortTaken as error:
            log.warning("managed identities cannot be had", why=str(error))
            return None
        await listener.start()
        self._stack.push_async_callback(listener.stop)
        return f"http://127.0.0.1:{listener.port}"

    def _work(self, engine: Engine) -> None:
        task = asyncio.create_task(Worker(engine, f"{socket.gethostname()}:{os.getpid()}").run())

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        self._stack.push_async_callback(end)


class _Later:
    """Stands in for the application until it is built: the port has to be known before."""

    application: Callable[[Any, Any], Any]

    def __call__(self, scope: Any, protocol: Any) -> Any:
        return self.application(scope, protocol)


def _ready(origin: str, bundle: Path, owner_secret: Secret | None, doors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "armEndpoint": origin,
        "authority": origin,
        "tenantId": first_start.TENANT,
        "subscriptionId": first_start.SUBSCRIPTION_ID,
        "resourceGroup": first_start.GROUP,
        "workspace": first_start.WORKSPACE,
        "clientId": first_start.OWNER_CLIENT,
        "clientSecret": owner_secret.reveal() if owner_secret else None,
        "caBundle": str(bundle),
        "metadataUrl": f"{origin}/metadata/endpoints?api-version=2019-05-01",
        "console": None,
        "doors": {name: doors.get(name) for name in _DOORS},
        "pid": os.getpid(),
    }


def _bound(bind: str) -> tuple[str, ...]:
    """What the certificate is for beside loopback: the address that is bound, where it is another."""
    return () if bind in {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"} else (bind,)  # noqa: S104 - compared with
