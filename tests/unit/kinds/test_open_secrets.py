"""Secrets are unsealed once until they change, or for each answer where they are to stay sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite import first_start
from linarite.seal import Keyring
from linarite.store.resources import boxes_of
from tests.unit.kinds.house import GROUP

if TYPE_CHECKING:
    from tests.unit.kinds.house import House

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1"
TWIN = ACCOUNT.replace("st1", "st2")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collects the name of every secret that is unsealed."""
    seen: list[str] = []
    open_ = Keyring.open

    def counted(ring: Keyring, sealed: Any, owner: str, field: str) -> Any:
        seen.append(field)
        return open_(ring, sealed, owner, field)

    monkeypatch.setattr(Keyring, "open", counted)
    return seen


@pytest.mark.parametrize("stays_open", [True, False])
def test_a_secret_is_unsealed_once_unless_it_is_to_stay_sealed(
    house: House, opened: list[str], monkeypatch: pytest.MonkeyPatch, *, stays_open: bool
) -> None:
    house.put(ACCOUNT, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    token = house.token(first_start.OWNER_OBJECT)
    monkeypatch.setattr(house, "token", lambda _: token)
    house.engine.gate.memory.opens_secrets = stays_open
    opened.clear()
    first, second = house.post(f"{ACCOUNT}/listKeys"), house.post(f"{ACCOUNT}/listKeys")
    assert first == second
    assert sorted(opened) == (["key1", "key2"] if stays_open else ["key1", "key1", "key2", "key2"])
    assert bool(len(house.engine.answers)) is stays_open


def test_what_is_remembered_of_a_secret_is_its_box(house: House) -> None:
    house.put(ACCOUNT, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    released = house.post(f"{ACCOUNT}/listKeys")
    boxes = boxes_of(house.engine.gate.memory.rows[ACCOUNT.lower()])
    assert boxes.keys() == {"key1", "key2"}
    for key in released["keys"]:
        assert key["value"].reveal().encode() not in boxes[key["keyName"]]


def test_no_secret_is_remembered_that_is_none_any_more(house: House) -> None:
    house.put(ACCOUNT, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    before = house.post(f"{ACCOUNT}/listKeys")
    assert len(house.engine.answers) == 1
    house.post(f"{ACCOUNT}/regenerateKey", {"keyName": "key1"})
    assert len(house.engine.answers) == 0
    after = house.post(f"{ACCOUNT}/listKeys")
    assert before["keys"][0] != after["keys"][0]
    assert before["keys"][1] == after["keys"][1]


def test_a_secret_stays_open_when_something_else_changes(
    house: House, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (ACCOUNT, TWIN):
        house.put(account, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    token = house.token(first_start.OWNER_OBJECT)
    monkeypatch.setattr(house, "token", lambda _: token)
    before = house.post(f"{ACCOUNT}/listKeys")
    house.post(f"{TWIN}/regenerateKey", {"keyName": "key1"})
    opened.clear()
    assert house.post(f"{ACCOUNT}/listKeys") == before
    assert opened == []
