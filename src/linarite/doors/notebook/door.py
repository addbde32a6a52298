"""The notebook door: Jupyter Server, which lets in whom the desk lets in.

Nobody is let in by what was pushed: the process asks at every request. What it is told is when to ask about the
websockets that are open; a process that does not acknowledge that is ended, and they with it. What this module does not
know is anything of workspaces.
"""

from __future__ import annotations

import importlib.util
import logging
from functools import partial
from typing import TYPE_CHECKING

from linarite.doors.keeper import GENTLE, OPENS_WITHIN, DoorDown, Keeper, KeptDoor
from linarite.doors.notebook.child import launch
from linarite.doors.process import ChildGone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.keeper import Restarts
    from linarite.doors.notebook.desk import NotebookDesk
    from linarite.doors.notebook.layout import Layout
    from linarite.doors.process import Child

PACKAGES = {"jupyter_server": "Jupyter Server", "ipykernel": "ipykernel"}
"""What the process imports, and how each is called."""

log = logging.getLogger("linarite.doors.notebook")


class NotebookDoor(KeptDoor):
    """Jupyter Server, from `start` until `stop`."""

    def __init__(
        self,
        layout: Layout,
        desk: NotebookDesk,
        environment: Mapping[str, str],
        *,
        restarts: Restarts = GENTLE,
        acknowledged_within: float = 10.0,
    ) -> None:
        """`environment` is what the process inherits a few names from, usually `os.environ`."""
        self._layout = layout
        self._desk = desk
        self._environment = layout.environment(environment)
        self._within = acknowledged_within
        self._port = layout.port
        self._keeper = Keeper("The notebook door", "Jupyter Server", log, restarts)

    @property
    def origin(self) -> str:
        """`https://localhost:8450` or the like."""
        return self._layout.origin(self._port)

    async def start(self) -> None:
        """Open the door; returns when its port answers.

        Raises:
            DoorDown: Jupyter Server is not installed, or did not start, for instance because of the port.
            OSError: a folder cannot be had.
        """
        if missing := [name for package, name in PACKAGES.items() if importlib.util.find_spec(package) is None]:
            message = (
                f"The notebook door needs {' and '.join(missing)}, which this Python does not have: "
                "pip install 'linarite[notebook]'."
            )
            raise DoorDown(message)
        for folder in (self._layout.notebooks, self._layout.jupyter):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._keeper.start(partial(launch, self._environment, self._desk), self._open)

    async def check(self) -> None:
        """Something changed: when this returns, no websocket is open whose key does not count any more."""
        child = self._keeper.child
        if child is None:
            return
        within = self._within if child is self._keeper.serving else OPENS_WITHIN
        try:
            await child.order("check", within=within)
        except ChildGone:
            pass  # and its websockets with it
        except TimeoutError:
            log.warning("Jupyter did not say within %g s that it looked at its websockets; it is ended.", within)
            child.kill()
            await child.ended.wait()

    async def _open(self, child: Child) -> str:
        opened = await child.order("open", self._layout.wire(self._port), within=OPENS_WITHIN)
        self._port = opened["port"]
        return self.origin
