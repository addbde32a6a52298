"""Faults on purpose, set by the API as a test in any language would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.server import Caller

PATH = "/providers/Linarite.Testing/faults"


@dataclass(frozen=True)
class Faults:
    """The faults of one server."""

    owner: Caller

    def set(self, name: str, fault: str, **properties: Any) -> None:
        answer = self.owner.put(f"{PATH}/{name}", {"properties": {"fault": fault, **properties}})
        assert answer.status_code in {200, 201}, answer.text

    def struck(self, name: str) -> int:
        """How often it did."""
        return int(self.owner.get(f"{PATH}/{name}").json()["properties"]["struck"])

    def clear(self) -> None:
        for one in self.owner.get(PATH).json()["value"]:
            self.owner.delete(one["id"])
