"""The cloud's metadata: a shape for each client, and what each client needs in it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from linarite.web.http import Request
from linarite.web.metadata import Metadata

ORIGIN = "https://localhost:8443"
TENANT = "dddddddd-cccc-bbbb-aaaa-000000000000"


def get(path: str = "/metadata/endpoints", *, version: str | None = None, status: int = 200) -> Any:
    query = {} if version is None else {"api-version": version}
    request = Request("GET", path, "", {}, b"", "127.0.0.1", ORIGIN, query)
    response = Metadata(ORIGIN, TENANT).serve(request)
    assert response.status == status
    return orjson.loads(response.body)


@pytest.mark.parametrize("version", ["2022-09-01", "2023-11-01", None])
def test_az_reads_one_object(version: str | None) -> None:
    assert get(version=version)["name"] == "AzureLinarite"


@pytest.mark.parametrize("version", ["2018-05-01", "2019-05-01", "2020-06-01"])
def test_azure_ai_ml_and_azureml_core_read_an_array(version: str) -> None:
    assert get(version=version) == [get(version="2022-09-01")]


def test_older_tools_read_the_shape_of_2015() -> None:
    assert get(version="2015-01-01") == {
        "galleryEndpoint": f"{ORIGIN}/",
        "graphEndpoint": f"{ORIGIN}/",
        "portalEndpoint": f"{ORIGIN}/",
        "authentication": {
            "loginEndpoint": f"{ORIGIN}/",
            "audiences": [
                f"{ORIGIN}/",
                "https://management.core.windows.net/",
                "https://management.azure.com/",
            ],
        },
    }


def test_the_cloud_is_picked_by_the_address_of_its_metadata() -> None:
    resource_manager = get()["resourceManager"]
    assert resource_manager == f"{ORIGIN}/"
    assert resource_manager in f"{ORIGIN}/metadata/endpoints?api-version=2019-05-01"


def test_az_asks_for_tokens_of_our_own_audience_at_our_own_authority() -> None:
    authentication = get()["authentication"]
    assert authentication["loginEndpoint"] == ORIGIN
    assert authentication["audiences"][0] == f"{ORIGIN}/"
    assert authentication["identityProvider"] == "AAD"
    assert authentication["tenant"] == TENANT


def test_everything_that_az_may_ask_for_is_there_and_stays_on_the_machine() -> None:
    cloud = get()
    needed = (
        "portal gallery graph graphAudience media batch sqlManagement vmImageAliasDoc "
        "activeDirectoryDataLake appInsightsResourceId appInsightsTelemetryChannelResourceId attestationResourceId "
        "synapseAnalyticsResourceId logAnalyticsResourceId ossrDbmsResourceId"
    )
    for name in needed.split():
        assert cloud[name].rstrip("/") == ORIGIN
    assert cloud["microsoftGraphResourceId"] == f"{ORIGIN}/graph/"


def test_the_suffixes_are_azures_over_one_of_our_own() -> None:
    suffixes = get()["suffixes"]
    assert suffixes["storage"].startswith("core.")
    assert {"keyVaultDns", "acrLoginServer", "sqlServerHostname", "storageSyncEndpointSuffix"} <= suffixes.keys()
    assert all(suffix.endswith(suffixes["storage"]) for suffix in suffixes.values())
    assert not any(suffix.startswith(".") for suffix in suffixes.values())


@pytest.mark.parametrize("path", ["//metadata/endpoints", "/Metadata/Endpoints/", "/metadata//endpoints"])
def test_the_path_counts_in_any_case_and_with_doubled_slashes(path: str) -> None:
    assert get(path) == get()


def test_a_workspaces_discovery_leads_back_here() -> None:
    assert get("/discovery/workspaces/anything") == {"api": ORIGIN, "history": ORIGIN}


def test_there_is_no_other_metadata() -> None:
    assert get("/metadata/identity", status=404)["error"]["code"] == "InvalidRequestUri"
