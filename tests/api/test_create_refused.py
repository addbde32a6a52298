"""PUT of a workspace that cannot be made: without neighbours, under a wrong name, at no place of Azure's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.regions import REGIONS
from tests.api.place import NEEDED, created, described, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller

MISSING = "Missing dependent resources in workspace json"


# ── what must be there ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("missing", [NEEDED, *[(name,) for name in NEEDED]], ids=["all", *NEEDED])
@pytest.mark.parametrize("how", ["left out", "null", "empty"])
def test_without_the_neighbours_it_is_refused_in_azures_very_words(
    owner: Caller, place: Place, path: str, missing: tuple[str, ...], how: str
) -> None:
    links: dict[str, Any] = dict(place.neighbours())
    for name in missing:
        links[name] = None if how == "null" else ""
        if how == "left out":
            del links[name]
    answer = owner.put(path, described(links))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"], error["target"]) == ("ValidationError", MISSING, "workspace")
    assert error["details"] == [
        {
            "code": "Invalid",
            "severity": None,
            "message": MISSING,
            "messageFormat": None,
            "messageParameters": {},
            "target": "workspace",
            "details": [],
        }
    ]
    assert owner.get(path).status_code == 404


def test_the_providers_refusals_have_the_envelope_of_the_real_one(owner: Caller, path: str) -> None:
    answer = owner.put(path, {"location": "eastus"})
    body = answer.json()
    assert list(body) == ["error", "correlation", "environment", "location", "time", "componentName"]
    assert (body["environment"], body["location"], body["componentName"]) == ("eastus", "eastus", "account-rp")
    assert body["correlation"] == {
        "operation": answer.headers["x-ms-correlation-request-id"].replace("-", ""),
        "request": answer.headers["x-ms-request-id"].replace("-", "")[:16],
    }
    assert answer.headers["x-ms-response-type"] == "error"
    assert "x-ms-failure-cause" not in answer.headers
    assert answer.text.startswith('{\n  "error": {\n    "code"')


@pytest.mark.parametrize("name", [*NEEDED, "containerRegistry"])
def test_a_neighbour_that_is_not_there_is_refused_by_its_member(
    owner: Caller, place: Place, path: str, name: str
) -> None:
    links = place.neighbours()
    links[name] += "x"
    answer = owner.put(path, described(links))
    assert answer.status_code == 400
    [detail] = answer.json()["error"]["details"]
    assert (detail["code"], detail["target"]) == ("LinkedResourceNotFound", f"properties.{name}")
    assert links[name] in detail["message"]


def test_everything_that_is_wrong_is_said_at_once(owner: Caller, place: Place, path: str) -> None:
    body = {**described(place.neighbours(), hbiWorkspace="perhaps", description=7), "kind": "Nothing"}
    answer = owner.put(path, body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "ValidationError"
    assert {one["target"] for one in error["details"]} == {"kind", "properties.hbiWorkspace", "properties.description"}


# ── where, and under which name ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["abc", "9-_", "A" * 33, "a_b-C9"])
def test_a_name_of_the_documented_pattern_is_taken(owner: Caller, place: Place, name: str) -> None:
    assert created(owner, f"{place.workspaces}/{name}", described(place.neighbours()))["name"] == name


@pytest.mark.parametrize("name", ["ab", "A" * 34, "-abc", "_abc", "a.bc", "a bc", "äbc", "abc~", "a%25c"])
def test_any_other_name_is_refused(owner: Caller, place: Place, name: str) -> None:
    answer = owner.put(f"{place.workspaces}/{name}", described(place.neighbours()))
    assert refusal(answer)[:2] == (400, "InvalidResourceName")
    assert "3 to 33 characters" in answer.json()["error"]["message"]


@pytest.mark.parametrize("location", ["East US", "EASTUS", "eastus", "east us"])
def test_a_location_is_read_as_its_name_or_as_it_is_shown(
    owner: Caller, place: Place, path: str, location: str
) -> None:
    assert created(owner, path, {**described(place.neighbours()), "location": location})["location"] == "eastus"


@pytest.mark.parametrize("location", [None, "", "left out"])
def test_without_a_location_it_is_refused(owner: Caller, place: Place, path: str, location: str | None) -> None:
    body = {**described(place.neighbours()), "location": location}
    if location == "left out":
        del body["location"]
    said = "The location property is required for this definition."
    assert refusal(owner.put(path, body)) == (400, "LocationRequired", said)


def test_a_location_that_azure_does_not_have_is_refused_with_those_it_has(
    owner: Caller, place: Place, path: str
) -> None:
    answer = owner.put(path, {**described(place.neighbours()), "location": "atlantis"})
    said = (
        "The provided location 'atlantis' is not available for resource type "
        "'Microsoft.MachineLearningServices/workspaces'. List of available regions for the resource type is "
        f"'{','.join(REGIONS)}'."
    )
    assert refusal(answer) == (400, "LocationNotAvailableForResourceType", said)


def test_a_workspace_does_not_move(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    name, group = path.rpartition("/")[2], place.group.rpartition("/")[2]
    said = (
        f"The resource '{name}' already exists in location 'eastus' in resource group '{group}'. A resource with the "
        "same name cannot be created in location 'westus'. Please select a new resource name."
    )
    answer = owner.put(path, {**described(links), "location": "West US"})
    assert refusal(answer) == (409, "InvalidResourceLocation", said)


def test_without_its_group_it_is_refused(owner: Caller, place: Place, path: str) -> None:
    elsewhere = path.replace(place.group, f"{place.group}x")
    answer = owner.put(elsewhere, described(place.neighbours()))
    group = f"{place.group}x".rpartition("/")[2]
    assert refusal(answer) == (404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
