"""Microsoft.KeyVault/vaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import BadRequest, Conflict
from linarite.first_start import TENANT
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from tests.unit.kinds.house import House

VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/My-Vault"
POLICY = {"tenantId": TENANT, "objectId": "someone", "permissions": {"secrets": ["get", "list"]}}


def body(**properties: Any) -> dict[str, Any]:
    return {"location": "eastus", "properties": {"tenantId": TENANT, "sku": {"name": "standard"}, **properties}}


def test_a_vault_has_azures_defaults(house: House) -> None:
    answer = house.put(VAULT, body())
    assert answer.status == 200
    properties = answer.body["properties"]
    assert properties["sku"] == {"family": "A", "name": "standard"}
    assert properties["vaultUri"] == "https://my-vault.vault.azure.net/"
    assert (properties["enableSoftDelete"], properties["softDeleteRetentionInDays"]) == (True, 90)
    assert (properties["enableRbacAuthorization"], properties["accessPolicies"]) == (False, [])
    assert properties["provisioningState"] == "Succeeded"
    assert "enablePurgeProtection" not in properties


def test_access_policies_are_kept_and_replaced_as_a_whole(house: House) -> None:
    house.put(VAULT, body(accessPolicies=[POLICY]))
    assert house.get(VAULT)["properties"]["accessPolicies"] == [POLICY]
    other = {**POLICY, "objectId": "other"}
    house.patch(VAULT, {"properties": {"accessPolicies": [other]}})
    assert house.get(VAULT)["properties"]["accessPolicies"] == [other]


def test_an_update_leaves_what_it_does_not_name(house: House) -> None:
    house.put(VAULT, body(accessPolicies=[POLICY]))
    changed = house.patch(VAULT, {"properties": {"enableRbacAuthorization": True}})["properties"]
    assert changed["enableRbacAuthorization"] is True
    assert changed["accessPolicies"] == [POLICY]


@pytest.mark.parametrize("missing", ["tenantId", "sku"])
def test_a_vault_needs_a_tenant_and_a_sku(house: House, missing: str) -> None:
    wanted = body()
    del wanted["properties"][missing]
    with pytest.raises(BadRequest) as caught:
        house.put(VAULT, wanted)
    assert [problem.target for problem in caught.value.details] == [f"properties.{missing}"]


def test_how_long_deleted_things_are_kept_is_said_once(house: House) -> None:
    house.put(VAULT, body(softDeleteRetentionInDays=7))
    assert house.put(VAULT, body()).body["properties"]["softDeleteRetentionInDays"] == 7
    with pytest.raises(BadRequest):
        house.put(VAULT, body(softDeleteRetentionInDays=8))


def test_protection_from_purging_is_not_taken_back(house: House) -> None:
    house.put(VAULT, body(enablePurgeProtection=True))
    with pytest.raises(BadRequest) as caught:
        house.patch(VAULT, {"properties": {"enablePurgeProtection": False}})
    assert caught.value.message == (
        'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an '
        "irreversible action."
    )
    assert house.get(VAULT)["properties"]["enablePurgeProtection"] is True


def test_a_name_is_taken_in_the_whole_tenant(house: House) -> None:
    house.put(VAULT, body())
    other = f"{SUBSCRIPTION}/resourceGroups/other"
    house.put(other, {"location": "eastus"}, version="2024-11-01")
    with pytest.raises(Conflict) as caught:
        house.put(VAULT.replace(GROUP, other), body())
    assert caught.value.code == "VaultAlreadyExists"


@pytest.mark.parametrize(
    ("name", "reason"), [("free-vault", None), ("MY-VAULT", "AlreadyExists"), ("1vault", "AccountNameInvalid")]
)
def test_names_are_checked(house: House, name: str, reason: str | None) -> None:
    house.put(VAULT, body())
    asked = {"name": name, "type": "Microsoft.KeyVault/vaults"}
    answer = house.post(f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/checkNameAvailability", asked)
    assert (answer["nameAvailable"], answer.get("reason")) == (reason is None, reason)
