"""The ends of a connection as they are written: `127.0.0.1:80`, `[::1]:80`. This module knows no socket and no name."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def host(end: str) -> str:
    """The address without its port, and without the brackets of IPv6; empty where nothing is written."""
    return end.rpartition(":")[0].strip("[]") or end


def port(end: str) -> int:
    return int(end.rpartition(":")[2])
