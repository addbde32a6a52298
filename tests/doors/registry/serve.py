"""Serve a registry door from a process of its own, until it is stopped or killed: `serve.py ROOT [UPSTREAM]`.

Prints its port when it answers.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from linarite.doors.registry import Embedded, RegistryDoor
from linarite.doors.registry.upstream import Address, Upstream
from linarite.listener import Listener
from tests.doors.registry.house import KEY, FakeDesk


async def serve(root: Path, *upstream: str) -> None:
    back = Upstream(Address.read(*upstream)) if upstream else Embedded(root)
    listener = Listener(RegistryDoor(FakeDesk(), back, key=KEY), "127.0.0.1", 0)
    await listener.start()
    print(listener.port, flush=True)  # noqa: T201 - what this program is for
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *sys.argv[2:]))
