"""What was used of late: a mapping of bounded size. It knows nothing of what it holds."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """So many values at most: the one that was asked for longest ago makes room."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    # Not by `super()`, which takes as long as all the rest of it: every request asks several times.

    def __getitem__(self, key: K) -> V:
        value = OrderedDict.__getitem__(self, key)
        OrderedDict.move_to_end(self, key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        OrderedDict.__setitem__(self, key, value)
        if len(self) > self._most:
            del self[next(iter(self))]
