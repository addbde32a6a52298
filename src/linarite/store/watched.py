"""A view that notes what is looked at: of what an answer was derived, and so which changes it does not survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.store.keys import EVERYTHING, FAULTS, LOCKS, PRINCIPALS, SIGNING_KEYS, principal_key

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from linarite.model import Assignment, Fault, Lock, Principal, Resource
    from linarite.store.directory import Credential, SigningKey
    from linarite.store.secrets import Secrets
    from linarite.store.view import View


class Watched:
    """A `View` that answers as another one does.

    What it notes for a question is what `keys.touched` says of every change that may have it answered differently.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.sources: set[str] = set()
        """Keys of what was looked at so far, found or not."""

    @property
    def version(self) -> int:
        self.sources.add(EVERYTHING)
        return self._view.version

    def resource(self, key: str) -> Resource | None:
        self.sources.add(key)
        return self._view.resource(key)

    def secrets(self, owner: str) -> Secrets:
        self.sources.add(owner)
        return self._view.secrets(owner)

    def principal(self, object_id: str) -> Principal | None:
        self.sources.add(principal_key(object_id))
        return self._view.principal(object_id)

    def object_id(self, client: str) -> str | None:
        self.sources.add(PRINCIPALS)
        return self._view.object_id(client)

    def credentials_of(self, principal: str) -> tuple[Credential, ...]:
        self.sources.add(principal_key(principal))
        return self._view.credentials_of(principal)

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        self.sources.add(principal_key(principal))
        return self._view.assignments_of(principal)

    def locks(self) -> tuple[Lock, ...]:
        self.sources.add(LOCKS)
        return self._view.locks()

    def faults(self) -> tuple[Fault, ...]:
        self.sources.add(FAULTS)
        return self._view.faults()

    def signing_keys(self) -> tuple[SigningKey, ...]:
        self.sources.add(SIGNING_KEYS)
        return self._view.signing_keys()

    def connection(self) -> Connection:
        self.sources.add(EVERYTHING)
        return self._view.connection()
