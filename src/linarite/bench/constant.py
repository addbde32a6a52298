"""The yardstick: the same server under the same certificate, that always answers the same bytes.

What a request to it costs is what Granian, TLS and the kernel cost; everything above that is ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvloop

from linarite.interpreter import settle_in
from linarite.listener import Listener


async def _serve(folder: Path) -> None:
    given = json.loads(sys.stdin.readline())
    headers = [tuple(pair) for pair in given["headers"]]
    body = given["body"].encode()

    async def answer(_: Any, protocol: Any) -> None:
        protocol.response_bytes(200, headers, body)

    listener = Listener(answer, "127.0.0.1", 0, certificate=folder / "server.pem", key=folder / "server.key")
    await listener.start()
    settle_in()
    sys.stdout.write(f"{listener.origin}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)  # until whoever started it goes away
    await listener.stop()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
