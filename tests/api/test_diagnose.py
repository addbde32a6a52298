"""diagnose: it looks at the neighbours, finds what is wrong with each, and answers what was asked for and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.place import REGISTRY, STORAGE, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller

ANSWERED = {
    "udr": "userDefinedRouteResults",
    "nsg": "networkSecurityRuleResults",
    "resourceLock": "resourceLockResults",
    "dnsResolution": "dnsResolutionResults",
    "storageAccount": "storageAccountResults",
    "keyVault": "keyVaultResults",
    "containerRegistry": "containerRegistryResults",
    "applicationInsights": "applicationInsightsResults",
    "others": "otherResults",
}
GONE = {
    "storageAccount": ("StorageAccountNotFound", STORAGE),
    "keyVault": ("KeyVaultNotFound", "2023-07-01"),
    "containerRegistry": ("ContainerRegistryNotFound", REGISTRY),
    "applicationInsights": ("ApplicationInsightsNotFound", "2020-02-02"),
}


def diagnosed(owner: Caller, path: str, *asked: str) -> Any:
    value: dict[str, Any] = {name: {} for name in asked}
    answer = owner.post(f"{path}/diagnose", {"value": value} if asked else None)
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


def test_a_healthy_workspace_has_nothing_in_any_category(owner: Caller, place: Place) -> None:
    assert diagnosed(owner, place.workspace()) == {name: [] for name in ANSWERED.values()}


@pytest.mark.parametrize("body", [{}, {"value": {}}, {"value": None}])
def test_nothing_named_asks_for_everything(owner: Caller, place: Place, body: Any) -> None:
    answer = owner.post(f"{place.workspace()}/diagnose", body)
    assert set(answer.json()["value"]) == set(ANSWERED.values())


@pytest.mark.parametrize("name", ANSWERED)
def test_only_what_was_asked_for_is_answered(owner: Caller, place: Place, name: str) -> None:
    assert diagnosed(owner, place.workspace(), name) == {ANSWERED[name]: []}


def test_two_are_answered_in_their_order_whatever_the_order_of_the_question(owner: Caller, place: Place) -> None:
    found = diagnosed(owner, place.workspace(), "keyVault", "udr")
    assert list(found) == ["userDefinedRouteResults", "keyVaultResults"]


@pytest.mark.parametrize("name", GONE)
def test_a_neighbour_that_is_gone_is_found(owner: Caller, place: Place, name: str) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    code, version = GONE[name]
    assert owner.delete(links[name], version=version).status_code == 200
    found = diagnosed(owner, path)
    [one] = found.pop(ANSWERED[name])
    assert (one["code"], one["level"]) == (code, "Error")
    assert links[name] in one["message"]
    assert not any(found.values())


def test_a_stale_storage_key_is_found_until_it_is_resynced(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key1"}, version=STORAGE)
    [one] = diagnosed(owner, path, "storageAccount")["storageAccountResults"]
    assert (one["code"], one["level"]) == ("StorageAccountKeyInvalid", "Error")
    owner.post(f"{path}/resyncKeys")
    assert diagnosed(owner, path, "storageAccount") == {"storageAccountResults": []}


def test_a_stale_password_is_found_until_it_is_resynced(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.post(f"{links['containerRegistry']}/regenerateCredential", {"name": "password2"}, version=REGISTRY)
    [one] = diagnosed(owner, path, "containerRegistry")["containerRegistryResults"]
    assert (one["code"], one["level"]) == ("ContainerRegistryPasswordInvalid", "Error")
    owner.post(f"{path}/resyncKeys")
    assert diagnosed(owner, path, "containerRegistry") == {"containerRegistryResults": []}


def test_forbidden_shared_keys_are_a_warning(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.patch(links["storageAccount"], {"properties": {"allowSharedKeyAccess": False}}, version=STORAGE)
    [one] = diagnosed(owner, path)["storageAccountResults"]
    assert (one["code"], one["level"]) == ("KeyBasedAuthenticationNotPermitted", "Warning")


def test_an_admin_user_that_is_off_is_a_warning(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.patch(links["containerRegistry"], {"properties": {"adminUserEnabled": False}}, version=REGISTRY)
    [one] = diagnosed(owner, path)["containerRegistryResults"]
    assert (one["code"], one["level"]) == ("ContainerRegistryAdminUserDisabled", "Warning")


def test_no_finding_shows_a_secret(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key1"}, version=STORAGE)
    account = owner.post(f"{links['storageAccount']}/listKeys", version=STORAGE).json()["keys"]
    secrets = [*(one["value"] for one in account), owner.post(f"{path}/listKeys").json()["userStorageKey"]]
    text = owner.post(f"{path}/diagnose").text
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("value", [[], "all", 1, {"storageAccount": []}, {"udr": "x"}])
def test_a_question_of_another_shape_is_refused(owner: Caller, place: Place, value: Any) -> None:
    answer = owner.post(f"{place.workspace()}/diagnose", {"value": value})
    assert refusal(answer)[:2] == (400, "ValidationError")
