"""azure-mgmt-machinelearningservices 1.0.1: the newest stable version, which knows 2020-08-01 alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.mgmt.resource.resources import ResourceManagementClient

from linarite.client import environment
from tests.clients.house import LOCATION, fresh, make_neighbours

if TYPE_CHECKING:
    from tests.clients.house import Azure
    from tests.server import Server

PACKAGE = Path(sys.prefix) / "alt" / "mlservices-1.0.1"
"""Where scripts/set-up puts that version, beside the one of the other tests."""

NAME = fresh("ws")


@pytest.fixture(scope="module")
def seen(server: Server, azure: Azure) -> dict[str, Any]:
    """What a program of that version saw, from the creation of a workspace to its end."""
    assert PACKAGE.is_dir(), "scripts/set-up installs it"
    os.environ["REQUESTS_CA_BUNDLE"] = server.known["caBundle"]
    group = fresh("group-")
    azure(ResourceManagementClient).resource_groups.create_or_update(group, {"location": LOCATION})
    beside = make_neighbours(azure, group)
    body = {
        "location": LOCATION,
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "storageAccount": beside.account,
            "keyVault": beside.vault,
            "applicationInsights": beside.component,
            "containerRegistry": beside.registry,
        },
    }
    arguments = json.dumps([group, NAME, body, beside.account_name])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("older.py")), arguments],
        env={**os.environ, **environment(server.known), "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["version"] == "1.0.1"
    return found


def test_the_older_version_makes_a_workspace(seen: dict[str, Any]) -> None:
    assert (seen["made"]["name"], seen["listed"]) == (NAME, [NAME])


def test_the_older_version_lists_keys(seen: dict[str, Any]) -> None:
    keys = seen["keys"][0]
    assert keys["user_storage_key"]
    assert "/storageAccounts/" in keys["user_storage_resource_id"]
    assert len(keys["container_registry_credentials"]["passwords"]) == 2


def test_the_older_version_sees_a_rotated_key_after_resync_keys(seen: dict[str, Any]) -> None:
    before, stale, after = (keys["user_storage_key"] for keys in seen["keys"])
    assert before == stale != after


def test_resync_keys_answers_the_older_version_at_once(seen: dict[str, Any]) -> None:
    assert seen["statuses"][0] == 200, "202 would be an error to it"


def test_a_change_answers_the_older_version_at_once(seen: dict[str, Any]) -> None:
    assert (seen["statuses"][1], seen["tags"]) == (200, {"c": "d"})


def test_the_older_version_prepares_a_notebook(seen: dict[str, Any]) -> None:
    assert seen["prepared"]["fqdn"].endswith(".notebooks.azure.net")


def test_the_older_version_deletes_a_workspace(seen: dict[str, Any]) -> None:
    assert seen["gone"]
