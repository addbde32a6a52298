"""What a request asks of a vault, from names alone: which vault, which operation, which secret.

A vault is named by the host (`{vault}.vault.core.linarite.localhost`), as Azure does, or by the first word of the path,
for clients that cannot resolve such names. Nothing is read from the store here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from linarite import hosts
from linarite.doors.vault.refusals import bad_parameter, not_served
from linarite.kind import Effect

if TYPE_CHECKING:
    from linarite.calls import Call

LONGEST_PAGE = 25
"""Most items of a page, and how many there are unless fewer are asked for."""

_VERSION = re.compile(r"7\.\d{1,2}|\d{4}-\d{2}-\d{2}(-preview(\.\d+)?)?", re.ASCII)
"""7.0 to 7.6, and the dates by which versions before and after those are called."""
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on secrets: what roles and access policies call it, and what it does."""

    name: str
    action: str
    """What follows `Microsoft.KeyVault/vaults/secrets/` in the name of the data action."""
    permission: str
    """Azure's word in an access policy's `permissions.secrets`."""
    effect: Effect


GET = Operation("get", "getSecret/action", "get", Effect.RELEASE)
LIST = Operation("list", "readMetadata/action", "list", Effect.READ)
VERSIONS = Operation("versions", "readMetadata/action", "list", Effect.READ)
SET = Operation("set", "setSecret/action", "set", Effect.WRITE)
UPDATE = Operation("update", "update/action", "set", Effect.WRITE)
DELETE = Operation("delete", "delete", "delete", Effect.WRITE)
BACKUP = Operation("backup", "backup/action", "backup", Effect.RELEASE)
RESTORE = Operation("restore", "restore/action", "restore", Effect.WRITE)
GET_DELETED = Operation("getDeleted", "readMetadata/action", "get", Effect.READ)
LIST_DELETED = Operation("listDeleted", "readMetadata/action", "list", Effect.READ)
RECOVER = Operation("recover", "recover/action", "recover", Effect.WRITE)
PURGE = Operation("purge", "purge/action", "purge", Effect.WRITE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the operations see it."""

    operation: Operation
    vault: str
    """In lower case."""
    ids: str
    """What the ids of secrets start with: always the vault's own host name, for clients take them apart."""
    base: str
    """What a link to the next page starts with: the way by which the client came."""
    secret: str = ""
    version: str = ""
    """Empty for the current one."""


def asked_of(call: Call) -> Asked:
    """What a call asks.

    Raises:
        BadRequest: the api-version is missing or none, a name cannot be one, or the method does not fit the path.
        NotFound: nothing that is served here.
    """
    words = [word for word in call.path.split("/") if word]
    vault, ids, base = _vault(call.origin, words)
    operation, secret, version = _operation(call.method, words if ids == base else words[1:])
    given = call.query.get("api-version", "")
    if not _VERSION.fullmatch(given):
        raise bad_parameter(f"api-version '{given}' is not supported" if given else "api-version must be specified")
    if secret and not _NAME.fullmatch(secret):
        raise bad_parameter(f"The request URI contains an invalid name: {secret}")
    return Asked(operation, vault, ids, base, secret, version.lower())


def resource_of(origin: str) -> str:
    """The resource that a token is to be asked for, as clients hold it against the address that they called."""
    port = urlsplit(origin).port
    return f"{hosts.VAULTS}:{port}" if port else hosts.VAULTS


def page_size(call: Call) -> int:
    """How many items a page is to have.

    Raises:
        BadRequest: `maxresults` is no number from 1 to 25.
    """
    text = call.query.get("maxresults", str(LONGEST_PAGE))
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or not 1 <= int(text) <= LONGEST_PAGE:
        raise bad_parameter(f"maxresults must be a whole number from 1 to {LONGEST_PAGE}")
    return int(text)


def _vault(origin: str, words: list[str]) -> tuple[str, str, str]:
    """The vault's name, what its ids start with, and what its links start with."""
    at = urlsplit(origin)
    service, name = hosts.named(at.hostname or "") or ("", "")
    if service == "vault":
        return name, origin, origin
    if service or not words:
        raise not_served(at.hostname or "")
    own = f"https://{hosts.host_of('vault', words[0])}"
    return words[0].lower(), f"{own}:{at.port}" if at.port else own, f"{origin}/{words[0]}"


def _operation(method: str, words: list[str]) -> tuple[Operation, str, str]:  # noqa: PLR0911 - a table
    """The operation, and the secret and the version that it is about."""
    match [method, *words]:
        case ["GET", "secrets"]:
            return LIST, "", ""
        case ["GET", "secrets", name, "versions"]:
            return VERSIONS, name, ""
        case ["GET", "secrets", name, *version] if len(version) <= 1:
            return GET, name, "".join(version)
        case ["PUT", "secrets", name]:
            return SET, name, ""
        case ["PATCH", "secrets", name, *version] if len(version) <= 1:
            return UPDATE, name, "".join(version)
        case ["DELETE", "secrets", name]:
            return DELETE, name, ""
        case ["POST", "secrets", "restore"]:
            return RESTORE, "", ""
        case ["POST", "secrets", name, "backup"]:
            return BACKUP, name, ""
    return _operation_on_deleted(method, words)


def _operation_on_deleted(method: str, words: list[str]) -> tuple[Operation, str, str]:
    match [method, *words]:
        case ["GET", "deletedsecrets"]:
            return LIST_DELETED, "", ""
        case ["GET", "deletedsecrets", name]:
            return GET_DELETED, name, ""
        case ["DELETE", "deletedsecrets", name]:
            return PURGE, name, ""
        case ["POST", "deletedsecrets", name, "recover"]:
            return RECOVER, name, ""
    if words[:1] in (["secrets"], ["deletedsecrets"]):
        raise bad_parameter(f"Method {method} does not allow operation '{'/'.join(words[2:])}'")
    raise not_served("/".join(words))
