"""Azure's own clients for one server: each as it comes from its package, pointed here by configuration alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from azure.identity import ClientSecretCredential
from azure.mgmt.applicationinsights import ApplicationInsightsManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.machinelearningservices.models import ManagedServiceIdentity, Workspace
from azure.mgmt.storage import StorageManagementClient

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import HttpResponseError

    from tests.server import Server

LOCATION = "eastus"


def fresh(word: str) -> str:
    """A name that nobody else has, in small letters and digits: names of accounts are unique in all of Azure."""
    return f"{word}{uuid4().hex[:10]}"


@dataclass
class Azure:
    """Makes clients that speak for one credential."""

    server: Server
    credential: TokenCredential
    stack: contextlib.ExitStack
    made: dict[Any, Any] = field(default_factory=dict)

    def __call__(self, client: Callable[..., Any], **more: Any) -> Any:
        """A management client of this class, pointed here as the class itself provides for; made once."""
        key = (client, *more.items())
        if key not in self.made:
            self.made[key] = self.stack.enter_context(client(self.credential, **pointed_at(self.server), **more))
        return self.made[key]

    @property
    def workspaces(self) -> Any:
        """Operations of workspaces, at the version of Azure's page."""
        return self(MachineLearningServicesMgmtClient, api_version="2023-10-01").workspaces


def code_of(error: HttpResponseError) -> str:
    """Azure's code of a refusal, as the client read it."""
    assert error.error is not None
    return str(error.error.code)


def credential(
    server: Server, client_id: str | None = None, secret: str | None = None, kind: Any = ClientSecretCredential
) -> Any:
    """A credential of azure-identity, of the owner unless it is somebody else's."""
    known = server.known
    return kind(
        known["tenantId"],
        client_id or known["clientId"],
        secret or known["clientSecret"],
        authority=known["authority"],
        disable_instance_discovery=True,
    )


def pointed_at(server: Server) -> dict[str, Any]:
    """The arguments that every management client takes to find another Azure."""
    return {
        "subscription_id": server.known["subscriptionId"],
        "base_url": server.origin,
        "credential_scopes": [f"{server.origin}/.default"],
    }


@dataclass(frozen=True)
class Neighbours:
    """Ids of what stands beside a workspace."""

    account: str
    registry: str
    component: str
    vault: str

    @property
    def account_name(self) -> str:
        return self.account.rpartition("/")[2]

    @property
    def registry_name(self) -> str:
        return self.registry.rpartition("/")[2]


def make_neighbours(azure: Azure, group: str) -> Neighbours:
    """A storage account, a registry, a component and a vault, each by its own library."""
    here = {"location": LOCATION}
    account = {**here, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    registry = {**here, "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True}}
    vault = {
        **here,
        "properties": {
            "tenantId": azure.server.known["tenantId"],
            "sku": {"family": "A", "name": "standard"},
            "accessPolicies": [],
        },
    }
    component = {**here, "kind": "web", "properties": {"Application_Type": "web"}}
    accounts = azure(StorageManagementClient).storage_accounts
    registries = azure(ContainerRegistryManagementClient).registries
    vaults = azure(KeyVaultManagementClient).vaults
    components = azure(ApplicationInsightsManagementClient).components
    return Neighbours(
        account=str(accounts.begin_create(group, fresh("st"), account).result().id),
        registry=str(registries.begin_create(group, fresh("cr"), registry).result().id),
        component=str(components.create_or_update(group, fresh("ai"), component).id),
        vault=str(vaults.begin_create_or_update(group, fresh("kv"), vault).result().id),
    )


def described(beside: Neighbours, **more: Any) -> Workspace:
    """A workspace that has these neighbours, as it is sent."""
    return Workspace(
        location=LOCATION,
        identity=ManagedServiceIdentity(type="SystemAssigned"),
        storage_account=beside.account,
        container_registry=beside.registry,
        application_insights=beside.component,
        key_vault=beside.vault,
        **more,
    )


def make_workspace(azure: Azure, group: str, beside: Neighbours) -> str:
    """A workspace with these neighbours; answers its name."""
    name = fresh("ws")
    azure.workspaces.begin_create_or_update(group, name, described(beside)).result()
    return name
