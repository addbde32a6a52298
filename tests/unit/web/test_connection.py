"""Cutting a connection: that one, and nothing else that the process has open."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from linarite.web.connection import cut

if TYPE_CHECKING:
    from pathlib import Path


def scope(server: socket.socket) -> SimpleNamespace:
    """What RSGI says of the connection."""
    written = ["[{}]:{}" if ":" in host else "{}:{}" for host, *_ in (server.getpeername(), server.getsockname())]
    client, own = server.getpeername()[:2], server.getsockname()[:2]
    return SimpleNamespace(client=written[0].format(*client), server=written[1].format(*own))


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_connection_is_cut_and_another_one_goes_on(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listening:
        listening.bind((host, 0))
        listening.listen()
        address = listening.getsockname()[:2]
        with (
            socket.create_connection(address) as gone,
            listening.accept()[0] as server,
            socket.create_connection(address) as stays,
            listening.accept()[0] as other,
        ):
            cut(scope(server))
            assert gone.recv(1) == b""
            other.sendall(b"x")
            assert stays.recv(1) == b"x"
            cut(scope(server))  # as where the client has hung up already


TRY = """
import fcntl, sys
with open(sys.argv[1], "r+") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_files_keep_their_locks(tmp_path: Path) -> None:
    """SQLite relies on them: a process that closes a file, or a duplicate of it, has no locks on it any more."""
    path = tmp_path / "file"
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        cut(SimpleNamespace(client="127.0.0.1:1", server="127.0.0.1:2"))
        ended = subprocess.run([sys.executable, "-c", TRY, str(path)], capture_output=True, text=True, check=False)
        assert "BlockingIOError" in ended.stderr
