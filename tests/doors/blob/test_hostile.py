"""Clients that mean no good, and a death at the worst moment: nobody else notices, and nothing is half written."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from tests.doors.blob.conftest import new_account
from tests.doors.blob.loop import eventually
from tests.doors.blob.test_life import client, half_an_upload, is_saved, note, pid_of, put_note

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.doors.blob import Account, BlobDoor
    from tests.doors.blob.conftest import OpenDoor

GIB = 1 << 30
NODE_HANGS_UP_WITHIN = 100
"""Seconds that Node gives a head, which is a minute, and takes to notice."""


def raw(door: BlobDoor, text: str) -> bytes:
    """What is answered first to these bytes."""
    with socket.create_connection(("127.0.0.1", door.ports.blob), 30) as line:
        line.sendall(text.encode())
        return line.recv(4096)


def signed(account: Account, name: str) -> str:
    until, may = datetime.now(UTC) + timedelta(minutes=5), BlobSasPermissions(read=True, write=True, create=True)
    return generate_blob_sas(account.name, "data", name, account_key=account.keys[0], permission=may, expiry=until)


def put(account: Account, path: str, name: str, length: int | str, *more: str) -> str:
    """The head of an upload, to a path that stands for a name."""
    return "\r\n".join(
        [
            f"PUT /{account.name}/data/{path}?{signed(account, name)} HTTP/1.1",
            *("Host: localhost", "x-ms-blob-type: BlockBlob", "x-ms-version: 2024-11-04"),
            *(f"Content-Length: {length}", *more, "", ""),
        ]
    )


def test_a_process_that_is_killed_in_the_middle_of_an_upload_comes_back_with_what_was_there(
    open_door: OpenDoor, tmp_path: Path
) -> None:
    account = new_account()
    door = open_door(account)
    put_note(door, account, b"whole")
    eventually(lambda: is_saved(tmp_path / "blobs", account))
    with half_an_upload(door, account, b"half of it and no more") as rest:
        dead = pid_of(door)
        os.kill(dead, signal.SIGKILL)
        eventually(lambda: door.pid not in {None, dead})
        with contextlib.suppress(OSError):
            assert rest() == b""
    assert note(door, account) == b"whole"
    put_note(door, account, b"written anew")
    assert note(door, account) == b"written anew"


@pytest.mark.parametrize("length", [5000 * (1 << 20) + 1, 6 * GIB, 1 << 60])
def test_a_body_that_azure_would_not_take_is_refused_before_it_is_read(open_door: OpenDoor, length: int) -> None:
    account = new_account()
    door = open_door(account)
    client(door, account).create_container("data")
    answer = raw(door, put(account, "note", "note", length))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"<Code>RequestBodyTooLarge</Code>" in answer
    assert list(client(door, account).get_container_client("data").list_blobs()) == []


@pytest.mark.parametrize(
    "length", ["-1", "1.5", f"{1 << 70}", "1\r\nContent-Length: 5", "4\r\nTransfer-Encoding: chunked"]
)
def test_a_length_that_is_none_is_a_bad_request(open_door: OpenDoor, length: str) -> None:
    account = new_account()
    door = open_door(account)
    assert raw(door, put(account, "note", "note", length)).startswith(b"HTTP/1.1 400 ")


def test_heads_without_end_are_refused(open_door: OpenDoor) -> None:
    account = new_account()
    door = open_door(account)
    assert raw(door, put(account, "note", "note", 0, f"x-ms-meta-a: {'x' * 20_000}")).startswith(b"HTTP/1.1 431 ")


def test_a_name_that_climbs_out_of_the_folder_is_a_name_like_any_other(open_door: OpenDoor, tmp_path: Path) -> None:
    account = new_account()
    door = open_door(account)
    client(door, account).create_container("data")
    names = ["../../climbed", "../" * 8 + "climbed", "/climbed", "a/../../../../climbed"]
    for name in names:
        path = name.replace(".", "%2e").replace("/", "%2f")
        assert raw(door, put(account, path, name, 2) + "up").startswith(b"HTTP/1.1 201 "), name
    container = client(door, account).get_container_client("data")
    assert sorted(blob.name for blob in container.list_blobs()) == sorted(names)
    assert [path for path in tmp_path.rglob("*") if "climbed" in path.name] == []


def test_clients_that_never_come_to_an_end_keep_nobody_from_being_served(open_door: OpenDoor) -> None:
    account = new_account()
    door = open_door(account)
    put_note(door, account)
    head = put(account, "slow", "slow", 1000)
    half = [head[:20], head[:-2], head.replace("sig=", "sig=x") + "x"] * 50 + [head + "x"] * 40
    with contextlib.ExitStack() as lines:
        for begun in half:
            line = lines.enter_context(socket.create_connection(("127.0.0.1", door.ports.blob), 30))
            line.sendall(begun.encode())
        put_note(door, account, b"served")
        assert note(door, account) == b"served"
        assert [blob.name for blob in client(door, account).get_container_client("data").list_blobs()] == ["note"]


@pytest.mark.torture
def test_a_head_that_does_not_end_is_hung_up_on(open_door: OpenDoor) -> None:
    door = open_door()
    with socket.create_connection(("127.0.0.1", door.ports.blob), NODE_HANGS_UP_WITHIN) as line:
        line.sendall(b"GET /slow HTTP/1.1\r\nHost: ")
        began = time.monotonic()
        assert line.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < NODE_HANGS_UP_WITHIN
