"""The process behind the notebook door before it is Jupyter; child.py runs `python -m linarite.doors.notebook`."""

from __future__ import annotations

import os
import signal
from importlib import import_module

from linarite.doors.notebook.channel import Channel


def main() -> None:
    """Serve until the line ends, or SIGTERM."""
    # A Ctrl-C is for the server, which ends this process in order. Not ignored: kernels would inherit that.
    signal.signal(signal.SIGINT, lambda *_: None)
    os.umask(0o077)
    channel = Channel.take_over()
    opening = channel.first()
    if opening is not None:
        import_module("linarite.doors.notebook.host").run(channel, opening)  # seconds: Jupyter


if __name__ == "__main__":
    main()
