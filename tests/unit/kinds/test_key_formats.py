"""Keys have the formats by which Microsoft's own scanners recognise them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from linarite.kinds.container_registries import new_password
from linarite.kinds.fields import marked_key

if TYPE_CHECKING:
    from collections.abc import Callable

STORAGE_KEY = re.compile(r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==")
"""SEC101/152 of microsoft/security-utilities."""
REGISTRY_PASSWORD = re.compile(r"[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}")
"""SEC101/176."""


def drawn(pool: bytes) -> Callable[[int], bytes]:
    """A source of randomness that gives these bytes, in order."""
    left = list(pool)

    def random(size: int) -> bytes:
        taken, left[:] = bytes(left[:size]), left[size:]
        assert len(taken) == size, "more randomness was asked for than a key has room for"
        return taken

    return random


@given(st.binary(min_size=64, max_size=64))
def test_a_storage_key_is_64_bytes_with_the_mark_of_storage(pool: bytes) -> None:
    key = marked_key(drawn(pool), 64, "+ASt", 76)
    assert STORAGE_KEY.fullmatch(key)
    assert len(base64.b64decode(key, validate=True)) == 64


@given(st.binary(min_size=64, max_size=64))
def test_the_mark_takes_three_bytes_and_leaves_the_others_as_they_were_drawn(pool: bytes) -> None:
    raw = base64.b64decode(marked_key(drawn(pool), 64, "+ASt", 76))
    assert raw[:57] + raw[60:] == pool[:57] + pool[60:]


@given(st.binary(min_size=40, max_size=40))
def test_a_registry_password_is_39_bytes_with_the_mark_of_registries(pool: bytes) -> None:
    password = new_password(drawn(pool)).reveal()
    assert REGISTRY_PASSWORD.fullmatch(password)
    assert len(base64.b64decode(password, validate=True)) == 39


@given(st.binary(min_size=39, max_size=39))
def test_a_registry_password_is_as_it_was_drawn_but_for_the_mark(pool: bytes) -> None:
    password, plain = new_password(drawn(pool + b"\0")).reveal(), base64.b64encode(pool).decode()
    assert password[:42] + password[47:] == plain[:42] + plain[47:]


def test_each_letter_after_the_mark_is_as_likely_as_any_other() -> None:
    letters = [new_password(drawn(bytes(39) + bytes([last]))).reveal()[46] for last in range(256)]
    assert {letter: letters.count(letter) for letter in letters} == dict.fromkeys("ABCD", 64)
