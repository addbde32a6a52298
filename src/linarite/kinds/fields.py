"""Members that many resource types share, and the making of keys in Azure's formats."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linarite.schema import Field, Free, Guid, Id, Listed, Mapped, Object, Text, Time, Whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.schema import Reading, Shape

LOCATION = Field(name="location", shape=Text(longest=64))
TAGS = Field(name="tags", shape=Mapped(Text(longest=256), most=50, longest_name=512))
"""At most 50 tags, names of 512 and values of 256 characters (Microsoft's "Use tags to organize your resources")."""

SYSTEM_DATA = Field(
    name="systemData",
    read_only=True,
    shape=Object(
        (
            Field(name="createdBy", shape=Text()),
            Field(name="createdByType", shape=Text()),
            Field(name="createdAt", shape=Time()),
            Field(name="lastModifiedBy", shape=Text()),
            Field(name="lastModifiedByType", shape=Text()),
            Field(name="lastModifiedAt", shape=Time()),
        )
    ),
)

_IDENTITY_TYPES = (
    "None",
    "SystemAssigned",
    "UserAssigned",
    "SystemAssigned,UserAssigned",
    "SystemAssigned, UserAssigned",  # the spelling of registries
)

IDENTITY = Field(
    name="identity",
    shape=Object(
        (
            Field(
                name="type",
                shape=Text(words=_IDENTITY_TYPES),
                required=True,
            ),
            Field(name="principalId", shape=Guid(), read_only=True),
            Field(name="tenantId", shape=Guid(), read_only=True),
            Field(
                name="userAssignedIdentities",
                shape=Mapped(
                    Object(
                        (
                            Field(name="principalId", shape=Guid(), read_only=True),
                            Field(name="clientId", shape=Guid(), read_only=True),
                        )
                    ),
                    merged=True,
                ),
            ),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Percentage:
    """A number from 0 to 100, whole or not."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100:  # noqa: PLR2004
            return value
        return reading.problem(at, f"'{at}' must be a number from 0 to 100.")


def sku(words: tuple[str, ...] = (), *, default: str | None = None) -> Field:
    """`sku` of the form `{"name", "tier"}`; required unless there is a default."""
    shape = Object(
        (
            Field(name="name", shape=Text(words=words), required=True),
            Field(name="tier", shape=Text()),
            Field(name="size", shape=Text()),
            Field(name="family", shape=Text()),
            Field(name="capacity", shape=Whole()),
        )
    )
    if default is None:
        return Field(name="sku", shape=shape, required=True)
    return Field(name="sku", shape=shape, default={"name": default, "tier": default})


def read_only(name: str, shape: Shape, *, since: str = "", null_shown: bool = False) -> Field:
    """A member that the server sets."""
    return Field(name=name, shape=shape, read_only=True, since=since, null_shown=null_shown)


PROVISIONING_STATE = read_only("provisioningState", Text())

PRIVATE_ENDPOINT_CONNECTIONS = read_only(
    "privateEndpointConnections", Listed(Object((Field(name="id", shape=Id()),), open=True))
)


def marked_key(random: Callable[[int], bytes], size: int, mark: str, at: int) -> str:
    """A base64 key of `size` random bytes that carries Microsoft's mark (`+ASt`, `+ACR`) at a character's place.

    `at` is a multiple of 4, so that the mark stands for three whole bytes and the rest stays what it was.
    """
    raw = random(size)
    start = at // 4 * 3
    marked = raw[:start] + base64.b64decode(mark) + raw[start + 3 :]
    return base64.b64encode(marked).decode()


def hidden(name: str) -> Field:
    """A member that the server keeps for itself: no api-version knows it."""
    return Field(name=name, shape=Free(), read_only=True, since="9999", until="")
