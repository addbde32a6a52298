"""A running blob door for tests that use the real, blocking SDKs: its event loop turns in a thread of its own."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.storage.blob import BlobServiceClient

from linarite import certificates
from linarite.doors.blob import Account, BlobDoor, Layout, NotInstalled, Question, Trust, TurnedAway
from linarite.doors.blob.installed import find_azurite, find_node
from tests.doors.blob.loop import Run, turning_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.certificates import Certificates

MODULES = Path(__file__).parents[3] / "node_modules"

OpenDoor = Callable[..., BlobDoor]


@dataclass
class Desk:
    """Grants `(oid, account)` some actions, and remembers what it was asked."""

    grants: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    told: list[TurnedAway] = field(default_factory=list)

    async def may(self, question: Question) -> bool:
        self.questions.append(question)
        if question.oid == "broken":
            raise RuntimeError("the desk is on fire")
        if question.oid == "slow":
            await asyncio.Event().wait()
        return not self.grants.get((question.oid, question.account), set()).isdisjoint(question.actions)

    async def turned_away(self, event: TurnedAway) -> None:
        self.told.append(event)
        if event.operation == "Container_Create":
            raise RuntimeError("the trail is on fire")


@dataclass
class Storage:
    """A storage account of the shared door, with what a client needs to reach it."""

    door: BlobDoor
    run: Run
    bundle: Path
    account: Account

    def client(self, credential: Any = "key1") -> BlobServiceClient:
        given = {"key1": self.account.keys[0], "key2": self.account.keys[1]}.get(credential, credential)
        return BlobServiceClient(self.url("blob"), credential=given, connection_verify=str(self.bundle), retry_total=0)

    def url(self, service: str) -> str:
        return f"{self.door.origin(service)}/{self.account.name}"

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.bundle)

    def push(self, **changes: Any) -> None:
        """Change the account; what was before is refused when this returns."""
        self.account = replace(self.account, **changes)
        self.run(self.door.put_account(self.account))


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


def new_account(name: str | None = None) -> Account:
    return Account(name or f"st{secrets.token_hex(8)}", (new_key(), new_key()))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="session")
def installed() -> None:
    try:
        find_node(os.environ)
        find_azurite(MODULES)
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    with turning_loop("blob-doors") as run:
        yield run


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.ensure(tmp_path_factory.mktemp("certificates"), (), datetime.now(UTC))


@pytest.fixture
def open_door(run: Run, installed: None, tmp_path: Path) -> Iterator[OpenDoor]:
    """Starts a door of the test's own, over plain HTTP; it is closed when the test is over."""
    opened: list[BlobDoor] = []

    def start(*accounts: Account, layout: dict[str, Any] | None = None, **more: Any) -> BlobDoor:
        place = Layout(
            **{"modules": MODULES, "folder": tmp_path / "blobs", "delegation_secret": new_key()} | (layout or {})
        )

        async def begin() -> BlobDoor:
            door = BlobDoor(place, Desk(), os.environ, **more)
            opened.append(door)
            await door.start(accounts)
            return door

        return run(begin())

    yield start
    for door in opened:
        run(door.stop())


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def shared_door(run: Run, installed: None, issued: Certificates, desk: Desk) -> Iterator[BlobDoor]:
    layout = Layout(
        modules=MODULES,
        folder=None,
        delegation_secret=new_key(),
        certificate=issued.chain,
        key=issued.key,
        ca_bundle=issued.ca,
    )

    async def begin() -> BlobDoor:
        door = BlobDoor(layout, desk, os.environ)
        await door.start()
        return door

    door = run(begin())
    yield door
    run(door.stop())


@pytest.fixture
def storage(shared_door: BlobDoor, run: Run, issued: Certificates) -> Storage:
    account = new_account()
    run(shared_door.put_account(account))
    return Storage(shared_door, run, issued.bundle, account)


@pytest.fixture
def trusted(shared_door: BlobDoor, run: Run) -> Iterator[Callable[[Trust | None], None]]:
    """Sets whose tokens count; nobody's do after the test."""
    yield lambda trust: run(shared_door.set_trust(trust))
    run(shared_door.set_trust(None))
