"""A workspace of a test's own on a server with the notebook door open, and visitors who show this or that there."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import websocket

from tests.doors.place import refusals, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from tests.server import Caller, Server

ROOT_KEY = "cm9vdCBrZXkgb2YgdGhlIG5vdGVib29rcycgdGVzdHM="
SIGN_IN = "Microsoft.MachineLearningServices/workspaces/notebooks/signIn"
PATIENCE = 30.0
"""Seconds within which everything has to happen that is waited for."""
CLOSES_WITHIN = 20.0
"""Seconds after a change until a websocket is closed: less than it takes until all are looked at anyway."""


def settle(server: Server, owner: Caller) -> Office:
    """A workspace of its own, whose notebook is prepared."""
    name = uuid4().hex[:12]
    group = f"{server.subscription}/resourceGroups/rg-{name}"
    near = f"{group}/providers"
    links = {
        "storageAccount": f"{near}/Microsoft.Storage/storageAccounts/st{name}",
        "keyVault": f"{near}/Microsoft.KeyVault/vaults/kv{name}",
        "applicationInsights": f"{near}/Microsoft.Insights/components/ai{name}",
    }
    vault = {"tenantId": server.known["tenantId"], "sku": {"family": "A", "name": "standard"}}
    for path, version, body in (
        (group, "2024-11-01", {}),
        (links["storageAccount"], "2023-01-01", {"sku": {"name": "Standard_LRS"}}),
        (links["keyVault"], "2023-07-01", {"properties": vault}),
        (links["applicationInsights"], "2020-02-02", {"kind": "web"}),
    ):
        assert owner.put(path, {"location": "eastus", **body}, version=version).is_success
    workspace = f"{near}/Microsoft.MachineLearningServices/workspaces/w{name}"
    office = Office(server, owner, group, links, workspace)
    office.make()
    return office


@dataclass
class Office:
    """A workspace with its keys."""

    server: Server
    owner: Caller
    group: str
    links: dict[str, str]
    workspace: str
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def primary(self) -> str:
        return self.keys["primaryAccessKey"]

    @property
    def door(self) -> Door:
        return Door(self.server.known["doors"]["notebook"], self.server.known["caBundle"])

    def prepare(self) -> None:
        assert self.owner.post(f"{self.workspace}/prepareNotebook").status_code == 200
        self.keys = self.owner.post(f"{self.workspace}/listNotebookKeys").json()

    def access_token(self) -> str:
        return str(self.owner.post(f"{self.workspace}/listNotebookAccessToken").json()["accessToken"])

    def delete(self, **query: str) -> None:
        """In the end deleted, whichever process of the server does it."""
        self.owner.settled(self.owner.delete(self.workspace, params=query))

    def make(self) -> None:
        body = {"location": "eastus", "properties": self.links}
        assert self.owner.put(self.workspace, body).status_code == 200
        self.prepare()

    def refusals(self, path: str) -> list[Mapping[str, Any]]:
        """Entries about refusals at the door under that path, which is a test's own."""
        return [one for one in refusals(self.server, action=SIGN_IN) if path in one["target"]]


@dataclass(frozen=True)
class Door:
    """An open notebook door."""

    origin: str
    bundle: str

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.bundle)

    @contextlib.contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Somebody who keeps cookies."""
        with httpx.Client(base_url=self.origin, verify=self.trust(), timeout=PATIENCE) as browser:
            yield browser

    def get(self, path: str = "/api/kernels", **shown: Any) -> httpx.Response:
        """One request of somebody who has no cookies."""
        with self.browser() as browser:
            return browser.get(path, **shown)

    def status(self, key: str) -> int:
        return self.get(headers={"authorization": f"token {key}"}).status_code

    def start_kernel(self, key: str) -> str:
        """Id of a new kernel."""
        with self.browser() as browser:
            answer = browser.post("/api/kernels", headers={"authorization": f"token {key}"})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["id"])

    def kernel_pid(self, key: str) -> int:
        """Process id of a new kernel."""
        with self.channels(self.start_kernel(key), key) as socket:
            return int(compute(socket, "import os; print(os.getpid())"))

    @contextlib.contextmanager
    def socket(self, path: str, key: str | None, way: str = "token", **more: Any) -> Iterator[websocket.WebSocket]:
        """An open websocket."""
        header = [f"authorization: {way} {key}"] if key else []
        address = f"wss://{self.origin.partition('://')[2]}{path}"
        trust = {"context": self.trust()}
        socket = websocket.create_connection(address, PATIENCE, header=header, sslopt=trust, **more)
        with contextlib.closing(socket):
            yield socket

    def channels(self, kernel: str, key: str | None, way: str = "token") -> AbstractContextManager[websocket.WebSocket]:
        """An open websocket to a kernel."""
        return self.socket(f"/api/kernels/{kernel}/channels", key, way)


def ask(socket: websocket.WebSocket, code: str) -> str:
    """Let the kernel behind a websocket compute something; answers the message's id."""
    header = {"msg_id": uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    header |= {"username": "", "session": uuid4().hex, "date": ""}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    asked = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
    socket.send(json.dumps(asked))
    return header["msg_id"]


def compute(socket: websocket.WebSocket, code: str) -> str:
    """What the kernel behind a websocket prints."""
    asked, printed = ask(socket, code), ""
    while True:
        said = json.loads(socket.recv())
        if said["parent_header"].get("msg_id") != asked:
            continue
        if said["msg_type"] == "stream":
            printed += said["content"]["text"]
        if said["msg_type"] == "status" and said["content"]["execution_state"] == "idle":
            return printed


def closing_code(socket: websocket.WebSocket) -> int:
    """Wait until the other side closes; answers the code with which it does."""
    deadline = time.monotonic() + CLOSES_WITHIN
    socket.settimeout(CLOSES_WITHIN)
    while (frame := socket.recv_frame()).opcode != websocket.ABNF.OPCODE_CLOSE:
        assert time.monotonic() < deadline, "it is open still"
    return int.from_bytes(frame.data[:2])


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended, and waits for whoever started it, does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    return not Path("/proc/self").exists()


def jupyter_of(server: Server) -> int:
    """Process id of the Jupyter behind the door, as the server last logged it."""
    [*_, line] = [one for one in server.log.read_text().splitlines() if "The notebook door is open" in one]
    return int(line.rpartition("process ")[2].rstrip(")."))


def gone(*pids: int) -> None:
    """Wait until none of these processes is left."""
    until(lambda: not any(map(is_alive, pids)), f"of {pids} some are left")


def nowhere(folder: Path) -> str:
    """A folder without Azurite, for a server that needs no blob door."""
    (folder / "no-modules").mkdir(exist_ok=True)
    return str(folder / "no-modules")
