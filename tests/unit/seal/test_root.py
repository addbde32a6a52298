"""The root key, and where it is kept."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shlex
import stat
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from linarite.seal import RootKey, RootKeyUnavailable, root_key

if TYPE_CHECKING:
    from pathlib import Path

ROOT = bytes(range(32))
TEXT = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq=="
ENCODED = base64.b64encode(ROOT).decode()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A root key in a file, as it should be."""
    path = tmp_path / "root.key"
    path.write_text(ENCODED + "\n")
    path.chmod(0o600)
    return path


def command(program: str) -> str:
    """A source that runs this Python program."""
    return f"command:{shlex.join([sys.executable, '-c', program])}"


def test_a_root_key_file_is_made_on_the_first_start_and_read_on_the_next(tmp_path: Path) -> None:
    path = tmp_path / "data" / "root.key"
    first = root_key(f"file:{path}", {}, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["root.key"]
    assert len(first) == 32
    assert root_key(f"file:{path}", {}, create=True) == first == root_key(f"file:{path}", {})


def test_the_key_that_is_made_comes_from_the_given_source(tmp_path: Path) -> None:
    assert root_key(f"file:{tmp_path / 'k'}", {}, create=True, random=lambda count: b"r" * count) == b"r" * 32


def test_a_umask_does_not_open_the_file_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        root_key(f"file:{tmp_path / 'k'}", {}, create=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_of_many_that_start_together_one_makes_the_key_and_all_have_it(tmp_path: Path) -> None:
    gate = threading.Barrier(8)

    def start(_: int) -> RootKey:
        gate.wait(10)
        return root_key(f"file:{tmp_path / 'k'}", {}, create=True)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["k"]


def test_the_key_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "k", []

    def fsync(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    root_key(f"file:{path}", {}, create=True)
    assert synced == [(False, False), (True, True)]


def test_a_file_is_not_made_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RootKeyUnavailable, match=r"There is no root key in .*: restore the file"):
        root_key(f"file:{tmp_path / 'k'}", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_file_that_others_may_open_is_refused(kept: Path, mode: int) -> None:
    kept.chmod(mode)
    with pytest.raises(RootKeyUnavailable, match=f"run `chmod 600 {kept}`"):
        root_key(f"file:{kept}", {}, create=True)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_its_owner_alone_may_open_is_read(kept: Path, mode: int) -> None:
    kept.chmod(mode)
    assert root_key(f"file:{kept}", {}) == ROOT


def test_a_path_with_a_space_is_quoted_in_the_next_step(kept: Path) -> None:
    path = kept.rename(kept.with_name("my root.key"))
    path.chmod(0o644)
    with pytest.raises(RootKeyUnavailable, match=re.escape(f"`chmod 600 '{path}'`")):
        root_key(f"file:{path}", {})


@pytest.mark.parametrize("path", [".", "root.key/deeper"])
def test_what_is_no_file_is_answered_with_the_reason(kept: Path, path: str) -> None:
    with pytest.raises(RootKeyUnavailable, match=r"cannot be used \(.+\): it must be a file of the user"):
        root_key(f"file:{kept.parent / path}", {}, create=True)


@pytest.mark.parametrize("content", ["", "not base64", ENCODED[:-4], ENCODED + ENCODED, "é" * 44, "\0" * 32])
def test_a_source_that_gives_no_key_is_refused_and_not_repeated(kept: Path, content: str) -> None:
    kept.write_text(content)
    with pytest.raises(RootKeyUnavailable, match=r"\(file\) gave is not 32 bytes in base64: restore") as caught:
        root_key(f"file:{kept}", {}, create=True)
    assert not content or content not in str(caught.value)
    assert kept.read_text() == content


def test_a_variable_holds_the_root_key() -> None:
    assert root_key("env:ROOT", {"ROOT": ENCODED}) == ROOT


@pytest.mark.parametrize("environment", [{}, {"ROOT": ""}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(RootKeyUnavailable, match="variable ROOT is not set"):
        root_key("env:ROOT", environment)


def test_a_command_prints_the_root_key_and_sees_the_given_environment() -> None:
    program = "import os; print(os.environ['ROOT'])"
    assert root_key(command(program), {"ROOT": ENCODED}) == ROOT


def test_a_command_is_not_run_by_a_shell() -> None:
    program = f"import sys; assert sys.argv[1:] == ['$HOME;', '|', 'a b']; print({ENCODED!r})"
    assert root_key(command(program) + " '$HOME;' '|' 'a b'", {"HOME": "/"}) == ROOT


def test_a_command_reads_nothing_that_is_meant_for_linarite() -> None:
    program = f"import sys; assert sys.stdin.read() == ''; print({ENCODED!r})"
    ours, typed, before = *os.pipe(), os.dup(0)
    os.write(typed, b"typed")
    os.close(typed)
    os.dup2(ours, 0)
    try:
        assert root_key(command(program), {}) == ROOT
        assert os.read(0, 10) == b"typed"
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(ours)


def test_of_a_command_that_fails_only_the_first_line_of_its_complaint_is_told() -> None:
    program = f"import sys; print({ENCODED!r}); sys.exit('no \x1b[31mtoken\\nBearer {TEXT}')"
    with pytest.raises(RootKeyUnavailable, match=r"ended with 1 \(no \[31mtoken\)") as caught:
        root_key(command(program), {})
    assert TEXT not in str(caught.value)
    trace = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert f"{ENCODED}\\n" not in trace


def test_of_a_command_that_fails_in_silence_the_status_is_told() -> None:
    with pytest.raises(RootKeyUnavailable, match=r"ended with 3 \(and said nothing\)"):
        root_key(command("raise SystemExit(3)"), {})


def test_a_complaint_is_cut_where_it_is_long() -> None:
    with pytest.raises(RootKeyUnavailable) as caught:
        root_key(command("raise SystemExit('x' * 10_000)"), {})
    assert str(caught.value).count("x") < 250


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    line = f"command:sh -c 'sleep 60 > {tmp_path / 'alive'}; true'"
    deadline = time.monotonic() + 20
    with pytest.raises(RootKeyUnavailable, match=r"sh did not end in 0\.3 seconds"):
        root_key(line, os.environ, timeout=0.3)
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):  # somebody still holds the other end
            assert os.read(alive, 1) == b""
            break
    else:
        pytest.fail("what the command started lives on")
    os.close(alive)


@pytest.mark.parametrize("line", ["", "   ", "cat 'root"])
def test_a_command_that_is_no_line_of_words_is_refused(line: str) -> None:
    with pytest.raises(RootKeyUnavailable, match="no words, or a quote that does not end"):
        root_key(f"command:{line}", {})


def test_a_command_that_is_not_there_is_refused() -> None:
    with pytest.raises(RootKeyUnavailable, match=r"linarite-no-such-program does not start \(No such file"):
        root_key("command:linarite-no-such-program --secret", {"PATH": "/nowhere"})


@pytest.mark.parametrize("source", ["", TEXT, "vault:secret/linarite", "/etc/root.key"])
def test_an_unknown_source_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(RootKeyUnavailable, match="one of file:PATH, env:NAME and command:ARGV") as caught:
        root_key(source, {})
    assert not source or source not in str(caught.value)
