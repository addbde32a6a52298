"""What listKeys has no value for is an explicit null, never a member left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.api.place import NEEDED, REGISTRY, STORAGE, refusal
from tests.api.test_list_keys import MEMBERS, keys

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller


def all_keys(owner: Caller, path: str) -> Any:
    """What listKeys answers, which has every member, whatever they hold."""
    found = keys(owner, path)
    assert list(found) == MEMBERS
    return found


def without(links: dict[str, str], *names: str) -> dict[str, str]:
    return {name: links[name] for name in links if name not in names}


def test_notebook_keys_are_null_leaves_until_the_notebook_is_prepared(owner: Caller, place: Place) -> None:
    path = place.workspace()
    assert all_keys(owner, path)["notebookAccessKeys"] == {"primaryAccessKey": None, "secondaryAccessKey": None}
    assert owner.post(f"{path}/listNotebookKeys").json() == {"primaryAccessKey": None, "secondaryAccessKey": None}
    assert owner.post(f"{path}/prepareNotebook").status_code == 200
    assert None not in all_keys(owner, path)["notebookAccessKeys"].values()


def test_without_a_registry_its_credentials_are_null(owner: Caller, place: Place) -> None:
    path = place.workspace(without(place.neighbours(), "containerRegistry"))
    assert all_keys(owner, path)["containerRegistryCredentials"] is None


def test_with_the_admin_user_off_the_registrys_credentials_are_null(owner: Caller, place: Place) -> None:
    links = {**place.neighbours(), "containerRegistry": place.registry(adminUserEnabled=False)}
    path = place.workspace(links)
    assert all_keys(owner, path)["containerRegistryCredentials"] is None
    owner.patch(links["containerRegistry"], {"properties": {"adminUserEnabled": True}}, version=REGISTRY)
    assert all_keys(owner, path)["containerRegistryCredentials"]["passwords"][0]["value"]


def test_with_shared_keys_forbidden_the_storage_key_is_null(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.patch(links["storageAccount"], {"properties": {"allowSharedKeyAccess": False}}, version=STORAGE)
    found = all_keys(owner, path)
    assert found["userStorageKey"] is None
    assert found["userStorageResourceId"] == links["storageAccount"]
    assert owner.post(f"{path}/listStorageAccountKeys").json() == {"userStorageKey": None}


def test_an_identity_based_workspace_has_no_storage_key_at_any_version(owner: Caller, place: Place) -> None:
    path = place.workspace(version="2024-04-01", systemDatastoresAuthMode="identity")
    assert all_keys(owner, path)["userStorageKey"] is None
    assert "systemDatastoresAuthMode" not in owner.get(path).json()["properties"]
    owner.patch(path, {"properties": {"systemDatastoresAuthMode": "accesskey"}}, version="2024-04-01")
    assert all_keys(owner, path)["userStorageKey"]


def test_without_a_component_its_key_is_null(owner: Caller, place: Place) -> None:
    path = f"{place.workspaces}/hub"
    links = without(place.neighbours(), "applicationInsights")
    body = {"location": "eastus", "kind": "Hub", "properties": links}
    assert owner.put(path, body, version="2024-04-01").status_code == 200
    assert all_keys(owner, path)["appInsightsInstrumentationKey"] is None


def test_of_neighbours_that_are_gone_the_copies_are_left(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    before = all_keys(owner, path)
    for name, version in (("storageAccount", STORAGE), ("applicationInsights", "2020-02-02")):
        assert owner.delete(links[name], version=version).status_code == 200
    assert all_keys(owner, path) == before


def test_a_soft_deleted_workspace_lists_no_keys(owner: Caller, place: Place) -> None:
    path = place.workspace()
    assert owner.delete(path).status_code == 200
    status, code, message = refusal(owner.post(f"{path}/listKeys"))
    assert (status, code) == (404, "ResourceNotFound")
    assert path.rpartition("/")[2] in message


def test_a_workspace_needs_no_more_than_three_neighbours(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    assert all_keys(owner, place.workspace({name: links[name] for name in NEEDED}))["userStorageKey"]
