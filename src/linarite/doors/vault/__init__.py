"""The vault door: the secrets of key vaults, by Azure's own data plane (Key Vault REST API, secrets, 7.0 and later).

Secrets are kept in the store, sealed, below their vault, and go with it. Keys and certificates of a vault are not here.
"""

from __future__ import annotations

from linarite.doors.vault.clerk import VaultClerk
from linarite.doors.vault.door import VaultDoor

__all__ = ["VaultClerk", "VaultDoor"]
