"""A program of azure-mgmt-machinelearningservices 1.0.1, which speaks 2020-08-01 and nothing else.

It is run in a process of its own with that version first on its path, and with nothing but the environment to tell it
where to go. It prints what it saw, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.machinelearningservices import __version__ as version
from azure.mgmt.storage import StorageManagementClient


def main(group: str, name: str, body: dict[str, Any], account: str) -> dict[str, Any]:
    """The life of a workspace."""
    endpoint = os.environ["ARM_ENDPOINT"]
    there = {"base_url": endpoint, "credential_scopes": [endpoint + "/.default"]}
    statuses: list[int] = []

    def status(response: Any) -> None:
        statuses.append(response.http_response.status_code)

    with (
        DefaultAzureCredential() as credential,
        MachineLearningServicesMgmtClient(credential, os.environ["AZURE_SUBSCRIPTION_ID"], **there) as client,
        StorageManagementClient(credential, os.environ["AZURE_SUBSCRIPTION_ID"], **there) as storage,
    ):
        workspaces = client.workspaces
        made = workspaces.begin_create_or_update(group, name, body).result()
        before = workspaces.list_keys(group, name)
        storage.storage_accounts.regenerate_key(group, account, {"keyName": "key1"})
        stale = workspaces.list_keys(group, name)
        workspaces.resync_keys(group, name, raw_response_hook=status)
        after = workspaces.list_keys(group, name)
        updated = workspaces.update(group, name, {"tags": {"c": "d"}}, raw_response_hook=status)
        prepared = client.notebooks.begin_prepare(group, name).result()
        listed = [each.name for each in workspaces.list_by_resource_group(group)]
        workspaces.begin_delete(group, name).result()
        try:
            workspaces.get(group, name)
            gone = False
        except ResourceNotFoundError:
            gone = True
    return {
        "version": version,
        "made": made.as_dict(),
        "keys": [keys.as_dict() for keys in (before, stale, after)],
        "statuses": statuses,
        "tags": dict(updated.tags),
        "prepared": prepared.as_dict(),
        "listed": listed,
        "gone": gone,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*json.loads(sys.argv[1]))))
