"""Boxes, and the keys that close and open them.

A `Sealed` is bytes that are bound to the resource that owns them and to the field they stand for, so that a box moved
to another row does not open. A `Keyring` holds the data keys, one a term. Rotating the data key is a ring with one more
term; rotating the root key is the same ring wrapped again. Where a root key comes from is not known here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn, final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from linarite.model import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

Random = Callable[[int], bytes]
"""Gives so many unpredictable bytes, as `os.urandom` does."""

KEY = 32
"""Bytes of a key: AES-256."""
NONCE = 12
"""Bytes before each ciphertext. Drawn at random, which is safe for 2**32 boxes a key (NIST SP 800-38D, 8.3)."""
TERM = 4
"""Bytes of a term's number, big-endian."""

_SEALED = b"\x01"
_HEAD = len(_SEALED) + TERM
_CLOSED = _HEAD + NONCE
"""Where the ciphertext begins."""
_WRAPPED = b"linarite keyring 1\n"
_DIGEST = b"linarite digest 1\n"
# Any str goes in and comes out: an encoding error would carry the secret in its `object`.
_TEXT = ("utf-8", "surrogatepass")


class SealBroken(Exception):
    """A box does not open: it was altered, belongs to another owner or field, or its term is not in the ring."""


class WrongRootKey(Exception):
    """A keyring does not open with this root key; the message is a sentence for the command line."""


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """A secret at rest, as one column of a database has it: a mark, a term, a nonce and the ciphertext with its tag."""

    column: bytes

    @property
    def head(self) -> bytes:
        """The mark, and the term whose key closed it."""
        return self.column[:_HEAD]

    @property
    def term(self) -> int:
        return int.from_bytes(self.head[len(_SEALED) :], "big")

    @property
    def box(self) -> bytes:
        """The nonce and the ciphertext."""
        return self.column[_HEAD:]


