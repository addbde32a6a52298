"""Microsoft.KeyVault/vaults (2023-07-01): the vault as a resource. Its secrets are behind the vault door."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from linarite.errors import BadRequest, Conflict
from linarite.hosts import host_of
from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import LOCATION, PRIVATE_ENDPOINT_CONNECTIONS, SYSTEM_DATA, TAGS, read_only
from linarite.kinds.names import check_availability, is_taken
from linarite.schema import Field, Flag, Free, Guid, Listed, Object, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.errors import Problem
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

TYPE = "Microsoft.KeyVault/vaults"

_SKU = Object(
    (
        Field(name="family", shape=Text(words=("A",)), default="A"),
        Field(name="name", shape=Text(words=("standard", "premium")), required=True),
    )
)

_POLICY = Object(
    (
        Field(name="tenantId", shape=Guid(), required=True),
        Field(name="objectId", shape=Text(), required=True),
        Field(name="applicationId", shape=Guid()),
        Field(name="permissions", shape=Free(), required=True),
    )
)

_PROPERTIES = Object(
    (
        Field(name="sku", shape=_SKU, required=True),
        Field(name="tenantId", shape=Guid(), required=True),
        Field(name="accessPolicies", shape=Listed(_POLICY, most=1024), default=[]),
        Field(name="enabledForDeployment", shape=Flag(), default=False),
        Field(name="enabledForDiskEncryption", shape=Flag()),
        Field(name="enabledForTemplateDeployment", shape=Flag()),
        Field(name="enableSoftDelete", shape=Flag(), default=True),
        Field(name="softDeleteRetentionInDays", shape=Whole(least=7, most=90), default=90, immutable=True),
        Field(name="enableRbacAuthorization", shape=Flag(), default=False),
        Field(name="enablePurgeProtection", shape=Flag()),
        Field(name="networkAcls", shape=Free()),
        PRIVATE_ENDPOINT_CONNECTIONS,
        read_only("provisioningState", Text()),
        Field(name="publicNetworkAccess", shape=Text(), default="Enabled"),
    )
)


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    del work, before
    draft["properties"]["provisioningState"] = "Succeeded"


def _check(work: Writing, id_: ResourceId, draft: Body, before: Resource | None) -> Iterable[Problem]:
    if draft["properties"].get("enablePurgeProtection") is False:
        raise BadRequest(
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is '
            "an irreversible action.",
        )
    if before is None and is_taken(work, TYPE, id_.name):
        raise Conflict("VaultAlreadyExists", f"The vault name '{id_.name}' is already in use.")
    return ()


def _present(reading: Reading, vault: Resource, shown: Body) -> Body:
    shown["properties"]["vaultUri"] = _uri(reading, vault.name)
    return shown


def _uri(reading: Reading, name: str) -> str:
    """Where the vault's secrets are: at our door where it is open, else under Azure's own name.

    A host name of the vault's own, as Azure's is: clients hold it against the resource that their challenge names.
    """
    door = urlsplit(reading.options.endpoints.get("vault", ""))
    return f"https://{host_of('vault', name)}:{door.port}/" if door.port else f"https://{name.lower()}.vault.azure.net/"


_NAME = NameRule(
    r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "Vault names are 3 to 24 characters long: letters, digits and single hyphens, a letter first, no hyphen last.",
)

KEY_VAULTS = Kind(
    type=TYPE,
    versions=Versions(
        ("2015-06-01", "2019-09-01", "2021-10-01", "2022-07-01", "2023-02-01", "2023-07-01"), any_dated=True
    ),
    name=_NAME,
    fields=(LOCATION, TAGS, Field(name="properties", shape=_PROPERTIES, required=True), SYSTEM_DATA),
    put=Created(new=200, again=200),
    prepare=_prepare,
    check=_check,
    present=_present,
    provider_actions=(
        check_availability(
            TYPE,
            _NAME,
            reason="AccountNameInvalid",
            taken="The vault name '{name}' is already in use.",
        ),
    ),
)
