"""What the notebook door asks: does this open it, and does it still?

Values only, and how they are written on the line to the child. This module does not know who answers, nor that Jupyter
asks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Pass:
    """What somebody showed, once it has been found good: which key, and until when. It opens nothing by itself.

    Cookies are made of it, signed by the door, so it holds no secret.
    """

    workspace: str
    """Id of the workspace, in lower case."""
    key: str
    """Name of the key behind it, as the workspace keeps it."""
    mark: str
    """Changes with the key and tells nothing of it."""
    holder: str = ""
    """Object id of whoever an access token was made for; empty for a key."""
    expires: int | None = None
    """Seconds since 1970 at which an access token ends; a key does not."""

    def wire(self) -> dict[str, Any]:
        """The pass as `from_wire` reads it."""
        return asdict(self)

    @classmethod
    def from_wire(cls, given: Any) -> Pass | None:
        """The pass that was written; None where it is none, as in a cookie of another make."""
        if not isinstance(given, dict) or given.keys() != {field.name for field in fields(cls)}:
            return None
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Visit:
    """The request that asks, for the trail; without its query, which may hold a key."""

    method: str
    path: str
    address: str
    """The network address, without a port."""


class NotebookDesk(Protocol):
    """Who decides, from the newest state. A refusal is on the trail before it is answered."""

    async def admit(self, unverified_token: str, visit: Visit) -> Pass | None:
        """The pass of whoever shows a notebook key or an access token; None where it opens nothing."""

    async def still(self, shown: Pass, visit: Visit | None) -> bool:
        """Whether a pass is as good as when it was given; without a visit nobody is refused, and nothing recorded."""
