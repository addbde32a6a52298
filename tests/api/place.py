"""A resource group of a test's own: neighbours and workspaces are made there, with names that nobody else has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.server import VERSION

if TYPE_CHECKING:
    import httpx

    from tests.server import Caller, Server

ARM = "2024-11-01"
STORAGE = "2023-01-01"
REGISTRY = "2023-07-01"
VAULT = "2023-07-01"
INSIGHTS = "2020-02-02"
LOCATION = "eastus"
NEEDED = ("storageAccount", "keyVault", "applicationInsights")
"""The members of a workspace without which none of the kind `Default` is made."""


@dataclass(frozen=True)
class Place:
    """A resource group, and who made it."""

    owner: Caller
    group: str
    """Its id."""

    @property
    def workspaces(self) -> str:
        """Path of the list of its workspaces."""
        return f"{self.group}/providers/Microsoft.MachineLearningServices/workspaces"

    def account(self, **properties: Any) -> str:
        """A storage account; answers its id."""
        body = {"sku": {"name": "Standard_LRS"}, "properties": properties}
        return self._made("Microsoft.Storage/storageAccounts", fresh("s"), STORAGE, body)

    def registry(self, **properties: Any) -> str:
        """A container registry, its admin user enabled unless it is told otherwise."""
        body = {"sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True, **properties}}
        return self._made("Microsoft.ContainerRegistry/registries", fresh("r"), REGISTRY, body)

    def component(self) -> str:
        """An Application Insights component."""
        return self._made("Microsoft.Insights/components", fresh("c"), INSIGHTS, {"kind": "web"})

    def vault(self) -> str:
        body = {"properties": {"tenantId": str(uuid4()), "sku": {"family": "A", "name": "standard"}}}
        return self._made("Microsoft.KeyVault/vaults", fresh("v"), VAULT, body)

    def neighbours(self) -> dict[str, str]:
        """One of each, by the member under which a workspace names it."""
        return {
            "storageAccount": self.account(),
            "keyVault": self.vault(),
            "applicationInsights": self.component(),
            "containerRegistry": self.registry(),
        }

    def workspace(self, links: dict[str, str] | None = None, *, version: str = VERSION, **properties: Any) -> str:
        """A workspace beside these neighbours, or beside new ones; answers its path once it is there."""
        path = f"{self.workspaces}/{fresh('w')}"
        answer = self.owner.put(path, described(links or self.neighbours(), **properties), version=version)
        assert self.owner.settled(answer).status_code == 200, answer.text
        return path

    def _made(self, type_: str, name: str, version: str, body: dict[str, Any]) -> str:
        path = f"{self.group}/providers/{type_}/{name}"
        answer = self.owner.put(path, {"location": LOCATION, **body}, version=version)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["id"])


def new_group(server: Server, owner: Caller) -> str:
    """A resource group of a new name; answers its id."""
    path = f"{server.subscription}/resourceGroups/{fresh('rg-')}"
    assert owner.put(path, {"location": LOCATION}, version=ARM).status_code == 201
    return path


def fresh(word: str) -> str:
    """A name that nobody else has: the names of accounts, vaults and registries are unique in all of Azure."""
    return f"{word}{uuid4().hex[:16]}"


def described(links: dict[str, str], **properties: Any) -> dict[str, Any]:
    """The body of a workspace that has these neighbours."""
    return {"location": LOCATION, "properties": {**links, **properties}}


def created(caller: Caller, path: str, body: Any) -> Any:
    """What is answered for a workspace that is made at once."""
    answer = caller.put(path, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]
