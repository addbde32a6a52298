"""Keeps the blob door open: starts Node, pushes accounts and keys, starts it again when it dies, ends it for certain.

What is in force is what was last pushed: a process that does not acknowledge a push is killed, so that an old key can
not outlive it, and every new process opens with the newest accounts before it listens. What it does not know is
anything of Azure's resources.

What a crash can lose: a blob's bytes are synced to disk before the upload is answered, but Azurite keeps the index that
says which blobs there are in memory and writes it at intervals (`Layout.save_every`, a quarter of a second, longer once
the index is so large that writing it takes more than a fifth of the time). If the Node process is killed or the machine
stops, changes of that last interval are gone although they were answered. Nothing is lost by a clean stop, and nothing
when only this process is killed: Node sees its stdin close, saves and leaves.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from linarite.doors.blob.child import BlobDoorDown, launch
from linarite.doors.blob.installed import environment_of_node, find_azurite, find_node
from linarite.doors.blob.layout import GENTLE, Ports
from linarite.doors.blob.ledger import Ledger, LedgerUnreadable
from linarite.doors.process import ChildGone, OrderRefused, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from linarite.doors.blob.accounts import Account, BlobDesk, Trust
    from linarite.doors.blob.layout import Layout, Restarts
    from linarite.doors.process import Child

OPENS_WITHIN = 60.0
"""Seconds a process may take from its start until its ports answer."""

log = logging.getLogger("linarite.doors.blob")


class BlobDoor:
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
        self._restarts = restarts
        self._within = acknowledged_within
        self._accounts: dict[str, Account] = {}
        self._trust: Trust | None = None
        self._ledger = Ledger(layout.folder)
        self._ports = layout.ports
        self._child: Child | None = None
        self._fault: str | None = "The blob door was not started."
        self._settled = asyncio.Event()  # clear while a process is being started: serving, or closed with a fault
        self._settled.set()
        self._keeper: asyncio.Task[None] | None = None
        self.on_reopened: Callable[[], None] = lambda: None
        """Called when a process has replaced one that died, and may have forgotten its last containers."""

    @property
    def pid(self) -> int | None:
        """The Node process that serves, or None while there is none."""
        return self._child.pid if self._child is not None and self._settled.is_set() and not self._fault else None

    @property
    def fault(self) -> str | None:
        """Why the door is closed, in a sentence; None while it is open, or is being opened again."""
        return self._fault

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
            NotInstalled: no Node, or no Azurite. BlobDoorDown: it did not start, for instance because of a port.
        """
        self._accounts = {account.name: account for account in accounts}
        self._trust = trust
        node = await asyncio.to_thread(find_node, self._environment)
        azurite = find_azurite(self._layout.modules)
        try:
            self._ledger.open(self._accounts.values())
            await self._launch(node, azurite)
        except (ChildGone, OrderRefused, LedgerUnreadable, TimeoutError, OSError) as error:
            self._fault = f"Azurite did not start: {reason(error)}"
            raise BlobDoorDown(self._fault) from error
        self._keeper = asyncio.create_task(self._keep(node, azurite))

    async def stop(self) -> None:
        """Close the door; what was stored is saved, and no process is left when this returns."""
        self._fault = "The blob door was stopped."
        self._settled.set()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        if self._child is not None:
            await self._child.stop()
            self._child = None

    async def set_accounts(self, accounts: Iterable[Account]) -> None:
        """Exactly these accounts exist from now on; when this returns, no other key opens anything.

        What an account stored stays on disk and is back when the account is, unless `erase` is called as well.

        Raises:
            BlobDoorDown: not acknowledged in time; the accounts are in force as soon as the door is open again.
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
            BlobDoorDown: not acknowledged in time; it is in force as soon as the door is open again.
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
        deadline = asyncio.get_running_loop().time() + self._within
        while True:
            child = await self._serving(deadline)
            try:
                await child.order(verb, given, within=self._within)
            except ChildGone:
                if self._child is child and self._fault is None:
                    self._settled.clear()
            except TimeoutError as error:
                child.kill()
                message = f"The blob door did not acknowledge within {self._within:g} s; its process was ended."
                raise BlobDoorDown(message) from error
            else:
                return

    async def _serving(self, deadline: float) -> Child:
        try:
            async with asyncio.timeout_at(deadline):
                await self._settled.wait()
        except TimeoutError as error:
            message = f"The blob door did not come back within {self._within:g} s."
            raise BlobDoorDown(message) from error
        if self._fault is not None or self._child is None:
            raise BlobDoorDown(self._fault or "The blob door is closed.")
        return self._child

    async def _launch(self, node: Path, azurite: Path) -> None:
        child = await launch(node, self._node_environment(), self._desk)
        self._child = child
        # Accounts pushed from here on are not among these: their orders wait until the door is open, and follow.
        opening = {
            **self._layout.wire(azurite, self._ports),
            "accounts": [account.wire() for account in self._accounts.values()],
            "erase": sorted(self._ledger.to_erase),
            "trust": self._trust.wire() if self._trust else None,
        }
        try:
            opened = await child.order("open", opening, within=OPENS_WITHIN)
        except BaseException:
            child.kill()
            await child.ended.wait()
            raise
        self._ledger.erased(opening["erase"])
        self._ports = Ports(**opened["ports"])
        self._fault = None
        self._settled.set()
        log.info("The blob door is open at %s (process %d).", self.origin("blob"), child.pid)

    def _node_environment(self) -> dict[str, str]:
        passed = environment_of_node(self._environment)
        if self._layout.ca_bundle is not None:
            passed["NODE_EXTRA_CA_CERTS"] = str(self._layout.ca_bundle)
        return passed

    async def _keep(self, node: Path, azurite: Path) -> None:
        """Replace the process each time it dies, until it has died too often."""
        clock = asyncio.get_running_loop().time
        deaths = 0
        while self._child is not None:
            born = clock()
            await self._child.ended.wait()
            self._settled.clear()
            deaths = 1 if clock() - born >= self._restarts.settled else deaths + 1
            while not self._settled.is_set():
                if deaths > self._restarts.attempts:
                    self._give_up(deaths)
                    return
                log.warning("Azurite ended; it is started again (%d of %d).", deaths, self._restarts.attempts)
                await asyncio.sleep(self._restarts.delay(deaths))
                try:
                    await self._launch(node, azurite)
                except (ChildGone, OrderRefused, TimeoutError, OSError) as error:
                    log.warning("Azurite did not start: %s", reason(error))
                    deaths += 1
                else:
                    self.on_reopened()

    def _give_up(self, deaths: int) -> None:
        self._fault = f"The blob door is closed: Azurite ended {deaths} times in a row. See its log."
        self._settled.set()
        log.error("%s", self._fault)
