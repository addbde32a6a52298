"""Tunes the Python interpreter for a server's long run."""

from __future__ import annotations

import gc
import sys


def settle_in() -> None:
    """To be called once everything is built.

    What is there now is there for good, so the collector need not look at it again. Threads hand the interpreter over
    ten times sooner than by default, so that a commit that has reached the disk is not kept waiting for the loop.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(0.0005)
