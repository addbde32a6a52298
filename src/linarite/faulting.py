"""Faults on purpose as an operator sets them: the owner's calls of the API, in the instance's own database.

They need no server, and no sign-in, which a fault may well forbid.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from linarite import inside
from linarite.engine import Engine
from linarite.first_start import OWNER_OBJECT, TENANT
from linarite.inside import Insider
from linarite.kinds import KINDS
from linarite.kinds.faults import TYPE
from linarite.longrunning import Pace
from linarite.routes import Registry
from linarite.tokens import Authority, Reader
from linarite.world import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.model import Body
    from linarite.seal import Random
    from linarite.store.gate import Gate

_PATH = f"/providers/{TYPE}"
_VERSION = "2024-11-01"
_ORIGIN = "https://localhost"
"""Nobody follows a link of these answers."""


async def add(gate: Gate, name: str | None, properties: Mapping[str, Any], *, random: Random = os.urandom) -> Body:
    """Set a fault, in place of the one of that name; one without a name gets one of its own.

    Raises:
        Refusal: it cannot be set so.
    """
    path = f"{_PATH}/{name or random(4).hex()}"
    return await _sent(gate, "PUT", path, {"properties": dict(properties)})  # type: ignore[no-any-return]


async def listed(gate: Gate) -> list[Body]:
    """Every fault, by name, with how often it struck."""
    return (await _sent(gate, "GET", _PATH))["value"]  # type: ignore[no-any-return]


async def clear(gate: Gate, name: str | None) -> list[str]:
    """Take away the fault of that name, or all; answers the names of those that were there."""
    names = [one["name"] for one in await listed(gate) if name is None or one["name"].lower() == name.lower()]
    for one in names:
        await _sent(gate, "DELETE", f"{_PATH}/{one}")
    return names


async def _sent(gate: Gate, method: str, path: str, body: Any = None) -> Any:
    authority = Authority(_ORIGIN, TENANT)
    engine = Engine(
        gate,
        Registry(KINDS),
        Reader(authority, _now),
        options=Options(TENANT, _ORIGIN, "eastus"),
        pace=Pace(immediate=True),
        clock=_now,
    )
    owner = Insider(engine, await inside.token_of(gate, authority, OWNER_OBJECT, _now()))
    return (await owner.send(method, path, _VERSION, body)).body


def _now() -> datetime:
    return datetime.now(UTC)
