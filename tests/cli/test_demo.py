"""The demo: every step holds, no secret is shown, and nothing is left behind, however it ends."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from linarite import demo as demo_module
from linarite.demo.veil import Veil
from linarite.doors.blob import NotInstalled
from linarite.doors.blob.installed import find_azurite, find_node
from linarite.settings import load
from tests.cli.program import COMMAND, Ended, begun, surroundings, until

if TYPE_CHECKING:
    from pathlib import Path

LONGEST = 90.0
NOTEBOOKS = "both notebook keys open Jupyter, and a wrong one does not"
SECRETS = r"\+ASt|\+ACR|eyJ[\w-]{10}|[\w-]{8}-[\w-]{4}-4[\w-]{3}-[89ab][\w-]{3}-[\w-]{12}"
"""The marks of storage keys, of registry passwords and of tokens; and a random GUID, as instrumentation keys are."""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Where temporary files go."""
    own = tmp_path / "own"
    own.mkdir()
    return own


@pytest.fixture
def without_notebooks(tmp_path: Path) -> str:
    """For PYTHONPATH: no Jupyter is installed, for whose start most tests have no use."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['jupyter_server'] = None\n")
    return str(tmp_path)


def demo(own: Path, **environment: str) -> Ended:
    ended = subprocess.run(
        [*COMMAND, "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        env=surroundings({"TMPDIR": str(own), **environment}),
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def marks(output: str) -> dict[str, str]:
    """The mark of every step, by its title, as it was printed when it ended; and what the table says is the same."""
    steps = re.findall(r"^([✓✗-]) +[\d.]+ s  ([^:]+): ", output, re.MULTILINE)
    table = re.findall(r"│ ([✓✗-]) │ (.+?) +│", output)
    assert table == steps
    return {title: mark for mark, title in steps}


def is_left(own: Path) -> list[str]:
    """Files of the demo, and its processes."""
    return [path.name for path in own.iterdir()] + processes_in(own)


def processes_in(folder: Path) -> list[str]:
    """Those whose environment names this folder for temporary files, or one in it."""
    processes = subprocess.run(["ps", "axewwo", "pid,command"], capture_output=True, text=True, check=True).stdout
    return [line for line in processes.splitlines() if f"TMPDIR={folder}" in line]


@pytest.fixture
def installed() -> None:
    try:
        find_node(os.environ)
        find_azurite(load({"HOME": "/"}).node_modules)
    except NotInstalled as missing:
        pytest.skip(str(missing))


def test_every_step_holds_and_no_secret_is_shown_and_nothing_is_left(own: Path, installed: None) -> None:
    foreign = {
        "LINARITE_DATABASE": "postgresql://nobody@localhost:1/none",
        "LINARITE_RESYNC": "auto",
        "LINARITE_SEED": "none",
        "AZURE_TENANT_ID": "of-somebody-else",
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }
    ended = demo(own, **foreign)
    assert (ended.status, ended.complaint) == (0, ""), ended
    seen = marks(ended.output)
    assert len(seen) == 18
    held = importlib.util.find_spec("jupyter_server") is not None
    assert [title for title, mark in seen.items() if mark != "✓"] == ([] if held else [NOTEBOOKS])
    assert f"{NOTEBOOKS}: 403 Forbidden" in ended.output or not held
    assert "the old storage key is refused at once: 403 AuthenticationFailed" in ended.output
    assert "the old password is refused at once, and password2 goes on: 401 Unauthorized" in ended.output
    assert re.findall(SECRETS, ended.output) == []
    assert is_left(own) == []


def test_without_azurite_and_jupyter_their_steps_say_why_and_the_others_hold(own: Path, without_notebooks: str) -> None:
    ended = demo(own, LINARITE_NODE_MODULES=str(own), PYTHONPATH=without_notebooks)
    assert (ended.status, ended.complaint) == (1, ""), ended
    seen = marks(ended.output)
    assert [title for title, mark in seen.items() if mark == "-"] == [NOTEBOOKS]
    assert f"{NOTEBOOKS}: Both are listed. What they open is not installed: pip install" in ended.output
    assert [title for title, mark in seen.items() if mark == "✗"] == [
        "azure-storage-blob uploads and downloads with the storage key",
        "the old storage key is refused at once",
        "the new storage key opens the blob",
    ]
    assert f"The blob door is closed. The blob door needs Azurite, which is not installed in {own}." in ended.output
    assert is_left(own) == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "server.log"),
        (signal.SIGTERM, "server.log"),
        (signal.SIGINT, "oras pushes and pulls"),
        (signal.SIGHUP, "azure-mgmt-storage regenerates key1"),
    ],
)
def test_a_signal_ends_it_and_nothing_is_left(
    own: Path, tmp_path: Path, without_notebooks: str, number: signal.Signals, moment: str
) -> None:
    """While its server starts, of which its log is the first sign; and in the middle of the steps."""
    log = tmp_path / "log"
    environment = {"TMPDIR": str(own), "PYTHONPATH": "" if moment == "server.log" else without_notebooks}
    # Whoever is interrupted may leave a file to the collector, which is no fault worth an error.
    with begun("demo", log=log, PYTHONWARNINGS="ignore::ResourceWarning", **environment) as process:
        until(lambda: bool(list(own.glob(f"*/{moment}"))) or moment in log.read_text(), log.read_text)
        for _ in range(2):
            process.send_signal(number)
        assert process.wait(LONGEST) != 0
    assert "Traceback" not in log.read_text()
    assert is_left(own) == []


@pytest.mark.parametrize("moment", ["it has a process", "oras pushes and pulls"])
def test_killed_it_leaves_no_process_though_no_line_of_its_own_runs_any_more(
    own: Path, tmp_path: Path, without_notebooks: str, moment: str
) -> None:
    """While its server starts, and in the middle of the steps."""
    log = tmp_path / "log"
    with begun("demo", log=log, TMPDIR=str(own), PYTHONPATH=without_notebooks) as process:
        until(lambda: any(processes_in(scratch) for scratch in own.iterdir()), log.read_text)
        until(lambda: moment == "it has a process" or moment in log.read_text(), log.read_text)
        process.kill()
        process.wait(LONGEST)
    [scratch] = own.iterdir()
    until(lambda: not processes_in(own), lambda: f"{processes_in(own)}\n{(scratch / 'server.log').read_text()}")
    assert [path.name for path in scratch.glob("linarite-*")] == [], "the server put its own folder away"


IN_A_FINALIZER = """
import os, signal, weakref
from linarite import demo

