"""The proxy: for clients that insist on host names of a cloud, on port 443, and cannot be given addresses.

They are told of it by HTTPS_PROXY. It opens no connection of theirs: TLS goes from the client to the door, whose
certificate has the name. It knows a running server by its ready file and its API, and nothing of its inside.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.proxy.switchboard import Switchboard
from linarite.proxy.tunnel import PortTaken, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["PortTaken", "run"]


def run(folder: Path, port: int, announce: Callable[[int], None], *, pass_through: bool) -> None:
    """Serve the clients of a data folder's server until SIGINT or SIGTERM; `announce` is told the port.

    With `pass_through`, names that are none of ours are connected as they are; otherwise they are refused.

    Raises:
        PortTaken: the port cannot be had.
    """
    asyncio.run(serve(Switchboard(folder, strangers=pass_through), port, announce))
