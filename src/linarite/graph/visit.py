"""One request of Microsoft Graph: who asks, what for, and whether they may.

Azure's roles decide, for there are no others here. Whoever may see assignments of roles anywhere may look people up:
names are all that Graph adds to the ids that stand there. Whoever may give roles in the whole subscription may register
applications, and change those whose every role they could have given. So nobody comes to anything by a new secret of
somebody else's application that they could not have given themselves. What an application does for a user needs the
user's consent besides: one that was let in to know who they are does nothing else for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linarite import access
from linarite.graph.refusals import body_wrong, not_allowed, not_found
from linarite.ids import ROOT, SUBSCRIPTION, scope_of
from linarite.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from linarite.model import Body, Principal, Secret
    from linarite.store.view import View

READ = "Microsoft.Authorization/roleAssignments/read"
WRITE = "Microsoft.Authorization/roleAssignments/write"


ALL = frozenset({"user_impersonation", "directory.accessasuser.all", "directory.readwrite.all"})
CHANGING = ALL | {"application.readwrite.all"}
LOOKING = CHANGING | {"directory.read.all", "application.read.all", "user.read.all", "user.readwrite.all"}
ONESELF = LOOKING | {"user.read", "user.readwrite", "user.readbasic.all"}
"""Scopes, in lower case, one of which a token has to have that an application got for a user."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is made up outside the unit of work, which may run twice: ids, and where one is wanted, a secret."""

    ids: tuple[str, str]
    secret: Secret
    hash: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as the operations see it."""

    view: View
    caller: Principal
    scopes: frozenset[str] | None
    """What the user consented to, in lower case; None where the caller is an application by itself."""
    collection: str
    id: str
    """What names one object of the collection, perhaps empty."""
    query: Mapping[str, str]
    json: Callable[[], Any]
    base: str
    """Address of Graph's v1.0."""
    address: str
    """Address of what is asked for, without the query."""
    now: datetime
    fresh: Fresh
    tell: Callable[[Principal], None]
    """Says whom the request is about, for the trail."""
    kept: frozenset[str]
    """Object ids of principals that are not changed over this way."""

    def body(self) -> Body:
        """The body, which must be an object."""
        found = self.json()
        if not isinstance(found, dict):
            raise body_wrong("body", "it must be a JSON object.")
        return found

    def require_look(self, principal: Principal | None = None) -> None:
        """Refuse whoever may not look people up; everybody may look at themselves."""
        if principal is not None and principal.object_id == self.caller.object_id:
            self._require_consent(ONESELF)
            return
        self._require_consent(LOOKING)
        held = (role_of(one.role, self.view.resource) for one in self.view.assignments_of(self.caller.object_id))
        if not any(role is not None and access.permits(role, READ) for role in held):
            raise not_allowed()

    def require_change(self, principal: Principal | None = None) -> None:
        """Refuse whoever may not register applications, or may not change this one."""
        self._require_consent(CHANGING)
        if not self._gives_roles_everywhere():
            raise not_allowed()
        if principal is None:
            return
        if principal.object_id in self.kept:
            raise not_allowed(f"'{principal.name}' is who the commands sign in as.")
        for one in self.view.assignments_of(principal.object_id):
            if not access.allowed(self.view, self.caller, WRITE, scope_of(one.scope)):
                raise not_allowed(f"'{principal.name}' has roles that you may not give.")

    def _require_consent(self, enough: frozenset[str]) -> None:
        if self.scopes is not None and not self.scopes & enough:
            raise not_allowed()

    def _gives_roles_everywhere(self) -> bool:
        """Whether the caller may give roles in a whole subscription, or in the tenant."""
        return any(
            scope_of(one.scope).type in {ROOT.type, SUBSCRIPTION}
            and (role := role_of(one.role, self.view.resource)) is not None
            and access.permits(role, WRITE)
            for one in self.view.assignments_of(self.caller.object_id)
        )

    def missing(self) -> Exception:
        """The refusal for an object that is not there; whoever may not look learns nothing else."""
        self.require_look()
        return not_found(self.id)
