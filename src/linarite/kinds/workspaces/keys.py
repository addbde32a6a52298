"""The workspace's copies of its neighbours' keys, and what listKeys makes of them.

A workspace keeps copies: a key that is regenerated at the neighbour changes there at once, and here only at resyncKeys
(Microsoft's "Regenerate storage account access keys"). With `resync = auto` the copies are passed over and every answer
is fresh. Which of the storage account's two keys a workspace keeps is not documented; it is `key1` here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from linarite.errors import BadRequest
from linarite.ids import parse_id
from linarite.kinds.workspaces import notebook
from linarite.model import Secret, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

    Keys = Callable[[str], Mapping[str, Secret | None]]
    """Answers the keys of the neighbour that a property names, by the names under which they are kept."""

STORAGE = "storage.key"
INSIGHTS = "insights.key"
PASSWORDS = ("password", "password2")
"""The registry's passwords, by the names that the registry gives them; kept here as `registry.{name}`."""


def copy(work: Writing, workspace: Resource, *, only_changed: bool = False) -> None:
    """Take copies of the neighbours' keys.

    With `only_changed`, only of neighbours that were exchanged for others since the last copy.

    Raises:
        BadRequest: a neighbour is gone. Nothing was copied.
    """
    linked = {
        name: workspace.properties.get(name) for name in ("storageAccount", "applicationInsights", "containerRegistry")
    }
    before = workspace.properties.get("copies") or {}
    if only_changed and before == linked:
        return
    for name, id_ in linked.items():
        if only_changed and before.get(name) == id_:
            continue
        for kept, secret in _current(work, workspace, name).items():
            work.keep(workspace.id, kept, secret)
    body = copied(workspace.body)
    body["properties"]["copies"] = linked
    work.amend(workspace, body)


def _current(reading: Reading, workspace: Resource, name: str) -> Mapping[str, Secret | None]:
    """The keys of one neighbour as they are now, by the names under which they are kept."""
    id_ = workspace.properties.get(name)
    neighbour = reading.find(id_) if id_ else None
    if id_ and neighbour is None:
        message = f"Unable to sync keys of the workspace: the linked resource '{id_}' was not found."
        raise BadRequest("UserError", message, target=name, origin="provider")
    if name == "applicationInsights":
        key = neighbour.properties.get("InstrumentationKey") if neighbour else None
        return {INSIGHTS: Secret(key) if key else None}
    secrets = reading.secrets(neighbour) if neighbour else {}
    if name == "storageAccount":
        return {STORAGE: secrets.get("key1")}
    return {f"registry.{word}": secrets.get(word) for word in PASSWORDS}


def _keys(reading: Reading, workspace: Resource) -> Keys:
    """Where this workspace has the keys of each neighbour from: its copies, or fresh ones where it is set so."""
    if reading.options.resync == "auto":
        return partial(_current, reading, workspace)
    copies = reading.secrets(workspace)
    return lambda _: copies


def list_keys(reading: Reading, workspace: Resource, _: Body) -> Body:
    """listKeys: five members, always all five, in the documented order."""
    keys = _keys(reading, workspace)
    return {
        "userStorageKey": _storage_key(reading, workspace, keys),
        **_storage_id(reading, workspace),
        "appInsightsInstrumentationKey": keys("applicationInsights").get(INSIGHTS),
        "containerRegistryCredentials": _registry_credentials(reading, workspace, keys),
        "notebookAccessKeys": notebook.list_keys(reading, workspace, {}),
    }


def list_storage_account_keys(reading: Reading, workspace: Resource, _: Body) -> Body:
    return {"userStorageKey": _storage_key(reading, workspace, _keys(reading, workspace))}


def _storage_key(reading: Reading, workspace: Resource, keys: Keys) -> Secret | None:
    """The storage key; None where no key would open anything: identity-based workspaces, shared keys forbidden."""
    if workspace.properties.get("systemDatastoresAuthMode") == "identity":
        return None
    account = reading.find(workspace.properties.get("storageAccount") or "")
    if account is not None and account.properties.get("allowSharedKeyAccess") is False:
        return None
    return keys("storageAccount").get(STORAGE)


def _storage_id(reading: Reading, workspace: Resource) -> Body:
    id_ = workspace.properties.get("storageAccount")
    names = {
        "documented": ("userStorageArmId",) if _documents_arm_id(reading.version) else ("userStorageResourceId",),
        "wire": ("userStorageArmId",),
        "both": ("userStorageResourceId", "userStorageArmId"),
    }
    return dict.fromkeys(names[reading.options.storage_id_member], id_)


def _documents_arm_id(version: str) -> bool:
    """Whether that version's specification calls the member `userStorageArmId`, not `userStorageResourceId`."""
    if version.endswith("-preview"):
        return version >= "2023-06-01-preview"
    return version == "2025-06-01" or version >= "2025-12-01"


def _registry_credentials(reading: Reading, workspace: Resource, keys: Keys) -> Body | None:
    id_ = workspace.properties.get("containerRegistry")
    named = parse_id(id_) if id_ else None
    if named is None:
        return None
    registry = reading.find(named)
    if registry is not None and not registry.properties.get("adminUserEnabled"):
        return None
    passwords = keys("containerRegistry")
    return {
        "location": registry.location if registry else workspace.location,
        "username": registry.name if registry else named.name,
        "passwords": [{"name": word, "value": passwords.get(f"registry.{word}")} for word in PASSWORDS],
    }
