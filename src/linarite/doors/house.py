"""All doors of an instance: opened together, told what changed before the change is acknowledged, closed together.

A door that cannot be opened stays closed with a reason; the API and the other doors work without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import structlog

from linarite.doors.blob import Account, BlobDoor, BlobDoorDown, Layout, NotInstalled, OrderRefused, Ports, Trust
from linarite.doors.clerks import ACCOUNTS, COMPONENTS, REGISTRIES, BlobClerk, RegistryClerk, TelemetryClerk
from linarite.doors.registry.door import RegistryDoor
from linarite.doors.telemetry import TelemetryDoor
from linarite.ids import parse_id
from linarite.store import resources
from linarite.store.memory import EVERYTHING, SIGNING_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from linarite.engine import Engine
    from linarite.model import Resource
    from linarite.store.view import View

CONTAINERS = f"{ACCOUNTS}/blobServices/containers"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
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
    ports: Ports = field(default_factory=Ports)
    """Of the blob door; 0 takes any free one."""


class House:
    """The doors of one instance. `registry` and `telemetry` are RSGI applications, for listeners of the app's."""

    def __init__(self, engine: Engine, plot: Plot) -> None:
        self._engine = engine
        self._telemetry_clerk = TelemetryClerk(engine)
        self.registry = RegistryDoor(RegistryClerk(engine), plot.data / "registries", key=os.urandom(32))
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
        self._folders = (plot.data / "registries", plot.data / "telemetry", plot.data / "blobs")
        self.closed: dict[str, str] = {}
        """Doors that could not be opened, with the reason in a sentence."""
        self._tending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open what can be opened; `closed` says what could not."""
        for folder in self._folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.telemetry.start()
        await self._telemetry_clerk.refresh()
        try:
            (accounts, trust), _ = await self._engine.gate.look(lambda view: (_accounts(view), self._trust(view)))
            await self.blob.start(accounts, trust)
            for key in await self._keys(WORKSPACES):
                await self._furnish(key)
        except (NotInstalled, BlobDoorDown) as error:
            self.closed["blob"] = str(error)
        self._tending = asyncio.create_task(self._tend())
        self._engine.followers.append(self.follow)

    def blob_origins(self) -> dict[str, str]:
        """Base addresses of blobs, queues and tables; none where the door is closed."""
        services = () if "blob" in self.closed else ("blob", "queue", "table")
        return {service: self.blob.origin(service) for service in services}

    async def close(self) -> None:
        """Close all, after their listeners have stopped; what was stored is on disk then."""
        self._engine.followers.remove(self.follow)
        if self._tending is not None:
            self._tending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._tending
        await self.blob.stop()
        await self.registry.close()
        await self.telemetry.stop()

    async def follow(self, changed: frozenset[str]) -> None:
        """Tell the doors what a commit changed; when this returns, no old key opens anything."""
        if EVERYTHING in changed or SIGNING_KEYS in changed:
            await self._tell_all()
        for key in changed:
            id_ = parse_id(key)
            type_ = id_.type.lower() if id_ else ""
            if type_ == ACCOUNTS.lower():
                await self._tell_blob(key)
            elif type_ == WORKSPACES.lower():
                await self._furnish(key)
            elif type_ == CONTAINERS.lower():
                await self._furnish_container(key)
            elif type_ == COMPONENTS.lower():
                await self._telemetry_clerk.refresh()
            elif type_ == REGISTRIES.lower() and id_ is not None and await self._find(key) is None:
                await self.registry.discard(id_.name)

    async def _tell_all(self) -> None:
        await self._telemetry_clerk.refresh()
        (accounts, trust), _ = await self._engine.gate.look(lambda view: (_accounts(view), self._trust(view)))
        with self._blob_may_be_down():
            await self.blob.set_trust(trust)
            await self.blob.set_accounts(accounts)

    async def _tell_blob(self, key: str) -> None:
        account, _ = await self._engine.gate.look(lambda view: _account(view, view.resource(key)))
        with self._blob_may_be_down():
            if account is None:
                await self.blob.drop_account(key.rpartition("/")[2], erase=True)
            else:
                await self.blob.put_account(account)

    async def _furnish(self, key: str) -> None:
        """Make the containers that azure-ai-ml expects in a workspace's storage account."""
        workspace = await self._find(key)
        id_ = parse_id(workspace.properties.get("storageAccount") or "") if workspace else None
        if workspace is None or id_ is None or await self._find(id_.key) is None:
            return
        names = ("azureml", f"azureml-blobstore-{workspace.properties['workspaceId']}")
        with self._blob_may_be_down():
            await self.blob.ensure_containers(id_.name.lower(), names)

    async def _furnish_container(self, key: str) -> None:
        """Make a container that was made through Resource Manager; one that is removed there keeps its blobs here."""
        container = await self._find(key)
        if container is not None and (service := container.id.parent) is not None and service.parent is not None:
            with self._blob_may_be_down():
                await self.blob.ensure_containers(service.parent.name.lower(), [container.name])

    @contextlib.contextmanager
    def _blob_may_be_down(self) -> Iterator[None]:
        """A door that is down refuses everybody; it is told the newest keys before it opens again."""
        try:
            yield
        except (BlobDoorDown, OrderRefused) as error:
            if "blob" not in self.closed:
                log.warning("the blob door was not told of a change", why=str(error))

    async def _find(self, key: str) -> Resource | None:
        found, _ = await self._engine.gate.look(lambda view: view.resource(key))
        return found if found is not None and found.deleted_at is None else None

    async def _keys(self, type_: str) -> list[str]:
        found, _ = await self._engine.gate.look(lambda view: [one.key for one in _all(view, type_)])
        return found

    def _trust(self, view: View) -> Trust:
        authority = self._engine.reader.authority
        keys = {"keys": [orjson.loads(key.public) for key in view.signing_keys()]}
        audiences = (
            "https://storage.azure.com",
            "https://storage.azure.com/",
            "https://{account}.blob.core.windows.net",
            "https://{account}.queue.core.windows.net",
            "https://{account}.table.core.windows.net",
        )
        return Trust(keys, authority.issuers, audiences, f"{authority.url}/oauth2/authorize")

    async def _tend(self) -> None:
        while True:
            try:
                await self.registry.tend()
            except Exception:
                log.exception("the registries could not be tidied")
            await asyncio.sleep(TEND_EVERY)


def _all(view: View, type_: str) -> list[Resource]:
    return resources.children(view.connection(), parent=None, subscription=None, type_=type_, after="", most=100_000)


def _accounts(view: View) -> list[Account]:
    found = (_account(view, resource) for resource in _all(view, ACCOUNTS))
    return [account for account in found if account is not None]


def _account(view: View, resource: Resource | None) -> Account | None:
    if resource is None or resource.deleted_at is not None:
        return None
    kept = view.secrets(resource.key)
    keys = (kept["key1"].reveal(), kept["key2"].reveal())
    return Account(resource.name.lower(), keys, resource.properties.get("allowSharedKeyAccess") is not False)
