"""The resource types, one file each. Adding one is a new file and a line in `KINDS`."""

from __future__ import annotations

from linarite.kind import Kind, Versions
from linarite.kinds.activity_log import ACTIVITY_LOG, EVENT_TYPES
from linarite.kinds.blob_containers import BLOB_CONTAINERS, BLOB_SERVICES
from linarite.kinds.container_registries import CONTAINER_REGISTRIES
from linarite.kinds.faults import FAULTS
from linarite.kinds.insights_components import INSIGHTS_COMPONENTS
from linarite.kinds.key_vaults import KEY_VAULTS
from linarite.kinds.locks import LOCKS
from linarite.kinds.log_workspaces import LOG_WORKSPACES
from linarite.kinds.permissions import DENY_ASSIGNMENTS, PERMISSIONS
from linarite.kinds.provider_operations import operations_of
from linarite.kinds.providers import PROVIDERS
from linarite.kinds.resource_groups import RESOURCE_GROUPS, RESOURCES
from linarite.kinds.role_assignments import ROLE_ASSIGNMENTS
from linarite.kinds.role_definitions import ROLE_DEFINITIONS
from linarite.kinds.storage_accounts import STORAGE_ACCOUNTS
from linarite.kinds.subscriptions import LOCATIONS, SUBSCRIPTIONS, TENANTS
from linarite.kinds.user_assigned_identities import USER_ASSIGNED_IDENTITIES
from linarite.kinds.workspaces import WORKSPACES

_DECLARED = (
    # the platform
    TENANTS,
    SUBSCRIPTIONS,
    LOCATIONS,
    RESOURCE_GROUPS,
    RESOURCES,
    PROVIDERS,
    # who may do what
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    PERMISSIONS,
    DENY_ASSIGNMENTS,
    LOCKS,
    # the workspace and its neighbours
    WORKSPACES,
    STORAGE_ACCOUNTS,
    BLOB_SERVICES,
    BLOB_CONTAINERS,
    CONTAINER_REGISTRIES,
    INSIGHTS_COMPONENTS,
    KEY_VAULTS,
    LOG_WORKSPACES,
    USER_ASSIGNED_IDENTITIES,
    # what was done
    EVENT_TYPES,
    ACTIVITY_LOG,
    # for tests of clients
    FAULTS,
)


def _progress_of(kind: Kind) -> Kind:
    """Where clients ask how far a long-running operation on that kind is."""
    return Kind(
        type=f"{kind.namespace}/locations/{kind.progress}",
        versions=Versions((), any_dated=True),
        fields=(),
        parent="*",
        tracked=False,
        methods=frozenset({"GET"}),
        lists=frozenset(),
        is_progress=True,
        speaks=kind.speaks,
    )


_NAMESPACES = {kind.namespace: kind.versions for kind in reversed(_DECLARED)}

KINDS: tuple[Kind, ...] = (
    *_DECLARED,
    *(_progress_of(kind) for kind in _DECLARED if kind.put.long or kind.delete_long),
    *(operations_of(namespace, versions) for namespace, versions in _NAMESPACES.items()),
)
"""Every type that is served."""
