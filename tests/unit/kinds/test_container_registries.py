"""Microsoft.ContainerRegistry/registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import BadRequest, Conflict
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.kinds.house import House

REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/Registry1"
BODY: dict[str, Any] = {"location": "eastus", "sku": {"name": "Basic"}, "properties": {}}
ADMIN = {"properties": {"adminUserEnabled": True}}


def passwords_of(answer: Any) -> dict[str, str]:
    return {one["name"]: one["value"].reveal() for one in answer["passwords"]}


@pytest.fixture
def registry(house: House) -> str:
    house.put(REGISTRY, BODY)
    return REGISTRY


def test_a_registry_has_azures_defaults(house: House) -> None:
    answer = house.put(REGISTRY, BODY)
    properties = answer.body["properties"]
    assert answer.status == 201
    assert answer.body["sku"] == {"name": "Basic", "tier": "Basic"}
    assert properties["adminUserEnabled"] is False
    assert properties["loginServer"] == "registry1.azurecr.io"
    assert properties["creationDate"] == "2026-11-24T08:15:30Z"
    assert house.put(REGISTRY, BODY).status == 200


def test_the_login_server_is_the_door_while_that_is_open(house_with: Callable[..., House]) -> None:
    house = house_with(registry="https://localhost:8444")
    assert house.put(REGISTRY, BODY).body["properties"]["loginServer"] == "localhost:8444"


@pytest.mark.parametrize(
    ("action", "body"), [("listCredentials", None), ("regenerateCredential", {"name": "password"})]
)
def test_no_credentials_are_given_while_the_admin_user_is_disabled(
    house: House, registry: str, action: str, body: Any
) -> None:
    with pytest.raises(BadRequest) as caught:
        house.post(f"{registry}/{action}", body)
    assert caught.value.code == "UnAuthorizedForCredentialOperations"
    assert caught.value.message.startswith(
        f"Cannot perform credential operations for {registry} as admin user is disabled. Kindly enable admin user "
    )


def test_enabling_the_admin_user_reveals_passwords_that_were_there(house: House, registry: str) -> None:
    house.patch(registry, ADMIN)
    before = house.post(f"{registry}/listCredentials")
    assert before["username"] == "Registry1"
    assert list(passwords_of(before)) == ["password", "password2"]
    house.patch(registry, {"properties": {"adminUserEnabled": False}})
    house.patch(registry, ADMIN)
    assert passwords_of(house.post(f"{registry}/listCredentials")) == passwords_of(before)


def test_a_password_that_is_not_given_is_not_regenerated_either(house: House, registry: str) -> None:
    house.patch(registry, ADMIN)
    before = passwords_of(house.post(f"{registry}/listCredentials"))
    house.patch(registry, {"properties": {"adminUserEnabled": False}})
    with pytest.raises(BadRequest):
        house.post(f"{registry}/regenerateCredential", {"name": "password"})
    house.patch(registry, ADMIN)
    assert passwords_of(house.post(f"{registry}/listCredentials")) == before


@pytest.mark.parametrize(("name", "other"), [("password", "password2"), ("password2", "password")])
def test_one_password_is_regenerated_and_the_other_goes_on(house: House, registry: str, name: str, other: str) -> None:
    house.patch(registry, ADMIN)
    before = passwords_of(house.post(f"{registry}/listCredentials"))
    after = passwords_of(house.post(f"{registry}/regenerateCredential", {"name": name}))
    assert after[name] != before[name]
    assert after[other] == before[other]
    assert passwords_of(house.post(f"{registry}/listCredentials")) == after


def test_no_other_password_is_regenerated(house: House, registry: str) -> None:
    house.patch(registry, ADMIN)
    with pytest.raises(BadRequest):
        house.post(f"{registry}/regenerateCredential", {"name": "password3"})


def test_an_update_leaves_what_it_does_not_name(house: House, registry: str) -> None:
    house.patch(registry, {"sku": {"name": "premium"}, "tags": {"a": "b"}})
    changed = house.patch(registry, ADMIN)
    assert (changed["sku"], changed["tags"]) == ({"name": "Premium", "tier": "Premium"}, {"a": "b"})
    assert changed["properties"]["creationDate"] == "2026-11-24T08:15:30Z"


@pytest.mark.parametrize(
    ("sku", "gibibytes", "webhooks"), [("Basic", 10, 2), ("Standard", 100, 10), ("Premium", 500, 500)]
)
def test_limits_are_those_of_the_sku(house: House, registry: str, sku: str, gibibytes: int, webhooks: int) -> None:
    house.patch(registry, {"sku": {"name": sku}})
    limits = {one["name"]: one["limit"] for one in house.list(f"{registry}/listUsages")}
    assert limits == {"Size": gibibytes * 1024**3, "Webhooks": webhooks}


def test_a_name_is_taken_in_the_whole_tenant_in_any_case(house: House, registry: str) -> None:
    other = f"{SUBSCRIPTION}/resourceGroups/other"
    house.put(other, {"location": "eastus"}, version="2024-11-01")
    with pytest.raises(Conflict) as caught:
        house.put(registry.replace(GROUP, other).replace("Registry1", "REGISTRY1"), BODY)
    assert caught.value.code == "AlreadyInUse"
    assert caught.value.message.startswith("The registry DNS name registry1.azurecr.io is already in use.")


@pytest.mark.parametrize(
    ("name", "reason"), [("registry2", None), ("REGISTRY1", "AlreadyExists"), ("my-reg", "Invalid")]
)
def test_names_are_checked(house: House, registry: str, name: str, reason: str | None) -> None:
    asked = {"name": name, "type": "Microsoft.ContainerRegistry/registries"}
    answer = house.post(f"{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/checkNameAvailability", asked)
    assert (answer["nameAvailable"], answer.get("reason")) == (reason is None, reason)


def test_registries_write_both_identities_with_a_space_between(house: House) -> None:
    identity = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {}}
    answer = house.put(REGISTRY, {**BODY, "identity": identity}).body["identity"]
    assert answer["type"] == "SystemAssigned, UserAssigned"
    assert answer["principalId"]
