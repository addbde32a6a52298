"""Which back end a setting names: the embedded one, or the registry at a URL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from linarite.doors.registry.embedded import Embedded

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.doors.registry.routes import Back

EMBEDDED = "embedded"


def back_end(setting: str, folder: Path) -> Back:
    """What keeps the registries' content; `folder` is where, unless another registry does."""
    if setting == EMBEDDED:
        return Embedded(folder)
    upstream = import_module("linarite.doors.registry.upstream")  # with its HTTP client, which no other start waits for
    back: Back = upstream.Upstream(upstream.Address.read(setting))
    return back
