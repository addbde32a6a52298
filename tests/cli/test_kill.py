"""kill -9 in the middle of writes, again and again: whatever was acknowledged is there afterwards."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.cli.program import until
from tests.clients.house import credential, pointed_at
from tests.server import running

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.server import Server

ROUNDS = 3
WRITES = 25
"""Writes that are acknowledged in a round before the server is killed."""


def client(server: Server, stack: contextlib.ExitStack) -> ResourceManagementClient:
    owner = stack.enter_context(credential(server))
    return stack.enter_context(ResourceManagementClient(owner, **pointed_at(server), retry_total=0))


def write_until_killed(server: Server, number: int) -> dict[str, str]:
    """Write groups, one after another, while the server is killed; what was acknowledged, with its tag."""
    acknowledged: dict[str, str] = {}

    def write() -> None:
        with contextlib.ExitStack() as stack:
            groups = client(server, stack).resource_groups
            with contextlib.suppress(AzureError):
                while True:
                    name, tag = f"round-{number}-{len(acknowledged)}", str(len(acknowledged))
                    groups.create_or_update(name, {"location": "eastus", "tags": {"written": tag}})
                    acknowledged[name] = tag

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(acknowledged) >= WRITES or not writer.is_alive(), lambda: f"only {len(acknowledged)} writes")
    server.kill()
    writer.join(30)
    assert len(acknowledged) >= WRITES
    return acknowledged


def found(server: Server) -> dict[str, str]:
    with contextlib.ExitStack() as stack:
        listed = client(server, stack).resource_groups.list()
        return {group.name or "": (group.tags or {}).get("written", "") for group in listed}


def test_a_power_cut_in_the_middle_of_writes_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "bundle.pem"))
    acknowledged: dict[str, str] = {}
    for number in range(ROUNDS):
        with running(folder, "--no-doors", "--seed", "none") as server:
            assert acknowledged.items() <= found(server).items()
            acknowledged |= write_until_killed(server, number)
    with running(folder, "--no-doors", "--seed", "none") as server:
        there = found(server)
    assert acknowledged.items() <= there.items()
    assert len(there) <= len(acknowledged) + ROUNDS, "at most one write a round was under way"
