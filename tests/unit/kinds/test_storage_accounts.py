"""Microsoft.Storage/storageAccounts and what is below them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import BadRequest, Conflict, NotFound
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.kinds.house import House

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account1"
CONTAINERS = f"{ACCOUNT}/blobServices/default/containers"
BODY = {"location": "East US", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}


def keys_of(answer: Any) -> dict[str, str]:
    return {key["keyName"]: key["value"].reveal() for key in answer["keys"]}


@pytest.fixture
def account(house: House) -> str:
    house.put(ACCOUNT, BODY)
    return ACCOUNT


def test_an_account_has_azures_defaults(house: House) -> None:
    answer = house.put(ACCOUNT, BODY)
    properties = answer.body["properties"]
    assert answer.status == 200
    assert (answer.body["location"], answer.body["sku"]["tier"]) == ("eastus", "Standard")
    assert (properties["accessTier"], properties["minimumTlsVersion"]) == ("Hot", "TLS1_2")
    assert properties["supportsHttpsTrafficOnly"] is True
    assert properties["provisioningState"] == "Succeeded"
    assert "allowSharedKeyAccess" not in properties


def test_the_tier_follows_the_sku(house: House, account: str) -> None:
    assert house.patch(account, {"sku": {"name": "premium_lrs"}})["sku"] == {"name": "Premium_LRS", "tier": "Premium"}


def test_a_second_put_keeps_the_keys_and_what_the_server_had_set(house: House, account: str) -> None:
    before, keys = house.get(account)["properties"], keys_of(house.post(f"{account}/listKeys"))
    house.now += timedelta(hours=1)
    again = house.put(account, {**BODY, "properties": {"creationTime": "2001-01-01T00:00:00Z"}}).body["properties"]
    assert again["creationTime"] == before["creationTime"]
    assert again["keyCreationTime"] == before["keyCreationTime"]
    assert keys_of(house.post(f"{account}/listKeys")) == keys


def test_a_regenerated_key_is_younger_and_the_other_is_what_it_was(house: House, account: str) -> None:
    before = house.post(f"{account}/listKeys")
    house.now += timedelta(minutes=5)
    after = house.post(f"{account}/regenerateKey", {"keyName": "KEY2"})
    assert keys_of(after)["key1"] == keys_of(before)["key1"]
    assert keys_of(after)["key2"] != keys_of(before)["key2"]
    born = {key["keyName"]: key["creationTime"] for key in after["keys"]}
    assert born == {"key1": "2026-11-24T08:15:30Z", "key2": "2026-11-24T08:20:30Z"}


def test_keys_of_an_account_that_takes_none_are_listed_all_the_same(house: House, account: str) -> None:
    house.patch(account, {"properties": {"allowSharedKeyAccess": False}})
    assert len(keys_of(house.post(f"{account}/listKeys"))) == 2


def test_a_name_is_taken_in_the_whole_tenant(house: House, account: str) -> None:
    other = f"{SUBSCRIPTION}/resourceGroups/other"
    house.put(other, {"location": "eastus"}, version="2024-11-01")
    with pytest.raises(Conflict) as caught:
        house.put(account.replace(GROUP, other), BODY)
    assert caught.value.code == "StorageAccountAlreadyTaken"


def test_data_is_under_azures_names_while_the_door_is_closed(house: House, account: str) -> None:
    endpoints = house.get(account)["properties"]["primaryEndpoints"]
    assert endpoints["blob"] == "https://account1.blob.core.windows.net/"
    assert set(endpoints) == {"blob", "queue", "table", "file", "dfs"}


def test_data_is_at_the_door_while_that_is_open(house_with: Callable[..., House]) -> None:
    house = house_with(blob="https://localhost:1", queue="https://localhost:2", table="https://localhost:3")
    house.put(ACCOUNT, BODY)
    assert house.get(ACCOUNT)["properties"]["primaryEndpoints"]["blob"].startswith("https://localhost:1/account1")


def test_an_account_has_one_blob_service(house: House, account: str) -> None:
    assert [one["name"] for one in house.list(f"{account}/blobServices")] == ["default"]
    with pytest.raises(NotFound):
        house.get(f"{account}/blobServices/second")


def test_a_new_container_is_private_and_idle(house: House, account: str) -> None:
    answer = house.put(f"{CONTAINERS}/images", {"properties": {}})
    assert (answer.status, answer.body["type"]) == (201, "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert answer.body["properties"] == {
        "publicAccess": "None",
        "defaultEncryptionScope": "$account-encryption-key",
        "denyEncryptionScopeOverride": False,
        "lastModifiedTime": "2026-11-24T08:15:30Z",
        "leaseStatus": "Unlocked",
        "leaseState": "Available",
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
    }
    assert house.put(f"{CONTAINERS}/images", {"properties": {"publicAccess": "blob"}}).status == 200
    assert [one["name"] for one in house.list(CONTAINERS)] == ["images"]
    assert house.delete(f"{CONTAINERS}/images").status == 200
    assert house.delete(f"{CONTAINERS}/images").status == 204


@pytest.mark.parametrize("above", [ACCOUNT.replace("account1", "nobody1"), ACCOUNT])
def test_a_container_needs_an_account_and_its_one_service(house: House, account: str, above: str) -> None:
    service = "second" if above == account else "default"
    with pytest.raises(NotFound) as caught:
        house.put(f"{above}/blobServices/{service}/containers/images", {})
    assert caught.value.code == "ParentResourceNotFound"


def test_containers_go_with_their_account(house: House, account: str) -> None:
    house.put(f"{CONTAINERS}/images", {})
    house.delete(account)
    house.put(account, BODY)
    assert house.list(CONTAINERS) == []


def test_an_account_of_no_sku_is_refused(house: House) -> None:
    with pytest.raises(BadRequest) as caught:
        house.put(ACCOUNT, {"location": "eastus"})
    assert [problem.target for problem in caught.value.details] == ["sku"]
