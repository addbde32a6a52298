"""Bodies that leave out, or null, what they need not or must not: nothing of the server's own is lost by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import BadRequest
from linarite.first_start import TENANT
from tests.unit.kinds.house import GROUP

if TYPE_CHECKING:
    from tests.unit.kinds.house import House

HERE: dict[str, Any] = {"location": "eastus"}
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/vault1"
BODIES: dict[str, dict[str, Any]] = {
    f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account1": {**HERE, "sku": {"name": "Standard_LRS"}},
    f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/registry1": {**HERE, "sku": {"name": "Basic"}},
    f"{GROUP}/providers/microsoft.insights/components/component1": {**HERE, "kind": "web"},
    f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs1": HERE,
}
SET_ONCE = {
    "creationTime",
    "keyCreationTime",
    "creationDate",
    "InstrumentationKey",
    "AppId",
    "CreationDate",
    "ConnectionString",
    "customerId",
    "createdDate",
    "provisioningState",
}

every_kind = pytest.mark.parametrize(("path", "body"), BODIES.items(), ids=[path.split("/")[-2] for path in BODIES])


def set_once(shown: Any) -> dict[str, Any]:
    """What the server set when it made the resource."""
    found = {name: value for name, value in shown["properties"].items() if name in SET_ONCE}
    assert len(found) > 1
    return found


@every_kind
def test_properties_left_out_have_all_their_defaults(house: House, path: str, body: dict[str, Any]) -> None:
    left_out = house.put(path, body).body["properties"]
    house.delete(path)
    named = house.put(path, {**body, "properties": {}}).body["properties"]
    assert set(left_out) == set(named)


@every_kind
@pytest.mark.parametrize("properties", [{}, {"properties": None}, {"Properties": {}}], ids=["out", "null", "empty"])
def test_a_second_put_keeps_what_the_server_had_set(
    house: House, path: str, body: dict[str, Any], properties: dict[str, Any]
) -> None:
    made = house.put(path, body).body
    assert set_once(house.put(path, {**body, **properties}).body) == set_once(made)
    assert set_once(house.get(path)) == set_once(made)


@every_kind
def test_null_properties_change_nothing(house: House, path: str, body: dict[str, Any]) -> None:
    made = house.put(path, body).body
    assert set_once(house.patch(path, {"properties": None})) == set_once(made)


@every_kind
def test_what_must_be_there_is_not_taken_away(house: House, path: str, body: dict[str, Any]) -> None:
    house.put(path, body)
    for name in set(body) - {"location"}:
        with pytest.raises(BadRequest) as caught:
            house.patch(path, {name: None})
        assert [problem.target for problem in caught.value.details] == [name]


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"properties": None}, "properties"),
        ({"properties": {"sku": None}}, "properties.sku"),
        ({"properties": {"accessPolicies": [{"tenantId": TENANT}]}}, "properties.accessPolicies[0].objectId"),
    ],
)
def test_a_vault_stays_whole(house: House, change: dict[str, Any], target: str) -> None:
    house.put(VAULT, {**HERE, "properties": {"tenantId": TENANT, "sku": {"name": "standard"}}})
    with pytest.raises(BadRequest) as caught:
        house.patch(VAULT, change)
    assert target in {problem.target for problem in caught.value.details}


def test_a_key_is_regenerated_after_a_put_without_properties(house: House) -> None:
    path, body = next(iter(BODIES.items()))
    house.put(path, body)
    house.put(path, body)
    assert len(house.post(f"{path}/regenerateKey", {"keyName": "key1"})["keys"]) == 2
