"""Tells the doors what a commit changed, before it is acknowledged: when they were told, no old key opens anything.

Several changes come in at once. They are asked for and begin to be told in turn, so that no door hears older news after
newer. A blob door that is down refuses everybody, and is told the newest keys before it opens again. When a door is
opened or closed is not known here.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from linarite.doors import behind
from linarite.doors.behind import ACCOUNTS, COMPONENTS, CONTAINERS, REGISTRIES, WORKSPACES
from linarite.doors.blob import DoorDown, OrderRefused
from linarite.errors import Unavailable
from linarite.ids import parse_id
from linarite.store.keys import EVERYTHING, SIGNING_KEYS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.doors.behind import Containers
    from linarite.doors.blob import Account, BlobDoor, Trust
    from linarite.doors.clerks import TelemetryClerk
    from linarite.doors.notebook.door import NotebookDoor
    from linarite.doors.registry import RegistryDoor
    from linarite.doors.telemetry import TelemetryDoor
    from linarite.engine import Engine
    from linarite.model import Resource
    from linarite.store.view import View

T = TypeVar("T")

ASK_AGAIN = 0.5
"""Seconds until a database that did not answer is asked again."""

log = structlog.get_logger()


@dataclass(slots=True)
class Messenger:
    """Knows the doors of a house that have to be told something."""

    engine: Engine
    closed: Mapping[str, str]
    """Doors that are not open, by name."""
    blob: BlobDoor
    registry: RegistryDoor
    telemetry: TelemetryDoor
    telemetry_clerk: TelemetryClerk
    notebook: NotebookDoor | None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def follow(self, changed: frozenset[str]) -> None:
        """Tell the doors what a commit changed; when this returns, no old key opens anything."""
        if EVERYTHING in changed or SIGNING_KEYS in changed:
            await self.tell_components()
            await self._tell(behind.accounts, self.blob.set_accounts)
            await self._tell(self.trust, self.blob.set_trust)
            await self._sweep_registries()
        for key in changed:
            id_ = parse_id(key)
            if id_ is not None:
                await self._tell_of(id_.type.lower(), key, id_.name)
        if self.notebook is not None and any(_may_be_a_workspace(key) for key in changed):
            await self.notebook.check()

    async def tell_components(self) -> None:
        """Tell the telemetry door's clerk which components there are."""
        await self._tell(partial(behind.everyone, type_=COMPONENTS), self._learn_components)

    async def tell_containers(self) -> None:
        """Tell the blob door of every container that has to be there."""
        await self._tell(behind.all_containers, self._make_all_containers)

    async def _tell_of(self, type_: str, key: str, name: str) -> None:
        if type_ == ACCOUNTS.lower():
            await self._tell(partial(behind.account, key=key), partial(self._set_account, name))
        elif type_ == WORKSPACES.lower():
            await self._tell(partial(behind.containers_of_workspace, key=key), self._make_containers)
        elif type_ == CONTAINERS.lower():
            await self._tell(partial(behind.container, key=key), self._make_containers)
        elif type_ == COMPONENTS.lower():
            await self.tell_components()
        elif type_ == REGISTRIES.lower():
            await self._sweep_registries()

    async def _tell(self, question: Callable[[View], T], say: Callable[[T], Awaitable[None]]) -> None:
        """Ask what is so now and tell a door; returns when it has acknowledged that."""
        async with self._turn:
            found = await self.look(question)
            telling = asyncio.ensure_future(say(found))
        try:
            await telling
        except (DoorDown, OrderRefused) as error:
            if "blob" not in self.closed:
                log.warning("the blob door was not told of a change", why=str(error))
        except (OSError, sqlite3.Error):
            log.exception("what was deleted could not be removed from its door")

    async def look(self, question: Callable[[View], T]) -> T:
        """The newest state's answer. A database that does not answer is waited for, as the change is made already."""
        while True:
            try:
                return (await self.engine.gate.look(question))[0]
            except Unavailable:
                await asyncio.sleep(ASK_AGAIN)

    def trust(self, view: View) -> Trust:
        """Whose tokens open the blob door."""
        return behind.trust(view, self.engine.reader.authority)

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
        for app_id in self.telemetry_clerk.learn(components):
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


def _may_be_a_workspace(key: str) -> bool:
    id_ = parse_id(key)
    return key == EVERYTHING or (id_ is not None and id_.type.lower() == WORKSPACES.lower())
