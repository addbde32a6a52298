"""What the telemetry door asks: whose instrumentation key is this, and may this caller read that component."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Component:
    """An Application Insights component, as far as its telemetry shows it."""

    app_id: str
    """Azure's `AppId`: what the events API has in its path. What was sent is kept under it."""
    name: str


class Reading(Enum):
    """May the telemetry of a component be read?"""

    ALLOWED = auto()
    UNAUTHENTICATED = auto()
    """Nobody valid stands behind the request: 401."""
    FORBIDDEN = auto()
    """Somebody does, and may not: 403. Also where there is no such component, for that is nobody else's business."""


class TelemetryDesk(Protocol):
    """Who decides. Asked at every request; nothing is remembered."""

    def component_of(self, instrumentation_key: str) -> Component | None:
        """The component this key belongs to now. Keys come in lower case; called on the event loop, so from memory."""

    async def turned_away(self, path: str, address: str) -> None:
        """Record that a batch names a key that belongs to nobody; its sender gets an answer only after this returns."""

    async def may_read(self, app_id: str, authorization: str | None) -> Reading:
        """Whether the bearer of this Authorization header may read that component's telemetry."""
