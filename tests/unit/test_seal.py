"""The seal: boxes, rings, the root key and where it is kept."""

from __future__ import annotations

import base64
import contextlib
import copy
import os
import pickle
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
from hypothesis import example, given
from hypothesis import strategies as st

from linarite.model import Secret
from linarite.seal import Keyring, RootKey, RootKeyUnavailable, SealBroken, Sealed, WrongRootKey, root_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWNER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/St1"
ROOT = bytes(range(32))
TEXT = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq=="
RING = Keyring({1: b"1" * 32, 2: b"2" * 32})

places = st.text(st.characters(codec="utf-8"), max_size=40)


# ── boxes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(text=st.text(st.characters()), owner=places, field=places)
@example(text="\ud800", owner="", field="")
def test_any_text_comes_back_from_its_box_through_a_database_column(text: str, owner: str, field: str) -> None:
    column = RING.seal(Secret(text), owner, field).column
    assert RING.open(Sealed(column), owner, field).reveal() == text


def test_the_column_does_not_hold_the_text_and_no_two_boxes_are_the_same() -> None:
    first, second = (RING.seal(Secret(TEXT), OWNER, "key1").column for _ in range(2))
    assert TEXT.encode() not in first
    assert first != second


def test_every_nonce_is_drawn_from_the_given_source() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return b"n" * count

    sealed = RING.seal(Secret(TEXT), OWNER, "key1", random)
    assert asked == [12]
    assert sealed.box.startswith(b"n" * 12)


def test_any_flipped_bit_is_noticed() -> None:
    column = RING.seal(Secret("k"), OWNER, "key1").column
    for bit in range(len(column) * 8):
        altered = bytearray(column)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            RING.open(Sealed(bytes(altered)), OWNER, "key1")


def test_a_box_cut_short_anywhere_is_refused() -> None:
    column = RING.seal(Secret("k"), OWNER, "key1").column
    for length in range(len(column)):
        with pytest.raises(SealBroken):
            RING.open(Sealed(column[:length]), OWNER, "key1")


def test_the_case_of_the_owner_does_not_matter() -> None:
    assert RING.open(RING.seal(Secret(TEXT), OWNER, "key1"), OWNER.upper(), "key1") == Secret(TEXT)


@pytest.mark.parametrize(
    ("owner", "field"),
    [
        (OWNER + "2", "key1"),
        (OWNER, "key2"),
        (OWNER, "Key1"),
        # the same letters, cut elsewhere
        (OWNER + "k", "ey1"),
        (OWNER[:-1], "1key1"),
    ],
)
def test_a_box_does_not_open_in_another_place(owner: str, field: str) -> None:
    sealed = RING.seal(Secret(TEXT), OWNER, "key1")
    with pytest.raises(SealBroken, match="does not open"):
        RING.open(sealed, owner, field)


@given(place=st.tuples(places, places), other=st.tuples(places, places))
def test_two_places_share_a_box_only_if_they_are_the_same_but_for_the_owners_case(
    place: tuple[str, str], other: tuple[str, str]
) -> None:
    sealed = RING.seal(Secret("k"), *place)
    if (place[0].lower(), place[1]) == (other[0].lower(), other[1]):
        assert RING.open(sealed, *other).reveal() == "k"
    else:
        with pytest.raises(SealBroken):
            RING.open(sealed, *other)


def test_a_box_does_not_open_under_the_number_of_another_term_with_the_same_key() -> None:
    twins = Keyring({1: b"k" * 32, 2: b"k" * 32})
    sealed = twins.seal(Secret(TEXT), OWNER, "key1")
    with pytest.raises(SealBroken):
        twins.open(Sealed(b"\x01" + (1).to_bytes(4, "big") + sealed.box), OWNER, "key1")


# ── rings ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotated_ring_seals_in_a_new_term_and_opens_the_old_ones() -> None:
    old = Keyring.fresh()
    new = old.rotated()
    before, after = old.seal(Secret(TEXT), OWNER, "key1"), new.seal(Secret(TEXT), OWNER, "key1")
    assert (before.term, after.term) == (1, 2)
    assert new.open(before, OWNER, "key1") == new.open(after, OWNER, "key1") == Secret(TEXT)
    with pytest.raises(SealBroken, match="term 2, which this keyring does not hold"):
        old.open(after, OWNER, "key1")


def test_the_keys_of_a_ring_are_32_bytes_from_the_given_source_and_differ() -> None:
    drawn = iter([b"a" * 32, b"b" * 32])

    def random(count: int) -> bytes:
        assert count == 32
        return next(drawn)

    ring = Keyring.fresh(random).rotated(random)
    by_hand = Keyring({1: b"a" * 32, 2: b"b" * 32})
    assert by_hand.open(ring.seal(Secret(TEXT), OWNER, "key1"), OWNER, "key1") == Secret(TEXT)


