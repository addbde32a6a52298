"""Scopes: which actions on which resource a token carries and a request needs, in the words of Docker's specification.

`repository:team/image:pull,push` and `registry:catalog:*`. This module knows neither tokens nor requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.doors.registry.desk import Action, Grant
    from linarite.doors.registry.names import Repository

MOST = 100
"""Scopes in one request for a token."""


@dataclass(frozen=True, slots=True)
class Access:
    """Actions on one resource. `type` is `repository` or `registry`; whatever else was asked for is never granted."""

    type: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"

    def document(self) -> dict[str, Any]:
        """As it stands in the `access` claim of a token."""
        return {"type": self.type, "name": self.name, "actions": list(self.actions)}


CATALOG = Access("registry", "catalog", ("*",))


def on(repository: Repository, *actions: Action) -> Access:
    return Access("repository", repository, actions)


def parse(texts: Iterable[str]) -> list[Access]:
    """The scopes of a token request: the parameter may be repeated, and each may hold several, parted by spaces.

    A name may contain colons. What is malformed is passed over, as the real token service does.

    Raises:
        Refused: there are more than `MOST`.
    """
    words = [word for text in texts for word in text.split()]
    if len(words) > MOST:
        raise refused("UNSUPPORTED", status=400, message="too many scopes")
    found = []
    for word in words:
        head, _, actions = word.rpartition(":")
        type_, _, name = head.partition(":")
        if name:
            found.append(Access(type_, name, tuple(dict.fromkeys(filter(None, actions.split(","))))))
    return found


def granted(asked: Iterable[Access], grant: Grant, *, all_of_it: bool) -> list[Access]:
    """What of the asked a grant allows; with `all_of_it`, everything it allows on each repository asked for.

    Docker's own flow hands the token to whoever holds the whole credential, and some clients (oras-py) keep the first
    token they get for every later request. The OAuth flow is also used to make narrow tokens to be given away, and so
    gets what it asked and no more.
    """
    found = []
    for access in asked:
        if access == CATALOG:
            actions = access.actions if "catalog" in grant.actions else ()
        elif access.type == "repository":
            allowed = sorted(grant.actions - {"catalog"})
            wanted = allowed if all_of_it or "*" in access.actions else access.actions
            actions = tuple(action for action in wanted if action in allowed)
        else:
            actions = ()
        if actions:
            found.append(Access(access.type, access.name, actions))
    return found


def within(asked: Iterable[Access], held: Sequence[Access]) -> list[Access]:
    """What of the asked is also in `held`: a token shown as a password gives no more than it has."""
    return [
        Access(access.type, access.name, actions)
        for access in asked
        if (actions := tuple(action for action in access.actions if _covers(held, access, action)))
    ]


def covers(held: Sequence[Access], needed: Iterable[Access]) -> bool:
    """Whether everything needed is in what is held."""
    return all(_covers(held, access, action) for access in needed for action in access.actions)


def allows(grant: Grant, needed: Iterable[Access]) -> bool:
    """Whether a grant allows everything needed."""
    return covers(granted(needed, grant, all_of_it=False), needed)


def _covers(held: Sequence[Access], access: Access, action: str) -> bool:
    return any(entry.type == access.type and entry.name == access.name and action in entry.actions for entry in held)
