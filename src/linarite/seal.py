"""The seal: secrets go into the database as boxes that only this module can open.

A `Secret` becomes a `Sealed`: bytes that are bound to the resource that owns them and to the field they stand for, so
that a box moved to another row does not open. A `Keyring` holds the data keys, one a term; the root key, which never
enters the database, wraps the ring. Rotating the data key is a ring with one more term; rotating the root key is the
same ring wrapped again.

This is the only module that holds keys. It knows no table, no resource and no HTTP.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import signal
import stat
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from linarite.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
# Any str goes in and comes out: an encoding error would carry the secret in its `object`.
_TEXT = ("utf-8", "surrogatepass")


class SealBroken(Exception):
    """A box does not open: it was altered, belongs to another owner or field, or its term is not in the ring."""


class WrongRootKey(Exception):
    """A keyring does not open with this root key; the message is a sentence for the command line."""


class RootKeyUnavailable(Exception):
    """The root key cannot be had from its source; the message is a sentence that says what to do next."""


class RootKey(bytes):
    """32 bytes that wrap a keyring. They do not print and are not pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "RootKey(…)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a RootKey is not pickled")


# ── boxes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── the root key ────────────────────────────────────────────────────────────────────────────────────────────────────


def root_key(
    source: str,
    environment: Mapping[str, str],
    *,
    create: bool = False,
    random: Random = os.urandom,
    timeout: float = 10.0,
) -> RootKey:
    """The root key from where it is kept, always as base64.

    `file:PATH` is a file that its owner alone may open; with `create` it is made where it is missing, and on disk
    before this returns. `env:NAME` is a variable of `environment`. `command:ARGV` is the standard output of a program,
    run without a shell, for at most `timeout` seconds.

    Raises:
        RootKeyUnavailable: there is no key to be had there.
    """
    scheme, _, rest = source.partition(":")
    match scheme:
        case "file":
            text = _in_file(Path(rest), random if create else None)
        case "env":
            text = _in_variable(rest, environment)
        case "command":
            text = _from_command(rest, environment, timeout)
        case _:  # not repeated: it may be the key itself
            raise RootKeyUnavailable("LINARITE_ROOT_KEY must be one of file:PATH, env:NAME and command:ARGV.")
    try:
        key = RootKey(base64.b64decode(text.reveal().strip(), validate=True))
    except ValueError:
        key = RootKey()
    if len(key) != KEY:
        raise RootKeyUnavailable(
            f"What the root key's source ({scheme}) gave is not {KEY} bytes in base64: restore the key, or, if nothing "
            f"is sealed with it yet, put the output of `openssl rand -base64 {KEY}` there."
        )
    return key


def _in_file(path: Path, random: Random | None) -> Secret:
    try:
        if random is not None and not path.exists():
            _create(path, random)
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise RootKeyUnavailable(
                    f"Others than its owner may open the root key {path}: run `chmod 600 {shlex.quote(str(path))}`."
                )
            return Secret(file.read(1024).decode("ascii", "replace"))
    except FileNotFoundError:
        raise RootKeyUnavailable(
            f"There is no root key in {path}: restore the file, or point LINARITE_ROOT_KEY to where the key is."
        ) from None
    except OSError as error:
        raise RootKeyUnavailable(
            f"The root key {path} cannot be used ({error.strerror}): it must be a file of the user that runs Linarite."
        ) from None


def _create(path: Path, random: Random) -> None:
    """Make the file with a new key, whole or not at all; where another process was first, its file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(random(KEY)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _in_variable(name: str, environment: Mapping[str, str]) -> Secret:
    if not environment.get(name):
        raise RootKeyUnavailable(f"The root key's variable {name} is not set: set it, or choose another source.")
    return Secret(environment[name])


def _from_command(line: str, environment: Mapping[str, str], timeout: float) -> Secret:
    try:
        program, *arguments = shlex.split(line)
    except ValueError:
        raise RootKeyUnavailable(
            "The root key's command has no words, or a quote that does not end: write command:PROGRAM ARGUMENT…"
        ) from None
    try:
        status, output, complaint = _run([program, *arguments], environment, timeout)
    except OSError as error:
        raise RootKeyUnavailable(
            f"The root key's command {program} does not start ({error.strerror}): check the name and its permissions."
        ) from None
    except subprocess.TimeoutExpired:
        raise RootKeyUnavailable(
            f"The root key's command {program} did not end in {timeout:g} seconds: run it by hand to see why."
        ) from None
    if status != 0:
        raise RootKeyUnavailable(
            f"The root key's command {program} ended with {status} ({complaint or 'and said nothing'}): run it by hand."
        )
    return output


def _run(argv: list[str], environment: Mapping[str, str], timeout: float) -> tuple[int, Secret, str]:
    """Exit status, standard output, and the first line of standard error."""
    with subprocess.Popen(  # noqa: S603 - the operator names the program; there is no shell
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
    ) as process:
        try:
            output, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # Also what the program started: it would hold the pipes open.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    first = next(iter(complaint.decode(errors="replace").splitlines()), "")[:200]
    return process.returncode, Secret(output.decode("ascii", "replace")), "".join(filter(str.isprintable, first))
