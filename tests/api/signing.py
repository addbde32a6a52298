"""Tokens that the token service would never issue: signed with its own key, fetched from the data folder with the root
key, so that a refusal of one is for what it says and for nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from linarite import seal
from linarite.first_start import OWNER_OBJECT
from linarite.store import directory, keyring
from linarite.store.database import Database
from linarite.tokens.minting import mint, private_half

if TYPE_CHECKING:
    import httpx
    from joserfc.jwk import RSAKey

    from tests.server import Caller, Server

AN_HOUR = 3600


def key_of(server: Server) -> RSAKey:
    """The private half of the key that the server signs with."""
    database = Database(f"sqlite:///{server.folder / 'linarite.db'}")
    try:
        ring = keyring.unwrapped(database, seal.root_key(f"file:{server.folder / 'root.key'}", {}))
        with database.reading() as connection:
            return private_half(directory.signing_keys_all(connection)[0], ring)
    finally:
        database.close()


def claims_of_the_owner(server: Server, **other: Any) -> dict[str, Any]:
    """Claims with which the owner is let in; `other` ones stand in their place, None for none."""
    tenant, now = server.known["tenantId"], int(time.time())
    claims = {
        "aud": "https://management.azure.com/",
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + AN_HOUR,
        "oid": OWNER_OBJECT,
        "tid": tenant,
        "uti": uuid4().hex,
        **other,
    }
    return {name: value for name, value in claims.items() if value is not None}


def signed(key: RSAKey, claims: dict[str, Any]) -> str:
    """An Authorization header."""
    return f"Bearer {mint(key, claims)}"


def asked(server: Server, nobody: Caller, authorization: str | None) -> httpx.Response:
    """What the server says to whoever asks for keys with that header."""
    headers = {} if authorization is None else {"authorization": authorization}
    return nobody.post(f"{server.workspace}/listKeys", headers=headers)
