"""What a workspace behind a firewall must reach (Microsoft's "Configure inbound and outbound network traffic")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.ids import parse_id

if TYPE_CHECKING:
    from linarite.model import Body, Resource
    from linarite.world import Reading

HTTPS = 443


def outbound_endpoints(reading: Reading, workspace: Resource, _: Body) -> Body:
    """`ExternalFQDNResponse`: host names and ports by category, those of the workspace's own neighbours included."""
    del reading
    location = workspace.location
    categories = {
        "Azure Active Directory": ["login.microsoftonline.com"],
        "Azure portal": ["management.azure.com"],
        "Azure Machine Learning": [f"{location}.api.azureml.ms", f"{location}.experiments.azureml.net", "ml.azure.com"],
        "Azure Storage": _named(workspace, "storageAccount", "{}.blob.core.windows.net", "{}.file.core.windows.net"),
        "Azure Key Vault": _named(workspace, "keyVault", "{}.vault.azure.net"),
        "Azure Container Registry": ["mcr.microsoft.com", *_named(workspace, "containerRegistry", "{}.azurecr.io")],
        "Application Insights": [f"{location}.in.applicationinsights.azure.com"],
    }
    return {
        "value": [
            {
                "properties": {
                    "category": category,
                    "endpoints": [{"domainName": name, "endpointDetails": [{"port": HTTPS}]} for name in names],
                }
            }
            for category, names in categories.items()
            if names
        ]
    }


def _named(workspace: Resource, link: str, *patterns: str) -> list[str]:
    id_ = parse_id(workspace.properties.get(link) or "")
    return [pattern.format(id_.name) for pattern in patterns] if id_ else []
