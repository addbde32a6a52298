"""Microsoft.OperationalInsights/workspaces."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from linarite.ids import is_guid
from tests.unit.kinds.house import GROUP

if TYPE_CHECKING:
    from tests.unit.kinds.house import House

LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
BODY: dict[str, Any] = {"location": "eastus", "properties": {}}


def keys_of(answer: Any) -> dict[str, str]:
    return {name: value.reveal() for name, value in answer.items()}


def test_a_log_workspace_has_azures_defaults(house: House) -> None:
    answer = house.put(LOGS, BODY)
    properties = answer.body["properties"]
    assert answer.status == 201
    assert is_guid(properties["customerId"])
    assert (properties["sku"], properties["retentionInDays"]) == ({"name": "PerGB2018"}, 30)
    assert properties["provisioningState"] == "Succeeded"
    assert properties["createdDate"] == "2026-11-24T08:15:30Z"


def test_a_change_is_dated_and_leaves_what_the_server_had_set(house: House) -> None:
    before = house.put(LOGS, BODY).body["properties"]
    house.now += timedelta(minutes=5)
    answer = house.put(LOGS, {**BODY, "properties": {"retentionInDays": 60, "customerId": before["createdDate"]}})
    after = answer.body["properties"]
    assert answer.status == 200
    assert (after["customerId"], after["createdDate"]) == (before["customerId"], before["createdDate"])
    assert (after["retentionInDays"], after["modifiedDate"]) == (60, "2026-11-24T08:20:30Z")


def test_two_shared_keys_of_64_bytes_are_given(house: House) -> None:
    house.put(LOGS, BODY)
    keys = keys_of(house.post(f"{LOGS}/sharedKeys"))
    assert list(keys) == ["primarySharedKey", "secondarySharedKey"]
    assert [len(base64.b64decode(key, validate=True)) for key in keys.values()] == [64, 64]
    assert len(set(keys.values())) == 2
    assert keys_of(house.post(f"{LOGS}/sharedKeys")) == keys


def test_both_shared_keys_are_regenerated(house: House) -> None:
    house.put(LOGS, BODY)
    before = keys_of(house.post(f"{LOGS}/sharedKeys"))
    after = keys_of(house.post(f"{LOGS}/regenerateSharedKey"))
    assert not set(before.values()) & set(after.values())
    assert keys_of(house.post(f"{LOGS}/sharedKeys")) == after
