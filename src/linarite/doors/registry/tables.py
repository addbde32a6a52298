"""The table of all routes: what the door can do, and what each of it takes.

Which action is needed follows Azure's registry: pulling takes `pull`, pushing both `pull` and `push`, deleting
`delete`, and lists and attributes `metadata_read` and `metadata_write`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.doors.registry import acr_operations as acr
from linarite.doors.registry import blob_operations as blob
from linarite.doors.registry import manifest_operations as oci
from linarite.doors.registry.routes import Route

if TYPE_CHECKING:
    from linarite.doors.registry.routes import Need

NOTHING: Need = ()
PULL: Need = ("pull",)
PUSH: Need = ("pull", "push")
DELETE: Need = ("delete",)
READ: Need = ("metadata_read",)
WRITE: Need = ("metadata_write",)
CATALOG: Need = ("catalog",)

ROUTES = (
    Route(re.compile(r"/v2/?"), {"GET": (NOTHING, oci.version)}),
    Route(re.compile(r"/v2/_catalog"), {"GET": (CATALOG, oci.catalog)}),
    Route(
        re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)"),
        {
            "GET": (PULL, oci.pull),
            "PUT": (PUSH, oci.push),
            "DELETE": (DELETE, oci.delete),
        },
    ),
    Route(re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?"), {"POST": (PUSH, blob.start)}),
    Route(
        re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[^/]+)"),
        {
            "GET": (PUSH, blob.status),
            "PATCH": (PUSH, blob.add),
            "PUT": (PUSH, blob.complete),
            "DELETE": (PUSH, blob.cancel),
        },
    ),
    Route(
        re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)"),
        {"GET": (PULL, blob.pull), "HEAD": (PULL, blob.head), "DELETE": (DELETE, blob.delete)},
    ),
    Route(re.compile(r"/v2/(?P<name>.+)/tags/list"), {"GET": (READ, oci.tags)}),
    Route(re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]+)"), {"GET": (PULL, oci.referrers)}),
    Route(re.compile(r"/acr/v1/_catalog"), {"GET": (CATALOG, acr.catalog)}),
    Route(re.compile(r"/acr/v1/(?P<name>.+)/_tags"), {"GET": (READ, acr.tags)}),
    Route(
        re.compile(r"/acr/v1/(?P<name>.+)/_tags/(?P<reference>[^/]+)"),
        {"GET": (READ, acr.tag), "PATCH": (WRITE, acr.change_tag), "DELETE": (DELETE, acr.delete_tag)},
    ),
    Route(re.compile(r"/acr/v1/(?P<name>.+)/_manifests"), {"GET": (READ, acr.all_manifests)}),
    Route(
        re.compile(r"/acr/v1/(?P<name>.+)/_manifests/(?P<reference>[^/]+)"),
        {
            "GET": (READ, acr.manifest),
            "PATCH": (WRITE, acr.change_manifest),
            "DELETE": (DELETE, acr.delete_manifest),
        },
    ),
    Route(
        re.compile(r"/acr/v1/(?P<name>.+)"),
        {
            "GET": (READ, acr.repository),
            "PATCH": (WRITE, acr.change_repository),
            "DELETE": (DELETE, acr.delete_repository),
        },
    ),
)
