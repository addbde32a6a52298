"""A vault of a running server, and Azure's own client of its secrets."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from linarite.first_start import OWNER_OBJECT
from tests.clients.house import LOCATION, Azure, fresh

if TYPE_CHECKING:
    from tests.server import Server


@dataclass(frozen=True)
class Shop:
    """A vault in a group of its own."""

    azure: Azure
    group: str
    name: str

    @classmethod
    def opened(cls, azure: Azure) -> Shop:
        """A new vault, in which the owner may do everything with secrets."""
        shop = cls(azure, fresh("group-"), fresh("kv"))
        azure(ResourceManagementClient).resource_groups.create_or_update(shop.group, {"location": LOCATION})
        shop.make()
        return shop

    def make(self) -> None:
        tenant = self.server.known["tenantId"]
        policy = {"tenantId": tenant, "objectId": OWNER_OBJECT, "permissions": {"secrets": ["all"]}}
        sku = {"family": "A", "name": "standard"}
        vault = {
            "location": LOCATION,
            "properties": {"tenantId": tenant, "sku": sku, "accessPolicies": [policy]},
        }
        self.vaults.begin_create_or_update(self.group, self.name, vault).result()

    @property
    def server(self) -> Server:
        return self.azure.server

    @property
    def vaults(self) -> Any:
        return self.azure(KeyVaultManagementClient).vaults

    @property
    def uri(self) -> str:
        """Where the vault's secrets are, as the vault itself says."""
        return str(self.vaults.get(self.group, self.name).properties.vault_uri)

    @property
    def port(self) -> int:
        return urlsplit(self.uri).port or 443

    def client(self, uri: str | None = None, credential: Any = None, **more: Any) -> SecretClient:
        made = SecretClient(uri or self.uri, credential or self.azure.credential, **more)
        return self.azure.stack.enter_context(made)

    def http(self, **headers: str) -> httpx.Client:
        """A plain client of the vault, signed in as the owner unless it has another Authorization header."""
        token = self.azure.credential.get_token("https://vault.azure.net/.default").token
        trust = ssl.create_default_context(cafile=self.server.known["caBundle"])
        client = httpx.Client(
            base_url=self.uri,
            verify=trust,
            params={"api-version": "7.4"},
            headers={"authorization": f"Bearer {token}", **headers},
        )
        return self.azure.stack.enter_context(client)
