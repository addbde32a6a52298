"""What the page about notebooks tells to enter does what it says."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.test_readme import blocks, shell

if TYPE_CHECKING:
    from tests.server import Server


def test_the_page_about_notebooks_is_true(server: Server, tmp_path: Path) -> None:
    _, block = blocks("docs/reference/notebook.md", "sh")
    programs = Path(sys.executable).parent
    surroundings = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LINARITE_DATA": str(server.folder),
    }
    assert "python3" in json.loads(shell(block, surroundings))["kernelspecs"]
