"""Azure's management libraries, as they are. Two arguments of their own and the environment tell them where to go."""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.identity import DefaultAzureCredential
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.storage import StorageManagementClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self


class Listed(NamedTuple):
    """What listKeys answered, as far as it is secret."""

    storage_key: str
    password: str
    password2: str
    instrumentation_key: str
    notebook_keys: tuple[str | None, str | None]


class Management:
    """Signed in as the owner; works on the sample workspace and on what stands beside it."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        """`known` is what the ready file says."""
        self.origin: str = known["armEndpoint"]
        self._subscription = known["subscriptionId"]
        self._workspace = (known["resourceGroup"], known["workspace"])
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def credential(self) -> DefaultAzureCredential:
        credential = DefaultAzureCredential()
        self._stack.callback(credential.close)
        return credential

    def token(self) -> str:
        return self.credential.get_token(f"{self.origin}/.default").token

    # ── the workspace ───────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self) -> Listed:
        found = self._workspaces.list_keys(*self._workspace)
        passwords = {one.name: one.value for one in found.container_registry_credentials.passwords}
        notebook = found.notebook_access_keys
        return Listed(
            found.user_storage_key,
            passwords["password"],
            passwords["password2"],
            found.app_insights_instrumentation_key,
            (notebook.primary_access_key, notebook.secondary_access_key),
        )

    def resync(self) -> None:
        self._workspaces.begin_resync_keys(*self._workspace, polling_interval=1).result()

    @cached_property
    def linked(self) -> Any:
        """The workspace, with the ids of what stands beside it."""
        return self._workspaces.get(*self._workspace)

    # ── beside it ───────────────────────────────────────────────────────────────────────────────────────────────────

    def blob_endpoint(self) -> str:
        found = self._accounts.get_properties(*_place(self.linked.storage_account))
        return str(found.primary_endpoints.blob)

    def regenerate_key(self) -> str:
        """Answers the new key1."""
        answer = self._accounts.regenerate_key(*_place(self.linked.storage_account), {"keyName": "key1"})
        return str(next(key.value for key in answer.keys_property if key.key_name == "key1"))

    def registry(self) -> tuple[str, str]:
        """Login server and name."""
        found = self._registries.get(*_place(self.linked.container_registry))
        return found.login_server, found.name

    def regenerate_password(self) -> str:
        """Answers the new `password`."""
        place = _place(self.linked.container_registry)
        answer = self._registries.regenerate_credential(*place, {"name": "password"})
        return str(next(one.value for one in answer.passwords if one.name == "password"))

    # ── clients ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _workspaces(self) -> Any:
        return self._client(MachineLearningServicesMgmtClient, api_version="2023-10-01").workspaces

    @cached_property
    def _accounts(self) -> Any:
        return self._client(StorageManagementClient).storage_accounts

    @cached_property
    def _registries(self) -> Any:
        return self._client(ContainerRegistryManagementClient).registries

    def _client(self, kind: Callable[..., Any], **more: Any) -> Any:
        where = {"base_url": self.origin, "credential_scopes": [f"{self.origin}/.default"]}
        return self._stack.enter_context(kind(self.credential, self._subscription, **where, **more))


def _place(id_: str) -> tuple[str, str]:
    """Group and name of a resource by its id."""
    parts = id_.split("/")
    return parts[4], parts[8]
