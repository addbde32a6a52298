"""What a resource type declares: its name, versions, fields, hooks and actions.

One `Kind` value a type, one file a `Kind`. Kinds declare, verbs act: what GET, PUT, PATCH, DELETE, LIST and POST do is
written once, in `verbs`, over these declarations. A hook prepares, or checks, or acts, and reaches the world through
the narrow protocols of `world` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.errors import Origin, Problem
    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.schema import Field
    from linarite.world import Reading, Writing

    Prepare = Callable[["Writing", ResourceId, Body, Resource | None], None]
    Check = Callable[["Writing", ResourceId, Body, Resource | None], Iterable[Problem]]
    Act = Callable[["Writing", Resource], None]
    Pages = Callable[["Reading", ResourceId, str, str], tuple[list[Body], str]]
    Filter = Callable[[ResourceId, str], Callable[[Resource], bool]]

_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z0-9.-]+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Versions:
    """The api-versions of a type.

    `listed` is what the type advertises, oldest first. With `any_dated`, every version of the form YYYY-MM-DD[-preview]
    is served as the newest one: clients of the neighbour types send versions from 2015 to next year.
    """

    listed: tuple[str, ...]
    any_dated: bool = False

    def knows(self, version: str) -> bool:
        return version.lower() in self.listed or (self.any_dated and is_dated(version))


def is_dated(version: str) -> bool:
    """Whether the text has the form of an api-version."""
    return _DATED.fullmatch(version) is not None


@dataclass(frozen=True, slots=True)
class NameRule:
    """What a name may look like, and the sentence that says so."""

    pattern: str = r"[^<>%&\\?/#+]{1,260}"
    sentence: str = "Names are 1 to 260 characters long, without any of <>%&\\?/#+."

    def allows(self, name: str) -> bool:
        return re.fullmatch(self.pattern, name) is not None


class Effect(Enum):
    """What running an action does, which fixes how the engine runs and records it."""

    READ = "read"
    """Shows no secret: runs on a snapshot, leaves no entry."""
    RELEASE = "release"
    """Shows secrets: runs on a snapshot, recorded before it leaves, only if still current then."""
    WRITE = "write"
    """Changes the state in one unit of work."""
    LONG = "long"
    """Changes the state in the background: 202 with the headers of a long-running operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A POST on a resource, as `listKeys`; or on the provider at a subscription, as `checkNameAvailability`.

    `run` takes the context, the resource and the request's body as accepted by `fields`, and answers the body of the
    response, or None for none. Its type says what kinds of context it needs, following `effect`.
    """

    name: str
    effect: Effect
    run: Callable[[Any, Resource, Body], Any]
    fields: tuple[Field, ...] = ()
    permission: str = ""
    """What follows the type in the operation's name; `{name}/action` unless given."""
    method: str = "POST"
    long_since: str = ""
    """A LONG action answers 200 at once at api-versions before this one."""
    repeatable: bool = True
    """A RELEASE that answers the same as long as the state is the same, whoever asks and whatever the time."""
    location_only: bool = False
    """A LONG action that sends `Location` and no `Azure-AsyncOperation`."""

    @property
    def operation(self) -> str:
        return self.permission or f"{self.name}/action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What a PUT answers when it is done at once, and whether it, and a PATCH, takes long (202)."""

    new: int = 201
    again: int = 200
    long: bool = False
    patch_long_since: str = ""
    """A PATCH answers 200 at once at api-versions before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A resource type."""

    type: str
    versions: Versions
    fields: tuple[Field, ...]
    parent: str = ""
    """Full type of the resource above; empty for the types of a resource group, `/` for those of the tenant, `*` for
    any scope (extensions)."""
    name: NameRule = field(default_factory=NameRule)
    tracked: bool = True
    """Has a location, which is required on creation and fixed, and tags."""
    methods: frozenset[str] = frozenset({"GET", "PUT", "PATCH", "DELETE"})
    lists: frozenset[str] = frozenset({"parent", "subscription"})
    """Where it can be listed: below its `parent`, and over the whole `subscription`."""
    speaks: Origin = "provider"
    """Whose envelope and layout its answers have."""
    put: Created = field(default_factory=Created)
    delete_status: int = 200
    delete_long: bool = False
    soft_delete: bool = False
    """A deleted one is kept for 14 days and blocks its name, unless `forceToPurge=true` is given."""
    operations_type: str = ""
    """The type in the names of operations, where it is not `type`."""
    progress: str = "operationStatuses"
    """Where its operations are asked for: `…/providers/{namespace}/locations/{location}/{progress}/{id}`."""
    page_parameter: str = "$skiptoken"
    actions: tuple[Action, ...] = ()
    provider_actions: tuple[Action, ...] = ()
    prepare: Prepare | None = None
    """Fills in what the request left out, on the draft body."""
    check: Check | None = None
    """Yields every problem of the draft that only the state can show."""
    created: Act | None = None
    """Makes what comes into being with the resource: keys, ids of doors. Runs in the unit that creates it."""
    changed: Act | None = None
    """Follows a change of the body. Runs in the unit that changes it."""
    deleting: Act | None = None
    """Runs in the unit that deletes it, before it is gone."""
    provision: Act | None = None
    """The long part of creation or change; runs once, in the background, unless operations are immediate."""
    source: Source | None = None
    """Set for types that are not stored but computed."""
    present: Callable[[Reading, Resource, Body], Body] | None = None
    """Has the last word on how a resource is shown; answers the body that is sent."""
    for_everybody: bool = False
    """Read by whoever is signed in, as subscriptions' locations and the providers are."""
    local: bool = False
    """Served to callers on the server's own machine alone, and never struck by faults on purpose."""
    is_lock: bool = False
    """Is a lock, which no lock forbids to change."""
    is_progress: bool = False
    """Is where clients ask how far a long-running operation is."""
    filter: Filter | None = None
    """Reads the `$filter` of a list at a scope, perhaps an empty one, and answers what fits it, or refuses it.

    Without one, a `$filter` is passed over.
    """
    pages: Pages | None = None
    """Answers a page of a list that is not made of resources, and the token of the next one, empty at the end.

    It gets the scope, the `$filter` and the token of this page, both perhaps empty.
    """
    scoped: bool = False
    """A list at a scope also shows what stands at the scopes above and below it."""
    delete_answers: bool = False
    """DELETE answers what was deleted."""
    tenant_wide: bool = False
    """Is the same at every scope: kept at the tenant's root, whatever scope it is named at."""
    is_mixture: bool = False
    """Lists top-level resources of every type."""

    @property
    def namespace(self) -> str:
        return self.type.partition("/")[0]

    @property
    def short_type(self) -> str:
        """The type without its namespace: `workspaces`, `storageAccounts/blobServices`."""
        return self.type.partition("/")[2]

    @property
    def permission_type(self) -> str:
        """The type as operations name it: groups stand below subscriptions there."""
        return self.operations_type or self.type

    def action(self, name: str) -> Action | None:
        wanted = name.lower()
        return next((one for one in self.actions if one.name.lower() == wanted), None)


class Source(Protocol):
    """Where a computed type's resources come from."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        """The body of one resource, without `id`, `name`, `type`."""

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        """All of them below a scope."""
