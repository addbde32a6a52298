"""Serve a registry door from a process of its own, until it is stopped or killed: `serve.py ROOT`.

Prints its port when it answers.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from linarite.doors.registry import Embedded, RegistryDoor
from linarite.listener import Listener
from tests.doors.registry.house import KEY, FakeDesk


async def serve(root: Path) -> None:
    listener = Listener(RegistryDoor(FakeDesk(), Embedded(root), key=KEY), "127.0.0.1", 0)
    await listener.start()
    print(listener.port, flush=True)  # noqa: T201 - what this program is for
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
