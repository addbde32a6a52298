"""Values of wrong types: every member that a workspace declares, and those of its neighbours and of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.kinds.workspaces.declared import FIELDS
from linarite.schema import Flag, Guid, Id, Listed, Mapped, Object, Text, Time, Whole
from tests.api.place import REGISTRY, STORAGE, described, fresh
from tests.api.unchanged import (
    _everything_is_as_it_was,  # noqa: F401 - a fixture
    _the_state_is_as_it_was,  # noqa: F401 - a fixture
    assert_refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.schema import Field, Shape
    from tests.server import Caller, Server

STABLE, PREVIEW = "2026-09-01", "2026-07-15-preview"

WRONG: dict[type, list[Any]] = {
    Text: [7, True, [], {}, ["x"], 1.5, "x" * 70_000],
    Guid: [7, [], {}, "no guid", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee0"],
    Id: [
        7,
        True,
        [],
        {},
        "account",
        "/",
        "/subscriptions/x",
        "/subscriptions/\x00",
        "x" * 5000,
        "//",
        "/providers/a/b",
    ],
    Time: [7, "yesterday", [], "2023-13-45"],
    Flag: [7, 0, 1, "perhaps", "yes", [], {}, 1.0],
    Whole: ["7", 1.5, True, -(2**40), 2**40, [], {}],
    Listed: [{}, "x", 7, True],
    Mapped: [[], "x", 7, True],
    Object: [[], "x", 7, True],
}


def members(fields: tuple[Field, ...], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Every member that a caller may set, with its path; an element of an array or a map stands for all."""
    for one in fields:
        path = (*at, one.name)
        if one.read_only or not (one.known_at(STABLE) or one.known_at(PREVIEW)):
            continue
        yield path, one
        yield from inside(one.shape, path)


def inside(shape: Shape, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Field]]:
    if isinstance(shape, Object):
        yield from members(shape.fields, at)
    if isinstance(shape, Listed | Mapped):
        yield from inside(shape.of, (*at, "[0]" if isinstance(shape, Listed) else "a"))


MEMBERS = {".".join(path).replace(".[0]", "[0]"): (path, one) for path, one in members(FIELDS)}


def holding(path: tuple[str, ...], value: Any) -> Any:
    """JSON with a value at a path and nothing else."""
    for name in reversed(path):
        value = [value] if name == "[0]" else {name: value}
    return value


def merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **other, **{name: merged(one[name], other[name]) for name in one.keys() & other.keys()}}
    return other


@pytest.fixture(scope="module")
def links(server: Server, owner: Caller) -> dict[str, str]:
    """The neighbours of the sample."""
    properties = owner.get(server.workspace).json()["properties"]
    return {name: properties[name] for name in ("storageAccount", "keyVault", "applicationInsights")}


@pytest.mark.parametrize("name", [name for name, (_, one) in MEMBERS.items() if type(one.shape) in WRONG])
def test_a_member_of_the_wrong_type_is_refused_by_its_path(
    server: Server, owner: Caller, links: dict[str, str], name: str
) -> None:
    path, one = MEMBERS[name]
    version = STABLE if one.known_at(STABLE) else PREVIEW
    target = server.workspace.replace("workspaces123", fresh("w"))
    for value in WRONG[type(one.shape)]:
        answer = owner.put(target, merged(described(links), holding(path, value)), version=version)
        assert_refused(answer)
        assert answer.status_code == 400, value
        if name != "location":  # the gateway's own check, with codes of its own
            assert name in {detail["target"] for detail in answer.json()["error"]["details"]}, value


def test_members_of_every_shape_are_among_them() -> None:
    assert {type(one.shape) for _, one in MEMBERS.values()} >= {Text, Id, Flag, Whole, Listed, Mapped, Object}
    assert len(MEMBERS) > 50


WORKSPACES: dict[str, Any] = {
    "location unknown": {"location": "atlantis"},
    "location of ten thousand letters": {"location": "x" * 10_000},
    "tags with a number": {"tags": {"a": 1}},
    "tags with an object": {"tags": {"a": {}}},
    "fifty-one tags": {"tags": {f"t{n}": "" for n in range(51)}},
    "a tag value too long": {"tags": {"a": "x" * 257}},
    "a tag name too long": {"tags": {"x" * 513: ""}},
    "identity without a type": {"identity": {}},
    "identity of another type": {"identity": {"type": "Other"}},
    "sku without a name": {"sku": {"tier": "Basic"}},
    "kind unknown": {"kind": "Nothing"},
    "storage account another type": {
        "properties": {"storageAccount": "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourceGroups/testrg123"}
    },
    "public access unknown": {"properties": {"publicNetworkAccess": "Sometimes"}},
    "encryption without a vault": {"properties": {"encryption": {"status": "Enabled"}}},
    "a shared link a text": {"properties": {"sharedPrivateLinkResources": ["x"]}},
    "throughput below nothing": {
        "properties": {"serviceManagedResourcesSettings": {"cosmosDb": {"collectionsThroughput": -1}}}
    },
    "isolation unknown": {"properties": {"managedNetwork": {"isolationMode": "Total"}}},
    "ten thousand and one links": {"properties": {"sharedPrivateLinkResources": [{}] * 10_001}},
}


