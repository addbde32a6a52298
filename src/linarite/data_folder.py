"""The data folder of an instance: held by one server at a time, and where the ready file tells clients of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from linarite import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class FolderTrouble(Exception):
    """The data folder cannot be used, or another server runs on it; the message is a sentence for the command line."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What clients need to know of a running instance."""

    content: dict[str, Any]
    """What the ready file says."""
    closed: Mapping[str, str] = field(default_factory=dict)
    """Doors that could not be opened, with the reason in a sentence; not in the file."""
    owner: tuple[str, str] | None = field(default=None, repr=False)
    """The user that this start made, and the password: not in the file, nor anywhere else."""

    def write(self, path: Path) -> None:
        """Write it whole or not at all, for its owner's eyes only.

        Raises:
            FolderTrouble: it cannot be written there.
        """
        try:
            whole.put(path, f"{json.dumps(self.content, indent=2)}\n".encode())
        except OSError as error:
            message = f"The ready file {path} cannot be written: {error.strerror}. Choose another with --ready-file."
            raise FolderTrouble(message) from error


@contextlib.contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the data folder, made where it is missing, against a second server."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"The data folder {data} cannot be used: {error.strerror}. Choose another with --data."
        raise FolderTrouble(message) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        message = f"Another server runs on {data}. Use it (`linarite env`), or choose another folder with --data."
        raise FolderTrouble(message) from error
    finally:
        os.close(lock)
