"""The programs for Node that are beside this file: what they are given on standard input, and the lines they print."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).parent
LONGEST = 60.0


@contextlib.contextmanager
def begun(program: str, *arguments: str, given: Mapping[str, Any], **environment: str) -> Iterator[Iterator[Any]]:
    """What a program prints, line by line; skips the test where there are no packages to run it with."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip("Azure's clients for Node are not installed: they want Node 20 or newer, with npm")
    process = subprocess.Popen(
        [node, FOLDER / program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdin
    assert process.stdout
    try:
        with process.stdin:
            process.stdin.write(json.dumps(given))
        yield (json.loads(line) for line in process.stdout if line.startswith("{"))
        process.wait(LONGEST)
    finally:
        process.kill()
        process.wait(LONGEST)
        process.stdout.close()


def said(program: str, *arguments: str, given: Mapping[str, Any], **environment: str) -> list[Any]:
    """All that a program prints, to its end."""
    with begun(program, *arguments, given=given, **environment) as lines:
        return list(lines)
