"""The ledger of the blob door: of which accounts its folder may hold something, and what of it has to be erased.

A name does not tell an account from a namesake that was made while the door was closed; when it was made does. What is
written here outlives the process, and is written before an account can store anything.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from linarite import whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from linarite.doors.blob.accounts import Account

FILE = "accounts.json"


class LedgerUnreadable(Exception):
    """The file is not what it should be; the message is a sentence."""


class Ledger:
    """Names and births of accounts, and the names of those whose content is to go."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is None where the door stores nothing that lasts."""
        self._path = folder / FILE if folder else None
        self._made: dict[str, str] = {}
        self.to_erase: set[str] = set()
        """Until a process has acknowledged it."""

    def open(self, accounts: Iterable[Account]) -> None:
        """Read the file, and take down that exactly these accounts are there now: what others stored is to go.

        Raises:
            LedgerUnreadable: it is damaged.
        """
        if self._path is not None and self._path.exists():
            try:
                kept = json.loads(self._path.read_bytes())
                self._made, self.to_erase = dict(kept["made"]), set(kept["erase"])
            except (ValueError, KeyError, TypeError) as error:
                message = f"{self._path} is damaged; to remove its folder empties the blob door."
                raise LedgerUnreadable(message) from error
        there = {account.name for account in accounts}
        self.to_erase |= self._made.keys() - there
        self._made = {name: made for name, made in self._made.items() if name in there}
        self.enter(accounts)

    def enter(self, accounts: Iterable[Account]) -> None:
        """Take down accounts that may store something from now on; what a namesake stored is to go."""
        for account in accounts:
            if self._made.setdefault(account.name, account.made) != account.made:
                self._made[account.name] = account.made
                self.to_erase.add(account.name)
        self._write()

    def strike(self, name: str) -> None:
        """Take down that what this account stored is to go."""
        self._made.pop(name, None)
        self.to_erase.add(name)
        self._write()

    def erased(self, names: Iterable[str]) -> None:
        """Take down that nothing of these is left."""
        self.to_erase.difference_update(names)
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole.put(self._path, json.dumps({"made": self._made, "erase": sorted(self.to_erase)}).encode())