@pytest.mark.parametrize("other", WORKSPACES.values(), ids=WORKSPACES.keys())
def test_a_workspace_that_azure_does_not_know_is_refused(
    server: Server, owner: Caller, links: dict[str, str], other: Any
) -> None:
    target = server.workspace.replace("workspaces123", fresh("w"))
    answer = owner.put(target, merged(described(links), other))
    assert_refused(answer)
    assert answer.status_code == 400


NEIGHBOURS: dict[str, tuple[str, str, Any]] = {
    "an account without a sku": ("Microsoft.Storage/storageAccounts/acct12345", STORAGE, {}),
    "an account of an odd sku": ("Microsoft.Storage/storageAccounts/acct12345", STORAGE, {"sku": {"name": "Best"}}),
    "an account of an odd kind": (
        "Microsoft.Storage/storageAccounts/acct12345",
        STORAGE,
        {"sku": {"name": "Standard_LRS"}, "kind": "V9"},
    ),
    "an account with an odd flag": (
        "Microsoft.Storage/storageAccounts/acct12345",
        STORAGE,
        {"sku": {"name": "Standard_LRS"}, "properties": {"allowSharedKeyAccess": "maybe"}},
    ),
    "an account of an odd name": (
        "Microsoft.Storage/storageAccounts/Not_A_Name",
        STORAGE,
        {"sku": {"name": "Standard_LRS"}},
    ),
    "a registry without a sku": ("Microsoft.ContainerRegistry/registries/reg12345", REGISTRY, {}),
    "a registry of an odd name": (
        "Microsoft.ContainerRegistry/registries/a-b",
        REGISTRY,
        {"sku": {"name": "Basic"}},
    ),
    "a vault without properties": ("Microsoft.KeyVault/vaults/vault12345", "2023-07-01", {}),
    "a vault of an odd tenant": (
        "Microsoft.KeyVault/vaults/vault12345",
        "2023-07-01",
        {"properties": {"tenantId": "x", "sku": {"family": "A", "name": "standard"}}},
    ),
    "a component without a kind": ("Microsoft.Insights/components/comp12345", "2020-02-02", {}),
    "a component kept for ever": (
        "Microsoft.Insights/components/comp12345",
        "2020-02-02",
        {"kind": "web", "properties": {"RetentionInDays": 10_000}},
    ),
    "a group that is a list": ("Microsoft.Resources/resourceGroups/x", "2024-11-01", []),
    "a role assignment of nobody": (
        "Microsoft.Authorization/roleAssignments/11111111-1111-1111-1111-111111111111",
        "2022-04-01",
        {"properties": {}},
    ),
    "a role assignment under a name that is no guid": (
        "Microsoft.Authorization/roleAssignments/mine",
        "2022-04-01",
        {
            "properties": {
                "principalId": "11111111-1111-1111-1111-111111111111",
                "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/"
                "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            }
        },
    ),
}


@pytest.mark.parametrize(("path", "version", "body"), NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_a_neighbour_that_azure_does_not_know_is_refused(
    server: Server, owner: Caller, path: str, version: str, body: Any
) -> None:
    whole = {"location": "eastus", **body} if isinstance(body, dict) else body
    assert_refused(owner.put(f"{server.group}/providers/{path}", whole, version=version))


@pytest.mark.parametrize("body", [None, {}, [], "key1", {"keyName": None}, {"keyName": "key3"}, {"keyName": ["key1"]}])
def test_no_key_is_regenerated_that_is_not_named(owner: Caller, links: dict[str, str], body: Any) -> None:
    answer = owner.post(f"{links['storageAccount']}/regenerateKey", body, version=STORAGE)
    assert_refused(answer)
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [None, {}, [], {"name": "password3"}, {"name": 1}, {"keyName": "password"}])
def test_no_password_is_regenerated_that_is_not_named(server: Server, owner: Caller, body: Any) -> None:
    registry = owner.get(server.workspace).json()["properties"]["containerRegistry"]
    answer = owner.post(f"{registry}/regenerateCredential", body, version=REGISTRY)
    assert_refused(answer)
    assert answer.status_code == 400
