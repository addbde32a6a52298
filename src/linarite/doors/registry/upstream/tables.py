"""The table of routes to an upstream: those of the door, each with what is done there instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.doors.registry import acr_operations as acr
from linarite.doors.registry import blob_operations as blob
from linarite.doors.registry import manifest_operations as oci
from linarite.doors.registry import tables
from linarite.doors.registry.routes import Route
from linarite.doors.registry.upstream import operations

if TYPE_CHECKING:
    from linarite.doors.registry.routes import Operation

INSTEAD: dict[Operation, Operation] = {
    oci.version: operations.version,
    oci.catalog: operations.catalog,
    acr.catalog: operations.catalog,
    oci.tags: operations.tags,
    oci.referrers: operations.referrers,
    blob.start: operations.start,
    **dict.fromkeys((oci.pull, oci.push, oci.delete), operations.manifest),
    **dict.fromkeys((blob.pull, blob.head, blob.delete), operations.blob),
    **dict.fromkeys((blob.status, blob.add, blob.complete, blob.cancel), operations.upload),
}
"""What is not here is of Azure's metadata API."""

ROUTES = tuple(
    Route(
        route.pattern,
        {
            method: (need, INSTEAD.get(operation, operations.attributes))
            for method, (need, operation) in route.methods.items()
        },
    )
    for route in tables.ROUTES
)
