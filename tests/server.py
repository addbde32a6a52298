"""A real Linarite for tests: its own process, TLS, a free port, its own folder; and clients that speak for somebody."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STARTS_WITHIN = 60.0
STOPS_WITHIN = 15.0
VERSION = "2023-10-01"


@dataclass
class Server:
    """A running server and what its ready file says."""

    process: subprocess.Popen[bytes]
    known: dict[str, Any]
    folder: Path
    log: Path
    callers: list[Caller] = field(default_factory=list)
    """Everybody who ever called; their connections are closed with the server."""

    @property
    def origin(self) -> str:
        return str(self.known["armEndpoint"])

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{self.known['subscriptionId']}"

    @property
    def group(self) -> str:
        return f"{self.subscription}/resourceGroups/{self.known['resourceGroup']}"

    @property
    def workspace(self) -> str:
        """Path of the sample workspace."""
        return f"{self.group}/providers/Microsoft.MachineLearningServices/workspaces/{self.known['workspace']}"

    def owner(self) -> Caller:
        """A client that is signed in as the owner."""
        return self.signed_in(self.known["clientId"], self.known["clientSecret"])

    def nobody(self) -> Caller:
        """A client without a token."""
        trust = ssl.create_default_context(cafile=self.known["caBundle"])
        self.callers.append(Caller(httpx.Client(base_url=self.origin, verify=trust, timeout=30)))
        return self.callers[-1]

    def signed_in(self, client_id: str, secret: str) -> Caller:
        caller = self.nobody()
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": f"{self.origin}/.default",
        }
        answer = caller.http.post(f"/{self.known['tenantId']}/oauth2/v2.0/token", data=form)
        answer.raise_for_status()
        caller.http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return caller

    def password(self) -> str:
        """That of the owner as a user, which the first start prints a moment after its ready file."""
        deadline = time.monotonic() + STARTS_WITHIN
        while " password " not in (said := self.log.read_text()):
            assert time.monotonic() < deadline, said
            time.sleep(0.02)
        return said.partition(" password ")[2].split()[0]

    def kill(self) -> None:
        """End it as a power cut would."""
        self._hang_up()
        self.process.kill()
        self.process.wait(STOPS_WITHIN)

    def stop(self) -> int:
        """End it as Ctrl-C would; answers its exit status."""
        self._hang_up()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOPS_WITHIN)

    def _hang_up(self) -> None:
        for caller in self.callers:
            caller.http.close()


@dataclass
class Caller:
    """Somebody who calls the API."""

    http: httpx.Client
    versions: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: Any = None, *, version: str | None = VERSION, **more: Any
    ) -> httpx.Response:
        """One request; `version` None sends no api-version."""
        params = dict(more.pop("params", {}))
        if version is not None:
            params.setdefault("api-version", version)
        return self.http.request(method, path, params=params, **({} if body is None else {"json": body}), **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.call("GET", path, **more)

    def put(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.call("PATCH", path, body, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return self.call("POST", path, body, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.call("DELETE", path, **more)

    def settled(self, answer: httpx.Response) -> httpx.Response:
        """Follow a 202 to its end; answers what its Location answers then."""
        deadline = time.monotonic() + STARTS_WITHIN
        while answer.status_code == httpx.codes.ACCEPTED:
            assert time.monotonic() < deadline, "the operation did not end in time"
            answer = self.http.get(answer.headers["location"])
        return answer


@contextlib.contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """Start a server on a folder and stop it at the end; what it said is shown where it does not start."""
    server = start(folder, *arguments, **environment)
    try:
        yield server
    finally:
        server.stop()


def start(folder: Path, *arguments: str, **environment: str) -> Server:
    """Start a server and wait until it answers."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    ready, log = folder.parent / f"{folder.name}-{uuid4().hex[:8]}.ready", folder.parent / f"{folder.name}.log"
    command = [sys.executable, "-m", "linarite", "up", "--data", str(folder), "--port", "0", "--ready-file", str(ready)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONWARNINGS": "error", **environment},
        )
    deadline = time.monotonic() + STARTS_WITHIN
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            message = f"the server did not start:\n{log.read_text()}"
            raise AssertionError(message)
        time.sleep(0.02)
    return Server(process, json.loads(ready.read_text()), folder, log)
