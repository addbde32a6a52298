"""A workspace of a test's own, the keys that it lists, and what opens with each: the real client of every door."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import ssl
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import oras.provider
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.mgmt.applicationinsights import ApplicationInsightsManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from tests.clients.house import LOCATION, Azure, Neighbours, fresh, make_neighbours, make_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.server import Server

PATIENCE = 20.0
INSIGHTS = "https://api.applicationinsights.io/.default"


def settle(azure: Azure) -> Place:
    """A place of a test's own."""
    group = fresh("group-")
    azure(ResourceManagementClient).resource_groups.create_or_update(group, {"location": LOCATION})
    beside = make_neighbours(azure, group)
    return Place(azure, group, beside, make_workspace(azure, group, beside))


@dataclass
class Place:
    """A workspace, what stands beside it, and whoever may do everything there."""

    azure: Azure
    group: str
    beside: Neighbours
    workspace: str

    @property
    def server(self) -> Server:
        return self.azure.server

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.server.known["caBundle"])

    def listed(self) -> Any:
        """What listKeys answers."""
        return self.azure.workspaces.list_keys(self.group, self.workspace)

    def resync(self) -> None:
        self.azure.workspaces.begin_resync_keys(self.group, self.workspace).result()

    # ── the storage account ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def account(self) -> str:
        return self.beside.account_name

    @property
    def accounts(self) -> Any:
        return self.azure(StorageManagementClient).storage_accounts

    def storage_keys(self) -> list[str]:
        return [key.value for key in self.accounts.list_keys(self.group, self.account).keys_property]

    def regenerate_storage(self, name: str = "key1") -> str:
        """Answers the new key."""
        answer = self.accounts.regenerate_key(self.group, self.account, {"keyName": name})
        return next(key.value for key in answer.keys_property if key.key_name == name)

    def endpoint(self, service: str) -> str:
        found = self.accounts.get_properties(self.group, self.account).primary_endpoints
        return str(getattr(found, service))

    def blobs(self, credential: Any) -> BlobServiceClient:
        return self._kept(BlobServiceClient(self.endpoint("blob"), credential=credential, retry_total=0))

    def queues(self, credential: Any) -> QueueServiceClient:
        return self._kept(QueueServiceClient(self.endpoint("queue"), credential=credential, retry_total=0))

    def tables(self, key: str) -> TableServiceClient:
        named = AzureNamedKeyCredential(self.account, key)
        return self._kept(TableServiceClient(self.endpoint("table"), credential=named, retry_total=0))

    def containers(self, credential: Any) -> list[str]:
        """Names of the containers that the credential opens."""
        return [container.name for container in self.blobs(credential).list_containers()]

    def _kept(self, client: Any) -> Any:
        return self.azure.stack.enter_context(client)

    # ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def registry(self) -> str:
        return self.beside.registry_name

    @property
    def registries(self) -> Any:
        return self.azure(ContainerRegistryManagementClient).registries

    @property
    def login_server(self) -> str:
        return str(self.registries.get(self.group, self.registry).login_server)

    def passwords(self) -> dict[str, str]:
        """The registry's passwords, by name, as the workspace lists them."""
        return {one.name: one.value for one in self.listed().container_registry_credentials.passwords}

    def regenerate_password(self, name: str = "password") -> str:
        """Answers the new password."""
        answer = self.registries.regenerate_credential(self.group, self.registry, {"name": name})
        return next(one.value for one in answer.passwords if one.name == name)

    def skopeo(self, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
        """Run skopeo with nothing but our certificates."""
        surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "SSL_CERT_FILE": self.server.known["caBundle"],
            "REGISTRY_AUTH_FILE": str(home / "auth.json"),
        }
        return subprocess.run(
            ["skopeo", *arguments], env=surroundings, capture_output=True, text=True, timeout=60, check=False
        )

    def oras(self, password: str, backend: str = "basic") -> oras.provider.Registry:
        registry = oras.provider.Registry(hostname=self.login_server, auth_backend=backend)
        registry.auth.set_basic_auth(self.registry, password)
        return registry

    # ── telemetry ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def components(self) -> Any:
        return self.azure(ApplicationInsightsManagementClient).components

    def component(self) -> Any:
        return self.components.get(self.group, self.beside.component.rpartition("/")[2])

    def events(self, app_id: str, collection: str = "traces") -> list[dict[str, Any]]:
        """What the events API has of a component, for the owner."""
        token = self.azure.credential.get_token(INSIGHTS).token
        answer = httpx.get(
            f"{self.server.known['doors']['telemetry']}/v1/apps/{app_id}/events/{collection}",
            headers={"Authorization": f"Bearer {token}"},
            verify=self.trust(),
        )
        answer.raise_for_status()
        return list(answer.json()["value"])


def send_trace(connection_string: str, message: str) -> None:
    """Deliver a trace with Azure's own exporter, which tells nobody of its trouble but the log."""
    provider = LoggerProvider()
    exporter = AzureMonitorLogExporter(connection_string=connection_string, disable_offline_storage=True)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("test").emit(body=message, severity_number=SeverityNumber.WARN)
    provider.shutdown()


def refusal(attempt: Callable[[], Any]) -> tuple[int | None, str | None]:
    """Status and code with which a data plane refuses; it is a failure if it does not."""
    try:
        attempt()
    except HttpResponseError as error:
        return error.status_code, getattr(error, "error_code", None)
    raise AssertionError("it is not refused")


def refusals(server: Server, **wanted: Any) -> list[Mapping[str, Any]]:
    """Entries of the trail about refusals that have these members, oldest first."""
    with closing(sqlite3.connect(f"file:{server.folder / 'linarite.db'}?mode=ro", uri=True)) as database:
        entries = [json.loads(body) for (body,) in database.execute("SELECT body FROM trail ORDER BY seq")]
    wanted = {"deed": "refusal", **wanted}
    return [entry for entry in entries if wanted.items() <= entry.items()]


def node_of(server: Server) -> int:
    """Process id of the Node behind the blob door, as the server last logged it."""
    found: list[str] = re.findall(r"The blob door is open at \S+ \(process (\d+)\)", server.log.read_text())
    return int(found[-1])


def until(holds: Callable[[], object], otherwise: str) -> None:
    """Wait for it, and fail if it does not come in time."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)
