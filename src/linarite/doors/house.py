"""All doors of an instance: opened together, told what changed before the change is acknowledged, closed together.

A door that cannot be opened stays closed with a reason; the API and the other doors work without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sqlite3
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import structlog

from linarite.doors import behind, elsewhere
from linarite.doors.behind import ACCOUNTS, COMPONENTS, CONTAINERS, REGISTRIES, WORKSPACES
from linarite.doors.blob import BlobDoor, DoorDown, Layout, NotInstalled, OrderRefused, Ports
from linarite.doors.clerks import BlobClerk, TelemetryClerk
from linarite.doors.notebook.clerk import NotebookClerk
from linarite.doors.notebook.door import NotebookDoor
from linarite.doors.notebook.layout import Layout as NotebookLayout
from linarite.doors.registry import RegistryDoor
from linarite.doors.registry.back_end import back_end
from linarite.doors.registry_clerk import RegistryClerk
from linarite.doors.telemetry import JournalUnusable, TelemetryDoor
from linarite.doors.vault import VaultClerk, VaultDoor
from linarite.errors import Unavailable
from linarite.ids import parse_id
from linarite.store.memory import EVERYTHING, SIGNING_KEYS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from linarite.doors.behind import Containers
    from linarite.doors.blob import Account, Trust
    from linarite.engine import Engine
    from linarite.model import Resource
    from linarite.store.view import View

T = TypeVar("T")

TEND_EVERY = 600.0
"""Seconds between two rounds of tidying in the registries."""
ASK_AGAIN = 0.5
"""Seconds until a database that did not answer is asked again."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the house stands: folders, certificate, modules."""

    data: Path
    modules: Path
    certificate: Path
    key: Path
    bundle: Path
    host: str
    environment: Mapping[str, str]
    upstream: str = "embedded"
    """What keeps the images: a setting's value."""
    ports: Ports = field(default_factory=Ports)
    """Of the blob door; 0 takes any free one."""
    notebook: int | None = None
    """Port of the notebook door; None keeps it closed."""


