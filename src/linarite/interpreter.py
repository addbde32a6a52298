"""Tunes the Python interpreter for a server's long run."""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def without(module: str) -> Iterator[None]:
    """Let what is imported meanwhile do without an optional module, as if it were not installed."""
    missing = module not in sys.modules
    if missing:
        sys.modules[module] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        yield
    finally:
        if missing:
            del sys.modules[module]


def settle_in() -> None:
    """To be called once everything is built.

    What is there now is there for good, so the collector need not look at it again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
