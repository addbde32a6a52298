"""The process behind the notebook door: how it is started, how long it may take to leave, and what it asks.

A question is `{"ask", "token" | "pass", "visit"}`; channel.py has the line to it from the other end. When to start
another one is not known here.
"""

from __future__ import annotations

import logging
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from linarite.doors.notebook.desk import Pass, Visit
from linarite.doors.process import Child, Manner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.notebook.desk import NotebookDesk

PROGRAM = "linarite.doors.notebook"
LEAVES_WITHIN = 12.0
"""Seconds from closing its input until the process is ended; it gives itself ten for its kernels."""
LAST_WORDS_WITHIN = 1.0

_QUERY = re.compile(r"\?\S+")

log = logging.getLogger("linarite.doors.notebook")


async def launch(environment: Mapping[str, str], desk: NotebookDesk) -> Child:
    """Start the process; it serves nothing before it is told to open. Its kernels leave when it is gone."""
    return await Child.launch(
        sys.executable,
        "-P",  # nothing is imported from the folder where the server was started
        "-m",
        PROGRAM,
        environment=environment,
        manner=Manner("Jupyter", log, LEAVES_WITHIN, last_words_within=LAST_WORDS_WITHIN, shown=_without_query),
        answer=partial(_answer, desk),
    )


async def _answer(desk: NotebookDesk, message: Mapping[str, Any]) -> Mapping[str, object]:
    """Ask the desk; where it cannot say, the answer has no `pass` and no `good`, and nobody is let in."""
    try:
        visit = Visit(**message["visit"]) if message["visit"] else None
        if "token" in message and visit is not None:
            found = await desk.admit(message["token"], visit)
            return {"pass": found.wire() if found else None}
        if (shown := Pass.from_wire(message.get("pass"))) is not None:
            return {"good": await desk.still(shown, visit)}
    except Exception:
        log.exception("The desk could not say who may use the notebooks.")
    return {}


def _without_query(line: str) -> str:
    """Tornado names whole addresses where a request fails, and a query may hold a key."""
    return _QUERY.sub("?…", line)
