"""The secrets of one resource as a view shows them: closed as they lie in the database, each opened when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from linarite.seal import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.model import Secret
    from linarite.seal import Keyring


@final
class Secrets(Mapping[str, "Secret"]):
    """Secrets by name. Nothing that was opened is kept here.

    Raises:
        SealBroken: what is asked for does not open.
    """

    __slots__ = ("_boxes", "_keyring", "_owner")

    def __init__(self, boxes: Mapping[str, bytes], owner: str, keyring: Keyring) -> None:
        """`boxes` are columns of the database, by name."""
        self._boxes = boxes
        self._owner = owner
        self._keyring = keyring

    def __getitem__(self, name: str) -> Secret:
        return self._keyring.open(Sealed(self._boxes[name]), self._owner, name)

    def __contains__(self, name: object) -> bool:
        return name in self._boxes

    def __iter__(self) -> Iterator[str]:
        return iter(self._boxes)

    def __len__(self) -> int:
        return len(self._boxes)

    def __repr__(self) -> str:
        return f"Secrets(of {self._owner})"
