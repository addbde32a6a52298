"""Secrets as Azure shows them: bundles with a value, items without one, and what is deleted with when it will be gone.

Shapes and the order of members are those of recorded answers. Times are whole seconds since 1970. Knows no store.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from linarite.doors.vault.refusals import bad_parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.doors.vault.asked import Asked
    from linarite.model import Body, Resource, Secret

LONGEST_RETENTION = 90
"""Days; a vault that keeps deleted things for fewer is said to be customized."""
_DAY = 86_400


def bundle(asked: Asked, vault: Resource, version: Resource, value: Secret | None = None) -> Body:
    """A version; with its value, where one is given."""
    shown: Body = {} if value is None else {"value": value}
    return shown | _shown(vault, version, _version_id(asked, version))


def item(asked: Asked, vault: Resource, version: Resource, *, versioned: bool) -> Body:
    """A line of a list: of secrets, or with `versioned` of versions."""
    own = _version_id(asked, version)
    return _shown(vault, version, own if versioned else own.rpartition("/")[0])


def deleted(asked: Asked, vault: Resource, secret: Resource, shown: Body) -> Body:
    """What is shown of a secret, with when it was deleted and when it will be gone; as it is, where that is already."""
    if secret.deleted_at is None:
        return shown
    at = int(secret.deleted_at.timestamp())
    return {
        "recoveryId": f"{asked.ids}/deletedsecrets/{secret.name}",
        "deletedDate": at,
        "scheduledPurgeDate": at + retention(vault) * _DAY,
        **shown,
    }


def page(asked: Asked, path: str, found: Sequence[Resource], shown: list[Body], *, size: int, version: str) -> Body:
    """A page of a list. `found` has one more than are shown, if there is another page; `version` is the api-version."""
    link = None
    if len(found) > size:
        query = {"api-version": version, "$skiptoken": _token(found[size - 1].key), "maxresults": size}
        link = f"{asked.base}/{path}?{urlencode(query, safe='$')}"
    return {"value": shown, "nextLink": link}


def after(token: str) -> str:
    """The key behind which a page begins, out of a link to it; empty for the first page.

    Raises:
        BadRequest: the link was changed.
    """
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise bad_parameter("$skiptoken is invalid: take it from the nextLink of the page before") from None


def retention(vault: Resource) -> int:
    """Days for which a deleted secret can be recovered."""
    return int(vault.properties.get("softDeleteRetentionInDays", LONGEST_RETENTION))


def keeps_deleted(vault: Resource) -> bool:
    return vault.properties.get("enableSoftDelete") is not False


def _version_id(asked: Asked, version: Resource) -> str:
    secret = version.id.parent
    return f"{asked.ids}/secrets/{secret.name if secret else ''}/{version.name}"


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _shown(vault: Resource, version: Resource, id_: str) -> Body:
    kept = version.body
    shown: Body = {"contentType": kept["contentType"]} if "contentType" in kept else {}
    shown |= {"id": id_, "attributes": _attributes(vault, kept["attributes"])}
    return shown | ({"tags": kept["tags"]} if "tags" in kept else {})


def _attributes(vault: Resource, kept: Body) -> Body:
    """As recorded: what was set, when, and how deletion goes in this vault."""
    shown: dict[str, Any] = {
        name: kept[name] for name in ("enabled", "nbf", "exp", "created", "updated") if name in kept
    }
    days = retention(vault)
    if not keeps_deleted(vault):
        return {**shown, "recoveryLevel": "Purgeable", "recoverableDays": 0}
    level = "Recoverable" if days == LONGEST_RETENTION else "CustomizedRecoverable"
    if not vault.properties.get("enablePurgeProtection"):
        level += "+Purgeable"
    return {**shown, "recoveryLevel": level, "recoverableDays": days}
