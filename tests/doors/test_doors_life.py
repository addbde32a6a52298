"""Doors from start to end: a killed Azurite, a restart, ports and folders that cannot be had, and none at all."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.house import Azure, Neighbours, credential
from tests.doors.place import Place, node_of, refusal, send_trace, until
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server

ACCOUNT = "{}/resourceGroups/ragargeastus2euap/providers/Microsoft.Storage/storageAccounts/testdemoworkazashomr"
OFF = {"blob": None, "registry": None, "telemetry": None, "notebook": None}
ANNOUNCED = "Ctrl-C stops it."


def announced(server: Server) -> list[str]:
    """What the server said of its doors at its start: the line with the marks, and one for each that is closed."""
    until(lambda: ANNOUNCED in server.log.read_text(), "nothing is announced")
    lines = server.log.read_text().partition("Linarite serves")[2].partition(ANNOUNCED)[0].splitlines()
    [first] = [place for place, line in enumerate(lines) if line.startswith("  doors: ")]
    return [line.strip() for line in lines[first:] if line.strip()]


@contextlib.contextmanager
def sample(server: Server, trusted: pytest.MonkeyPatch) -> Iterator[Place]:
    """The sample workspace of a server, as its owner's clients see it."""
    trusted.setenv("REQUESTS_CA_BUNDLE", server.known["caBundle"])
    near = f"{server.subscription}/resourceGroups/ragargeastus2euap/providers"
    beside = Neighbours(
        account=f"{near}/Microsoft.Storage/storageAccounts/testdemoworkazashomr",
        registry=f"{near}/Microsoft.ContainerRegistry/registries/testdemoworkjmjmeykp",
        component=f"{near}/Microsoft.Insights/components/testdemoworkaievmzkw",
        vault="",
    )
    with credential(server) as owner, contextlib.ExitStack() as stack:
        yield Sample(Azure(server, owner, stack), "ragargeastus2euap", beside, server.known["workspace"])


class Sample(Place):
    """The sample's workspace is in another group than what stands beside it."""

    def listed(self) -> Any:
        return self.azure.workspaces.list_keys(self.server.known["resourceGroup"], self.workspace)


# ── a process that dies ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_azurite_that_is_killed_is_back_with_the_keys_of_now_and_with_every_container(
    place: Place, blobs: str
) -> None:
    old, second = place.storage_keys()
    where = place.endpoint("blob")
    dead = node_of(place.server)
    os.kill(dead, signal.SIGKILL)  # so soon that the index with the containers may not be saved

    new = place.regenerate_storage()

    assert node_of(place.server) != dead
    assert place.endpoint("blob") == where, "the address stays"
    assert refusal(lambda: place.containers(old)) == (403, "AuthenticationFailed")
    until(lambda: "azureml" in place.containers(new), "the workspace's containers are gone")
    assert place.containers(second) == place.containers(new)


# ── a restart ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_stored_and_the_keys_to_it_outlive_a_clean_stop(
    tmp_path: Path, trusted: pytest.MonkeyPatch, blobs: str
) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    with running(tmp_path / "data") as server, sample(server, trusted) as place:
        before = place.listed()
        place.blobs(place.storage_keys()[0]).get_blob_client("azureml", "note").upload_blob(b"hello")
        target = f"{place.login_server}/models/first:v1"
        place.oras(place.passwords()["password"]).push(target, files=[str(model)], disable_path_validation=True)
        component = place.component()
        send_trace(component.connection_string, "kept")
    with running(tmp_path / "data") as server, sample(server, trusted) as place:
        assert place.listed().as_dict() == before.as_dict()
        note = place.blobs(before.user_storage_key).get_blob_client("azureml", "note")
        assert note.download_blob().readall() == b"hello"
        client = place.oras(place.passwords()["password2"])
        client.pull(f"{place.login_server}/models/first:v1", outdir=str(tmp_path / "pulled"))
        assert (tmp_path / "pulled" / "model.bin").read_bytes() == b"weights"
        assert [event["trace"]["message"] for event in place.events(component.app_id)] == ["kept"]


