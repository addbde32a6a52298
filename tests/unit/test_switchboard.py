"""Which name leads where, by the ready files that servers leave."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from linarite import client
from linarite.hosts import SUFFIX
from linarite.proxy import switchboard
from linarite.proxy.switchboard import Place, Switchboard, Unconnected

if TYPE_CHECKING:
    from pathlib import Path

BLOBS = f"a.blob.{SUFFIX}"


def start(folder: Path, pid: int, *, sealed: bool = False, **doors: str | None) -> None:
    """What a server leaves that started: its API is at port 8000 and its pid."""
    known = {
        "armEndpoint": f"https://localhost:{8000 + pid}",
        "pid": pid,
        "subscriptionId": "s",
        "clientSecret": None if sealed else "secret",
        "doors": {"blob": None, "registry": None, "telemetry": None, "notebook": None, **doors},
    }
    (folder / client.READY_FILE).write_text(json.dumps(known))


def refused(board: Switchboard, host: str, port: int = 443) -> tuple[int, str]:
    with pytest.raises(Unconnected) as caught:
        asyncio.run(board.place(host, port))
    return caught.value.status, str(caught.value)


def test_a_server_that_was_started_anew_is_found_again_and_one_that_stopped_is_named(tmp_path: Path) -> None:
    board = Switchboard(tmp_path)
    for pid in (1, 2):
        start(tmp_path, pid, blob=f"https://localhost:900{pid}")
        assert asyncio.run(board.place(BLOBS, 443)) == Place("localhost", 9000 + pid)
    (tmp_path / client.READY_FILE).unlink()
    for host in (BLOBS, "localhost", "example.com"):
        status, said = refused(board, host)
        assert (status, said.partition(" on ")[0]) == (503, "No server runs")


def test_a_door_that_is_closed_is_named(tmp_path: Path) -> None:
    start(tmp_path, 1, blob="https://localhost:9001")
    board = Switchboard(tmp_path)
    assert refused(board, f"a.azurecr.{SUFFIX}")[1].startswith("The door of azurecr is closed")


def test_a_server_that_is_sealed_answers_nobody(tmp_path: Path) -> None:
    start(tmp_path, 1, sealed=True)
    assert refused(Switchboard(tmp_path), f"a.vault.{SUFFIX}") == (503, client.SEALED)


def test_resources_whose_door_is_closed_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the names then that they have in Azure, and must not be looked for there."""
    start(tmp_path, 1)
    azures = {"vault": "https://a.vault.azure.net/", "queue": "https://a.queue.core.windows.net/"}
    monkeypatch.setattr(switchboard, "_asked", lambda _, service: {service: azures[service]})
    for service in azures:
        assert refused(Switchboard(tmp_path), f"a.{service}.{SUFFIX}")[0] == 503


def test_where_others_are_refused_the_servers_own_addresses_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tmp_path, 1, blob="https://localhost:9001", telemetry="https://localhost:9002")
    tables = {"table": "https://localhost:9003/a"}
    monkeypatch.setattr(switchboard, "_asked", lambda _, service: tables if service == "table" else {})
    board = Switchboard(tmp_path)
    for host in ("localhost", "127.0.0.1", "::1"):
        for port in (8001, 9001, 9002, 9003):
            assert asyncio.run(board.place(host, port)) == Place(host, port)
    assert refused(board, "localhost", 9004)[0] == 403
    assert refused(board, "example.com", 9001)[0] == 403


def test_where_others_are_passed_through_names_of_ours_that_are_not_served_are_still_refused(tmp_path: Path) -> None:
    start(tmp_path, 1)
    board = Switchboard(tmp_path, strangers=True)
    assert asyncio.run(board.place("example.com", 8080)) == Place("example.com", 8080)
    assert refused(board, f"a.dfs.{SUFFIX}")[0] == 403
