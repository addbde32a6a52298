"""What a process remembers of the committed state, bounded, and valid at one state version.

Keys that others change are forgotten one by one (`store.gate` follows the `changes` table); nothing is ever remembered
across a version that was not followed. Rows are dropped oldest first when the bound is reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.model import Assignment, Fault, Lock, Principal, Resource, Secret
    from linarite.store.directory import Credential, SigningKey

EVERYTHING = "*"
"""The key of a change that makes all that is remembered void."""


SIGNING_KEYS = "signing-keys"
"""The key under which changes of the keys that sign tokens are noted."""


LOCKS = "locks"
"""The key under which all locks are remembered together: there are few."""

FAULTS = "faults"
"""The key under which all faults on purpose are remembered together: there are few, mostly none."""

_LOCK = "/providers/microsoft.authorization/locks/"
_FAULT = "/providers/linarite.testing/faults/"


def principal_key(object_id: str) -> str:
    """The key under which changes of a principal and of its roles are noted."""
    return f"principal:{object_id}"


class Memory:
    """Remembered rows; None means that there is no such row."""

    def __init__(self, most: int) -> None:
        self.version = -1
        self.resources: dict[str, Resource | None] = {}
        self.secrets: dict[str, dict[str, Secret]] = {}
        self.principals: dict[str, Principal | None] = {}
        self.assignments: dict[str, tuple[Assignment, ...]] = {}
        self.credentials: dict[str, tuple[Credential, ...]] = {}
        self.clients: dict[str, str | None] = {}
        """Object ids by application id or user name."""
        self.locks: dict[str, tuple[Lock, ...]] = {}
        self.faults: dict[str, tuple[Fault, ...]] = {}
        self.signing_keys: dict[str, tuple[SigningKey, ...]] = {}
        self._most = most

    def forget(self, keys: Iterable[str]) -> None:
        """Drop what changed."""
        for key in keys:
            if key == EVERYTHING:
                self.clear()
                return
            kind, _, object_id = key.partition(":")
            if kind == "principal":
                self.principals.pop(object_id, None)
                self.assignments.pop(object_id, None)
                self.credentials.pop(object_id, None)
                self.clients.clear()
            elif key == SIGNING_KEYS:
                self.signing_keys.clear()
            else:
                if _LOCK in key:
                    self.locks.clear()
                if key.startswith(_FAULT):
                    self.faults.clear()
                self.resources.pop(key, None)
                self.secrets.pop(key, None)

    def clear(self) -> None:
        for table in self._tables():
            table.clear()

    def take(self, other: Memory) -> None:
        """Learn what another memory of the same version holds."""
        if other.version != self.version:
            return
        for own, new in zip(self._tables(), other._tables(), strict=True):
            for key, value in new.items():
                if len(own) >= self._most:
                    own.pop(next(iter(own)))
                own[key] = value

    def _tables(self) -> tuple[dict[str, Any], ...]:
        return (
            self.resources,
            self.secrets,
            self.principals,
            self.assignments,
            self.credentials,
            self.clients,
            self.locks,
            self.faults,
            self.signing_keys,
        )
