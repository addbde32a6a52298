"""The blob door, open for what was last pushed: accounts with their keys, and whose tokens count.

A process that does not acknowledge a push is killed, so that an old key can not outlive it, and every new process opens
with the newest accounts before it listens. What it does not know is anything of Azure's resources.

What a crash can lose: a blob's bytes are synced to disk before the upload is answered, but Azurite keeps the index that
says which blobs there are in memory and writes it at intervals (`Layout.save_every`, a quarter of a second, longer once
the index is so large that writing it takes more than a fifth of the time). If the Node process is killed or the machine
stops, changes of that last interval are gone although they were answered. Nothing is lost by a clean stop, and nothing
when only this process is killed: Node sees its stdin close, saves and leaves.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from linarite.doors.blob.child import launch
from linarite.doors.blob.installed import environment_of_node, find_azurite, find_node
from linarite.doors.blob.layout import Ports
from linarite.doors.blob.ledger import Ledger, LedgerUnreadable
from linarite.doors.keeper import GENTLE, OPENS_WITHIN, Keeper, KeptDoor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from linarite.doors.blob.accounts import Account, BlobDesk, Trust
    from linarite.doors.blob.layout import Layout
    from linarite.doors.keeper import Restarts
    from linarite.doors.process import Child

log = logging.getLogger("linarite.doors.blob")


class BlobDoor(KeptDoor):
    """Azurite's blob, queue and table service, from `start` until `stop`."""

    def __init__(
        self,
        layout: Layout,
        desk: BlobDesk,
        environment: Mapping[str, str],
        *,
        restarts: Restarts = GENTLE,
        acknowledged_within: float = 10.0,
    ) -> None:
        """`environment` is where Node is looked for and what it inherits a few names from, usually `os.environ`."""
        self._layout = layout
        self._desk = desk
        self._environment = environment
        self._within = acknowledged_within
        self._accounts: dict[str, Account] = {}
        self._trust: Trust | None = None
        self._ledger = Ledger(layout.folder)
        self._ports = layout.ports
        self._keeper = Keeper("The blob door", "Azurite", log, restarts)
        self.on_opened: Callable[[], None] = lambda: None
        """Called when a process has opened the door; a successor may have forgotten the newest containers."""

    @property
    def ports(self) -> Ports:
        """The ports in use."""
        return self._ports

    def origin(self, service: str) -> str:
        """`https://localhost:10000` or the like, for `blob`, `queue` or `table`; an account's name follows as path."""
        return self._layout.origin(getattr(self._ports, service))

    async def start(self, accounts: Iterable[Account] = (), trust: Trust | None = None) -> None:
        """Open the door with these accounts; returns when all three ports answer.

        Raises:
            NotInstalled: no Node, or no Azurite. DoorDown: it did not start, for instance because of a port.
        """
        self._accounts = {account.name: account for account in accounts}
        self._trust = trust
        node = await asyncio.to_thread(find_node, self._environment)
        azurite = find_azurite(self._layout.modules)
        try:
            self._ledger.open(self._accounts.values())
        except (LedgerUnreadable, OSError) as error:
            raise self._keeper.failed(error) from error
        await self._keeper.start(
            partial(launch, node, self._node_environment(), self._desk), partial(self._open, azurite)
        )

    async def set_accounts(self, accounts: Iterable[Account]) -> None:
        """Exactly these accounts exist from now on; when this returns, no other key opens anything.

        What an account stored stays on disk and is back when the account is, unless `erase` is called as well.

        Raises:
            DoorDown: not acknowledged in time; the accounts are in force as soon as the door is open again.
        """
        wanted = {account.name: account for account in accounts}
        changed = [account for name, account in wanted.items() if self._accounts.get(name) != account]
        gone = [name for name in self._accounts if name not in wanted]
        self._accounts = wanted
        await self._enter(changed)
        # Sent even where nothing changed: another push of the same may still be on its way.
        await self._order("accounts", {"put": [account.wire() for account in changed], "drop": gone})

    async def put_account(self, account: Account) -> None:
        """Add this account, or replace its keys; otherwise as `set_accounts`."""
        self._accounts[account.name] = account
        await self._enter([account])
        await self._order("accounts", {"put": [account.wire()], "drop": []})

    async def drop_account(self, name: str, *, erase: bool) -> None:
        """The account is no more; with `erase`, what it stored is forgotten, so that a namesake starts empty.

        Raises:
            DoorDown: not acknowledged in time; it is in force as soon as the door is open again.
        """
        self._accounts.pop(name, None)
        if erase:
            self._ledger.strike(name)
            await self._erase([name])
        else:
            await self._order("accounts", {"put": [], "drop": [name]})

    async def set_trust(self, trust: Trust | None) -> None:
        """From now on only these tokens count; None: no token does."""
        self._trust = trust
        await self._order("trust", trust.wire() if trust else None)

    async def ensure_containers(self, account: str, names: Iterable[str]) -> None:
        """These containers exist in that account when this returns, whether or not they did before."""
        await self._order("containers", {"account": account, "names": list(names)})

    async def _enter(self, accounts: list[Account]) -> None:
        """Note accounts that may store something from now on, and erase what namesakes of theirs stored."""
        self._ledger.enter(accounts)
        await self._erase([account.name for account in accounts if account.name in self._ledger.to_erase])

    async def _erase(self, names: list[str]) -> None:
        if names:
            await self._order("accounts", {"put": [], "drop": names})
            await self._order("erase", names)
            self._ledger.erased(names)

    async def _order(self, verb: str, given: object) -> None:
        """Every order may be repeated without harm, so a successor is simply told again."""
        await self._keeper.order(verb, given, within=self._within)

    async def _open(self, azurite: Path, child: Child) -> str:
        # Accounts pushed from here on are not among these: their orders wait until the door is open, and follow.
        opening = {
            **self._layout.wire(azurite, self._ports),
            "accounts": [account.wire() for account in self._accounts.values()],
            "erase": sorted(self._ledger.to_erase),
            "trust": self._trust.wire() if self._trust else None,
        }
        opened = await child.order("open", opening, within=OPENS_WITHIN)
        self._ledger.erased(opening["erase"])
        self._ports = Ports(**opened["ports"])
        self.on_opened()
        return self.origin("blob")

    def _node_environment(self) -> dict[str, str]:
        passed = environment_of_node(self._environment)
        if self._layout.ca_bundle is not None:
            passed["NODE_EXTRA_CA_CERTS"] = str(self._layout.ca_bundle)
        return passed
