"""Backups of secrets: every version with its value, sealed, in a text that means nothing elsewhere.

As in Azure, a backup opens in any vault of the same subscription, and nowhere else. It is sealed with the instance's
own keyring, so it also dies with the term that it was sealed in.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import orjson

from linarite.doors.vault import shelf
from linarite.doors.vault.refusals import bad_parameter
from linarite.doors.vault.shelf import Kept
from linarite.model import Secret
from linarite.seal import SealBroken, Sealed

if TYPE_CHECKING:
    from linarite.model import Resource
    from linarite.seal import Keyring
    from linarite.store.view import View

_FIELD = "vault-backup"


def pack(view: View, keyring: Keyring, vault: Resource, secret: Resource) -> Secret:
    """The backup of a secret, the current version last."""
    versions = sorted(shelf.versions(view, secret), key=lambda one: one.name == secret.body["current"])
    kept = [[one.name, one.body, shelf.value(view, one).reveal()] for one in versions]
    sealed = keyring.seal(Secret(orjson.dumps([secret.name, kept]).decode()), _owner(vault), _FIELD)
    return Secret(base64.urlsafe_b64encode(sealed.column).decode().rstrip("="))


def unpack(keyring: Keyring, vault: Resource, text: str) -> tuple[str, list[Kept]]:
    """The name and the versions in a backup, the current one last.

    Raises:
        BadRequest: it is none of this instance and subscription.
    """
    try:
        sealed = Sealed(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        content = keyring.open(sealed, _owner(vault), _FIELD).reveal()
    except (binascii.Error, ValueError, SealBroken):
        raise bad_parameter("Backup blob contains invalid or corrupt version.") from None
    name, kept = orjson.loads(content)
    return name, [Kept(id_, body, Secret(value)) for id_, body, value in kept]


def _owner(vault: Resource) -> str:
    return f"/subscriptions/{vault.id.subscription}"
