"""Debian's docker-registry, as the upstream of a door: a process of its own, which stores in a folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.doors.registry.house import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = "docker-registry"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def serving(storage: Path, net: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Serve what is stored there until the end, on a socket (`unix`) or a port (`tcp`)."""
    if shutil.which(PROGRAM) is None:
        pytest.skip("there is no docker-registry on this machine")
    storage.mkdir(exist_ok=True)
    configuration = storage / "configuration.json"  # JSON is YAML
    configuration.write_text(
        json.dumps(
            {
                "version": "0.1",
                "log": {"level": "error", "accesslog": {"disabled": True}},
                "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
                "http": {"net": net, "addr": address, "secret": "s" * 32},
            }
        )
    )
    environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}  # it reads every REGISTRY_… variable
    command = [PROGRAM, "serve", str(configuration)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: answers(net, address), within=60)
            yield process
        finally:
            process.terminate()


def answers(net: str, address: str) -> bool:
    family = socket.AF_UNIX if net == "unix" else socket.AF_INET
    where = address if net == "unix" else ("127.0.0.1", int(address.rpartition(":")[2]))
    with socket.socket(family) as knocking, contextlib.suppress(OSError):
        knocking.connect(where)
        return True
    return False
