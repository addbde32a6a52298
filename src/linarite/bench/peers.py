"""Servers that people use for the same purpose, where they are installed; and nginx as a second yardstick."""

from __future__ import annotations

import base64
import contextlib
import getpass
import hashlib
import hmac
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from email.utils import formatdate
from typing import TYPE_CHECKING

from linarite.bench.load import Shot
from linarite.bench.subjects import STARTS_WITHIN, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own account and key, which are public."""


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[Subject | None]:
    """Moto's server: get-secret-value, what a mock of a key service answers."""
    if importlib.util.find_spec("moto") is None:
        yield None
        return
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _process(folder / "moto.log", command, port) as pid:
        headers = {
            "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/secretsmanager/aws4_request, "
            "SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.1",
        }
        url = f"http://127.0.0.1:{port}/"
        _once(url, {**headers, "X-Amz-Target": "secretsmanager.CreateSecret"}, '{"Name": "a", "SecretString": "b"}')
        get = {**headers, "X-Amz-Target": "secretsmanager.GetSecretValue"}
        yield Subject("moto", pid, Shot(url, "POST", get, '{"SecretId": "a"}'))


@contextlib.contextmanager
def azurite(folder: Path, modules: Path) -> Iterator[Subject | None]:
    """Azurite: properties of a container, asked for with the account's key."""
    node, script = shutil.which("node"), modules / "azurite/dist/src/blob/main.js"
    if node is None or not script.exists():
        yield None
        return
    port = _free_port()
    options = ("--silent", "--skipApiVersionCheck", "--blobPort", str(port), "--location", str(folder / "azurite"))
    command = [node, str(script), *options]
    with _process(folder / "azurite.log", command, port) as pid:
        url = f"http://127.0.0.1:{port}/{_ACCOUNT}/bench?restype=container"
        _once(url, _signed("PUT"), "", "PUT")
        yield Subject("azurite", pid, Shot(url, "GET", _signed("GET")))


def _signed(method: str) -> dict[str, str]:
    """Headers of a SharedKey request on the container (Microsoft's "Authorize with Shared Key")."""
    date, version = formatdate(usegmt=True), "2021-10-04"
    resource = f"/{_ACCOUNT}/{_ACCOUNT}/bench\nrestype:container"
    text = f"{method}{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n{resource}"
    digest = hmac.digest(base64.b64decode(_KEY), text.encode(), hashlib.sha256)
    signature = base64.b64encode(digest).decode()
    return {"x-ms-date": date, "x-ms-version": version, "Authorization": f"SharedKey {_ACCOUNT}:{signature}"}


@contextlib.contextmanager
def nginx(folder: Path, certificates: Path, body: str) -> Iterator[Subject | None]:
    """Nginx with one worker, under the same certificate, answering the same bytes."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    port = _free_port()
    (folder / "answer").write_text(body)
    config = folder / "nginx.conf"
    # Started by root, its worker would be somebody else, who may not read the folder.
    user = f"user {getpass.getuser()};" if os.getuid() == 0 else ""
    config.write_text(
        f"daemon off; {user} worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; keepalive_requests 1000000; server {{ listen 127.0.0.1:{port} ssl;\n"
        f"ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;\n"
        f"error_page 405 =200 $uri; location / {{ root {folder}; try_files /answer =404; }} }} }}\n"
    )
    with _process(folder / "nginx.out", [program, "-c", str(config), "-p", str(folder)], port) as pid:
        yield Subject("nginx", pid, Shot(f"https://127.0.0.1:{port}/", "GET"))


@contextlib.contextmanager
def _process(log: Path, command: list[str], port: int) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + STARTS_WITHIN
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            process.wait(STARTS_WITHIN)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _once(url: str, headers: Mapping[str, str], body: str, method: str = "POST") -> None:
    # The address is that of a server which was just started on loopback.
    request = urllib.request.Request(url, body.encode() or None, dict(headers), method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=STARTS_WITHIN) as answer:  # noqa: S310
        answer.read()
