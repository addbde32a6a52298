"""Versions and fields of the workspaces type, after the specification of 2023-10-01 and recorded answers.

Members that other versions added are kept and shown where that version, or a preview as new, knows them.
"""

from __future__ import annotations

from linarite.kind import Versions
from linarite.kinds.fields import (
    IDENTITY,
    LOCATION,
    PRIVATE_ENDPOINT_CONNECTIONS,
    PROVISIONING_STATE,
    SYSTEM_DATA,
    TAGS,
    hidden,
    read_only,
    sku,
)
from linarite.schema import Field, Flag, Free, Guid, Id, Listed, Mapped, Object, Text, Time, Whole

TYPE = "Microsoft.MachineLearningServices/workspaces"

VERSIONS = Versions(
    (
        "2018-03-01-preview",
        "2018-11-19",
        "2019-05-01",
        "2019-06-01",
        "2019-11-01",
        "2020-01-01",
        "2020-02-18-preview",
        "2020-03-01",
        "2020-04-01",
        "2020-05-01-preview",
        "2020-05-15-preview",
        "2020-06-01",
        "2020-08-01",
        "2020-09-01-preview",
        "2021-01-01",
        "2021-03-01-preview",
        "2021-04-01",
        "2021-07-01",
        "2022-01-01-preview",
        "2022-02-01-preview",
        "2022-05-01",
        "2022-06-01-preview",
        "2022-10-01",
        "2022-10-01-preview",
        "2022-12-01-preview",
        "2023-02-01-preview",
        "2023-04-01",
        "2023-04-01-preview",
        "2023-06-01-preview",
        "2023-08-01-preview",
        "2023-10-01",
        "2024-01-01-preview",
        "2024-04-01",
        "2024-04-01-preview",
        "2024-07-01-preview",
        "2024-10-01",
        "2024-10-01-preview",
        "2025-01-01-preview",
        "2025-04-01",
        "2025-04-01-preview",
        "2025-06-01",
        "2025-07-01-preview",
        "2025-09-01",
        "2025-10-01-preview",
        "2025-12-01",
        "2026-01-15-preview",
        "2026-03-01",
        "2026-03-15-preview",
        "2026-05-01",
        "2026-05-15-preview",
        "2026-07-01",
        "2026-07-15-preview",
        "2026-09-01",
    )
)
"""Every version, stable and preview, of the provider's specification repository."""

_ENCRYPTION = Object(
    (
        Field(name="status", shape=Text(words=("Enabled", "Disabled"), empty_is_null=True), required=True),
        Field(name="identity", shape=Object((Field(name="userAssignedIdentity", shape=Id()),))),
        Field(
            name="keyVaultProperties",
            required=True,
            shape=Object(
                (
                    Field(name="keyVaultArmId", shape=Id("Microsoft.KeyVault/vaults"), required=True),
                    Field(name="keyIdentifier", shape=Text(), required=True),
                    Field(name="identityClientId", shape=Text()),
                )
            ),
        ),
    )
)

_MANAGED_NETWORK = Object(
    (
        Field(
            name="isolationMode",
            shape=Text(words=("Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"), empty_is_null=True),
        ),
        read_only("networkId", Text()),
        Field(name="outboundRules", shape=Mapped(Free())),
        Field(
            name="status",
            shape=Object(
                (
                    Field(name="sparkReady", shape=Flag()),
                    Field(name="status", shape=Text(words=("Inactive", "Active"))),
                )
            ),
        ),
    ),
    open=True,
)

_SERVERLESS = Object(
    (
        Field(name="serverlessComputeCustomSubnet", shape=Id()),
        Field(name="serverlessComputeNoPublicIP", shape=Flag()),
    )
)

_NOTEBOOK_INFO = Object(
    (
        Field(name="resourceId", shape=Text()),
        Field(name="fqdn", shape=Text()),
        Field(name="isPrivateLinkEnabled", shape=Flag()),
        Field(
            name="notebookPreparationError",
            shape=Object((Field(name="errorMessage", shape=Text()), Field(name="statusCode", shape=Whole()))),
            null_shown=True,
        ),
    )
)

_SHARED_LINK = Object(
    (
        Field(name="name", shape=Text()),
        Field(
            name="properties",
            shape=Object(
                (
                    Field(name="privateLinkResourceId", shape=Id()),
                    Field(name="groupId", shape=Text()),
                    Field(name="requestMessage", shape=Text()),
                    Field(
                        name="status",
                        shape=Text(words=("Pending", "Approved", "Rejected", "Disconnected", "Timeout")),
                    ),
                )
            ),
        ),
    )
)

