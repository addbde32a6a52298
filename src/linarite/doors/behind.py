"""What stands behind the doors: the state's resources, as what a door has to be told of them.

Questions to a view and nothing else. This module does not know who asks, nor when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from linarite.doors.blob import Account, Trust
from linarite.ids import parse_id
from linarite.store import changes, resources
from linarite.store.keys import EVERYTHING

if TYPE_CHECKING:
    from linarite.model import Resource
    from linarite.store.view import View
    from linarite.tokens import Authority

ACCOUNTS = "Microsoft.Storage/storageAccounts"
CONTAINERS = f"{ACCOUNTS}/blobServices/containers"
REGISTRIES = "Microsoft.ContainerRegistry/registries"
COMPONENTS = "microsoft.insights/components"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"

_MOST = 100_000


class Containers(NamedTuple):
    """Containers that an account has to have."""

    account: str
    names: list[str]


def changed_since(view: View, version: int) -> tuple[int, frozenset[str]]:
    """The newest version, and the keys that changed after another one; all of them, where that is too long ago."""
    newest, keys = changes.since(view.connection(), version)
    return newest, frozenset({EVERYTHING} if keys is None else keys)


def everyone(view: View, type_: str) -> list[Resource]:
    """All resources of a type, in every subscription."""
    found = resources.children(view.connection(), parent=None, subscription=None, type_=type_, after="", most=_MOST)
    return list(found)


def named(view: View, type_: str, name: str) -> Resource | None:
    """The resource of a type with that name; for types whose names are unique in all of Azure."""
    return next(iter(resources.named(view.connection(), type_, name)), None)


def place_of(resource: Resource) -> str:
    """A name for what a registry stores: its own, and when it was made, so that a namesake never finds it."""
    return f"{resource.name.lower()}-{''.join(filter(str.isdigit, resource.properties['creationDate']))}"


def standing(view: View, key: str) -> Resource | None:
    """The resource with that key, unless it is deleted."""
    found = view.resource(key)
    return found if found is not None and found.deleted_at is None else None


def accounts(view: View) -> list[Account]:
    """All storage accounts, with their keys."""
    return [_account(view, resource) for resource in everyone(view, ACCOUNTS)]


def account(view: View, key: str) -> Account | None:
    """A storage account with its keys, unless it is deleted."""
    resource = standing(view, key)
    return None if resource is None else _account(view, resource)


def _account(view: View, resource: Resource) -> Account:
    kept = view.secrets(resource.key)
    keys = (kept["key1"].reveal(), kept["key2"].reveal())
    shared = resource.properties.get("allowSharedKeyAccess") is not False
    return Account(resource.name.lower(), keys, shared, resource.properties["creationTime"])


def containers_of_workspace(view: View, key: str) -> Containers | None:
    """The containers that azure-ai-ml expects in a workspace's storage account; None where there is none of them."""
    workspace = standing(view, key)
    id_ = parse_id(workspace.properties.get("storageAccount") or "") if workspace else None
    if workspace is None or id_ is None or standing(view, id_.key) is None:
        return None
    return Containers(id_.name.lower(), ["azureml", f"azureml-blobstore-{workspace.properties['workspaceId']}"])


def container(view: View, key: str) -> Containers | None:
    """A container that was made through Resource Manager, unless it is deleted."""
    found = standing(view, key)
    service = found.id.parent if found else None
    if found is None or service is None or service.parent is None:
        return None
    return Containers(service.parent.name.lower(), [found.name])


def all_containers(view: View) -> list[Containers]:
    """Every container that has to be there, for whichever reason."""
    wanted = [containers_of_workspace(view, one.key) for one in everyone(view, WORKSPACES)]
    wanted += [container(view, one.key) for one in everyone(view, CONTAINERS)]
    return [one for one in wanted if one is not None]


def trust(view: View, authority: Authority) -> Trust:
    """Whose tokens open the blob door."""
    keys = {"keys": [orjson.loads(key.public) for key in view.signing_keys()]}
    audiences = (
        "https://storage.azure.com",
        "https://storage.azure.com/",
        "https://{account}.blob.core.windows.net",
        "https://{account}.queue.core.windows.net",
        "https://{account}.table.core.windows.net",
    )
    return Trust(keys, authority.issuers, audiences, f"{authority.url}/oauth2/authorize")
