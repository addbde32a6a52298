"""The life of the Node process: it comes back, it leaves nothing behind, and what it kept is there again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from linarite.doors.blob import Account, BlobDoor, DoorDown, Layout, OrderRefused, Ports, Trust, child
from linarite.doors.keeper import Restarts
from tests.doors.blob.conftest import MODULES, Desk, is_alive, new_account, new_key
from tests.doors.blob.loop import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.doors.blob.conftest import OpenDoor, Run


def client(door: BlobDoor, account: Account, key: str | None = None) -> BlobServiceClient:
    origin = f"{door.origin('blob')}/{account.name}"
    return BlobServiceClient(origin, credential=key or account.keys[0], retry_total=0)


def put_note(door: BlobDoor, account: Account, text: bytes = b"hello") -> None:
    container = client(door, account).get_container_client("data")
    if not container.exists():
        container.create_container()
    container.upload_blob("note", text, overwrite=True)


def note(door: BlobDoor, account: Account, key: str | None = None) -> bytes:
    return client(door, account, key).get_blob_client("data", "note").download_blob().readall()


def pid_of(door: BlobDoor) -> int:
    assert door.pid is not None
    return door.pid


def kill(door: BlobDoor) -> int:
    """End its process without a warning; returns once it is gone."""
    pid = pid_of(door)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: door.pid != pid)
    return pid


def is_saved(folder: Path, account: Account) -> bool:
    """Whether the index on disk knows the account's note."""
    index = json.loads((folder / "__azurite_db_blob__.json").read_text())
    [blobs] = [one["data"] for one in index["collections"] if one["name"] == "$BLOBS_COLLECTION$"]
    return any((blob["accountName"], blob["name"]) == (account.name, "note") for blob in blobs)


# ── it comes back ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_killed_process_is_back_on_its_ports_with_the_keys_that_were_pushed_meanwhile(
    open_door: OpenDoor, run: Run, tmp_path: Path
) -> None:
    old, bystander = new_account(), new_account()
    door = open_door(old, bystander)
    ports = door.ports
    put_note(door, old)
    eventually(lambda: is_saved(tmp_path / "blobs", old))
    before = kill(door)
    new = replace(old, keys=(new_key(), old.keys[1]))
    run(door.put_account(new))
    assert (door.pid != before, door.ports, door.fault) == (True, ports, None)
    assert note(door, new) == note(door, new, old.keys[1]) == b"hello"
    with pytest.raises(ClientAuthenticationError):
        note(door, old)
    assert list(client(door, bystander).list_containers()) == []


def test_a_killed_process_comes_back_by_itself(open_door: OpenDoor) -> None:
    account = new_account()
    door = open_door(account)
    before = kill(door)
    eventually(lambda: door.pid not in {None, before})
    put_note(door, account)


def test_a_process_that_does_not_acknowledge_is_ended_so_that_no_old_key_lives_on(
    open_door: OpenDoor, run: Run
) -> None:
    old = new_account()
    door = open_door(old, acknowledged_within=0.5)
    deaf = pid_of(door)
    os.kill(deaf, signal.SIGSTOP)
    new = replace(old, keys=(new_key(), new_key()))
    with pytest.raises(DoorDown, match=r"did not acknowledge within 0\.5 s; its process was ended\."):
        run(door.put_account(new))
    eventually(lambda: door.pid not in {None, deaf})
    assert not is_alive(deaf)
    put_note(door, new)
    with pytest.raises(ClientAuthenticationError):
        note(door, old)


def test_a_process_that_dies_too_often_closes_the_door_with_a_sentence(open_door: OpenDoor, run: Run) -> None:
    door = open_door(new_account(), restarts=Restarts(first=0.01, attempts=1))
    kill(door)
    eventually(lambda: door.pid)
    kill(door)
    eventually(lambda: door.fault)
    assert door.fault == "The blob door is closed: Azurite ended 2 times in a row. See its log."
    with pytest.raises(DoorDown, match="ended 2 times in a row"):
        run(door.put_account(new_account()))


