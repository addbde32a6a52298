"""The blob service of a storage account, and its containers, as resources (2023-01-01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.kind import Created, Kind, NameRule, Versions
from linarite.kinds.fields import read_only
from linarite.kinds.storage_accounts import STORAGE_ACCOUNTS
from linarite.kinds.storage_accounts import TYPE as ACCOUNT
from linarite.moments import written
from linarite.schema import Field, Flag, Free, Mapped, Object, Text, Time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

SERVICE = f"{ACCOUNT}/blobServices"
TYPE = f"{SERVICE}/containers"

_VERSIONS = Versions(STORAGE_ACCOUNTS.versions.listed, any_dated=True)


class _Services:
    """Every account has one blob service, `default`."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        account = id_.parent
        there = account is not None and reading.find(account) is not None
        return _service() if there and id_.name.lower() == "default" else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        id_ = scope.child(SERVICE, "default")
        return [(id_, _service())] if reading.find(scope) else []


def _service() -> Body:
    return {"properties": {"cors": {"corsRules": []}, "deleteRetentionPolicy": {"enabled": False}}}


def _prepare(work: Writing, _: ResourceId, draft: Body, before: Resource | None) -> None:
    del before
    draft["properties"] |= {
        "lastModifiedTime": written(work.now),
        "leaseStatus": "Unlocked",
        "leaseState": "Available",
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
    }


BLOB_SERVICES = Kind(
    type=SERVICE,
    versions=_VERSIONS,
    fields=(Field(name="properties", shape=Free()),),
    parent=ACCOUNT,
    tracked=False,
    methods=frozenset({"GET"}),
    lists=frozenset({"parent"}),
    source=_Services(),
)

BLOB_CONTAINERS = Kind(
    type=TYPE,
    versions=_VERSIONS,
    name=NameRule(
        r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]|\$root|\$web",
        "Container names are 3 to 63 characters long: lower-case letters, digits and single hyphens between them.",
    ),
    fields=(
        Field(
            name="properties",
            shape=Object(
                (
                    Field(name="publicAccess", shape=Text(words=("None", "Blob", "Container")), default="None"),
                    Field(name="metadata", shape=Mapped(Text())),
                    Field(name="defaultEncryptionScope", shape=Text(), default="$account-encryption-key"),
                    Field(name="denyEncryptionScopeOverride", shape=Flag(), default=False),
                    read_only("lastModifiedTime", Time()),
                    read_only("leaseStatus", Text()),
                    read_only("leaseState", Text()),
                    read_only("hasImmutabilityPolicy", Flag()),
                    read_only("hasLegalHold", Flag()),
                )
            ),
            default={},
        ),
    ),
    parent=SERVICE,
    tracked=False,
    lists=frozenset({"parent"}),
    put=Created(new=201, again=200),
    prepare=_prepare,
)
