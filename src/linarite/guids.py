"""GUIDs of version 4 by the hundred: every request needs one, and one by one each costs as much as its signature."""

from __future__ import annotations

import os
from itertools import chain, repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DRAWN = 512
_VERSION = bytes(byte & 0x0F | 0x40 for byte in range(256))
_VARIANT = bytes(byte & 0x3F | 0x80 for byte in range(256))
_FORM = b"00000000-0000-0000-0000-000000000000 "
_DIGITS = [place for place, sign in enumerate(_FORM) if sign == ord("0")]
"""Where the digits of a GUID stand."""


def guids(random: Callable[[int], bytes] = os.urandom) -> Iterator[str]:
    """GUIDs without an end (RFC 9562, 5.4), of bytes that `random` gives."""
    return chain.from_iterable(_some(bytearray(random(16 * _DRAWN))) for _ in repeat(None))


def _some(drawn: bytearray) -> list[str]:
    """A GUID for each sixteen bytes, all of them written place by place: one step for the first digits of all."""
    drawn[6::16] = drawn[6::16].translate(_VERSION)
    drawn[8::16] = drawn[8::16].translate(_VARIANT)
    digits, text = drawn.hex().encode(), bytearray(_FORM * (len(drawn) // 16))
    for number, place in enumerate(_DIGITS):
        text[place :: len(_FORM)] = digits[number :: len(_DIGITS)]
    return text.decode().split()
