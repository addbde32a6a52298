"""A headless Chromium that is driven as a person does: by keys alone, over the pipe that it offers for that.

It trusts one key, that of the server's certificate, and checks every other certificate.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import signal
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHIN = 60.0
"""Seconds in which a page is there, also on a busy machine."""

SHOWN = """
document.readyState == 'complete'
    && (!document.querySelector('[autofocus]') || document.activeElement.matches('[autofocus]'))
    ? document.body.innerText : ''
"""
"""What a page shows once it is there; the focus goes where the page wants it a moment after it is complete."""


@dataclass
class Chromium:
    """One page of a running browser."""

    to: int
    """What it reads, as a file."""
    back: int
    session: str = ""
    number: int = 0
    read: bytes = field(default=b"", repr=False)

    def begin(self) -> None:
        """Take hold of the one page there is."""
        deadline = time.monotonic() + WITHIN
        while not (pages := [one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page"]):
            assert time.monotonic() < deadline, "the browser shows no page"
        attached = self.ask("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self.session = attached["sessionId"]

    def open(self, address: str) -> None:
        self.ask("Page.navigate", url=address)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.ask("Input.insertText", text=text)

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13}[key]
        more = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def until(self, text: str) -> None:
        """Wait until a text is shown, and something on the page has the focus if it asks for it."""
        deadline = time.monotonic() + WITHIN
        while text not in (shown := self.evaluate(SHOWN)):
            assert time.monotonic() < deadline, f"{self.evaluate('location.href')} shows: {shown}"
            time.sleep(0.05)

    def evaluate(self, expression: str) -> str:
        answer = self.ask("Runtime.evaluate", expression=expression)
        return str(answer["result"].get("value", ""))

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command, and wait for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self.number:
                return answer.get("result", {})

    def _message(self) -> Any:
        while b"\0" not in self.read:
            chunk = os.read(self.back, 65536)
            assert chunk, "the browser has ended"
            self.read += chunk
        text, _, self.read = self.read.partition(b"\0")
        return json.loads(text)


@contextlib.contextmanager
def browsing(program: str, folder: Path, origin: str) -> Iterator[Chromium]:
    """A browser with a profile of its own."""
    hears, to = os.pipe()
    back, says = os.pipe()
    command = [
        program,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={_key_of(origin)}",
        f"--user-data-dir={folder}",
        "--remote-debugging-pipe",
        "about:blank",
    ]

    def take_the_pipes() -> None:
        os.dup2(hears, 13)
        os.dup2(says, 14)
        os.dup2(13, 3)
        os.dup2(14, 4)

    process = subprocess.Popen(
        command,
        preexec_fn=take_the_pipes,  # noqa: PLW1509 - only moves files, and no other thread starts here
        close_fds=False,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (hears, says):
        os.close(end)
    try:
        browser = Chromium(to, back)
        browser.begin()
        yield browser
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(WITHIN)
        for end in (to, back):
            os.close(end)


def _key_of(origin: str) -> str:
    """The digest of the public key of a server's certificate, as Chromium wants to be told of it."""
    where = urlsplit(origin)
    certificate = load_pem_x509_certificate(
        ssl.get_server_certificate((str(where.hostname), int(where.port or 443))).encode()
    )
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