class Story(demo.Story):
    def scenes(self):
        yield demo.story.Scene("a step in which a library is put away", self.put_away)
        yield demo.story.Scene("a step after it", lambda: "")

    def put_away(self):
        class Library: pass
        library = Library()
        weakref.finalize(library, os.kill, os.getpid(), signal.SIGINT)
        del library
        return ""

demo.Story = Story
for step in demo.tell(os.environ):
    print(step.title, flush=True)
"""


def test_a_signal_ends_it_where_python_drops_what_is_raised(own: Path, without_notebooks: str) -> None:
    environment = surroundings({"TMPDIR": str(own), "PYTHONPATH": without_notebooks})
    command = [sys.executable, "-c", IN_A_FINALIZER]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False, env=environment)
    assert (ended.returncode, ended.stderr.strip()) == (128 + signal.SIGINT, "Aborted!")
    assert ended.stdout.splitlines() == ["a server starts, in a folder of its own"]
    assert is_left(own) == []


def test_a_signal_that_is_ignored_stays_so(own: Path, without_notebooks: str) -> None:
    """As nohup has it."""
    script = IN_A_FINALIZER.replace("demo.Story = Story", "demo.Story = Story; signal.signal(2, signal.SIG_IGN)")
    environment = surroundings({"TMPDIR": str(own), "PYTHONPATH": without_notebooks})
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 4


def test_a_server_that_does_not_start_is_told_in_its_own_words(own: Path) -> None:
    ended = demo(own, LINARITE_NODE_MODULES="~")
    assert (ended.status, ended.complaint) == (1, ""), ended
    assert marks(ended.output) == {"a server starts, in a folder of its own": "✗"}
    assert "LINARITE_NODE_MODULES is '~', and must be a path without ~" in ended.output
    assert is_left(own) == []


def test_a_step_that_hangs_is_ended_in_time() -> None:
    with demo_module._alarm():
        step = demo_module._taken("a step", lambda: str(time.sleep(LONGEST)), Veil(), time.monotonic() + 0.05)
    assert (step.mark, step.saying) == ("✗", "It is not done 60 s after the first step began.")
    assert step.seconds < LONGEST / 2


def test_a_secret_in_what_a_library_complains_of_is_covered() -> None:
    veil, key = Veil(), "bm90IGEgc2VjcmV0"

    def complain() -> str:
        raise ValueError(f"{key} is not a key\nand so on")

    assert key not in veil.hide(key)
    with demo_module._alarm():
        step = demo_module._taken("a step", complain, veil, time.monotonic() + LONGEST)
    assert step.saying == "ValueError: •••••••• is not a key"


def test_a_library_that_is_missing_is_named_with_what_installs_it(own: Path) -> None:
    script = textwrap.dedent("""
        import sys
        sys.modules["azure.storage.blob"] = None
        from linarite.cli import app
        app(["demo"])
    """)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONGEST, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "The demo needs azure.storage.blob, which is not installed: pip install 'linarite[demo]'\n"