def test_namesakes_that_are_made_while_the_doors_are_closed_start_empty(
    tmp_path: Path, trusted: pytest.MonkeyPatch, blobs: str
) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    with running(tmp_path / "data") as server, sample(server, trusted) as place:
        note = place.blobs(place.storage_keys()[0]).get_blob_client("azureml", "note")
        note.upload_blob(b"hello")
        client, target = place.oras(place.passwords()["password"]), f"{place.login_server}/models/first:v1"
        client.push(target, files=[str(model)], disable_path_validation=True)
        [stored] = (server.folder / "registries").iterdir()
    with running(tmp_path / "data", "--no-doors", LINARITE_LRO="immediate") as server:
        owner = server.owner()
        for id_, version, body in (
            (place.beside.account, "2023-01-01", {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}),
            (place.beside.registry, "2023-07-01", {"sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True}}),
        ):
            assert owner.delete(id_, version=version).status_code < 300
            assert owner.put(id_, {"location": "eastus", **body}, version=version).status_code < 300
    with running(tmp_path / "data") as server, sample(server, trusted) as place:
        assert not place.blobs(place.storage_keys()[0]).get_blob_client("azureml", "note").exists()
        client = place.oras(place.registries.list_credentials(place.group, place.registry).passwords[0].value)
        with pytest.raises(ValueError, match="Not Found"):
            client.get_manifest(f"{place.login_server}/models/first:v1")
        until(lambda: not stored.exists(), "what the first registry stored is still there")


# ── doors that stay closed ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_open_door_is_announced(server: Server, blobs: str) -> None:
    assert announced(server) == ["doors: blob ✓ registry ✓ telemetry ✓"]


def test_a_terminal_without_the_marks_keeps_no_server_from_starting(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--seed", "none", PYTHONIOENCODING="latin-1") as server:
        assert announced(server)[0].startswith("doors: blob ?")


def test_no_doors_opens_none(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--no-doors") as server:
        assert server.known["doors"] == OFF
        assert announced(server) == ["doors: off"]
        assert not {"blobs", "registries", "telemetry"} & {path.name for path in server.folder.iterdir()}
        account = server.owner().get(ACCOUNT.format(server.subscription), version="2023-01-01").json()
        blob = account["properties"]["primaryEndpoints"]["blob"]
        assert blob == "https://testdemoworkazashomr.blob.core.windows.net/"


def test_without_azurite_the_other_doors_open_and_the_reason_is_said(
    tmp_path: Path, trusted: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    with running(tmp_path / "data", LINARITE_NODE_MODULES=str(tmp_path / "modules")) as server:
        marks, reason = announced(server)
        assert marks == "doors: blob ✗ registry ✓ telemetry ✓"
        assert reason.startswith(
            f"blob: The blob door needs Azurite, which is not installed in {tmp_path / 'modules'}."
        )
        assert server.known["doors"]["blob"] is None
        with sample(server, trusted) as place:
            place.regenerate_storage()
            with pytest.raises(ValueError, match="Not Found"):
                place.oras(place.passwords()["password"]).get_tags(f"{place.login_server}/models/first")
            send_trace(place.component().connection_string, "heard")
            assert len(place.events(place.component().app_id)) == 1


@pytest.mark.parametrize(("door", "place"), [("registry", 1), ("telemetry", 2), ("blob", 4)])
def test_a_door_whose_port_is_taken_stays_closed_and_says_so(tmp_path: Path, blobs: str, door: str, place: int) -> None:
    port = free_ports(6)
    with socket.create_server(("127.0.0.1", port + place)), running(tmp_path / "data", "--port", str(port)) as server:
        marks, reason = announced(server)
        assert f"{door} ✗" in marks
        assert marks.count("✗") == 1
        assert reason.startswith(f"{door}: ")
        assert str(port + place) in reason
        assert reason.endswith("--port 0 for any free one.")
        assert server.known["doors"][door] is None


def test_a_file_that_is_no_journal_and_a_folder_that_is_none_keep_their_doors_closed(tmp_path: Path) -> None:
    (tmp_path / "data" / "telemetry").mkdir(parents=True)
    (tmp_path / "data" / "telemetry" / "telemetry.sqlite").write_bytes(b"no database" * 1000)
    (tmp_path / "data" / "registries").write_text("no folder")
    with running(tmp_path / "data") as server:
        marks, *reasons = announced(server)
        assert "registry ✗ telemetry ✗" in marks
        assert "registry: The registry door cannot use" in reasons[-2]
        assert "telemetry: The telemetry door cannot use" in reasons[-1]
        assert server.owner().post(f"{server.workspace}/listKeys").status_code == 200
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("version", "content", "why"),
    [
        (999, b"", "a later release wrote it, which alone can read it."),
        (0, b"no index" * 1000, "file is not a database."),
    ],
)
def test_a_registry_that_cannot_be_used_keeps_its_door_closed(
    tmp_path: Path, version: int, content: bytes, why: str
) -> None:
    index = tmp_path / "data" / "registries" / "one" / "index.sqlite"
    index.parent.mkdir(parents=True)
    index.write_bytes(content)
    if version:
        with contextlib.closing(sqlite3.connect(index)) as later:
            later.execute(f"PRAGMA user_version = {version}")
    with running(tmp_path / "data") as server:
        marks, *reasons = announced(server)
        assert "registry ✗ telemetry ✓" in marks
        assert f"registry: The registry door cannot use {index}: {why}" in reasons
        assert server.known["doors"]["registry"] is None


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has now, drawn by lot: tests run beside each other."""
    for first in random.sample(range(20_000, 30_000, count), 100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise AssertionError("there are no free ports")
