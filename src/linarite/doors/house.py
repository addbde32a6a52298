"""All doors of an instance: opened together, kept tidy, closed together.

A door that cannot be opened stays closed with a reason; the API and the other doors work without it. What changes while
they are open, `messenger` tells them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from linarite.doors import behind, elsewhere
from linarite.doors.blob import BlobDoor, DoorDown, Layout, NotInstalled, Ports
from linarite.doors.clerks import BlobClerk, TelemetryClerk
from linarite.doors.messenger import Messenger
from linarite.doors.notebook.clerk import NotebookClerk
from linarite.doors.notebook.door import NotebookDoor
from linarite.doors.notebook.layout import Layout as NotebookLayout
from linarite.doors.registry import IndexUnusable, RegistryDoor
from linarite.doors.registry.back_end import back_end
from linarite.doors.registry_clerk import RegistryClerk
from linarite.doors.telemetry import JournalUnusable, TelemetryDoor
from linarite.doors.vault import VaultClerk, VaultDoor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from linarite.engine import Engine

TEND_EVERY = 600.0
"""Seconds between two rounds of tidying in the registries."""

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
        telemetry_clerk = TelemetryClerk(engine)
        self.registry = RegistryDoor(
            RegistryClerk(engine), back_end(plot.upstream, plot.data / "registries"), key=os.urandom(32)
        )
        self.telemetry = TelemetryDoor(
            plot.data / "telemetry", telemetry_clerk, now=engine.clock, new_id=lambda: str(uuid4())
        )
        self.blob = _blob(engine, plot)
        self.vault = VaultDoor(VaultClerk(engine), engine.options.location)
        self.notebook = None if plot.notebook is None else _notebook(engine, plot, plot.notebook)
        self.closed: dict[str, str] = {}
        """Doors that are not open, with the reason in a sentence."""
        self._messenger = Messenger(
            engine, self.closed, self.blob, self.registry, self.telemetry, telemetry_clerk, self.notebook
        )
        self._tending: asyncio.Task[None] | None = None
        self._furnishing: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open what can be opened and is not in `closed` yet; `closed` says what could not."""
        self._engine.followers.append(self._messenger.follow)
        gate = self._engine.gate
        if not gate.database.inline:
            _, version = await gate.look(lambda view: view.version)
            self._listening = asyncio.create_task(elsewhere.listen(gate, version, self._messenger.follow))
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
        except (NotInstalled, DoorDown, IndexUnusable, JournalUnusable) as error:
            self.closed[name] = _sentence(str(error))
        except OSError as error:
            self.closed[name] = f"The {name} door cannot use {error.filename}: {error.strerror}."

    async def _open_registry(self) -> None:
        self._folder("registries")
        await self.registry.start()
        self._tending = asyncio.create_task(self._tend())

    async def _open_telemetry(self) -> None:
        self._folder("telemetry")
        await self.telemetry.start()
        await self._messenger.tell_components()

    async def _open_blob(self) -> None:
        self._folder("blobs")
        messenger = self._messenger
        accounts, trust = await messenger.look(lambda view: (behind.accounts(view), messenger.trust(view)))
        await self.blob.start(accounts, trust)
        await messenger.tell_containers()
        self.blob.on_opened = self._furnish

    def _furnish(self) -> None:
        self._furnishing = asyncio.create_task(self._messenger.tell_containers())

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
            self._engine.followers.remove(self._messenger.follow)
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


def _blob(engine: Engine, plot: Plot) -> BlobDoor:
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
    return BlobDoor(layout, BlobClerk(engine), plot.environment)


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


def _sentence(problem: str) -> str:
    """What kept a door closed, with the next step where Node does not name it."""
    if "EADDRINUSE" in problem:
        problem += ". Choose another port with --port, or --port 0 for any free one"
    return problem.rstrip(".") + "."
