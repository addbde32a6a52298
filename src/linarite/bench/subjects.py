"""What is measured: Linarite's own operations, the constant answer beside them, and peers where they are installed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from linarite.bench.load import NoLoad, Shot
from linarite.client import Client, workspace_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STARTS_WITHIN = 60.0
VERSION = "2023-10-01"
STORAGE = "2023-01-01"
GROUP = "bench"


@dataclass(frozen=True, slots=True)
class Subject:
    """A name, the process that serves it, and what is asked of it."""

    name: str
    pid: int
    shot: Shot


@contextlib.contextmanager
def linarite(folder: Path, workers: int) -> Iterator[tuple[dict[str, Any], int]]:
    """A server of our own on a folder; answers its ready file and process."""
    folder.mkdir(mode=0o700, exist_ok=True)
    ready = folder / "bench-ready.json"
    command = [sys.executable, "-m", "linarite", "up", "--data", str(folder), "--port", "0", "--no-doors"]
    with (folder / "bench.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", str(workers), "--ready-file", str(ready)],
            stdout=log,
            stderr=log,
            env={**os.environ, "LINARITE_LRO": "immediate"},
        )
        try:
            _until(ready.exists, process, folder / "bench.log")
            yield json.loads(ready.read_text()), process.pid
        finally:
            process.terminate()
            process.wait(STARTS_WITHIN)


def own(known: dict[str, Any], pid: int, listed: int) -> list[Subject]:
    """Linarite's operations: on the sample workspace, and on a group with `listed` storage accounts."""
    client = Client(known)
    client.sign_in()
    bearer = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
    base, subscription = known["armEndpoint"], f"/subscriptions/{known['subscriptionId']}"
    account = f"{subscription}/resourceGroups/ragargeastus2euap/providers/Microsoft.Storage/storageAccounts"
    workspace = workspace_path(known, None)
    _fill(client, subscription, listed)
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": known["clientId"],
            "client_secret": known["clientSecret"],
            "scope": f"{base}/.default",
        }
    )
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}

    def at(path: str, version: str = VERSION) -> str:
        return f"{base}{path}?api-version={version}"

    shots = {
        "listKeys": Shot(at(f"{workspace}/listKeys"), "POST", bearer),
        "getWorkspace": Shot(at(workspace), "GET", bearer),
        f"list{listed}": Shot(at(account.replace("ragargeastus2euap", GROUP), STORAGE), "GET", bearer),
        "token": Shot(f"{base}/{known['tenantId']}/oauth2/v2.0/token", "POST", form_type, form),
        "putWorkspace": Shot(at(workspace), "PUT", bearer, _again(client, workspace)),
        "regenerateKey": Shot(
            at(f"{account}/testdemoworkazashomr/regenerateKey", STORAGE), "POST", bearer, '{"keyName": "key2"}'
        ),
    }
    return [Subject(name, pid, shot) for name, shot in shots.items()]


def _again(client: Client, workspace: str) -> str:
    """The body that makes a workspace what it is, as a client would send it to create it."""
    shown = client.call("GET", workspace, VERSION).body
    linked = ("keyVault", "applicationInsights", "containerRegistry", "storageAccount")
    properties = {name: shown["properties"][name] for name in linked}
    identity = {"type": shown["identity"]["type"]}
    return json.dumps({"location": shown["location"], "identity": identity, "properties": properties})


def _fill(client: Client, subscription: str, many: int) -> None:
    """A group with so many storage accounts."""
    client.call("PUT", f"{subscription}/resourceGroups/{GROUP}", "2024-11-01", {"location": "eastus"})
    for _ in range(many):
        path = f"{subscription}/resourceGroups/{GROUP}/providers/Microsoft.Storage/storageAccounts/b{uuid4().hex[:20]}"
        client.call("PUT", path, STORAGE, {"location": "eastus", "sku": {"name": "Standard_LRS"}})


@contextlib.contextmanager
def constant(folder: Path, body: str, headers: list[tuple[str, str]], like: Shot) -> Iterator[Subject]:
    """The yardstick, with the bytes of a real answer to the same request."""
    process = subprocess.Popen(
        [sys.executable, "-m", "linarite.bench.constant", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        message = "The yardstick did not start."
        raise NoLoad(message)
    try:
        process.stdin.write(json.dumps({"headers": headers, "body": body}) + "\n")
        process.stdin.flush()
        origin = process.stdout.readline().strip()
        path = urlsplit(like.url)._replace(scheme="", netloc="").geturl()
        yield Subject("constant", process.pid, replace(like, url=f"{origin}{path}"))
    finally:
        process.stdin.close()
        process.wait(STARTS_WITHIN)


def _until(holds: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not holds():
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"A server of the bench did not start: {log.read_text(errors='replace')[-500:]}"
            raise NoLoad(message)
        time.sleep(0.02)
