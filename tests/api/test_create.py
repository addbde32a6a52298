"""PUT of a workspace that is not there yet: what it takes, what it fills in, and what it answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.api.place import NEEDED, created, described, fresh

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_what_is_left_out_takes_the_documented_defaults(owner: Caller, place: Place, path: str) -> None:
    links = place.neighbours()
    found = created(owner, path, described(links))
    assert (found["id"], found["name"]) == (path, path.rpartition("/")[2])
    assert found["type"] == "Microsoft.MachineLearningServices/workspaces"
    assert (found["location"], found["tags"], found["kind"]) == ("eastus", {}, "Default")
    assert found["sku"] == {"name": "Basic", "tier": "Basic"}
    properties = found["properties"]
    defaults = {
        "hbiWorkspace": False,
        "allowPublicAccessWhenBehindVnet": False,
        "publicNetworkAccess": "Enabled",
        "v1LegacyMode": False,
        "privateLinkCount": 0,
        "storageHnsEnabled": False,
        "provisioningState": "Succeeded",
    }
    assert {name: properties[name] for name in defaults} == defaults
    assert {name: properties[name] for name in links} == links
    assert GUID.fullmatch(properties["workspaceId"])
    assert properties["mlFlowTrackingUri"] == f"azureml://eastus.api.azureml.ms/mlflow/v1.0{path}"
    assert owner.get(path).json() == found


def test_who_made_it_and_when_is_written_down(owner: Caller, place: Place, path: str) -> None:
    links = place.neighbours()
    made = created(owner, path, described(links))["systemData"]
    assert (made["createdBy"], made["createdByType"]) == ("11111111-2222-3333-4444-555555555555", "Application")
    assert made["createdAt"] == made["lastModifiedAt"]
    changed = created(owner, path, described(links, description="d"))["systemData"]
    assert changed["createdAt"] == made["createdAt"] < changed["lastModifiedAt"]


def test_a_system_assigned_identity_is_given_its_ids_once(owner: Caller, place: Place, path: str) -> None:
    links = place.neighbours()
    body = {**described(links), "identity": {"type": "systemassigned", "principalId": "66666666-0000-0000-0000-0"}}
    identity = created(owner, path, body)["identity"]
    assert identity["type"] == "SystemAssigned"
    assert GUID.fullmatch(identity["principalId"])
    assert identity["tenantId"] == "dddddddd-cccc-bbbb-aaaa-000000000000"
    assert created(owner, path, body)["identity"] == identity


def test_booleans_and_words_come_as_templates_write_them(owner: Caller, place: Place, path: str) -> None:
    body = {
        **described(place.neighbours(), hbiWorkspace="True", v1LegacyMode="false", publicNetworkAccess="disabled"),
        "kind": "default",
    }
    found = created(owner, path, body)
    properties = found["properties"]
    assert (properties["hbiWorkspace"], properties["v1LegacyMode"]) == (True, False)
    assert (properties["publicNetworkAccess"], found["kind"]) == ("Disabled", "Default")


def test_an_empty_text_is_no_value_where_azures_own_templates_use_it_so(owner: Caller, place: Place, path: str) -> None:
    links = {**place.neighbours(), "containerRegistry": ""}
    empty = {"primaryUserAssignedIdentity": "", "imageBuildCompute": "", "hbiWorkspace": ""}
    found = created(owner, path, {**described(links, **empty), "kind": ""})
    properties = found["properties"]
    assert found["kind"] == "Default"
    assert properties["hbiWorkspace"] is False
    assert {"containerRegistry", "primaryUserAssignedIdentity", "imageBuildCompute"}.isdisjoint(properties)


def test_the_names_of_members_are_read_in_any_case_and_written_as_declared(
    owner: Caller, place: Place, path: str
) -> None:
    body = described({name.upper(): link for name, link in place.neighbours().items()}, FRIENDLYname="f")
    properties = created(owner, path, {name.title(): value for name, value in body.items()})["properties"]
    assert properties["friendlyName"] == "f"
    assert set(NEEDED) <= properties.keys()


def test_what_the_server_sets_cannot_be_sent(owner: Caller, place: Place, path: str) -> None:
    nonsense = {
        "workspaceId": "11111111-1111-1111-1111-111111111111",
        "provisioningState": "Failed",
        "creationTime": "1999-01-01T00:00:00Z",
        "tenantId": 7,
        "notebookInfo": {"fqdn": "example.org"},
        "privateLinkCount": 99,
        "copies": {"storageAccount": "x"},
    }
    body = {**described(place.neighbours(), **nonsense), "id": "/other", "name": "other", "systemData": 1, "type": "x"}
    found = created(owner, path, body)
    assert (found["id"], found["properties"]["provisioningState"]) == (path, "Succeeded")
    assert "notebookInfo" not in found["properties"]
    for name in nonsense.keys() - {"provisioningState"}:
        assert found["properties"].get(name) != nonsense[name]


def test_what_no_version_knows_is_passed_over(owner: Caller, place: Place, path: str) -> None:
    found = created(owner, path, {**described(place.neighbours(), brandNew={"a": 1}), "other": [1]})
    assert "brandNew" not in found["properties"]
    assert "other" not in found


def test_an_id_keeps_the_spelling_of_whoever_made_it(owner: Caller, place: Place) -> None:
    path = f"{place.workspaces}/{fresh('My_Workspace-')[:33]}"
    odd = path.replace("resourceGroups", "RESOURCEGROUPS").replace(place.group[-20:], place.group[-20:].upper())
    found = created(owner, odd, described(place.neighbours()))
    assert (found["id"], found["name"]) == (path, path.rpartition("/")[2])
    assert owner.get(path.lower()).json()["id"] == path