class House:
    """The doors of one instance. All but `blob` are RSGI applications, for listeners of the app's."""

    def __init__(self, engine: Engine, plot: Plot) -> None:
        self._engine = engine
        self._data = plot.data
        self._telemetry_clerk = TelemetryClerk(engine)
        self.registry = RegistryDoor(
            RegistryClerk(engine), back_end(plot.upstream, plot.data / "registries"), key=os.urandom(32)
        )
        self.telemetry = TelemetryDoor(
            plot.data / "telemetry", self._telemetry_clerk, now=engine.clock, new_id=lambda: str(uuid4())
        )
        layout = Layout(
            plot.modules,
            plot.data / "blobs",
            secrets.token_hex(32),
            host=plot.host,
            ports=plot.ports,
            certificate=plot.certificate,
            key=plot.key,
            ca_bundle=plot.bundle,
        )
        self.blob = BlobDoor(layout, BlobClerk(engine), plot.environment)
        self.vault = VaultDoor(VaultClerk(engine), engine.options.location)
        self.notebook = None if plot.notebook is None else _notebook(engine, plot, plot.notebook)
        self.closed: dict[str, str] = {}
        """Doors that are not open, with the reason in a sentence."""
        self._turn = asyncio.Lock()
        self._tending: asyncio.Task[None] | None = None
        self._furnishing: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    # ── opening and closing ─────────────────────────────────────────────────────────────────────────────────────────

    async def open(self) -> None:
        """Open what can be opened and is not in `closed` yet; `closed` says what could not."""
        self._engine.followers.append(self.follow)
        gate = self._engine.gate
        if not gate.database.inline:
            _, version = await gate.look(lambda view: view.version)
            self._listening = asyncio.create_task(elsewhere.listen(gate, version, self.follow))
        doors = {
            "registry": self._open_registry,
            "telemetry": self._open_telemetry,
            "blob": self._open_blob,
            "vault": self.vault.start,
        }
        if self.notebook is not None:
            doors["notebook"] = self.notebook.start
        async with asyncio.TaskGroup() as together:
            for name, opening in doors.items():
                if name not in self.closed:
                    together.create_task(self._open(name, opening))

    async def _open(self, name: str, opening: Callable[[], Awaitable[None]]) -> None:
        try:
            await opening()
        except (NotInstalled, DoorDown, JournalUnusable) as error:
            self.closed[name] = _sentence(str(error))
        except OSError as error:
            self.closed[name] = f"The {name} door cannot use {error.filename}: {error.strerror}."

    async def _open_registry(self) -> None:
        self._folder("registries")
        self._tending = asyncio.create_task(self._tend())

    async def _open_telemetry(self) -> None:
        self._folder("telemetry")
        await self.telemetry.start()
        await self._tell(partial(behind.everyone, type_=COMPONENTS), self._learn_components)

    async def _open_blob(self) -> None:
        self._folder("blobs")
        accounts, trust = await self._look(lambda view: (behind.accounts(view), self._trust(view)))
        await self.blob.start(accounts, trust)
        await self._furnish()
        self.blob.on_opened = self._furnish_again

    async def _furnish(self) -> None:
        await self._tell(behind.all_containers, self._make_all_containers)

    def _furnish_again(self) -> None:
        self._furnishing = asyncio.create_task(self._furnish())

    def _folder(self, name: str) -> None:
        (self._data / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def origins(self) -> dict[str, str]:
        """Addresses of the doors that have listeners of their own, where they are open: by name, `blob` by service."""
        services = () if "blob" in self.closed else ("blob", "queue", "table")
        found = {service: self.blob.origin(service) for service in services}
        if self.notebook is not None and "notebook" not in self.closed:
            found["notebook"] = self.notebook.origin
        return found

    async def close(self) -> None:
        """Close all, after their listeners have stopped; what was stored is on disk then."""
        with contextlib.suppress(ValueError):  # it was never opened
            self._engine.followers.remove(self.follow)
        for task in filter(None, (self._listening, self._tending, self._furnishing)):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        ending = [self.blob.stop(), self.registry.close(), self.telemetry.stop(), self.vault.stop()]
        if self.notebook is not None:
            ending.append(self.notebook.stop())
        await asyncio.gather(*ending)

    async def _tend(self) -> None:
        while True:
            try:
                await self.registry.tend()
            except Exception:
                log.exception("the registries could not be tidied")
            await asyncio.sleep(TEND_EVERY)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def follow(self, changed: frozenset[str]) -> None:
        """Tell the doors what a commit changed; when this returns, no old key opens anything."""
        if EVERYTHING in changed or SIGNING_KEYS in changed:
            await self._tell(partial(behind.everyone, type_=COMPONENTS), self._learn_components)
            await self._tell(behind.accounts, self.blob.set_accounts)
            await self._tell(self._trust, self.blob.set_trust)
            await self._sweep_registries()
        for key in changed:
            id_ = parse_id(key)
            if id_ is not None:
                await self._tell_of(id_.type.lower(), key, id_.name)
        if self.notebook is not None and any(_may_be_a_workspace(key) for key in changed):
            await self.notebook.check()

    async def _tell_of(self, type_: str, key: str, name: str) -> None:
        if type_ == ACCOUNTS.lower():
            await self._tell(partial(behind.account, key=key), partial(self._set_account, name))
        elif type_ == WORKSPACES.lower():
            await self._tell(partial(behind.containers_of_workspace, key=key), self._make_containers)
        elif type_ == CONTAINERS.lower():
            await self._tell(partial(behind.container, key=key), self._make_containers)
        elif type_ == COMPONENTS.lower():
            await self._tell(partial(behind.everyone, type_=COMPONENTS), self._learn_components)
        elif type_ == REGISTRIES.lower():
            await self._sweep_registries()

    async def _tell(self, question: Callable[[View], T], say: Callable[[T], Awaitable[None]]) -> None:
        """Ask what is so now and tell a door; returns when it has acknowledged that.

        Several changes come in at once. They ask and begin to tell in turn, so that no door hears older news after
        newer. A blob door that is down refuses everybody, and is told the newest keys before it opens again.
        """
        async with self._turn:
            found = await self._look(question)
            telling = asyncio.ensure_future(say(found))
        try:
            await telling
        except (DoorDown, OrderRefused) as error:
            if "blob" not in self.closed:
                log.warning("the blob door was not told of a change", why=str(error))
        except (OSError, sqlite3.Error):
            log.exception("what was deleted could not be removed from its door")

    async def _look(self, question: Callable[[View], T]) -> T:
        """The newest state's answer. A database that does not answer is waited for, as the change is made already."""
        while True:
            try:
                return (await self._engine.gate.look(question))[0]
            except Unavailable:
                await asyncio.sleep(ASK_AGAIN)

    def _trust(self, view: View) -> Trust:
        return behind.trust(view, self._engine.reader.authority)

    async def _set_account(self, name: str, account: Account | None) -> None:
        if account is None:
            await self.blob.drop_account(name, erase=True)
        else:
            await self.blob.put_account(account)

    async def _make_containers(self, wanted: Containers | None) -> None:
        """Make containers in an account; one that is removed through Resource Manager keeps its blobs here."""
        if wanted is not None:
            await self.blob.ensure_containers(wanted.account, wanted.names)

    async def _make_all_containers(self, wanted: list[Containers]) -> None:
        for one in wanted:
            await self._make_containers(one)

    async def _learn_components(self, components: list[Resource]) -> None:
        for app_id in self._telemetry_clerk.learn(components):
            if "telemetry" not in self.closed:
                await self.telemetry.forget(app_id)

    async def _sweep_registries(self) -> None:
        """Remove what a deleted registry stored; where that fails, the next round of tidying does it."""
        if "registry" in self.closed:
            return
        try:
            await self.registry.sweep()
        except (Unavailable, OSError, sqlite3.Error):
            log.exception("what was deleted could not be removed from its door")


def _notebook(engine: Engine, plot: Plot, port: int) -> NotebookDoor:
    layout = NotebookLayout(
        notebooks=plot.data / "notebooks",
        jupyter=plot.data / "jupyter",
        certificate=plot.certificate,
        key=plot.key,
        host=plot.host,
        port=port,
    )
    return NotebookDoor(layout, NotebookClerk(engine), plot.environment)


def _may_be_a_workspace(key: str) -> bool:
    id_ = parse_id(key)
    return key == EVERYTHING or (id_ is not None and id_.type.lower() == WORKSPACES.lower())


def _sentence(problem: str) -> str:
    """What kept a door closed, with the next step where Node does not name it."""
    if "EADDRINUSE" in problem:
        problem += ". Choose another port with --port, or --port 0 for any free one"
    return problem.rstrip(".") + "."
