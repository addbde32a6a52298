"""A data folder with very many workspaces, written straight into the tables: no instance was ever filled like that.

Every thousand workspaces are a group of their own, and have the sample's neighbours; each has its own secrets, sealed
for it. For every thousand there are ten applications with ten roles each, at groups one beside the other. The trail
knows nothing of all that, and stays whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from linarite import joined, seal
from linarite.ids import GROUP, scope_of
from linarite.model import Assignment, Principal, PrincipalKind, Resource
from linarite.roles import OWNER
from linarite.seal import Sealed
from linarite.store import bulk, directory, keyring, resources
from linarite.tokens import Authority
from linarite.tokens.minting import access_claims, mint, private_half

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.ids import ResourceId
    from linarite.seal import Keyring
    from linarite.settings import Settings
    from linarite.store.database import Database

IN_A_GROUP = 1000
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"

_APPLICATIONS = 10
"""For each group; and roles that each of them has."""
_CALLERS = 50
"""Applications whose tokens are made, at most."""
_LASTS = timedelta(hours=12)
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is there, as far as a load generator has to know."""

    workspaces: int
    groups: int
    callers: list[tuple[str, list[int]]] = field(repr=False)
    """Tokens, each with the numbers of the groups that it may ask for."""

    def workspaces_of(self, group: int) -> int:
        """How many there are in a group: the last one may not be full."""
        return min(IN_A_GROUP, self.workspaces - group * IN_A_GROUP)


def fill(
    settings: Settings,
    environment: Mapping[str, str],
    sample: str,
    workspaces: int,
    progress: Callable[[str], None],
) -> Crowd:
    """Make so many workspaces beside the sample, whose path is given; nobody else may have the database open."""
    groups = -(-workspaces // IN_A_GROUP)
    with joined.opened(settings) as database:
        ring = keyring.unwrapped(database, seal.root_key(settings.root_key, environment))
        for number in range(groups):
            _group(database, ring, sample, number, min(IN_A_GROUP, workspaces - number * IN_A_GROUP))
            if number % 100 == 99:  # noqa: PLR2004
                progress(f"made {(number + 1) * IN_A_GROUP} workspaces of {workspaces}")
        everybody = [_application(number) for number in range(groups * _APPLICATIONS)]
        _roles(database, scope_of(sample), everybody, groups)
        return Crowd(workspaces, groups, list(_callers(database, ring, everybody, groups).items()))


def group_id(sample: ResourceId, number: int) -> ResourceId:
    """The id of a group of the crowd."""
    subscription = [*sample.scopes()][-2]
    return subscription.child(GROUP, f"crowd{number}")


def _group(database: Database, ring: Keyring, sample: str, number: int, workspaces: int) -> None:
    """One group with its workspaces and their secrets."""
    with database.writing() as connection:
        found = resources.find(connection, sample.lower())
        above = resources.find(connection, scope_of(sample).parent.key)  # type: ignore[union-attr]
        if found is None or above is None:
            message = f"{sample} is not there"
            raise LookupError(message)
        group = group_id(found.id, number)
        first = number * IN_A_GROUP
        ids = [group.child(WORKSPACES, f"w{place}") for place in range(first, first + workspaces)]
        plain = {
            name: ring.open(Sealed(box), found.key, name)
            for name, box in resources.boxes_of(resources.row_of(connection, found.key)).items()
        }
        bulk.add_resources(connection, [Resource(group, above.body, found.version)])
        bulk.add_resources(connection, (Resource(id_, found.body, found.version) for id_ in ids))
        bulk.add_sealed(
            connection,
            ((id_.key, {name: ring.seal(secret, id_.key, name) for name, secret in plain.items()}) for id_ in ids),
        )


def _application(number: int) -> Principal:
    id_ = str(UUID(int=number + 1))
    return Principal(id_, PrincipalKind.SERVICE_PRINCIPAL, id_, "", f"crowd {number}", app_id=id_)


def _roles(database: Database, sample: ResourceId, everybody: list[Principal], groups: int) -> None:
    made: list[tuple[Resource, Assignment]] = []
    for number, one in enumerate(everybody):
        for place in range(_APPLICATIONS):
            scope = group_id(sample, _seen(number, place, groups))
            id_ = scope.child(_ASSIGNMENTS, str(UUID(int=number * _APPLICATIONS + place + 1)))
            body = {"properties": {"principalId": one.object_id, "roleDefinitionId": OWNER.id, "scope": scope.text}}
            made.append((Resource(id_, body, 0), Assignment(one.object_id, OWNER.id, scope.key)))
    with database.writing() as connection:
        bulk.add_principals(connection, everybody, datetime.now(UTC))
        bulk.add_resources(connection, (resource for resource, _ in made))
        bulk.add_assignments(connection, ((resource.key, assignment) for resource, assignment in made))


def _seen(number: int, place: int, groups: int) -> int:
    """The group at which an application has the role of that place."""
    return (number // _APPLICATIONS + place) % groups


def _callers(database: Database, ring: Keyring, everybody: list[Principal], groups: int) -> dict[str, list[int]]:
    with database.reading() as connection:
        owner = next(one for one in directory.principals_all(connection) if one.tenant)
        [key, *_] = directory.signing_keys_all(connection)
    authority, private, now = Authority("https://localhost", owner.tenant), private_half(key, ring), datetime.now(UTC)
    step = max(1, len(everybody) // _CALLERS)
    found = {}
    for number in range(0, len(everybody), step):
        claims = access_claims(
            authority, everybody[number], authority.audiences[0], now=now, lifetime=_LASTS, uti=str(number)
        )
        found[mint(private, claims)] = sorted({_seen(number, place, groups) for place in range(_APPLICATIONS)})
    return found
