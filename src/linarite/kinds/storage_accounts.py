"""Microsoft.Storage/storageAccounts: two keys that can be listed and regenerated, one at a time.

Facts: the Storage resource provider's specification 2023-01-01; key format from Microsoft's "security-utilities"
(SEC101/152): 64 bytes in base64, `+ASt` at character 76.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.errors import Conflict
from linarite.kind import Action, Created, Effect, Kind, NameRule, Versions
from linarite.kinds.fields import (
    IDENTITY,
    LOCATION,
    PRIVATE_ENDPOINT_CONNECTIONS,
    PROVISIONING_STATE,
    SYSTEM_DATA,
    TAGS,
    marked_key,
    read_only,
    sku,
)
from linarite.kinds.names import check_availability, is_taken
from linarite.model import Secret, copied
from linarite.moments import written
from linarite.schema import Field, Flag, Free, Object, Text, Time, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.errors import Problem
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

TYPE = "Microsoft.Storage/storageAccounts"
KEYS = ("key1", "key2")

_SKUS = (
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
)

_PROPERTIES = Object(
    (
        PROVISIONING_STATE,
        read_only("creationTime", Time()),
        read_only("primaryLocation", Text()),
        read_only("statusOfPrimary", Text()),
        read_only("keyCreationTime", Object((Field(name="key1", shape=Time()), Field(name="key2", shape=Time())))),
        PRIVATE_ENDPOINT_CONNECTIONS,
        Field(name="accessTier", shape=Text(words=("Hot", "Cool", "Cold", "Premium")), default="Hot"),
        Field(name="allowBlobPublicAccess", shape=Flag(), default=False),
        Field(name="allowSharedKeyAccess", shape=Flag()),
        Field(name="isHnsEnabled", shape=Flag(), immutable=True),
        Field(name="minimumTlsVersion", shape=Text(words=("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3")), default="TLS1_2"),
        Field(name="publicNetworkAccess", shape=Text(words=("Enabled", "Disabled", "SecuredByPerimeter"))),
        Field(name="supportsHttpsTrafficOnly", shape=Flag(), default=True),
        Field(
            name="keyPolicy",
            shape=Object((Field(name="keyExpirationPeriodInDays", shape=Whole(least=0), required=True),)),
        ),
        Field(
            name="networkAcls",
            shape=Free(),
            default={"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"},
        ),
        Field(name="encryption", shape=Free()),
    ),
    open=True,
)


def keys_refused(account: Resource) -> bool:
    """Whether the account takes no shared keys, so that handing one out would open nothing."""
    return account.properties.get("allowSharedKeyAccess") is False


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    properties = draft.setdefault("properties", {})
    draft["sku"]["tier"] = draft["sku"]["name"].partition("_")[0]
    if before is None:
        at = written(work.now)
        properties |= {
            "creationTime": at,
            "primaryLocation": draft["location"],
            "statusOfPrimary": "available",
            "keyCreationTime": dict.fromkeys(KEYS, at),
        }


def _present(reading: Reading, account: Resource, shown: Body) -> Body:
    shown["properties"]["primaryEndpoints"] = _endpoints(reading, account.name)
    return shown


def _endpoints(reading: Reading, account: str) -> dict[str, str]:
    """Where the account's data is: at our door where one is open, else under Azure's own names."""
    services = ("blob", "queue", "table")
    if not all(service in reading.options.endpoints for service in services):
        return {service: f"https://{account}.{service}.core.windows.net/" for service in (*services, "file", "dfs")}
    return {service: f"{reading.options.endpoints[service]}/{account}" for service in services}


def _check(work: Writing, id_: ResourceId, _: Body, before: Resource | None) -> Iterable[Problem]:
    if before is None and is_taken(work, TYPE, id_.name):
        raise Conflict("StorageAccountAlreadyTaken", f"The storage account named {id_.name} is already taken.")
    return ()


def _created(work: Writing, account: Resource) -> None:
    for name in KEYS:
        work.keep(account.id, name, _new_key(work))


def _new_key(work: Writing) -> Secret:
    return Secret(marked_key(work.random, 64, "+ASt", 76))


def _list_keys(work: Reading, account: Resource, _: Body) -> Any:
    created, secrets = account.properties.get("keyCreationTime", {}), work.secrets(account)
    return {
        "keys": [
            {
                "creationTime": created.get(name),
                "keyName": name,
                "value": secrets.get(name),
                "permissions": "FULL",
            }
            for name in KEYS
        ]
    }


def _regenerate_key(work: Writing, account: Resource, body: Body) -> Any:
    name = body["keyName"]
    work.keep(account.id, name, _new_key(work))
    changed = copied(account.body)
    changed["properties"]["keyCreationTime"][name] = written(work.now)
    return _list_keys(work, work.amend(account, changed), {})


_NAME = NameRule(
    r"[a-z0-9]{3,24}",
    "Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.",
)

STORAGE_ACCOUNTS = Kind(
    type=TYPE,
    versions=Versions(
        ("2019-04-01", "2019-06-01", "2021-04-01", "2021-09-01", "2022-09-01", "2023-01-01", "2023-05-01"),
        any_dated=True,
    ),
    name=_NAME,
    fields=(
        sku(_SKUS),
        Field(
            name="kind",
            shape=Text(words=("StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage")),
            default="StorageV2",
        ),
        LOCATION,
        TAGS,
        IDENTITY,
        Field(name="properties", shape=_PROPERTIES, default={}),
        SYSTEM_DATA,
    ),
    put=Created(new=200, again=200),
    prepare=_prepare,
    check=_check,
    created=_created,
    present=_present,
    actions=(
        Action(name="listKeys", effect=Effect.RELEASE, run=_list_keys),
        Action(
            name="regenerateKey",
            effect=Effect.WRITE,
            run=_regenerate_key,
            fields=(Field(name="keyName", shape=Text(words=KEYS), required=True),),
        ),
    ),
    provider_actions=(
        check_availability(
            TYPE,
            _NAME,
            reason="AccountNameInvalid",
            invalid="{name} is not a valid storage account name. {rule}",
            taken="The storage account named {name} is already taken.",
            permission="checknameavailability/read",
        ),
    ),
)
