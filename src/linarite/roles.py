"""Azure's built-in roles as data, and where custom ones are kept.

Ids and permissions are those of Microsoft's "Azure built-in roles" pages (privileged, AI + machine learning, storage).
Only roles that matter to the types served here are listed. A custom role is a resource, kept once in the tenant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.ids import ROOT
from linarite.model import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.ids import ResourceId
    from linarite.model import Resource

DEFINITIONS = "Microsoft.Authorization/roleDefinitions"

_MLS = "Microsoft.MachineLearningServices"
_STORAGE = "Microsoft.Storage/storageAccounts"
_ACR = "Microsoft.ContainerRegistry/registries"
_COMMON = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)


OWNER = Role(
    id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    name="Owner",
    description="Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
    actions=("*",),
)

BUILT_IN = (
    OWNER,
    Role(
        id="b24988ac-6180-42a0-ab88-20f7382dd24c",
        name="Contributor",
        description="Grants full access to manage all resources, but does not allow you to assign roles.",
        actions=("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
        ),
    ),
    Role(
        id="acdd72a7-3385-48ef-bd42-f606fba81ae7",
        name="Reader",
        description="View all resources, but does not allow you to make any changes.",
        actions=("*/read",),
    ),
    Role(
        id="18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        name="User Access Administrator",
        description="Lets you manage user access to Azure resources.",
        actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    Role(
        id="f6c7c914-8db3-469d-8ca1-694a8f32e121",
        name="AzureML Data Scientist",
        description=(
            "Can perform all actions within an Azure Machine Learning workspace, except for creating or deleting "
            "compute resources and modifying the workspace itself."
        ),
        actions=(
            f"{_MLS}/workspaces/*/read",
            f"{_MLS}/workspaces/*/action",
            f"{_MLS}/workspaces/*/delete",
            f"{_MLS}/workspaces/*/write",
        ),
        not_actions=(
            f"{_MLS}/workspaces/delete",
            f"{_MLS}/workspaces/write",
            f"{_MLS}/workspaces/computes/*/write",
            f"{_MLS}/workspaces/computes/*/delete",
            f"{_MLS}/workspaces/computes/listKeys/action",
            f"{_MLS}/workspaces/listKeys/action",
            f"{_MLS}/workspaces/hubs/write",
            f"{_MLS}/workspaces/hubs/delete",
            f"{_MLS}/workspaces/featurestores/write",
            f"{_MLS}/workspaces/featurestores/delete",
        ),
    ),
    Role(
        id="e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
        name="AzureML Compute Operator",
        description="Can access and perform CRUD operations on Machine Learning Services managed compute resources.",
        actions=(f"{_MLS}/workspaces/computes/*", f"{_MLS}/workspaces/notebooks/vm/*"),
    ),
    Role(
        id="1823dd4f-9b8c-4ab6-ab4e-7397a3684615",
        name="AzureML Registry User",
        description="Can perform all actions on Machine Learning Services Registry assets as well as get registries.",
        actions=(f"{_MLS}/registries/read", f"{_MLS}/registries/assets/*"),
    ),
    Role(
        id="64702f94-c441-49e6-a78b-ef80e0188fee",
        name="Azure AI Developer",
        description="Can perform all actions within an Azure AI resource besides managing the resource itself.",
        actions=(
            f"{_MLS}/workspaces/*/read",
            f"{_MLS}/workspaces/*/action",
            f"{_MLS}/workspaces/*/delete",
            f"{_MLS}/workspaces/*/write",
            f"{_MLS}/locations/*/read",
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/deployments/*",
        ),
        not_actions=(
            f"{_MLS}/workspaces/delete",
            f"{_MLS}/workspaces/write",
            f"{_MLS}/workspaces/listKeys/action",
            f"{_MLS}/workspaces/hubs/write",
            f"{_MLS}/workspaces/hubs/delete",
            f"{_MLS}/workspaces/featurestores/write",
            f"{_MLS}/workspaces/featurestores/delete",
        ),
    ),
    Role(
        id="b78c5d69-af96-48a3-bf8d-a8b4d589de94",
        name="Azure AI Administrator",
        description=(
            "A Built-In Role that has all control plane permissions to work with Azure AI and its dependencies."
        ),
        actions=(
            "Microsoft.Authorization/*/read",
            "Microsoft.ContainerRegistry/registries/*",
            "Microsoft.Insights/components/*",
            "Microsoft.KeyVault/*",
            f"{_MLS}/locations/*",
            f"{_MLS}/workspaces/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    Role(
        id="17d1049b-9a84-46fb-8f53-869881c3d3ab",
        name="Storage Account Contributor",
        description="Lets you manage storage accounts, including accessing storage account keys.",
        actions=(*_COMMON, "Microsoft.Insights/diagnosticSettings/*", f"{_STORAGE}/*"),
    ),
    Role(
        id="81a9662b-bebf-436f-a333-f67b29880f12",
        name="Storage Account Key Operator Service Role",
        description="Storage Account Key Operators are allowed to list and regenerate keys on Storage Accounts.",
        actions=(f"{_STORAGE}/listkeys/action", f"{_STORAGE}/regeneratekey/action"),
    ),
    Role(
        id="c12c1c16-33a1-487b-954d-41c89c60f349",
        name="Reader and Data Access",
        description="Lets you view everything but will not let you delete or create a storage account.",
        actions=(f"{_STORAGE}/listKeys/action", f"{_STORAGE}/ListAccountSas/action", f"{_STORAGE}/read"),
    ),
    Role(
        id="2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        name="Storage Blob Data Reader",
        description="Allows for read access to Azure Storage blob containers and data.",
        actions=(
            f"{_STORAGE}/blobServices/containers/read",
            f"{_STORAGE}/blobServices/generateUserDelegationKey/action",
        ),
        data_actions=(f"{_STORAGE}/blobServices/containers/blobs/read",),
    ),
    Role(
        id="ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        name="Storage Blob Data Contributor",
        description="Allows for read, write and delete access to Azure Storage blob containers and data.",
        actions=(
            f"{_STORAGE}/blobServices/containers/delete",
            f"{_STORAGE}/blobServices/containers/read",
            f"{_STORAGE}/blobServices/containers/write",
            f"{_STORAGE}/blobServices/generateUserDelegationKey/action",
        ),
        data_actions=(
            f"{_STORAGE}/blobServices/containers/blobs/delete",
            f"{_STORAGE}/blobServices/containers/blobs/read",
            f"{_STORAGE}/blobServices/containers/blobs/write",
            f"{_STORAGE}/blobServices/containers/blobs/move/action",
            f"{_STORAGE}/blobServices/containers/blobs/add/action",
        ),
    ),
    Role(
        id="b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        name="Storage Blob Data Owner",
        description="Allows for full access to Azure Storage blob containers and data.",
        actions=(f"{_STORAGE}/blobServices/containers/*", f"{_STORAGE}/blobServices/generateUserDelegationKey/action"),
        data_actions=(f"{_STORAGE}/blobServices/containers/blobs/*",),
    ),
    Role(
        id="7f951dda-4ed3-4680-a7ca-43fe172d538d",
        name="AcrPull",
        description="acr pull",
        actions=(f"{_ACR}/pull/read",),
    ),
    Role(
        id="8311e382-0749-4cb8-b61a-304f252e45ec",
        name="AcrPush",
        description="acr push",
        actions=(f"{_ACR}/pull/read", f"{_ACR}/push/write"),
    ),
    Role(
        id="c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        name="AcrDelete",
        description="acr delete",
        actions=(f"{_ACR}/artifacts/delete",),
    ),
    Role(
        id="4633458b-17de-408a-b874-0445c86b69e6",
        name="Key Vault Secrets User",
        description="Read secret contents.",
        data_actions=(
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    Role(
        id="b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        name="Key Vault Secrets Officer",
        description="Perform any action on the secrets of a key vault, except manage permissions.",
        actions=(*_COMMON, "Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/checkNameAvailability/read"),
        data_actions=("Microsoft.KeyVault/vaults/secrets/*",),
    ),
)

BY_ID = {role.id: role for role in BUILT_IN}


def kept_at(id_: str) -> ResourceId:
    """Where the custom role with that GUID is kept, whatever scope it is named at."""
    return ROOT.child(DEFINITIONS, id_)


def role_of(id_: str, find: Callable[[str], Resource | None]) -> Role | None:
    """The role with that GUID, built in or custom; `find` answers the resource with a key."""
    if (found := BY_ID.get(id_)) is not None:
        return found
    kept = find(kept_at(id_).key)
    return custom(kept) if kept is not None else None


def custom(definition: Resource) -> Role:
    """A custom role, out of the resource that declares it."""
    properties = definition.properties
    [granted] = properties["permissions"]
    return Role(
        id=definition.name.lower(),
        name=properties["roleName"],
        description=properties["description"],
        actions=tuple(granted["actions"]),
        not_actions=tuple(granted["notActions"]),
        data_actions=tuple(granted["dataActions"]),
        not_data_actions=tuple(granted["notDataActions"]),
        custom=True,
        scopes=tuple(properties["assignableScopes"]),
    )