@final
class Keyring:
    """Data keys by term. Seals with the newest, opens with any; rings are values, `rotated` and `dropped` make others.

    >>> ring = Keyring.fresh()
    >>> ring.open(ring.seal(Secret("hunter2"), "/storage/st1", "key1"), "/storage/ST1", "key1").reveal()
    'hunter2'
    """

    __slots__ = ("_ciphers", "_keys", "newest", "terms")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Hold these keys of 32 bytes; there is at least one.

        Raises:
            ValueError: there is no key, or one has another length.
        """
        if not keys:
            raise ValueError("a keyring holds at least one key")
        self.terms = tuple(sorted(keys))
        self.newest = self.terms[-1]
        self._keys = {term: keys[term] for term in self.terms}
        # Made once: building the cipher costs as much as opening a box with it.
        self._ciphers = {_head(term): _cipher(key) for term, key in self._keys.items()}

    @classmethod
    def fresh(cls, random: Random = os.urandom) -> Keyring:
        """The first ring of an instance: one new key, term 1."""
        return cls({1: random(KEY)})

    def seal(self, secret: Secret, owner: str, field: str, random: Random = os.urandom) -> Sealed:
        """Close a secret under the newest key, for this field of this owner; the owner's case does not matter."""
        head, nonce = _head(self.newest), random(NONCE)
        # No local holds the text: a trace that prints locals must not print it.
        closed = self._ciphers[head].encrypt(nonce, secret.reveal().encode(*_TEXT), _binding(head, owner, field))
        return Sealed(head + nonce + closed)

    def open(self, sealed: Sealed, owner: str, field: str) -> Secret:
        """The secret that was sealed for this field of this owner.

        Raises:
            SealBroken: it was sealed for another place or by another ring, it was altered, or it is no sealed value.
        """
        column = sealed.column
        head, nonce, closed = column[:_HEAD], column[_HEAD:_CLOSED], column[_CLOSED:]
        cipher = self._ciphers.get(head)
        if cipher is None:
            raise SealBroken(_unknown(sealed, owner, field))
        try:
            return Secret(cipher.decrypt(nonce, closed, _binding(head, owner, field)).decode(*_TEXT))
        except (InvalidTag, ValueError):
            raise SealBroken(f"{field} of {owner} does not open: altered, or sealed for another place.") from None

    def digest(self, text: str, purpose: str) -> bytes:
        """By what a text is recognised that is not kept: without the ring, nobody finds the text by trying.

        Another newest key gives another digest.
        """
        return hmac.digest(self._keys[self.newest], _DIGEST + _part(purpose) + text.encode(*_TEXT), hashlib.sha256)

    def rotated(self, random: Random = os.urandom) -> Keyring:
        """This ring with a new key in one more term, which seals from now on."""
        return Keyring({**self._keys, self.newest + 1: random(KEY)})

    def dropped(self, term: int) -> Keyring:
        """This ring without a term, once nothing is sealed in it any more.

        Raises:
            ValueError: the ring has no such term, or it is the newest: its number would be given to another key.
        """
        if term not in self._keys or term == self.newest:
            raise ValueError(f"term {term} cannot be dropped from a keyring of terms {self.terms}")
        return Keyring({number: key for number, key in self._keys.items() if number != term})

    def wrap(self, root: bytes, random: Random = os.urandom) -> bytes:
        """The ring as one document that only this root key opens."""
        nonce = random(NONCE)
        keys = (term.to_bytes(TERM, "big") + key for term, key in self._keys.items())
        return _WRAPPED + nonce + _cipher(root).encrypt(nonce, b"".join(keys), _WRAPPED)

    @classmethod
    def unwrap(cls, document: bytes, root: bytes) -> Keyring:
        """The ring in a document that `wrap` gave.

        Raises:
            WrongRootKey: another root key wrapped it, or the document was altered.
        """
        if not document.startswith(_WRAPPED):
            raise WrongRootKey("The keyring is damaged, or of a newer Linarite: restore it from a backup, or upgrade.")
        nonce, closed = document[len(_WRAPPED) :][:NONCE], document[len(_WRAPPED) + NONCE :]
        try:
            return cls(_unpacked(_cipher(root).decrypt(nonce, closed, _WRAPPED)))
        except (InvalidTag, ValueError):
            raise WrongRootKey(
                "The root key is not the one that this data was sealed with: point LINARITE_ROOT_KEY to the right one, "
                "or restore the root key and the database from the same backup."
            ) from None

    def __repr__(self) -> str:
        return f"Keyring(terms={self.terms})"

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a Keyring is not pickled")


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY:
        raise ValueError(f"a key has {KEY} bytes, not {len(key)}")
    return AESGCM(key)


def _unknown(sealed: Sealed, owner: str, field: str) -> str:
    """Why the ring has no key for it."""
    if len(sealed.head) < _HEAD or not sealed.head.startswith(_SEALED):
        return f"{field} of {owner} is no sealed value, or of a newer Linarite."
    return f"{field} of {owner} is sealed in term {sealed.term}, which this keyring does not hold."


def _head(term: int) -> bytes:
    """What all that is sealed in a term begins with."""
    return _SEALED + term.to_bytes(TERM, "big")


def _binding(head: bytes, owner: str, field: str) -> bytes:
    """What a box is bound to. Each part follows its length, so no two places give the same bytes."""
    return _owned(head, owner) + _part(field)


@lru_cache(maxsize=64)
def _owned(head: bytes, owner: str) -> bytes:
    """The front of a binding; an owner's boxes are opened one after the other."""
    return _part(str(Sealed(head).term)) + _part(owner.lower())


@lru_cache(maxsize=256)
def _part(text: str) -> bytes:
    encoded = text.encode(*_TEXT)
    return len(encoded).to_bytes(4, "big") + encoded


def _unpacked(keys: bytes) -> dict[int, bytes]:
    entry = TERM + KEY
    entries = (keys[start : start + entry] for start in range(0, len(keys), entry))
    return {int.from_bytes(each[:TERM], "big"): each[TERM:] for each in entries}
