"""What a process remembers of the committed state, bounded, and valid at one state version.

Keys that others change are forgotten one by one (`store.gate` follows the `changes` table); nothing is ever remembered
across a version that was not followed. Where the bound is reached, the row that was asked for longest ago goes first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from linarite.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    """Remembered rows, so many of each sort at most, or any number; None means that there is no such row."""

    def __init__(self, most: int | None = None, *, opens_secrets: bool = True) -> None:
        """`opens_secrets` is whether secrets that were unsealed are remembered as well."""
        self.opens_secrets = opens_secrets
        make: Callable[[], dict[str, Any]] = dict if most is None else partial(Recent, most)
        self.most = most
        self.version = -1
        self.resources: dict[str, Resource | None] = make()
        self.secrets: dict[str, dict[str, Secret]] = make()
        self.principals: dict[str, Principal | None] = make()
        self.assignments: dict[str, tuple[Assignment, ...]] = make()
        self.credentials: dict[str, tuple[Credential, ...]] = make()
        self.clients: dict[str, str | None] = make()
        """Object ids by application id or user name."""
        self.locks: dict[str, tuple[Lock, ...]] = make()
        self.faults: dict[str, tuple[Fault, ...]] = make()
        self.signing_keys: dict[str, tuple[SigningKey, ...]] = make()

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
            if new is other.secrets and not self.opens_secrets:
                continue
            for key, value in new.items():
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
