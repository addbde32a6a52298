"""The container-registry door: what the registry keys of a workspace open.

An OCI registry that stores in a folder, behind the sign-in of Azure's container registry. It asks the rest of the
system only what `desk.Desk` says, and imports nothing of it but the word for "not now".
"""

from __future__ import annotations

from linarite.doors.registry.desk import (
    ACR_DELETE,
    ACR_PULL,
    ACR_PUSH,
    EVERYTHING,
    Caller,
    Credential,
    Desk,
    Grant,
    TurnedAway,
)
from linarite.doors.registry.door import RegistryDoor
from linarite.doors.registry.embedded import Embedded
from linarite.doors.registry.index import IndexUnusable
from linarite.doors.registry.routes import Limits

__all__ = [
    "ACR_DELETE",
    "ACR_PULL",
    "ACR_PUSH",
    "EVERYTHING",
    "Caller",
    "Credential",
    "Desk",
    "Embedded",
    "Grant",
    "IndexUnusable",
    "Limits",
    "RegistryDoor",
    "TurnedAway",
]
