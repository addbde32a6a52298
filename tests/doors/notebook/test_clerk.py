"""Whose key it is: the clerk over a real state, with a clock to be set and keys to be changed under its hands."""

from __future__ import annotations

import asyncio
import base64
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from linarite.doors.notebook.clerk import ACTION, NotebookClerk
from linarite.doors.notebook.desk import Pass, Visit
from linarite.ids import parse_id
from linarite.kinds.workspaces.notebook import KEYS, SCOPE
from linarite.model import Secret
from linarite.seal import Keyring
from linarite.store import trail
from linarite.store.migrations import bring_up
from tests.unit.kinds.house import GROUP, House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from linarite.store.transaction import Transaction

VISIT = Visit("GET", "/api/kernels", "127.0.0.1")
VERSION = "2023-10-01"
WORKSPACES = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces"


class Desk:
    """A clerk and the two workspaces that it knows."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clerk = NotebookClerk(house.engine)
        found = house.post(f"{WORKSPACES}/first/listNotebookKeys", version=VERSION)
        self.keys = {name: key.reveal() for name, key in found.items()}

    def admit(self, token: str) -> Pass | None:
        return self.house.runner.run(self.clerk.admit(token, VISIT))

    def still(self, shown: Pass, visit: Visit | None = None) -> bool:
        return self.house.runner.run(self.clerk.still(shown, visit))

    def access_token(self) -> str:
        path = f"{WORKSPACES}/first/listNotebookAccessToken"
        token: Secret = self.house.post(path, version=VERSION)["accessToken"]
        return token.reveal()

    def signed(self, key: str, algorithm: str = "HS256", **claims: Any) -> str:
        """An access token of somebody's own making."""
        now = int(self.house.now.timestamp())
        usual = {"aud": f"{WORKSPACES}/first", "sub": "me", "scp": SCOPE, "iat": now, "exp": now + 60}
        return jwt.encode({"alg": algorithm}, usual | claims, OctKey.import_key(key), algorithms=[algorithm])

    def set_key(self, name: str, value: str) -> None:
        """Another notebook key, as nothing of Azure's makes one."""
        id_ = parse_id(f"{WORKSPACES}/first")
        assert id_ is not None

        def work(transaction: Transaction) -> None:
            transaction.put_secret(id_.key, name, Secret(value))

        self.house.runner.run(self.house.engine.gate.commit(work, lambda _: None))

    def refusals(self) -> list[Any]:
        with self.house.engine.gate.database.writer.connect() as connection:
            entries = [entry for _, entry in trail.entries(connection, 0, 1000)]
        return [entry for entry in entries if entry.action == ACTION]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Two workspaces with notebooks and one without; each test has a copy of the database."""
    path = tmp_path_factory.mktemp("clerk") / "linarite.db"
    bring_up(f"sqlite:///{path}")
    with asyncio.Runner() as runner:
        house = House(path, Keyring.fresh(), runner)
        house.found()
        near = f"{GROUP}/providers"
        vault = {"tenantId": house.engine.options.tenant, "sku": {"family": "A", "name": "standard"}}
        house.put(
            f"{near}/Microsoft.Storage/storageAccounts/acc", {"location": "eastus", "sku": {"name": "Standard_LRS"}}
        )
        house.put(f"{near}/Microsoft.KeyVault/vaults/vault1", {"location": "eastus", "properties": vault})
        house.put(f"{near}/Microsoft.Insights/components/comp", {"location": "eastus", "kind": "web"})
        links = {
            "storageAccount": f"{near}/Microsoft.Storage/storageAccounts/acc",
            "keyVault": f"{near}/Microsoft.KeyVault/vaults/vault1",
            "applicationInsights": f"{near}/Microsoft.Insights/components/comp",
        }
        for name in ("first", "second", "without"):
            house.put(f"{WORKSPACES}/{name}", {"location": "eastus", "properties": links}, version=VERSION)
        for name in ("first", "second"):
            house.post(f"{WORKSPACES}/{name}/prepareNotebook", version=VERSION)
        house.close()
    return house


@pytest.fixture
def desk(founded: House, tmp_path: Path) -> Iterator[Desk]:
    copy = tmp_path / "linarite.db"
    shutil.copy(founded.database, copy)
    with asyncio.Runner() as runner:
        house = House(copy, founded.keyring, runner)
        yield Desk(house)
        house.close()


@pytest.mark.parametrize("shown", list(KEYS))
def test_a_key_counts_until_it_is_another_one(desk: Desk, shown: str) -> None:
    old, other = desk.keys[shown], next(key for name, key in desk.keys.items() if name != shown)
    for _ in range(2):  # looked for, and looked up
        admitted = desk.admit(old)
        assert admitted is not None
        assert (admitted.workspace, admitted.key) == (f"{WORKSPACES}/first".lower(), KEYS[shown])
    assert desk.still(admitted)

    desk.set_key(KEYS[shown], "f" * 64)

    assert desk.admit(old) is None
    assert not desk.still(admitted)
    assert desk.admit("f" * 64) is not None
    assert desk.admit(other) is not None


def test_a_key_that_moved_to_another_name_counts_as_that_one(desk: Desk) -> None:
    primary = desk.keys["primaryAccessKey"]
    admitted = desk.admit(primary)
    assert admitted is not None
    desk.set_key(KEYS["secondaryAccessKey"], primary)
    desk.set_key(KEYS["primaryAccessKey"], "f" * 64)
    again = desk.admit(primary)
    assert again is not None
    assert again.key == KEYS["secondaryAccessKey"]
    assert not desk.still(admitted)


def test_an_access_token_names_its_holder_and_ends(desk: Desk) -> None:
    token = desk.access_token()
    admitted = desk.admit(token)
    assert admitted is not None
    assert admitted.holder == "66666666-7777-8888-9999-aaaaaaaaaaaa"
    assert desk.still(admitted)

    desk.house.now += timedelta(hours=8)

    assert desk.admit(token) is None
    assert not desk.still(admitted)


def test_an_access_token_dies_with_the_primary_key_and_not_with_the_other(desk: Desk) -> None:
    token = desk.access_token()
    admitted = desk.admit(token)
    assert admitted is not None
    desk.set_key(KEYS["secondaryAccessKey"], "e" * 64)
    assert desk.admit(token) == admitted
    desk.set_key(KEYS["primaryAccessKey"], "f" * 64)
    assert desk.admit(token) is None
    assert not desk.still(admitted)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": f"{WORKSPACES}/second"},
        {"aud": f"{WORKSPACES}/without"},
        {"aud": f"{WORKSPACES}/missing"},
        {"aud": "/"},
        {"aud": ["a", "b"]},
        {"aud": None},
        {"scp": "user_impersonation"},
        {"exp": 0},
        {"exp": "soon"},
        {"exp": 1e400},
    ],
    ids=str,
)
def test_an_access_token_that_says_something_else_opens_nothing(desk: Desk, claims: dict[str, Any]) -> None:
    assert desk.admit(desk.signed(desk.keys["primaryAccessKey"])) is not None
    assert desk.admit(desk.signed(desk.keys["primaryAccessKey"], **claims)) is None


def test_an_access_token_that_was_signed_otherwise_opens_nothing(desk: Desk) -> None:
    primary, secondary = desk.keys.values()
    header, claims, _ = desk.access_token().split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    tokens = [desk.signed(secondary), desk.signed(primary, "HS512"), f"{header}.{claims}.", f"{unsigned}.{claims}."]
    assert [desk.admit(token) for token in tokens] == [None] * 4


@pytest.mark.parametrize("wrong", ["", "..", "a.b.c", "\ud800", "é", "{}.{}.{}", "f" * 16_384, "None"])
def test_anything_else_opens_nothing(desk: Desk, wrong: str) -> None:
    assert desk.admit(wrong) is None
    assert len(desk.refusals()) == 1


def test_a_refusal_is_on_the_trail_with_whoever_was_known_and_nobody_else_is(desk: Desk) -> None:
    admitted = desk.admit(desk.access_token())
    assert admitted is not None
    assert desk.still(admitted, VISIT)
    stale = replace(admitted, mark="0" * 32)
    assert not desk.still(stale)
    assert desk.refusals() == []
    assert not desk.still(stale, VISIT)
    [entry] = desk.refusals()
    assert (entry.target, entry.status, entry.code) == ("GET /api/kernels", 403, "AuthenticationFailed")
    assert (entry.caller, entry.address) == (admitted.holder, "127.0.0.1")


def test_a_pass_that_is_not_one_of_ours_is_none() -> None:
    admitted = Pass("w", "k", "m")
    assert Pass.from_wire(admitted.wire()) == admitted
    for given in (None, [], {}, {"workspace": "w"}, {**admitted.wire(), "more": 1}):
        assert Pass.from_wire(given) is None
