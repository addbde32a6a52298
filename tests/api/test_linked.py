"""A workspace hands out its neighbours' keys: nobody may attach one whose keys they may not have themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.clients.people import join
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server

CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
AUTHORIZATION = "2022-04-01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("linked") / "data", "--no-doors", LINARITE_LRO="immediate") as server:
        yield server


def test_a_contributor_of_one_group_cannot_reach_the_keys_of_another_through_a_workspace(server: Server) -> None:
    owner = server.owner()
    group = f"{server.subscription}/resourceGroups/theirs"
    owner.put(group, {"location": "eastus"}, version="2024-11-01")
    somebody = join(server)
    for scope, role in ((group, CONTRIBUTOR), (server.subscription, READER)):
        body = {
            "properties": {
                "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
                "principalId": somebody.object_id,
            }
        }
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
        assert owner.put(path, body, version=AUTHORIZATION).status_code == 201
    links = owner.get(server.workspace).json()["properties"]
    names = ("storageAccount", "keyVault", "applicationInsights")
    body = {"location": "eastus", "properties": {name: links[name] for name in names}}
    path = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/thief"

    caller = server.signed_in(somebody.client_id, somebody.secret)
    answer = caller.put(path, body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert "Microsoft.Storage/storageAccounts/listKeys/action" in answer.json()["error"]["message"]
    assert caller.get(path).status_code == 404
    assert owner.put(path, body).status_code == 200