def test_a_door_whose_port_was_taken_while_it_was_down_gives_up(open_door: OpenDoor) -> None:
    door = open_door(restarts=Restarts(first=0.2, attempts=2))
    port = door.ports.blob
    kill(door)
    with _taken(port):
        eventually(lambda: door.fault)
    assert door.pid is None


def test_restarts_wait_longer_each_time_up_to_a_limit() -> None:
    waits = Restarts(first=0.1, longest=1.0)
    assert [waits.delay(death) for death in (1, 2, 3, 4, 5, 50)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_port_that_is_taken_is_said_in_a_sentence(open_door: OpenDoor) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        with pytest.raises(DoorDown, match=r"^Azurite did not start: .*EADDRINUSE.*127\.0\.0\.1"):
            open_door(layout={"ports": Ports(blob=held.getsockname()[1])})


def test_a_door_that_was_never_started_says_so(run: Run, tmp_path: Path) -> None:
    door = BlobDoor(Layout(MODULES, tmp_path, "secret"), Desk(), os.environ)
    with pytest.raises(DoorDown, match=r"The blob door was not started\."):
        run(door.put_account(new_account()))


def test_an_order_that_cannot_be_obeyed_is_refused_and_the_door_stays_open(open_door: OpenDoor, run: Run) -> None:
    account = new_account()
    door = open_door(account)
    pid = pid_of(door)
    with pytest.raises(OrderRefused):
        run(door.set_trust(Trust({"keys": [{"kid": "x", "kty": "nonsense"}]}, ("https://localhost",))))
    put_note(door, account)
    assert door.pid == pid


# ── it leaves ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clean_stop_loses_nothing_and_leaves_no_process(open_door: OpenDoor, run: Run) -> None:
    account = new_account()
    first = open_door(account, layout={"save_every": 3600.0})
    put_note(first, account)
    pid = pid_of(first)
    run(first.stop())
    assert not is_alive(pid)
    assert (first.pid, first.fault) == (None, "The blob door was stopped.")
    assert note(open_door(account), account) == b"hello"


def test_a_clean_stop_waits_for_the_index_that_is_being_written(open_door: OpenDoor, run: Run, tmp_path: Path) -> None:
    """An index is called clean before it is on disk; one of thousands of containers takes a while to get there."""
    account = new_account()
    door = open_door(account, layout={"save_every": 0.01})
    run(door.ensure_containers(account.name, [f"container-{number}" for number in range(20_000)]))
    texts = (f"note {number}".encode() for number in itertools.count())

    def is_writing_the_last_note() -> bool:
        written.append(next(texts))
        put_note(door, account, written[-1])
        deadline = time.monotonic() + 0.3
        while not (found := list(tmp_path.rglob("__azurite_db_blob__.json~"))) and time.monotonic() < deadline:
            pass
        return bool(found)

    written: list[bytes] = []
    eventually(is_writing_the_last_note)
    run(door.stop())
    assert note(open_door(account), account) == written[-1]


def test_an_upload_under_way_at_a_clean_stop_is_finished_and_kept(open_door: OpenDoor, run: Run) -> None:
    account = new_account()
    first = open_door(account)
    put_note(first, account)
    loop = _started(run)
    with half_an_upload(first, account, b"finished") as rest:
        stopping = asyncio.run_coroutine_threadsafe(first.stop(), loop)
        eventually(lambda: _refuses(first.ports.blob))
        assert b" 201 " in rest()
    stopping.result(30)
    assert note(open_door(account), account) == b"finished"


def test_the_index_is_saved_at_intervals_so_that_a_killed_process_loses_little(
    open_door: OpenDoor, tmp_path: Path
) -> None:
    account = new_account()
    door = open_door(account, layout={"save_every": 0.05})
    put_note(door, account)
    eventually(lambda: is_saved(tmp_path / "blobs", account))
    before = kill(door)
    eventually(lambda: door.pid not in {None, before})
    assert note(door, account) == b"hello"


def test_a_process_that_does_not_leave_is_ended(open_door: OpenDoor, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LEAVES_WITHIN", 0.1)
    monkeypatch.setattr(child, "TERMINATES_WITHIN", 0.1)
    door = open_door()
    pid = pid_of(door)
    os.kill(pid, signal.SIGSTOP)
    run(door.stop())
    assert not is_alive(pid)


def test_an_index_that_cannot_be_read_is_said_in_a_sentence(open_door: OpenDoor, tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "__azurite_db_blob__.json").write_text('{"filename": ')
    with pytest.raises(DoorDown, match=r"^Azurite did not start: .*JSON"):
        open_door()


def test_a_service_that_finds_its_index_damaged_later_closes_the_whole_door(
    open_door: OpenDoor, run: Run, tmp_path: Path
) -> None:
    account = new_account()
    first = open_door(account)
    put_note(first, account)
    run(first.stop())
    index = tmp_path / "blobs" / "__azurite_db_blob__.json"
    index.write_text(index.read_text().replace('"properties"', '"lost"'))
    second = open_door(account, restarts=Restarts(first=0.01, attempts=1))
    eventually(lambda: second.fault)
    assert second.pid is None


def test_what_an_erased_account_stored_is_gone_from_the_disk(open_door: OpenDoor, run: Run, tmp_path: Path) -> None:
    account = new_account()
    door = open_door(account, layout={"save_every": 0.05})
    indexes = tmp_path / "blobs" / "__azurite_db_blob__.json", tmp_path / "blobs" / "__azurite_db_table__.json"
    put_note(door, account)
    credential = AzureNamedKeyCredential(account.name, account.keys[0])
    tables = TableServiceClient(f"{door.origin('table')}/{account.name}", credential=credential)
    tables.create_table("facts").create_entity({"PartitionKey": "a", "RowKey": "b", "value": "note"})
    eventually(lambda: all("note" in index.read_text() for index in indexes))
    run(door.drop_account(account.name, erase=True))
    eventually(lambda: not any("note" in index.read_text() for index in indexes))


def test_what_was_to_be_erased_while_the_door_was_down_is_erased_before_it_opens(
    open_door: OpenDoor, run: Run, tmp_path: Path
) -> None:
    old, neighbour = new_account(), new_account()
    door = open_door(old, neighbour, acknowledged_within=0.05, restarts=Restarts(first=0.5))
    put_note(door, old)
    put_note(door, neighbour)
    eventually(lambda: is_saved(tmp_path / "blobs", neighbour))
    before = kill(door)
    namesake = new_account(old.name)
    with pytest.raises(DoorDown, match="did not come back"):
        run(door.drop_account(old.name, erase=True))
    with pytest.raises(DoorDown, match="did not come back"):
        run(door.put_account(namesake))
    eventually(lambda: door.pid not in {None, before})
    assert list(client(door, namesake).list_containers()) == []
    assert note(door, neighbour) == b"hello"


def test_a_namesake_that_was_made_while_the_door_was_closed_starts_empty(open_door: OpenDoor, run: Run) -> None:
    old, neighbour = new_account(), new_account()
    door = open_door(old, neighbour)
    put_note(door, old)
    put_note(door, neighbour)
    run(door.stop())
    namesake = replace(old, made="later")
    second = open_door(namesake, neighbour)
    assert list(client(second, namesake).list_containers()) == []
    assert note(second, neighbour) == b"hello"
    put_note(second, namesake)
    run(second.put_account(replace(namesake, made="later still")))
    assert list(client(second, namesake).list_containers()) == []
    put_note(second, namesake)
    run(second.stop())
    run(open_door(neighbour).stop())  # what the one stored that is not there is erased
    third = open_door(namesake, neighbour)
    assert list(client(third, namesake).list_containers()) == []
    assert note(third, neighbour) == b"hello"


def test_a_ledger_that_is_damaged_keeps_the_door_closed_with_a_sentence(open_door: OpenDoor, tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "accounts.json").write_text("[]")
    with pytest.raises(DoorDown, match="is damaged; to remove its folder empties the blob door"):
        open_door()


def test_a_killed_parent_leaves_no_orphan_and_loses_nothing(open_door: OpenDoor, tmp_path: Path) -> None:
    account = new_account()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(MODULES), str(tmp_path / "blobs"), account.name, *account.keys],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not is_alive(pid))
    assert note(open_door(account), account) == b"hello"


