"""Values that were derived from others, each with the names of its sources: when one of them changes, it is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from lru import LRU

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable


class Value(Protocol):
    """What names its sources, and keeps to the same ones."""

    @property
    def sources(self) -> Collection[str]: ...


K = TypeVar("K", bound="Hashable")
V = TypeVar("V", bound=Value)


class Derived(Generic[K, V]):
    """Values by key, so many at most: for a new one, the one that was asked for longest ago goes.

    A key is neither None nor a set.
    """

    def __init__(self, most: int) -> None:
        self._values: LRU[K, V] = LRU(most, callback=self._unlink)
        self.get = self._values.get
        """The value with a key, or None; without a call of Python's in between, for it is asked at every request."""
        self._keys_of: dict[str, K | set[K]] = {}
        """By source, the keys of what comes of it: mostly one, for which a set would take 200 bytes."""

    def keep(self, key: K, value: V) -> None:
        """Keep a value, in place of another one with that key."""
        self._drop(key)
        self._values[key] = value
        for source in value.sources:
            self._link(source, key)

    def changed(self, sources: Iterable[str]) -> None:
        """Drop what comes of any of these; where that is most of what there is, all of it, in a tenth of the time."""
        for source in sources:
            found = self._keys_of.get(source)
            if isinstance(found, set):
                if 2 * len(found) > len(self):
                    self.clear()
                    return
                for key in tuple(found):
                    self._drop(key)
            elif found is not None:
                self._drop(found)

    def clear(self) -> None:
        self._values.clear()
        self._keys_of.clear()

    def __len__(self) -> int:
        return len(self._values)

    def _drop(self, key: K) -> None:
        value = self._values.pop(key, None)
        if value is not None:
            self._unlink(key, value)

    def _link(self, source: str, key: K) -> None:
        keys = self._keys_of.setdefault(source, key)
        if isinstance(keys, set):
            keys.add(key)
        elif keys != key:
            self._keys_of[source] = {keys, key}

    def _unlink(self, key: K, value: V) -> None:
        for source in value.sources:
            keys = self._keys_of.get(source)
            if not isinstance(keys, set):
                del self._keys_of[source]
                continue
            keys.remove(key)
            if not keys:
                del self._keys_of[source]
