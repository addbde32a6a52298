"""What a workspace needs around it: checked when it is created or changed, and looked into by diagnose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.errors import Problem
from linarite.errors.access import linked_authorization_failed
from linarite.ids import parse_id
from linarite.kinds.workspaces import keys
from linarite.kinds.workspaces.declared import DIAGNOSED, TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

_NEEDED = {
    "Default": ("storageAccount", "keyVault", "applicationInsights"),
    "FeatureStore": ("storageAccount", "keyVault", "applicationInsights"),
    "Hub": ("storageAccount", "keyVault"),
    "Project": ("hubResourceId",),
}
_LINKS = {
    "storageAccount": "Microsoft.Storage/storageAccounts/listKeys/action",
    "containerRegistry": "Microsoft.ContainerRegistry/registries/listCredentials/action",
    "applicationInsights": "Microsoft.Insights/components/read",
    "keyVault": "Microsoft.KeyVault/vaults/read",
}
"""What the caller must be allowed to do with a neighbour: the workspace will hand out its keys to others."""


def check(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> Iterable[Problem]:
    """Every problem of a draft; refuses outright a neighbour whose keys the caller may not have."""
    properties = draft.get("properties", {})
    if before is None and any(not properties.get(name) for name in _NEEDED[draft["kind"]]):
        yield Problem("workspace", "Missing dependent resources in workspace json")
        return
    for name, operation in _LINKS.items():
        linked = properties.get(name)
        if not linked or (before is not None and before.properties.get(name) == linked):
            continue
        neighbour = parse_id(linked)
        if neighbour is not None and not work.may(operation, neighbour):
            raise linked_authorization_failed(
                _client(work), _object_id(work), f"{TYPE}/write", id_.text, linked_action=operation, linked=linked
            )
        if work.find(linked) is None:
            yield Problem(
                f"properties.{name}", f"The linked resource '{linked}' was not found.", "LinkedResourceNotFound"
            )


def _client(work: Writing) -> str:
    return work.caller.client if work.caller else ""


def _object_id(work: Writing) -> str:
    return work.caller.object_id if work.caller else ""


def diagnose(work: Writing, workspace: Resource, body: Body) -> Any:
    """diagnose: what was asked for, or everything where nothing was named."""
    asked = body.get("value") or {name: {} for name, _ in DIAGNOSED}
    found = {
        "storageAccount": _storage,
        "keyVault": _vault,
        "containerRegistry": _registry,
        "applicationInsights": _insights,
    }
    return {
        "value": {
            answered: list(found[name](work, workspace)) if name in found else []
            for name, answered in DIAGNOSED
            if name in asked
        }
    }


def _result(code: str, message: str, level: str = "Error") -> Body:
    return {"code": code, "level": level, "message": message}


def _neighbour(reading: Reading, workspace: Resource, name: str) -> tuple[str | None, Resource | None]:
    id_ = workspace.properties.get(name)
    return id_, reading.find(id_) if id_ else None


def _storage(reading: Reading, workspace: Resource) -> Iterable[Body]:
    id_, account = _neighbour(reading, workspace, "storageAccount")
    if account is None:
        yield _result("StorageAccountNotFound", f"The storage account '{id_}' of the workspace was not found.")
        return
    if account.properties.get("allowSharedKeyAccess") is False:
        message = f"Key based authentication is not permitted on the storage account '{id_}'."
        yield _result("KeyBasedAuthenticationNotPermitted", message, "Warning")
    elif reading.secrets(workspace).get(keys.STORAGE) != reading.secrets(account).get("key1"):
        message = (
            f"The key that the workspace keeps is refused by the storage account '{id_}'. Resync the workspace's keys."
        )
        yield _result("StorageAccountKeyInvalid", message)


def _vault(reading: Reading, workspace: Resource) -> Iterable[Body]:
    id_, vault = _neighbour(reading, workspace, "keyVault")
    if vault is None:
        yield _result("KeyVaultNotFound", f"The key vault '{id_}' of the workspace was not found.")


def _registry(reading: Reading, workspace: Resource) -> Iterable[Body]:
    id_, registry = _neighbour(reading, workspace, "containerRegistry")
    if id_ is None:
        return
    if registry is None:
        yield _result("ContainerRegistryNotFound", f"The container registry '{id_}' of the workspace was not found.")
        return
    kept, current = reading.secrets(workspace), reading.secrets(registry)
    if not registry.properties.get("adminUserEnabled"):
        message = f"The admin user of the container registry '{id_}' is disabled."
        yield _result("ContainerRegistryAdminUserDisabled", message, "Warning")
    elif any(kept.get(f"registry.{word}") != current.get(word) for word in keys.PASSWORDS):
        message = (
            f"The password that the workspace keeps is refused by the container registry '{id_}'. "
            "Resync the workspace's keys."
        )
        yield _result("ContainerRegistryPasswordInvalid", message)


def _insights(reading: Reading, workspace: Resource) -> Iterable[Body]:
    id_, component = _neighbour(reading, workspace, "applicationInsights")
    if id_ is not None and component is None:
        yield _result("ApplicationInsightsNotFound", f"The Application Insights component '{id_}' was not found.")
