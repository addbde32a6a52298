"""The seal: secrets go into the database as boxes that only this package can open.

A `Secret` becomes a `Sealed`, closed and opened by a `Keyring` (`seal.keyring`). The root key, which never enters the
database, wraps the ring, and is kept outside (`seal.root`).

This is the only place that holds keys. It knows no table, no resource and no HTTP.
"""

from __future__ import annotations

from linarite.seal.keyring import Keyring, Random, SealBroken, Sealed, WrongRootKey
from linarite.seal.root import RootKey, RootKeyUnavailable, root_key

__all__ = [
    "Keyring",
    "Random",
    "RootKey",
    "RootKeyUnavailable",
    "SealBroken",
    "Sealed",
    "WrongRootKey",
    "root_key",
]
