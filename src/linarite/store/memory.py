"""What a process remembers of the committed state, bounded, and valid at one state version.

Keys that others change are forgotten one by one (`store.gate` follows the `changes` table); nothing is ever remembered
across a version that was not followed. Where the bound is reached, the row that was asked for longest ago goes first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lru import LRU

from linarite.store.resources import resource_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias, TypeVar

    from linarite.model import Assignment, Fault, Lock, Principal, Resource
    from linarite.store.directory import Credential, SigningKey
    from linarite.store.resources import Row

    T = TypeVar("T")
    Table: TypeAlias = dict[str, T] | LRU[str, T]

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


_READ_AGAIN = 8
"""One in so many resources that are remembered is so as it was read, too, which is three times as large as its row."""


class Memory:
    """Remembered rows, so many of each sort at most, or any number; None means that there is no such row.

    A resource is remembered as it lies in the database, its secrets closed, and as it was read where it was asked for
    again of late.
    """

    def __init__(self, most: int | None = None, *, opens_secrets: bool = True) -> None:
        """`opens_secrets` is whether answers with secrets that were unsealed may be remembered beside it."""
        self.opens_secrets = opens_secrets
        make: Callable[[], Any] = dict if most is None else partial(LRU, most)
        self.most = most
        self.version = -1
        self.rows: Table[Row | None] = make()
        self.resources: Table[Resource] = {} if most is None else LRU(max(1, most // _READ_AGAIN))
        self.principals: Table[Principal | None] = make()
        self.assignments: Table[tuple[Assignment, ...]] = make()
        self.credentials: Table[tuple[Credential, ...]] = make()
        self.clients: Table[str | None] = make()
        """Object ids by application id or user name."""
        self.locks: Table[tuple[Lock, ...]] = make()
        self.faults: Table[tuple[Fault, ...]] = make()
        self.signing_keys: Table[tuple[SigningKey, ...]] = make()

    def resource(self, key: str) -> Resource | None:
        """What the row with that key says.

        Raises:
            KeyError: that is not remembered.
        """
        try:
            return self.resources[key]
        except KeyError:
            row = self.rows[key]
        if row is None:
            return None
        found = self.resources[key] = resource_of(row)
        return found

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
                self.rows.pop(key, None)
                self.resources.pop(key, None)

    def follow(self, version: int, keys: Iterable[str] | None) -> None:
        """Go on to another version, at which what has these keys is different; None for everything."""
        if keys is None:
            self.clear()
        else:
            self.forget(keys)
        self.version = version

    def clear(self) -> None:
        for table in self._tables():
            table.clear()

    def take(self, other: Memory) -> None:
        """Learn what another memory of the same version holds."""
        if other.version != self.version:
            return
        for own, new in zip(self._tables(), other._tables(), strict=True):
            for key, value in new.items():
                own[key] = value

    def _tables(self) -> tuple[Table[Any], ...]:
        return (
            self.rows,
            self.resources,
            self.principals,
            self.assignments,
            self.credentials,
            self.clients,
            self.locks,
            self.faults,
            self.signing_keys,
        )
