"""Which back end a setting names: the embedded one, or the registry at a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.doors.registry.embedded import Embedded
from linarite.doors.registry.upstream import Address, Upstream

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.doors.registry.routes import Back

EMBEDDED = "embedded"


def back_end(setting: str, folder: Path) -> Back:
    """What keeps the registries' content; `folder` is where, unless another registry does."""
    return Embedded(folder) if setting == EMBEDDED else Upstream(Address.read(setting))
