"""What README and guides tell a user to enter does what they say: each block is run as it stands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linarite.client import environment
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
"""Where `linarite` is, beside the Python that runs it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as `make up` starts it, doors included."""
    with running(tmp_path_factory.mktemp("readme") / "data") as server:
        yield server


@pytest.fixture
def surroundings(server: Server, tmp_path: Path) -> dict[str, str]:
    """What a shell has that was pointed here: nothing but a path, a home, and what `linarite env` exports."""
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "LINARITE_DATA": str(server.folder), **environment(server.known)}


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in one language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


def run(command: list[str], text: str, surroundings: dict[str, str], folder: Path | None = None) -> str:
    """Run a program in these surroundings, with a text on its standard input; what it printed."""
    done = subprocess.run(
        command, input=text, env=surroundings, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def python(text: str, surroundings: dict[str, str]) -> list[str]:
    return run([sys.executable, "-"], text, surroundings).splitlines()


def shell(text: str, surroundings: dict[str, str], folder: Path | None = None) -> str:
    return run(["bash", "-eu", "-s"], text, surroundings, folder)


# ── README ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_readmes_commands_list_the_keys(server: Server, surroundings: dict[str, str]) -> None:
    [block] = [block for block in blocks("README.md", "sh") if "linarite keys" in block]
    bare = {name: surroundings[name] for name in ("PATH", "HOME", "LINARITE_DATA")}
    printed = shell(block, bare, ROOT)
    assert "userStorageKey" in printed
    assert "••••••••" in printed


def test_the_readmes_python_lists_the_keys(server: Server, surroundings: dict[str, str]) -> None:
    [block] = blocks("README.md", "python")
    keys = server.owner().post(f"{server.workspace}/listKeys").json()
    assert python(block, surroundings) == [
        keys["userStorageResourceId"],
        keys["containerRegistryCredentials"]["username"],
    ]


def test_the_request_of_azures_page_works_with_curl(server: Server, surroundings: dict[str, str]) -> None:
    [block] = [block for block in blocks("README.md", "sh") if "curl" in block]
    assert json.loads(shell(block, surroundings)) == server.owner().post(f"{server.workspace}/listKeys").json()


# ── the guides ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_tutorial_is_true_from_its_first_block_to_its_last(tmp_path: Path, surroundings: dict[str, str]) -> None:
    with running(tmp_path / "data") as own:
        if own.known["doors"]["blob"] is None:
            pytest.skip("the blob door needs Node 20 and its packages: see CONTRIBUTING.md")
        printed = python("\n".join(blocks("docs/tutorial.md", "python")), surroundings | environment(own.known))
    first, opened, refused, stale, again = printed
    assert first == "The workspace keeps a key of testdemoworkazashomr, which is in group ragargeastus2euap."
    assert "azureml" in opened
    assert refused == "The old key is refused: 403"
    assert stale == "The workspace still answers the old key: True"
    assert again == opened


def test_the_guide_to_clients_is_true(surroundings: dict[str, str]) -> None:
    names, expires = python("\n".join(blocks("docs/how-to/point-clients-here.md", "python")), surroundings)
    assert "testdemoworkazashomr" in names
    assert expires.isdigit()


def test_the_guide_to_the_keys_is_true(server: Server, surroundings: dict[str, str], tmp_path: Path) -> None:
    if server.known["doors"]["blob"] is None:
        pytest.skip("the blob door needs Node 20 and its packages: see CONTRIBUTING.md")
    own = {"TMPDIR": str(tmp_path), "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true"}
    (tmp_path / "README.md").write_text("notes")
    page = "docs/how-to/use-the-keys.md"
    text = "\n".join(blocks(page, "python"))
    printed = run([sys.executable, "-"], text, surroundings | own, tmp_path).splitlines()
    assert printed == ["hello", "['v1']", "True", "['loss is nan']"]
    if shutil.which("skopeo"):
        login = {"XDG_RUNTIME_DIR": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
        [block] = [block for block in blocks(page, "sh") if "skopeo" in block]
        assert '"Tags": [\n        "v1"' in shell("set -o pipefail\n" + block, surroundings | login)


def test_the_guide_to_ci_is_true(tmp_path: Path) -> None:
    [block] = blocks("docs/how-to/use-in-ci.md", "sh")
    tests = tmp_path / "run-my-tests"
    tests.write_text("#!/bin/sh\ncurl --silent --fail $ARM_ENDPOINT/health\n")
    tests.chmod(0o755)
    bare = {"PATH": f"{tmp_path}:{PROGRAMS}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    assert '{"status":"ok"}' in shell(block, bare, tmp_path)
    assert not (tmp_path / "ready.json").exists()


def test_the_fixture_of_the_guide_to_ci_is_true(tmp_path: Path) -> None:
    [block] = blocks("docs/how-to/use-in-ci.md", "python")
    (tmp_path / "conftest.py").write_text(block)
    (tmp_path / "test_it.py").write_text(
        "def test_it(azure):\n    assert azure['armEndpoint'].startswith('https://localhost:')\n"
    )
    bare = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    assert "1 passed" in run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], "", bare, tmp_path)


def test_the_root_key_is_moved_as_the_guide_says(tmp_path: Path) -> None:
    [block] = [block for block in blocks("docs/how-to/keep-the-root-key-elsewhere.md", "sh") if "cp " in block]
    with running(tmp_path / ".linarite", "--no-doors", "--seed", "none") as first:
        pass
    move, start = block.replace("/run/secrets", str(tmp_path)).split("LINARITE_ROOT_KEY=", 1)
    shell(move, {"PATH": os.environ["PATH"]}, tmp_path)
    source = start.split(" ", 1)[0]
    with running(tmp_path / ".linarite", "--no-doors", LINARITE_ROOT_KEY=source) as second:
        assert second.known["clientSecret"] == first.known["clientSecret"]
