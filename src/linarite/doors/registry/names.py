"""What a registry, a repository, a tag and a digest may be called, as the OCI distribution specification says it.

Everything of a request that becomes part of a file name, a header or an SQL parameter passes through here first and
leaves as a type of its own. This module knows no files and no HTTP.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NewType

from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

Repository = NewType("Repository", str)
"""A repository's name, such as `team/image`: safe in a header, never empty, never with `..`."""

Tag = NewType("Tag", str)
Digest = NewType("Digest", str)
"""`sha256:` or `sha512:` and lower-case hexadecimal digits of the right number."""

LONGEST_REPOSITORY = 255

_PLACE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def is_place(text: str) -> bool:
    """Whether a registry's content may be kept under this name: as a folder, or before the names of repositories."""
    return _PLACE.fullmatch(text) is not None


def repository(text: str) -> Repository:
    """Raises `Refused` with NAME_INVALID for anything the specification does not allow."""
    if len(text) > LONGEST_REPOSITORY or not _REPOSITORY.fullmatch(text):
        raise refused("NAME_INVALID", {"name": text[:LONGEST_REPOSITORY]})
    return Repository(text)


def find_digest(text: object) -> Digest | None:
    """The digest that `text` is, or None: for values out of bodies, which may be of any type."""
    return Digest(text) if isinstance(text, str) and _DIGEST.fullmatch(text) else None


def digest(text: str) -> Digest:
    """Raises `Refused` with DIGEST_INVALID for a malformed digest or an algorithm that is not kept here."""
    found = find_digest(text)
    if found is None:
        raise refused("DIGEST_INVALID", {"digest": text[:200]}, message="provided digest is not a valid digest")
    return found


def tag(text: str) -> Tag:
    """Raises `Refused` with TAG_INVALID."""
    if not _TAG.fullmatch(text):
        raise refused("TAG_INVALID", {"tag": text[:200]}, message="manifest tag is not a valid tag")
    return Tag(text)


def reference(text: str) -> Tag | Digest:
    """A tag or a digest. What contains a colon can only be meant as a digest.

    Raises:
        Refused: DIGEST_INVALID or TAG_INVALID.
    """
    return digest(text) if ":" in text else tag(text)


def algorithm(of: Digest) -> str:
    return of.partition(":")[0]


def hexadecimal(of: Digest) -> str:
    return of.partition(":")[2]


def digest_of(content: bytes, algorithm_name: str = "sha256") -> Digest:
    return finished(hashlib.new(algorithm_name, content))


def finished(running: Hash) -> Digest:
    """The digest of all that has been fed into `running`."""
    return Digest(f"{running.name}:{running.hexdigest()}")
