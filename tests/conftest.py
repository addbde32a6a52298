"""What holds for every test: the machine's own settings are not seen, and nothing leaves the machine."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.postgres"]

FOREIGN = (
    "AZURE_",
    "ARM_",
    "LINARITE_",
    "MSI_",
    "IDENTITY_",
    "PG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)
"""How variables begin that would sign a client in as somebody else, or send it somewhere else."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what it runs in the background, and what ignores a signal hands that on to all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Two cores that others use too make a deadline for one example a matter of chance; the timeout of a test still holds.
settings.register_profile("linarite", deadline=None, print_blob=True)
settings.load_profile("linarite")


@pytest.fixture(autouse=True)
def _environment_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Fail a test whose Python code reaches for another machine, as a client does that was configured wrongly."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            pytest.fail(f"a test reached for {address[0]}:{address[1]}, which is not on this machine")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