PARENT = """
import asyncio, os, sys
from pathlib import Path
from azure.storage.blob.aio import BlobServiceClient
from linarite.doors.blob import Account, BlobDoor, Layout

modules, folder, name, *keys = sys.argv[1:]

async def main():
    layout = Layout(Path(modules), Path(folder), "secret", save_every=3600.0)
    door = BlobDoor(layout, None, os.environ)
    await door.start([Account(name, tuple(keys))])
    async with BlobServiceClient(f"{door.origin('blob')}/{name}", credential=keys[0]) as client:
        container = await client.create_container("data")
        await container.upload_blob("note", b"hello")
    print(door.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def test_an_interrupt_from_the_terminal_is_left_to_the_parent(open_door: OpenDoor, run: Run) -> None:
    door = open_door(new_account())
    pid = pid_of(door)
    os.kill(pid, signal.SIGINT)
    run(door.put_account(new_account()))
    assert door.pid == pid


def test_a_door_in_memory_writes_nothing_and_forgets(open_door: OpenDoor, run: Run, tmp_path: Path) -> None:
    account = new_account()
    door = open_door(account, layout={"folder": None})
    put_note(door, account)
    run(door.stop())
    assert list(tmp_path.iterdir()) == []


# ── what it shows ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_neither_arguments_nor_environment_nor_log_hold_a_key(
    open_door: OpenDoor, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "linarite.doors.blob")
    account = new_account()
    door = open_door(account)
    put_note(door, account)
    with pytest.raises(ClientAuthenticationError):
        note(door, account, new_key())
    seen = [(Path("/proc") / str(door.pid) / name).read_text() for name in ("cmdline", "environ")]
    seen += [caplog.text, repr(account), repr(door._layout)]
    for secret in (*account.keys, door._layout.delegation_secret):
        assert not any(secret in text for text in seen)
    assert f"The blob door is open at http://localhost:{door.ports.blob}" in caplog.text


def test_options_that_the_environment_holds_for_node_do_not_reach_it(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--this-would-stop-node")
    assert open_door().pid


def test_what_azurite_complains_of_is_in_our_log(
    open_door: OpenDoor, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "linarite.doors.blob")
    account = new_account()
    door = open_door(account, layout={"save_every": 0.02})
    (tmp_path / "blobs" / "__azurite_db_blob__.json~").mkdir()  # where LokiJS writes before it renames
    put_note(door, account)
    eventually(lambda: "Not saved: " in caplog.text)
    (tmp_path / "blobs" / "__azurite_db_blob__.json~").rmdir()
    eventually(lambda: is_saved(tmp_path / "blobs", account))


# ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _started(run: Run) -> asyncio.AbstractEventLoop:
    async def here() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    return run(here())


def _refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextlib.contextmanager
def _taken(port: int) -> Iterator[None]:
    """Somebody else listens on the port."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        held.listen()
        yield


@contextlib.contextmanager
def half_an_upload(door: BlobDoor, account: Account, body: bytes) -> Iterator[Callable[[], bytes]]:
    """An upload that the door has begun to read; the function sends the rest and returns the answer's head."""
    sas = generate_blob_sas(
        account.name,
        "data",
        "note",
        account_key=account.keys[0],
        permission=BlobSasPermissions(write=True),
        expiry=datetime.now(UTC) + timedelta(minutes=5),
    )
    head = (
        f"PUT /{account.name}/data/note?{sas} HTTP/1.1\r\nHost: localhost\r\nx-ms-blob-type: BlockBlob\r\n"
        f"x-ms-version: 2024-11-04\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.ports.blob)) as upload:
        upload.settimeout(20)
        upload.sendall(head.encode())
        assert upload.recv(1024).startswith(b"HTTP/1.1 100 ")
        upload.sendall(body[:1])

        def rest() -> bytes:
            upload.sendall(body[1:])
            return upload.recv(4096)

        yield rest
