"""What is asked again is answered from memory: as long as nothing has changed, and where the answer is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite import verbs
from linarite.errors import Refusal
from linarite.first_start import OWNER_OBJECT
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
TWIN = ACCOUNT.replace("st1", "st2")
NEW = {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
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
    house.put(ACCOUNT, NEW)
    seen.clear()
    return seen


def test_a_resource_is_worked_out_once_as_long_as_nothing_changes(house: House, shown: list[str]) -> None:
    assert house.get(ACCOUNT) == house.get(ACCOUNT)
    assert shown == ["st1"]
    house.patch(ACCOUNT, {"tags": {"a": "b"}})
    shown.clear()
    assert house.get(ACCOUNT)["tags"] == {"a": "b"}
    assert shown == ["st1"]


def given_a_role(house: House, scope: str = GROUP) -> str:
    """Object id of an application that owns a scope."""
    new = house.join()
    key = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{new}"
    house.put(key, {"properties": {"principalId": new, "roleDefinitionId": ROLE}})
    return new


def test_another_version_and_another_query_are_answered_for_themselves(house: House, shown: list[str]) -> None:
    house.get(ACCOUNT)
    house.get(ACCOUNT, version="2022-09-01")
    house.get(ACCOUNT, query={"$expand": "geoReplicationStats"})
    assert shown == ["st1", "st1", "st1"]


def test_of_what_is_very_long_nothing_is_remembered_for_anybody_may_ask(house: House, shown: list[str]) -> None:
    nobody, before = house.join(), len(house.engine._plans)
    with pytest.raises(Refusal, match="AuthorizationFailed"):
        house.get(ACCOUNT, query={"x": "y" * 1024}, by=nobody)
    assert house.get(ACCOUNT, query={"x": "z" * 1024}) == house.get(ACCOUNT, query={"x": "z" * 1024})
    assert shown == ["st1", "st1"]
    assert len(house.engine._plans) == before


def test_who_has_no_role_is_refused_what_somebody_else_was_answered(house: House, shown: list[str], other: str) -> None:
    nobody, elsewhere = house.join(), given_a_role(house, other)
    house.put(TWIN.replace(GROUP, other), NEW)
    house.get(TWIN.replace(GROUP, other), by=elsewhere)
    shown.clear()
    house.get(ACCOUNT)
    for one in (nobody, elsewhere):
        with pytest.raises(Refusal, match="AuthorizationFailed"):
            house.get(ACCOUNT, by=one)
    assert shown == ["st1"]


def test_who_was_found_to_have_a_role_is_answered_what_somebody_else_was(house: House, shown: list[str]) -> None:
    """And what they do elsewhere in the scope of their role, nobody has to look for again."""
    other = given_a_role(house)
    house.put(TWIN, NEW)
    shown.clear()
    answers = [house.get(path, by=by) for path, by in ((ACCOUNT, OWNER_OBJECT), (TWIN, other), (ACCOUNT, other))]
    assert answers[0] == answers[2]
    assert shown == ["st1", "st2"]


def test_what_others_may_be_given_is_worked_out_without_a_caller(
    house: House, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = []
    monkeypatch.setattr(verbs, "as_shown", lambda reading, *_: callers.append(reading.caller))
    house.get(ACCOUNT)
    assert callers == [None]
    assert shown == []


def test_a_fault_for_one_caller_strikes_though_another_was_answered(house: House, shown: list[str]) -> None:
    other = given_a_role(house)
    house.put(TWIN, NEW)
    house.put(FAULT, {"properties": {"fault": "503", "path": "*st1", "client": other}})
    house.get(TWIN, by=other)
    house.get(ACCOUNT)
    with pytest.raises(Refusal, match="ServiceUnavailable"):
        house.get(ACCOUNT, by=other)
    assert "st1" in shown


def test_whose_role_is_taken_away_is_refused_what_they_had_seen(house: House, shown: list[str]) -> None:
    other = given_a_role(house)
    assert house.get(ACCOUNT, by=other) == house.get(ACCOUNT, by=other)
    assert shown.count("st1") == 1
    house.delete(f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{other}")
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
