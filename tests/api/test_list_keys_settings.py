"""Settings that change what listKeys answers: the name of the storage account's id, and copies that are never stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.place import REGISTRY, STORAGE
from tests.api.test_list_keys import keys
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"LINARITE_STORAGE_ID_MEMBER": "both", "LINARITE_RESYNC": "auto"}
    with running(tmp_path_factory.mktemp("both") / "data", "--no-doors", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def as_on_the_wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("wire") / "data"
    with running(folder, "--no-doors", LINARITE_STORAGE_ID_MEMBER="wire") as server:
        yield server


@pytest.mark.parametrize("version", ["2018-11-19", "2023-10-01", "2026-09-01"])
def test_both_names_are_sent_with_the_same_id(server: Server, version: str) -> None:
    found = keys(server.owner(), server.workspace, version=version)
    assert list(found)[:3] == ["userStorageKey", "userStorageResourceId", "userStorageArmId"]
    assert found["userStorageResourceId"] == found["userStorageArmId"] != ""


@pytest.mark.parametrize("version", ["2018-11-19", "2023-10-01", "2026-09-01"])
def test_the_name_on_the_wire_is_sent_alone(as_on_the_wire: Server, version: str) -> None:
    found = keys(as_on_the_wire.owner(), as_on_the_wire.workspace, version=version)
    assert list(found)[:2] == ["userStorageKey", "userStorageArmId"]
    assert "userStorageResourceId" not in found


def test_a_workspace_that_is_always_fresh_needs_no_resync(server: Server) -> None:
    owner = server.owner()
    links = owner.get(server.workspace).json()["properties"]
    for _ in range(2):
        key = owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key1"}, version=STORAGE).json()
        registry = f"{links['containerRegistry']}/regenerateCredential"
        password = owner.post(registry, {"name": "password"}, version=REGISTRY).json()
        found = keys(owner, server.workspace)
        assert found["userStorageKey"] == key["keys"][0]["value"]
        assert found["containerRegistryCredentials"]["passwords"] == password["passwords"]
