"""Every answer of the fourteen operations of 2023-10-01 has the shape that the type declares, and that Azure specifies.

Azure's own models are data beside the repository, where they are at hand; without them that half is skipped.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linarite.kinds import KINDS
from linarite.schema import Listed, Mapped, Object, show
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.schema import Field, Shape
    from tests.server import Server

VERSION = "2023-10-01"
MODELS = Path(__file__).parents[3] / "shared/reference/models-2023-10-01.json"

ALSO_SENT = {
    "Workspace": {"creationTime", "kind"},
    "NotebookResourceInfo": {"isPrivateLinkEnabled"},
}
"""What the live service sends beyond these models, and we do too: recorded answers; `kind` is in the final text."""

PLAIN = {"str": str, "bool": bool, "int": int, "float": float, "object": object}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("shapes") / "data", "--no-doors", LINARITE_LRO="immediate") as server:
        yield server


@pytest.fixture(scope="module")
def answers(server: Server) -> dict[str, tuple[str, Any]]:
    """One answer of each operation that answers a body, with the name of its model."""
    owner = server.owner()
    own = f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces"
    links = owner.get(server.workspace).json()["properties"]
    names = ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")
    body = {
        "location": "eastus",
        "tags": {"a": "b"},
        "identity": {"type": "SystemAssigned"},
        "properties": {name: links[name] for name in names} | {"friendlyName": "f", "description": "d"},
    }
    asked: dict[str, tuple[str, Any]] = {
        "CreateOrUpdate": ("Workspace", owner.put(f"{own}/shapes1", body)),
        "Get": ("Workspace", owner.get(f"{own}/shapes1")),
        "Update": ("Workspace", owner.patch(f"{own}/shapes1", {"properties": {"description": "e"}})),
        "ListByResourceGroup": ("WorkspaceListResult", owner.get(own)),
        "ListBySubscription": (
            "WorkspaceListResult",
            owner.get(f"{server.subscription}/providers/Microsoft.MachineLearningServices/workspaces"),
        ),
        "PrepareNotebook": ("NotebookResourceInfo", owner.post(f"{own}/shapes1/prepareNotebook")),
        "ResyncKeys": ("Workspace", owner.post(f"{own}/shapes1/resyncKeys")),
        "ListKeys": ("ListWorkspaceKeysResult", owner.post(f"{own}/shapes1/listKeys")),
        "ListStorageAccountKeys": ("ListStorageAccountKeysResult", owner.post(f"{own}/shapes1/listStorageAccountKeys")),
        "ListNotebookKeys": ("ListNotebookKeysResult", owner.post(f"{own}/shapes1/listNotebookKeys")),
        "ListNotebookAccessToken": ("NotebookAccessTokenResult", owner.post(f"{own}/shapes1/listNotebookAccessToken")),
        "Diagnose": ("DiagnoseResponseResult", owner.post(f"{own}/shapes1/diagnose", {"value": {}})),
        "ListOutboundNetworkDependenciesEndpoints": (
            "ExternalFQDNResponse",
            owner.get(f"{own}/shapes1/outboundNetworkDependenciesEndpoints"),
        ),
    }
    for name, (_, answer) in asked.items():
        assert answer.status_code == 200, (name, answer.text)
    assert owner.delete(f"{own}/shapes1", params={"forceToPurge": "true"}).status_code == 200
    return {name: (model, answer.json()) for name, (model, answer) in asked.items()}


def test_a_workspace_shows_what_its_kind_declares_and_nothing_else(answers: dict[str, tuple[str, Any]]) -> None:
    kind = next(one for one in KINDS if one.type == "Microsoft.MachineLearningServices/workspaces")
    added = {"id", "name", "type", "properties.discoveryUrl", "properties.mlFlowTrackingUri"}
    declared = set(declared_paths(kind.fields)) | added
    for name in ("CreateOrUpdate", "Get", "Update"):
        shown = answers[name][1]
        assert set(paths(shown, declared)) <= declared
        assert {key: shown[key] for key in shown if key not in added} | {"properties": {}} == (
            show(kind.fields, shown, VERSION) | {"properties": {}}
        )


def declared_paths(fields: tuple[Field, ...], at: str = "") -> Iterator[str]:
    for one in fields:
        if one.known_at(VERSION) and not one.secret:
            yield f"{at}{one.name}"
            yield from inner_paths(one.shape, f"{at}{one.name}.")


def inner_paths(shape: Shape, at: str) -> Iterator[str]:
    if isinstance(shape, Object):
        yield from declared_paths(shape.fields, at)
    if isinstance(shape, Listed | Mapped):
        yield from inner_paths(shape.of, at)


def paths(value: Any, known: set[str], at: str = "") -> Iterator[str]:
    """Paths of members, as far down as something is declared."""
    for name, item in value.items():
        path = f"{at}{name}"
        yield path
        if isinstance(item, dict) and any(one.startswith(f"{path}.") for one in known):
            yield from paths(item, known, f"{path}.")


@cache
def models() -> Any:
    return json.loads(MODELS.read_text())["models"]


@pytest.mark.skipif(not MODELS.exists(), reason="Azure's models are not beside the repository")
def test_every_answer_has_the_shape_of_its_model(answers: dict[str, tuple[str, Any]]) -> None:
    wrong = [f"{name}: {what}" for name, (model, answer) in answers.items() for what in differences(answer, model)]
    assert wrong == []


@pytest.mark.skipif(not MODELS.exists(), reason="Azure's models are not beside the repository")
def test_all_operations_with_a_body_are_asked(answers: dict[str, tuple[str, Any]]) -> None:
    assert len(answers) + 1 == 14  # Delete answers none


def differences(value: Any, model: str, at: str = "") -> Iterator[str]:
    """What an answer has that its model does not, or has otherwise; a null stands for anything that may be missing."""
    declared = members(model)
    for name, item in flat(value, declared).items():
        if name not in declared:
            if name.rpartition(".")[2] not in ALSO_SENT.get(model, set()):
                yield f"{at}{name} is not in {model}"
        elif item is not None:
            yield from mismatches(item, declared[name]["type"], f"{at}{name}.")


def members(model: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in models()[model].get("bases", []):
        if base in models():
            found |= members(base)
    return found | models()[model]["props"]


def flat(value: dict[str, Any], declared: dict[str, Any], at: str = "") -> dict[str, Any]:
    """Members by the dotted names under which a flattened model has them."""
    found: dict[str, Any] = {}
    for name, item in value.items():
        path = f"{at}{name}"
        inside = isinstance(item, dict) and path not in declared and any(one.startswith(f"{path}.") for one in declared)
        found |= flat(item, declared, f"{path}.") if inside else {path: item}
    return found


def mismatches(value: Any, type_: str, at: str) -> Iterator[str]:
    if type_.startswith("["):
        if not isinstance(value, list):
            yield f"{at} is no array"
            return
        for item in value:
            yield from mismatches(item, type_[1:-1], at)
    elif type_.startswith("{"):
        for item in value.values():
            yield from mismatches(item, type_[1:-1], at)
    elif type_ in models():
        yield from differences(value, type_, at) if isinstance(value, dict) else [f"{at} is no object"]
    elif type_ in PLAIN and not isinstance(value, PLAIN[type_]):
        yield f"{at} is a {type(value).__name__}, not a {type_}"
