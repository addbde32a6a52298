"""Azure's token buckets: how many requests a principal may send to a subscription, or to the tenant, of each sort.

Sizes and refill are those of "Throttling of requests" in Azure Resource Manager since 2024: reads 250 at 25 a second,
writes and deletes 200 at 10 a second, for each principal and subscription, and the same for the tenant. Each process
counts for itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linarite.errors.server import throttled

if TYPE_CHECKING:
    from datetime import datetime

SIZES = {"reads": 250, "writes": 200, "deletes": 200}
REFILL = {"reads": 25.0, "writes": 10.0, "deletes": 10.0}
"""Tokens that come back each second."""

_MOST = 10_000


@dataclass(slots=True)
class Buckets:
    """The buckets of everybody, full at first; `enforced` is off where they are shown and never empty."""

    enforced: bool = False
    _left: dict[tuple[str, str, str], tuple[float, datetime]] = field(default_factory=dict)

    def take(self, bucket: str, scope: str, principal: str, now: datetime) -> int:
        """Take one token of a bucket, as `subscription-reads` of that subscription; answers how many are left.

        Raises:
            Throttled: there is none; it says when there will be one.
        """
        sort = bucket.partition("-")[2]
        size = SIZES[sort]
        if not self.enforced:
            return size - 1
        key = (bucket, scope.lower(), principal)
        left, since = self._left.get(key, (float(size), now))
        left = min(size, left + (now - since).total_seconds() * REFILL[sort])
        if left < 1:
            wait = math.ceil((1 - left) / REFILL[sort])
            raise throttled(bucket, scope, principal, wait)
        if len(self._left) >= _MOST:
            self._left.clear()
        self._left[key] = (left - 1, now)
        return int(left - 1)
