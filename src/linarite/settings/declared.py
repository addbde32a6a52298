"""Every knob of Linarite, each with its type, its bounds, its default and what it is for.

Where the values come from is not known here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, fields, force_setattr

from linarite.settings.masked import shown


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one instance is told; made by `load`, which checks it. Prints without the secrets in it."""

    data: Annotated[
        Path,
        Meta(
            description="Folder that keeps the database, the certificates and the root key.",
            extra={"allowed": "a path without ~, which only shells expand"},
        ),
    ]
    bind: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z_.:-]+$",
            description="Address to listen on; any but a loopback address lets other machines in.",
            extra={"allowed": "an IP address or a host name, without a port"},
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="HTTPS port of the one origin; 0 picks a free one.")] = 8443
    database: Annotated[
        str,
        Meta(
            pattern=r"^(postgresql://\S+)?$",
            description="PostgreSQL's URL; empty is SQLite in the data folder.",
            extra={"allowed": "empty, or a URL that begins with postgresql://"},
        ),
    ] = ""
    root_key: Annotated[
        str,
        Meta(
            pattern=r"^((file|env|command):.+)?$",
            description="Where the key that seals all secrets is kept; empty is file:root.key in the data folder.",
            extra={"allowed": "empty, or one of file:PATH, env:NAME and command:PROGRAM ARGUMENTS"},
        ),
    ] = ""
    seed: Annotated[
        Literal["sample", "none"], Meta(description="What the first start puts in: the sample workspace, or nothing.")
    ] = "sample"
    lro: Annotated[
        Literal["immediate", "realistic"],
        Meta(description="Whether long-running operations are done with their first answer, or answer 202 as Azure's."),
    ] = "realistic"
    lro_delay: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds that a long-running operation takes at least.")
    ] = 0.0
    lro_retry_after: Annotated[
        int,
        Meta(
            ge=0, le=600, description="Seconds that clients are asked to wait between polls; Azure declares 10 to 600."
        ),
    ] = 1
    storage_id_member: Annotated[
        Literal["documented", "wire", "both"],
        Meta(
            description="Whether listKeys names the storage account as the api-version documents (for 2023-10-01 "
            "userStorageResourceId), as Azure sends it (userStorageArmId), or both."
        ),
    ] = "documented"
    resync: Annotated[
        Literal["manual", "auto"],
        Meta(description="Whether a workspace learns of rotated keys at resyncKeys, as in Azure, or at once."),
    ] = "manual"
    location: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]+$",
            description="Azure location of the sample's resources.",
            extra={"allowed": "an Azure location's name in small letters and digits, such as westeurope"},
        ),
    ] = "eastus"
    body_limit: Annotated[
        int,
        Meta(ge=1, le=2**30, description="Bytes that a request's body may have; Azure Resource Manager takes 4 MB."),
    ] = 4 * 2**20
    snapshot_rows: Annotated[
        int,
        Meta(
            ge=1,
            le=10**9,
            description="Rows of each sort that a process remembers at most, and four times as many answers.",
        ),
    ] = 30_000
    open_secrets: Annotated[
        bool,
        Meta(description="Whether secrets are remembered open until they change, or unsealed for each answer."),
    ] = True
    implicit: Annotated[
        bool, Meta(description="Whether browsers are given tokens themselves, and not codes for them alone.")
    ] = True
    token_lifetime: Annotated[int, Meta(ge=1, le=86_400, description="Seconds until an access token expires.")] = 3599
    imds: Annotated[
        str,
        Meta(
            pattern=r"^(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+)?$",
            description="Resource that this machine stands for: programs on it get tokens of its managed identities, "
            "as on a virtual machine of Azure.",
            extra={"allowed": "empty, or the id of a resource"},
        ),
    ] = ""
    trust_issuers: Annotated[
        str,
        Meta(
            description="Other issuers whose tokens count for the API, each with its audiences, and its tenants where "
            "it has some.",
            extra={"allowed": 'empty, or a JSON list of {"issuer", "audiences", "tenants", "metadata"}'},
        ),
    ] = ""
    password_grant: Annotated[
        bool, Meta(description="Whether applications may send a user's name and password themselves: for tests alone.")
    ] = False
    assertion_replay: Annotated[
        Literal["allow", "refuse"],
        Meta(
            description="Whether a client assertion that an application signed counts again; MSAL for Python presents "
            "each for nine minutes."
        ),
    ] = "allow"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severity of what is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], Meta(description="Whether log lines are for people or for programs.")
    ] = "text"
    node_modules: Annotated[
        Path,
        Meta(
            description="Folder in which `npm ci` put the blob door's packages.",
            extra={"allowed": "a path without ~, which only shells expand"},
        ),
    ] = Path(__file__).parents[3] / "node_modules"
    registry_upstream: Annotated[
        str,
        Meta(
            pattern=r"^(embedded|https?://([^\s/?#@]*@)?([\w.-]+|\[[\da-fA-F:]+\])(:\d{1,5})?/?|unix:///\S+)$",
            description="What keeps the images of the registries: this server, or another OCI registry.",
            extra={"allowed": "embedded, or the URL of a registry: http://, https:// or unix:///path"},
        ),
    ] = "embedded"
    throttle: Annotated[
        bool, Meta(description="Whether requests beyond Azure's token buckets are refused with 429.")
    ] = False
    workers: Annotated[int, Meta(ge=1, le=64, description="Processes that serve together.")] = 1
    doors: Annotated[
        bool, Meta(description="Whether the servers that the keys open (blobs, registry, telemetry, notebooks) run.")
    ] = True
    notebook: Annotated[
        bool,
        Meta(
            description="Whether notebook keys open Jupyter, on loopback alone: their holders run code as the server's "
            "user."
        ),
    ] = False

    def __post_init__(self) -> None:
        if not self.root_key:
            force_setattr(self, "root_key", root_key_beside(self.data))

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(field.name, shown(field.name, getattr(self, field.name))) for field in fields(self)]


def root_key_beside(data: Path) -> str:
    """The root key's place unless another one is set."""
    return f"file:{data / 'root.key'}"


def allowed(field: FieldInfo) -> str:
    """What a setting may be, for a sentence."""
    kind, meta = get_args(field.type)
    if meta.extra:
        return str(meta.extra["allowed"])
    if kind is bool:
        return "true or false"
    if choices := get_args(kind):
        return f"one of {', '.join(choices)}"
    return f"{'a whole number' if kind is int else 'a number'} from {meta.ge} to {meta.le}"
