"""The doors where clients find them: each on a port of its own, the next ones after the API's.

What is behind a door `doors` knows; here it gets its place, and a listener where it has none itself.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from linarite.doors.blob import Ports
from linarite.doors.house import House, Plot
from linarite.listener import Listener, PortTaken, port_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from linarite.certificates import Certificates
    from linarite.engine import Engine
    from linarite.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Doorways:
    """How the doors of an instance stand."""

    endpoints: Mapping[str, str]
    """Addresses of the open ones, by name."""
    closed: dict[str, str]
    """The others, with the reason in a sentence."""


@contextlib.asynccontextmanager
async def opened(
    engine: Engine, settings: Settings, certified: Certificates, environment: Mapping[str, str]
) -> AsyncIterator[Doorways]:
    """Open every door that can be opened; in the end listeners stop first, and then what is behind them."""
    house = House(engine, _plot(settings, certified, environment))
    listeners = dict(_listeners(house, settings, certified))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(house.close)
        await house.open()
        endpoints = {}
        for name, listener in listeners.items():
            stack.push_async_callback(listener.stop)
            if name not in house.closed:
                await listener.start()
                endpoints[name] = listener.origin
        for name, why in house.closed.items():
            log.warning("a door stays closed", door=name, why=why)
        yield Doorways(endpoints | house.origins(), house.closed)


def _plot(settings: Settings, certified: Certificates, environment: Mapping[str, str]) -> Plot:
    return Plot(
        data=settings.data,
        modules=settings.node_modules,
        certificate=certified.chain,
        key=certified.key,
        bundle=certified.bundle,
        host=settings.bind,
        environment=environment,
        upstream=settings.registry_upstream,
        ports=Ports(*(port_after(settings.port, place) for place in (3, 4, 5))),
        notebook=port_after(settings.port, 7) if settings.notebook else None,
    )


def _listeners(house: House, settings: Settings, certified: Certificates) -> Iterator[tuple[str, Listener]]:
    """One for each door that is an RSGI application; where its port is taken, the door is closed."""
    rsgi = (("registry", 1, house.registry), ("telemetry", 2, house.telemetry), ("vault", 6, house.vault))
    for name, place, door in rsgi:
        port = port_after(settings.port, place)
        try:
            yield name, Listener(door, settings.bind, port, certificate=certified.chain, key=certified.key)
        except PortTaken as error:
            house.closed[name] = str(error)