def test_a_dropped_term_opens_nothing_more_and_its_number_is_not_given_again() -> None:
    ring = RING.rotated()
    sealed = RING.seal(Secret(TEXT), OWNER, "key1")
    without = ring.dropped(2)
    assert without.terms == (1, 3)
    assert without.rotated().newest == 4
    with pytest.raises(SealBroken):
        without.open(sealed, OWNER, "key1")


@pytest.mark.parametrize("term", [0, 2, 3])
def test_a_term_that_is_not_there_or_is_the_newest_is_not_dropped(term: int) -> None:
    with pytest.raises(ValueError, match=f"term {term} cannot be dropped"):
        RING.dropped(term)


@pytest.mark.parametrize("keys", [{}, {1: b"short"}, {1: b"k" * 16}])
def test_a_ring_without_keys_or_with_weaker_ones_is_not_made(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(keys)


def test_a_ring_comes_back_from_its_document_and_opens_what_it_sealed() -> None:
    sealed = RING.seal(Secret(TEXT), OWNER, "key1")
    ring = Keyring.unwrap(RING.wrap(ROOT), ROOT)
    assert ring.terms == (1, 2)
    assert ring.open(sealed, OWNER, "key1") == Secret(TEXT)


def test_rotating_the_root_key_wraps_the_same_ring_again() -> None:
    new_root = b"r" * 32
    document = Keyring.unwrap(RING.wrap(ROOT), ROOT).wrap(new_root)
    assert Keyring.unwrap(document, new_root).open(RING.seal(Secret(TEXT), OWNER, "f"), OWNER, "f") == Secret(TEXT)
    with pytest.raises(WrongRootKey):
        Keyring.unwrap(document, ROOT)


def test_the_document_does_not_hold_the_keys() -> None:
    document = RING.wrap(ROOT)
    assert b"1111" not in document
    assert ROOT[:8] not in document


@pytest.mark.parametrize("root", [bytes(32), ROOT[:16], b""])
def test_a_wrong_root_key_is_answered_with_the_next_step(root: bytes) -> None:
    with pytest.raises(WrongRootKey, match="point LINARITE_ROOT_KEY to the right one"):
        Keyring.unwrap(RING.wrap(ROOT), root)


def test_any_flipped_bit_of_the_document_is_noticed() -> None:
    document = RING.wrap(ROOT)
    for bit in range(len(document) * 8):
        altered = bytearray(document)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WrongRootKey):
            Keyring.unwrap(bytes(altered), ROOT)


@pytest.mark.parametrize("length", [0, 5, 19, 25, 40])
def test_a_document_cut_short_is_refused(length: int) -> None:
    with pytest.raises(WrongRootKey):
        Keyring.unwrap(RING.wrap(ROOT)[:length], ROOT)


def test_a_root_key_of_another_length_wraps_nothing() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        RING.wrap(b"k" * 16)


# ── nothing prints ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keeper", "kept"),
    [(Secret(TEXT), TEXT), (RootKey(b"root key in the clear, 32 bytes."), "in the clear"), (RING, "1111")],
)
def test_what_holds_a_secret_does_not_print_and_is_not_pickled(keeper: object, kept: str) -> None:
    shown = [repr(keeper), str(keeper), f"{keeper}", f"{keeper!r}", repr([keeper])]
    assert not [text for text in shown if kept in text]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(keeper, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(keeper)


@pytest.mark.parametrize("keeper", [Secret(TEXT), RootKey(TEXT[:32].encode())])
def test_a_format_does_not_bring_a_secret_out(keeper: Secret | RootKey) -> None:
    assert f"{keeper:.60}" == f"{keeper:>90}" == repr(keeper)


def _opens_in_another_place() -> None:
    secret = Secret(TEXT)
    RING.open(RING.seal(secret, OWNER, "key1"), OWNER, "key2")


def _seals_with_a_broken_source() -> None:
    RING.seal(Secret(TEXT), OWNER, "key1", lambda _: b"")


def _unwraps_with_the_wrong_root() -> None:
    root, wrong = RootKey(TEXT[:32].encode()), RootKey(TEXT[32:].encode())
    Keyring.unwrap(RING.wrap(root), wrong)


@pytest.mark.parametrize(
    "fail",
    [_opens_in_another_place, _seals_with_a_broken_source, _unwraps_with_the_wrong_root],
)
def test_a_trace_that_prints_all_locals_shows_no_secret(fail: Callable[[], None]) -> None:
    with pytest.raises(Exception, match=r".") as caught:  # of any type
        fail()
    trace = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "nonce = " in trace
    assert TEXT[:8] not in trace
    assert TEXT[32:40] not in trace


# ── the root key ────────────────────────────────────────────────────────────────────────────────────────────────────

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
