"""Where the blob door finds its things, and which ports it takes.

Values only; this module touches neither a file nor a process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ports:
    """One port a service; 0 takes any free one, which is then kept over restarts."""

    blob: int = 0
    queue: int = 0
    table: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is and what is served."""

    modules: Path
    """The `node_modules` folder that holds Azurite."""
    folder: Path | None
    """Where blobs are kept; None keeps them in memory, for as long as the Node process lives."""
    delegation_secret: str = field(repr=False)
    """Signs user delegation keys: those die with it. At least 32 random bytes, in any notation."""
    host: str = "127.0.0.1"
    """The IP address to bind."""
    ports: Ports = Ports()
    certificate: Path | None = None
    key: Path | None = None
    ca_bundle: Path | None = None
    """What Node trusts besides its own roots, for copies from one account of this door to another."""
    save_every: float = 0.25
    """Seconds between two writes of the index; the door's docstring says what a crash can lose meanwhile."""
    answered_within: float = 10.0
    """Seconds the desk may take to answer a question; after that, a request is told that the server is busy."""

    def origin(self, port: int) -> str:
        """`https://localhost:10000` or the like: loopback is `localhost`, so that one certificate name serves."""
        scheme = "https" if self.certificate else "http"
        address = ip_address(self.host)
        name = "localhost" if address.is_loopback or address.is_unspecified else self.host
        return f"{scheme}://{name}:{port}"

    def wire(self, azurite: Path, ports: Ports) -> dict[str, Any]:
        """The layout as host.cjs reads it, with the Azurite and the ports to use."""
        return {
            "azurite": str(azurite),
            "host": self.host,
            "ports": {"blob": ports.blob, "queue": ports.queue, "table": ports.table},
            "folder": str(self.folder.resolve()) if self.folder else None,
            "certificate": str(self.certificate) if self.certificate else None,
            "key": str(self.key) if self.key else None,
            "delegation": self.delegation_secret,
            "saveEvery": round(self.save_every * 1000),
            "answerWithin": round(self.answered_within * 1000),
        }
