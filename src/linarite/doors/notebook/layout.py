"""Where the notebook door keeps its things and what it listens on, and what of the environment its process sees.

Values only; this module touches neither a file nor a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PASSED_ON = (
    *("PATH", "HOME", "USER", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("LD_LIBRARY_PATH", "PYTHONPATH"),
)
"""All of the environment that Jupyter and its kernels see: a root key or a password in it is not for notebooks."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One door."""

    notebooks: Path
    """Folder that Jupyter shows: notebooks of all workspaces."""
    jupyter: Path
    """Folder for what Jupyter keeps of its own."""
    certificate: Path
    key: Path
    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free one, which is then kept over restarts."""
    sweep_every: float = 60.0
    """Seconds between two looks at the open websockets without being told: access tokens end, and so may messages."""

    def origin(self, port: int) -> str:
        """The address as clients write it: loopback is `localhost`, so that one certificate name serves."""
        name = "localhost" if self.host in {"127.0.0.1", "::1"} else self.host
        return f"https://{name}:{port}"

    def wire(self, port: int) -> dict[str, Any]:
        """The layout as host.py reads it, with the port to use."""
        return {
            "host": self.host,
            "port": port,
            "certificate": str(self.certificate),
            "key": str(self.key),
            "notebooks": str(self.notebooks),
            "sweepEvery": self.sweep_every,
        }

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What the process sees: none of the user's or the machine's Jupyter settings, which could let others in."""
        passed = {name: environment[name] for name in PASSED_ON if name in environment}
        return passed | {
            "JUPYTER_NO_CONFIG": "1",
            "JUPYTER_CONFIG_DIR": str(self.jupyter / "config"),
            "JUPYTER_DATA_DIR": str(self.jupyter / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.jupyter / "runtime"),
            "IPYTHONDIR": str(self.jupyter / "ipython"),
        }
