"""The nouns that every layer shares: secrets, callers, resources, entries of the trail, long-running operations.

Values only: nothing here knows a database, HTTP or a key.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003 - msgspec reads it when it encodes
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

if TYPE_CHECKING:
    from linarite.ids import ResourceId

Body = dict[str, Any]
"""A JSON object."""


def copied(body: Body) -> Body:
    """A JSON object again, sharing nothing that can be changed; `copy.deepcopy` takes five times as long."""
    return {name: value if type(value) is str else _copied(value) for name, value in body.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return copied(value)
    return [_copied(item) for item in value] if isinstance(value, list) else value


class Secret:
    """A text that does not print; `reveal` is the only way out. Compared in constant time, never hashed or pickled."""

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __reduce__(self) -> NoReturn:
        message = "a Secret is not pickled"
        raise TypeError(message)


class PrincipalKind(StrEnum):
    """What Azure calls `principalType` and `createdByType` in their own words."""

    USER = "User"
    SERVICE_PRINCIPAL = "ServicePrincipal"
    MANAGED_IDENTITY = "ManagedIdentity"
    SYSTEM = "System"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may hold roles. `client` is what Azure's refusals name: a user's name, or an application's id."""

    object_id: str
    kind: PrincipalKind
    client: str
    tenant: str
    name: str = ""
    app_id: str | None = None
    disabled: bool = False
    resource: str | None = None
    """Key of the resource that a managed identity belongs to."""

    @property
    def created_by_type(self) -> str:
        """The word that `systemData.createdByType` knows."""
        return "Application" if self.kind is PrincipalKind.SERVICE_PRINCIPAL else str(self.kind)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as stored. `body` is its whole JSON but `id`, `name` and `type`, secrets left out; never mutate it."""

    id: ResourceId
    body: Body
    version: int
    """The state version at which it was last written: its entity tag."""
    deleted_at: datetime | None = None
    """When it was soft-deleted: the name stays taken, nothing else is left to see."""

    @property
    def name(self) -> str:
        return self.id.name

    @property
    def type(self) -> str:
        return self.id.type

    @property
    def key(self) -> str:
        return self.id.key

    @property
    def location(self) -> str:
        return str(self.body.get("location") or "")

    @property
    def properties(self) -> Body:
        found = self.body.get("properties")
        return found if isinstance(found, dict) else {}

    def having(self, body: Body) -> Resource:
        return replace(self, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role definition: what may be done is `actions` without `not_actions`, and the same for data."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    custom: bool = False
    scopes: tuple[str, ...] = ("/",)

    def is_assignable(self, scope: ResourceId) -> bool:
        """Whether it is made for a scope, or for one above it."""
        return any(one.lower() in scope.keys for one in self.scopes)

    @property
    def granted(self) -> Body:
        """What it grants, as Azure writes a permission."""
        return {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": list(self.data_actions),
            "notDataActions": list(self.not_data_actions),
        }


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role held by a principal at a scope and everything below it."""

    principal: str
    role: str
    """GUID of the role definition."""
    scope: str
    """Key of the scope: a lower-case id, `/` for the tenant."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a scope and everything below it."""

    id: str
    scope: str
    """Key of the scope."""
    level: str
    """`CanNotDelete` or `ReadOnly`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault on purpose: which requests it strikes, and what becomes of them."""

    id: ResourceId
    what: str
    """The status that is answered, as `429`; or `challenge`, `delay`, `cut` or `lose`."""
    path: str
    """Of the requests that it strikes: `*` stands for anything, letters match in any case."""
    method: str
    client: str
    """Client or object id of whose requests it strikes, in lower case; empty for everybody's."""
    chance: int
    """In a hundred."""
    seconds: float | None
    """How long a delay lasts, or what `Retry-After` says."""
    claims: str
    """What a challenge asks for, as JSON."""

    @property
    def name(self) -> str:
        return self.id.name


class Deed(StrEnum):
    """What an entry of the trail says was done."""

    RELEASE = "release"
    WRITE = "write"
    REFUSAL = "refusal"
    SIGN_IN = "sign-in"


class Entry(msgspec.Struct, frozen=True):
    """One line of the trail, complete before it is written; the store adds its place and its hash."""

    at: datetime
    deed: Deed
    action: str
    """Azure's operation name, as `Microsoft.MachineLearningServices/workspaces/listKeys/action`."""
    target: str
    caller: str
    """Object id; empty where nobody was known."""
    client: str
    status: int
    code: str
    request: str
    correlation: str
    address: str
    version: int | None = None
    """For a release: the state version whose values left."""


class OperationState(StrEnum):
    """The states of a long-running operation, in ARM's words."""

    RUNNING = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True, slots=True)
class Operation:
    """A long-running operation: what is to be done to which resource, for whom, and how far it is."""

    id: str
    target: ResourceId
    step: str
    """Which of the kind's long steps: `create`, `delete`, or an action's name."""
    state: OperationState
    started: datetime
    due: datetime
    """Not before this moment."""
    caller: str
    correlation: str
    api_version: str
    input: Body = field(default_factory=dict)
    result: Any = None
    error: Body | None = None
    ended: datetime | None = None
    attempts: int = 0


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What the engine answers, before anybody makes bytes of it. A `Secret` in the body is revealed on the way."""

    status: int
    body: Any = None
    """JSON, or None for an empty answer, and for one that was rendered: what is given again is kept once, as bytes."""
    headers: tuple[tuple[str, str], ...] = ()
    origin: str = "provider"
    """Who speaks, as `errors.Origin` has it: the provider of workspaces indents its JSON."""
    rendered: bytes | None = None
    """The body's bytes, once somebody has made them."""

    def __repr__(self) -> str:
        return f"Answer({self.status})"
