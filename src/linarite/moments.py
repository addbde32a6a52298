"""Moments as others write them: the texts of Azure's bodies, and the seconds of a token's claims."""

from __future__ import annotations

from datetime import UTC, datetime


def written(moment: datetime, timespec: str = "auto") -> str:
    """A moment in UTC as RFC 3339 has it, with `Z` as Azure writes it; `timespec` is that of `isoformat`."""
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def claimed(unverified: object) -> datetime | None:
    """The moment that a claim names in seconds since 1970 (RFC 7519, NumericDate); None where it names none."""
    if isinstance(unverified, bool) or not isinstance(unverified, int | float):
        return None
    try:
        return datetime.fromtimestamp(unverified, UTC)
    except (ValueError, OverflowError, OSError):
        return None
