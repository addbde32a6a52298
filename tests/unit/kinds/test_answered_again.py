"""What is asked again is answered from memory: as long as nothing has changed, and where the answer is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite import verbs
from linarite.errors import Refusal
from linarite.kinds.faults import TYPE as FAULTS
from linarite.roles import OWNER
from linarite.throttle import SIZES, Buckets
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from linarite.kind import Kind
    from linarite.model import Body, Resource
    from linarite.world import Reading
    from tests.unit.kinds.house import House

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1"
ROLE = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OWNER.id}"
FAULT = f"/providers/{FAULTS}/one"


@pytest.fixture
def shown(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was worked out and not remembered; everybody has one token for good."""
    seen: list[str] = []
    show = verbs.as_shown

    def noted(reading: Reading, kind: Kind, resource: Resource) -> Body:
        seen.append(resource.name)
        return show(reading, kind, resource)

    tokens: dict[str, str] = {}
    fresh = house.token
    monkeypatch.setattr(house, "token", lambda by: tokens.setdefault(by, fresh(by)))
    monkeypatch.setattr(verbs, "as_shown", noted)
    house.put(ACCOUNT, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    seen.clear()
    return seen


def test_a_resource_is_worked_out_once_as_long_as_nothing_changes(house: House, shown: list[str]) -> None:
    assert house.get(ACCOUNT) == house.get(ACCOUNT)
    assert shown == ["st1"]
    house.patch(ACCOUNT, {"tags": {"a": "b"}})
    shown.clear()
    assert house.get(ACCOUNT)["tags"] == {"a": "b"}
    assert shown == ["st1"]


def test_another_caller_and_another_version_are_answered_for_themselves(house: House, shown: list[str]) -> None:
    house.get(ACCOUNT)
    house.get(ACCOUNT, version="2022-09-01")
    assert shown == ["st1", "st1"]
    with pytest.raises(Refusal, match="AuthorizationFailed"):
        house.get(ACCOUNT, by=house.join())


def test_whose_role_is_taken_away_is_refused_what_they_had_seen(house: House, shown: list[str]) -> None:
    other, key = house.join(), f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{OWNER.id}"
    house.put(key, {"properties": {"principalId": other, "roleDefinitionId": ROLE}})
    assert house.get(ACCOUNT, by=other) == house.get(ACCOUNT, by=other)
    assert shown.count("st1") == 1
    house.delete(key)
    with pytest.raises(Refusal, match="AuthorizationFailed"):
        house.get(ACCOUNT, by=other)


def test_what_is_remembered_counts_in_the_callers_bucket(house: House, shown: list[str]) -> None:
    house.engine.buckets = Buckets(enforced=True)
    for _ in range(SIZES["reads"]):
        house.get(ACCOUNT)
    with pytest.raises(Refusal, match="SubscriptionRequestsThrottled"):
        house.get(ACCOUNT)
    assert shown == ["st1"]


def test_a_token_that_has_ended_is_not_answered_from_memory(house: House, shown: list[str]) -> None:
    house.get(ACCOUNT)
    house.now = house.now.replace(year=house.now.year + 1)
    with pytest.raises(Refusal, match="ExpiredAuthenticationToken"):
        house.get(ACCOUNT)
    assert shown == ["st1"]


def test_what_is_shown_on_this_machine_is_not_shown_elsewhere(house: House, shown: list[str]) -> None:
    house.put(FAULT, {"properties": {"fault": "503", "path": GROUP}})
    house.get(FAULT)
    with pytest.raises(Refusal, match="CallerNotLocal"):
        house.get(FAULT, address="192.0.2.1")
    assert shown == ["one", "one"]


@pytest.mark.parametrize(
    "path",
    [
        f"{SUBSCRIPTION}/providers/Microsoft.Storage",
        f"{SUBSCRIPTION}/providers/Microsoft.Storage/locations/eastus/operationStatuses/x",
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts",
    ],
)
def test_what_is_computed_or_goes_on_or_is_a_list_is_worked_out_each_time(house: House, path: str) -> None:
    assert not house.engine._planned("GET", path, "2023-01-01").repeatable
