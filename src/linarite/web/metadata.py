"""What a cloud says of itself: `/metadata/endpoints` in the shapes of all clients, and the workspaces' discovery.

az CLI reads one object at 2022-09-01, azure-ai-ml and azureml-core an array at 2019-05-01, older tools the short shape
of 2015-01-01; other versions get the shape of the newest one before them. None of the clients signs in first.
`resourceManager` ends in a slash: azure-ai-ml picks the cloud whose `resourceManager` is a part of the metadata's own
address. Services that Linarite does not have point at its origin: whatever asks for them stays on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from linarite.errors.names import path_unknown
from linarite.hosts import SUFFIX
from linarite.web.http import Response
from linarite.web.render import JSON, refusal_body

if TYPE_CHECKING:
    from linarite.errors import Refusal
    from linarite.web.http import Request

NAME = "AzureLinarite"

_FIRST_ARRAY = "2018-05-01"
_FIRST_OBJECT = "2022-09-01"


class Metadata:
    """Answers for one origin and tenant."""

    def __init__(self, origin: str, tenant: str) -> None:
        self._origin = origin
        self._tenant = tenant

    def serve(self, request: Request) -> Response:
        """Answer a request."""
        words = [word for word in request.path.lower().split("/") if word]
        if words == ["metadata", "endpoints"]:
            return _json(self._endpoints(request.query.get("api-version", "")))
        if words[:1] == ["discovery"]:
            return _json({"api": self._origin, "history": self._origin})
        return _refused(path_unknown())

    def _endpoints(self, version: str) -> Any:
        if not version or version >= _FIRST_OBJECT:
            return self._cloud()
        return [self._cloud()] if version >= _FIRST_ARRAY else self._first_shape()

    def _first_shape(self) -> Any:
        """The shape of 2015-01-01."""
        slashed = f"{self._origin}/"
        return {
            "galleryEndpoint": slashed,
            "graphEndpoint": slashed,
            "portalEndpoint": slashed,
            "authentication": {"loginEndpoint": slashed, "audiences": self._audiences()},
        }

    def _audiences(self) -> list[str]:
        """The first one is what az CLI asks a token for."""
        return [f"{self._origin}/", "https://management.core.windows.net/", "https://management.azure.com/"]

    def _cloud(self) -> Any:
        origin = self._origin
        return {
            "name": NAME,
            "portal": origin,
            "resourceManager": f"{origin}/",
            "authentication": {
                "loginEndpoint": origin,
                "audiences": self._audiences(),
                "tenant": self._tenant,
                "identityProvider": "AAD",
            },
            "gallery": origin,
            "graph": origin,
            "graphAudience": f"{origin}/",
            "microsoftGraphResourceId": f"{origin}/graph/",
            "media": origin,
            "batch": origin,
            "sqlManagement": origin,
            "vmImageAliasDoc": origin,
            "activeDirectoryDataLake": origin,
            "appInsightsResourceId": origin,
            "appInsightsTelemetryChannelResourceId": origin,
            "attestationResourceId": origin,
            "synapseAnalyticsResourceId": origin,
            "logAnalyticsResourceId": origin,
            "ossrDbmsResourceId": origin,
            "suffixes": _suffixes(),
        }


def _suffixes() -> dict[str, str]:
    """Azure's prefixes over our suffix, each without the dot before it, which az CLI adds."""
    return {
        "storage": SUFFIX,
        "storageSyncEndpointSuffix": f"afs.{SUFFIX}",
        "keyVaultDns": f"vault.{SUFFIX}",
        "acrLoginServer": f"azurecr.{SUFFIX}",
        "sqlServerHostname": f"database.{SUFFIX}",
        "azureDataLakeStoreFileSystem": f"azuredatalakestore.{SUFFIX}",
        "azureDataLakeAnalyticsCatalogAndJob": f"azuredatalakeanalytics.{SUFFIX}",
        "azureFrontDoorEndpointSuffix": f"azurefd.{SUFFIX}",
        "attestationEndpoint": f"attest.{SUFFIX}",
        "mhsmDns": f"managedhsm.{SUFFIX}",
        "mysqlServerEndpoint": f"mysql.database.{SUFFIX}",
        "postgresqlServerEndpoint": f"postgres.database.{SUFFIX}",
        "mariadbServerEndpoint": f"mariadb.database.{SUFFIX}",
        "synapseAnalytics": f"dev.azuresynapse.{SUFFIX}",
    }


def _json(body: Any) -> Response:
    return Response(200, (("content-type", JSON), ("cache-control", "no-cache")), orjson.dumps(body))


def _refused(refusal: Refusal) -> Response:
    body = refusal_body(refusal, correlation="", request="", location="")
    return Response(refusal.status, (("content-type", JSON),), body)
