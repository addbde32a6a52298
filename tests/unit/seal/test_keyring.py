"""Boxes and rings: what closes, what opens, and what does not."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from linarite.model import Secret
from linarite.seal import Keyring, SealBroken, Sealed, WrongRootKey

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


# ── digests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_digest_is_the_same_for_one_text_key_and_purpose_alone() -> None:
    rings = RING, Keyring({2: b"2" * 32}), RING.rotated()
    first, same, another = (ring.digest("alice", "names") for ring in rings)
    assert first == same != another
    others = {RING.digest("alicf", "names"), RING.digest("alice", "name"), RING.digest("salice", "name")}
    assert len({first, another, *others, hashlib.sha256(b"alice").digest()}) == 6


def test_any_text_has_a_digest() -> None:
    assert len(RING.digest("\ud800", "names")) == 32


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
