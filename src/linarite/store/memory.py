"""What a process remembers of the committed state, bounded, and valid at one state version.

Keys that others change are forgotten one by one (`store.gate` follows the `changes` table); nothing is ever remembered
across a version that was not followed. Where the bound is reached, the row that was asked for longest ago goes first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lru import LRU

from linarite.store.keys import EVERYTHING, FAULTS, LOCKS, PRINCIPALS, SIGNING_KEYS, object_id_in, touched
from linarite.store.resources import resource_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from typing import TypeAlias, TypeVar

    from linarite.model import Assignment, Fault, Lock, Principal, Resource
    from linarite.store.directory import Credential, SigningKey
    from linarite.store.resources import Row

    T = TypeVar("T")
    Table: TypeAlias = dict[str, T] | LRU[str, T]
    Follower: TypeAlias = Callable[[int, AbstractSet[str]], None]

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
        self._wholes: dict[str, Table[Any]] = {
            LOCKS: self.locks,
            FAULTS: self.faults,
            SIGNING_KEYS: self.signing_keys,
            PRINCIPALS: self.clients,
        }
        """What is forgotten as a whole, by the key of its change."""
        self.followers: list[Follower] = []
        """Told of each version that is gone on to, and of what has changed on the way."""

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
        """Drop what changed where these keys were noted."""
        self._drop(touched(keys))

    def follow(self, version: int, keys: Iterable[str] | None) -> None:
        """Go on to another version, on the way to which these keys were noted; None for everything."""
        changed = {EVERYTHING} if keys is None else touched(keys)
        self._drop(changed)
        self.version = version
        for follow in self.followers:
            follow(version, changed)

    def _drop(self, changed: set[str]) -> None:
        if EVERYTHING in changed:
            self.clear()
            return
        for key in changed:
            if (whole := self._wholes.get(key)) is not None:
                whole.clear()
            elif (object_id := object_id_in(key)) is not None:
                for table in (self.principals, self.assignments, self.credentials):
                    table.pop(object_id, None)
            else:
                self.rows.pop(key, None)
                self.resources.pop(key, None)

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
