"""Tokens for managed identities: whoever stands where a resource stands asks for one, without an application's secret.

Where is proved by the resource's own header, which is kept sealed with it, or by the machine that an operator made
stand for the resource. What can be asked for, and the words of refusals, are those of Azure's instance metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.grants.ask import audience_of
from linarite.grants.clients import BY_ASSERTION
from linarite.grants.denied import Denied
from linarite.identities import named, own
from linarite.ids import parse_id
from linarite.model import PrincipalKind, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body, Principal, Resource
    from linarite.store.view import View

HEADER = "identity-header"
"""The name under which a resource's header is kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands, and which of the identities there they want; nothing in it is trusted but `is_proven`."""

    host: str
    """Id of the resource."""
    resource: str
    """What the token is for."""
    header: Secret | None = None
    is_proven: bool = False
    """Whether the place needs no header, for an operator made the machine stand for it."""
    client_id: str = ""
    object_id: str = ""
    resource_id: str = ""


class Unidentified(Denied):
    """There is no identity for whoever asks, in the words of instance metadata, which have no number."""

    def __init__(self, message: str, status: int = 400, error: str = "invalid_request") -> None:
        super().__init__(error, 0, message, status)

    @property
    def code(self) -> str:
        return self.error


async def managed_identity(service: TokenService, case: Case, place: Place) -> Body:
    """The answer with the token.

    Raises:
        Denied: the place is not proven, there is no such identity there, or nothing such to have a token for.
        Stale: the state has moved on; grant again.
    """
    case.audience, case.proof = place.resource, BY_ASSERTION
    (principal, mirid), version = await service.gate.look(lambda view: _found(view, place))
    case.principal = principal
    if not place.resource:
        raise Unidentified("The required parameter 'resource' is missing.")
    case.claims = {"xms_mirid": mirid}
    answer = await service.issue(case, principal, audience_of(place.resource, service.authority), version)
    return {**answer, "client_id": principal.app_id}


def _found(view: View, place: Place) -> tuple[Principal, str]:
    """The identity that is asked for, and the id of the resource that it belongs to."""
    id_ = parse_id(place.host)
    host = view.resource(id_.key) if id_ else None
    if host is None or host.deleted_at is not None or not _is_proven(view, host, place):
        raise Unidentified("The header is not that of the resource.", 401, "unauthorized_client")
    there = {one.object_id: one for one in _identities(view, host)}
    its_own = there.get(own(host) or "")
    if place.client_id or place.object_id or place.resource_id:
        fitting = [one for one in there.values() if _is(one, place)]
        found = fitting[0] if fitting else None
    elif its_own is not None:
        found = its_own
    elif len(there) > 1:
        raise Unidentified(
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the "
            "token request"
        )
    else:
        found = next(iter(there.values()), None)
    resource = view.resource(found.resource or "") if found else None
    if found is None or found.disabled or resource is None:
        raise Unidentified("Identity not found")
    return found, resource.id.text


def _is_proven(view: View, host: Resource, place: Place) -> bool:
    if place.is_proven:
        return True
    kept = view.secrets(host.key).get(HEADER)
    return kept is not None and place.header is not None and kept == place.header


def _identities(view: View, host: Resource) -> Iterator[Principal]:
    """Those that can be had at a resource: its own, and those that it names."""
    for object_id in (own(host), *named(host).values()):
        principal = view.principal(object_id) if object_id else None
        if principal is not None and principal.kind is PrincipalKind.MANAGED_IDENTITY:
            yield principal


def _is(principal: Principal, place: Place) -> bool:
    """Whether all that a request says of the identity fits."""
    said = (
        (place.client_id, principal.app_id),
        (place.object_id, principal.object_id),
        (place.resource_id, principal.resource),
    )
    return all(not wanted or wanted.lower() == is_ for wanted, is_ in said)
