"""Keeps the notebook door open: starts Jupyter Server, starts it again when it dies, ends it for certain.

Nobody is let in by what was pushed: the process asks at every request. What it is told is when to ask about the
websockets that are open; a process that does not acknowledge that is ended, and they with it. What this module does not
know is anything of workspaces.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from typing import TYPE_CHECKING

from linarite.doors.blob import Restarts
from linarite.doors.notebook.child import NotebookDoorDown, launch
from linarite.doors.process import ChildGone, OrderRefused, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.notebook.desk import NotebookDesk
    from linarite.doors.notebook.layout import Layout
    from linarite.doors.process import Child

PACKAGES = {"jupyter_server": "Jupyter Server", "ipykernel": "ipykernel"}
"""What the process imports, and how each is called."""
OPENS_WITHIN = 60.0
"""Seconds a process may take from its start until its port answers."""

log = logging.getLogger("linarite.doors.notebook")


class NotebookDoor:
    """Jupyter Server, from `start` until `stop`."""

    def __init__(
        self,
        layout: Layout,
        desk: NotebookDesk,
        environment: Mapping[str, str],
        *,
        restarts: Restarts | None = None,
        acknowledged_within: float = 10.0,
    ) -> None:
        """`environment` is what the process inherits a few names from, usually `os.environ`."""
        self._layout = layout
        self._desk = desk
        self._environment = layout.environment(environment)
        self._restarts = restarts or Restarts()
        self._within = acknowledged_within
        self._port = layout.port
        self._child: Child | None = None
        self._serving: Child | None = None
        """The newest process that opened the door; another one than `_child` while that is starting."""
        self._fault: str | None = "The notebook door was not started."
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves, or None while there is none."""
        child = self._serving
        return child.pid if child is not None and not child.ended.is_set() and not self._fault else None

    @property
    def fault(self) -> str | None:
        """Why the door is closed, in a sentence; None while it is open, or is being opened again."""
        return self._fault

    @property
    def origin(self) -> str:
        """`https://localhost:8450` or the like."""
        return self._layout.origin(self._port)

    async def start(self) -> None:
        """Open the door; returns when its port answers.

        Raises:
            NotebookDoorDown: Jupyter Server is not installed, or did not start, for instance because of the port.
            OSError: a folder cannot be had.
        """
        if missing := [name for package, name in PACKAGES.items() if importlib.util.find_spec(package) is None]:
            message = (
                f"The notebook door needs {' and '.join(missing)}, which this Python does not have: "
                "pip install 'linarite[notebook]'."
            )
            raise NotebookDoorDown(message)
        for folder in (self._layout.notebooks, self._layout.jupyter):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            await self._launch()
        except (ChildGone, OrderRefused, TimeoutError, OSError) as error:
            self._fault = f"Jupyter Server did not start: {reason(error)}"
            raise NotebookDoorDown(self._fault) from error
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Close the door; neither a kernel nor the process is left when this returns."""
        self._fault = "The notebook door was stopped."
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        if self._child is not None:
            await self._child.stop()
            self._child = None

    async def check(self) -> None:
        """Something changed: when this returns, no websocket is open whose key does not count any more."""
        child = self._child
        if child is None:
            return
        within = self._within if child is self._serving else OPENS_WITHIN
        try:
            await child.order("check", within=within)
        except ChildGone:
            pass  # and its websockets with it
        except TimeoutError:
            log.warning("Jupyter did not say within %g s that it looked at its websockets; it is ended.", within)
            child.kill()
            await child.ended.wait()

    async def _launch(self) -> None:
        child = await launch(self._environment, self._desk)
        self._child = child
        try:
            opened = await child.order("open", self._layout.wire(self._port), within=OPENS_WITHIN)
        except BaseException:
            child.kill()
            await child.ended.wait()
            raise
        self._port = opened["port"]
        self._serving = child
        self._fault = None
        log.info("The notebook door is open at %s (process %d).", self.origin, child.pid)

    async def _keep(self) -> None:
        """Replace the process each time it dies, until it has died too often."""
        clock = asyncio.get_running_loop().time
        deaths = 0
        while self._child is not None:
            born = clock()
            await self._child.ended.wait()
            deaths = 1 if clock() - born >= self._restarts.settled else deaths + 1
            while self._child.ended.is_set():
                if deaths > self._restarts.attempts:
                    self._fault = f"The notebook door is closed: Jupyter Server ended {deaths} times in a row."
                    log.error("%s", self._fault)
                    return
                log.warning("Jupyter ended; it is started again (%d of %d).", deaths, self._restarts.attempts)
                await asyncio.sleep(self._restarts.delay(deaths))
                try:
                    await self._launch()
                except (ChildGone, OrderRefused, TimeoutError, OSError) as error:
                    log.warning("Jupyter did not start: %s", reason(error))
                    deaths += 1
