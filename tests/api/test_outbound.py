"""outboundNetworkDependenciesEndpoints: what a workspace behind a firewall must reach, its own neighbours included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.place import NEEDED, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller


def endpoints(owner: Caller, path: str) -> Any:
    """Host names by category."""
    answer = owner.get(f"{path}/outboundNetworkDependenciesEndpoints")
    assert answer.status_code == 200, answer.text
    found = [one["properties"] for one in answer.json()["value"]]
    for one in found:
        assert all(each["endpointDetails"] == [{"port": 443}] for each in one["endpoints"])
    return {one["category"]: [each["domainName"] for each in one["endpoints"]] for one in found}


def test_the_neighbours_are_among_them_by_their_own_names(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    account, vault, registry = (
        links[name].rpartition("/")[2] for name in ("storageAccount", "keyVault", "containerRegistry")
    )
    found = endpoints(owner, place.workspace(links))
    assert found["Azure Storage"] == [f"{account}.blob.core.windows.net", f"{account}.file.core.windows.net"]
    assert found["Azure Key Vault"] == [f"{vault}.vault.azure.net"]
    assert f"{registry}.azurecr.io" in found["Azure Container Registry"]
    assert found["Azure Active Directory"] == ["login.microsoftonline.com"]


def test_without_a_registry_there_is_none_among_them(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    found = endpoints(owner, place.workspace({name: links[name] for name in NEEDED}))
    assert found["Azure Container Registry"] == ["mcr.microsoft.com"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_read_and_nothing_else(owner: Caller, place: Place, method: str) -> None:
    answer = owner.call(method, f"{place.workspace()}/outboundNetworkDependenciesEndpoints")
    assert refusal(answer)[:2] == (405, "HttpMethodNotAllowed")