_PROPERTIES = Object(
    (
        read_only("workspaceId", Guid()),
        read_only("creationTime", Time()),
        Field(name="description", shape=Text()),
        Field(name="friendlyName", shape=Text()),
        Field(name="keyVault", shape=Id("Microsoft.KeyVault/vaults"), immutable=True),
        Field(name="applicationInsights", shape=Id("Microsoft.Insights/components")),
        Field(name="containerRegistry", shape=Id("Microsoft.ContainerRegistry/registries")),
        Field(name="storageAccount", shape=Id("Microsoft.Storage/storageAccounts"), immutable=True),
        PROVISIONING_STATE,
        Field(name="encryption", shape=_ENCRYPTION, patchable=False, immutable=True),
        Field(name="hbiWorkspace", shape=Flag(), default=False, patchable=False, immutable=True),
        read_only("serviceProvisionedResourceGroup", Text()),
        read_only("privateLinkCount", Whole()),
        Field(name="imageBuildCompute", shape=Text(empty_is_null=True)),
        Field(name="allowPublicAccessWhenBehindVnet", shape=Flag(), default=False, patchable=False),
        Field(name="publicNetworkAccess", shape=Text(words=("Enabled", "Disabled")), default="Enabled"),
        PRIVATE_ENDPOINT_CONNECTIONS,
        Field(name="serverlessComputeSettings", shape=_SERVERLESS, since="2023-08-01-preview"),
        Field(name="sharedPrivateLinkResources", shape=Listed(_SHARED_LINK), patchable=False),
        read_only("notebookInfo", _NOTEBOOK_INFO),
        Field(
            name="serviceManagedResourcesSettings",
            shape=Object(
                (Field(name="cosmosDb", shape=Object((Field(name="collectionsThroughput", shape=Whole(least=0)),))),)
            ),
        ),
        Field(name="primaryUserAssignedIdentity", shape=Id()),
        read_only("tenantId", Guid()),
        read_only("storageHnsEnabled", Flag()),
        Field(name="v1LegacyMode", shape=Flag(), default=False, patchable=False),
        Field(name="managedNetwork", shape=_MANAGED_NETWORK, since="2023-04-01-preview"),
        Field(name="featureStoreSettings", shape=Free(), since="2023-02-01-preview"),
        Field(
            name="systemDatastoresAuthMode",
            shape=Text(words=("accesskey", "identity", "userDelegationSAS"), empty_is_null=True),
            since="2024-04-01",
            preview_since="2022-12-01-preview",
        ),
        Field(name="hubResourceId", shape=Id(TYPE), since="2024-04-01", preview_since="2023-08-01-preview"),
        Field(name="workspaceHubConfig", shape=Free(), since="2024-04-01", preview_since="2023-08-01-preview"),
        Field(name="enableDataIsolation", shape=Flag(), since="2024-04-01", preview_since="2023-04-01-preview"),
        Field(name="allowRoleAssignmentOnRG", shape=Flag(), since="2025-04-01", preview_since="2023-08-01-preview"),
        Field(name="softDeleteEnabled", shape=Flag(), since="9999", preview_since="2022-12-01-preview"),
        Field(name="ipAllowlist", shape=Listed(Text()), since="2024-10-01", preview_since="2023-08-01-preview"),
        Field(name="networkAcls", shape=Free(), since="2024-10-01", preview_since="2024-07-01-preview"),
        hidden("copies"),
    )
)

FIELDS = (
    LOCATION,
    TAGS,
    IDENTITY,
    Field(
        name="kind",
        shape=Text(words=("Default", "FeatureStore", "Hub", "Project"), empty_is_null=True),
        default="Default",
        patchable=False,
    ),
    sku(default="Basic"),
    Field(name="properties", shape=_PROPERTIES, default={}),
    SYSTEM_DATA,
)

DIAGNOSED = (
    ("udr", "userDefinedRouteResults"),
    ("nsg", "networkSecurityRuleResults"),
    ("resourceLock", "resourceLockResults"),
    ("dnsResolution", "dnsResolutionResults"),
    ("storageAccount", "storageAccountResults"),
    ("keyVault", "keyVaultResults"),
    ("containerRegistry", "containerRegistryResults"),
    ("applicationInsights", "applicationInsightsResults"),
    ("others", "otherResults"),
)
"""What diagnose may be asked for, and under which name it answers."""

DIAGNOSE_FIELDS = (
    Field(
        name="value",
        shape=Object(tuple(Field(name=asked, shape=Mapped(Free())) for asked, _ in DIAGNOSED)),
        default={},
    ),
)
