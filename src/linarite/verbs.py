"""What GET, PUT, PATCH, DELETE and POST do, once for every kind.

A verb takes a context and a request and answers; it runs over a view or inside a unit of work, and may run twice. It
decides from names first, then reads, then writes. What a body comes to is `draft`'s to say; lists have a file of their
own (`listing`), and so has the long part of long-running work (`longrunning`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from linarite import identities, longrunning
from linarite.context import Work
from linarite.draft import drafted
from linarite.errors import BadRequest
from linarite.errors.access import built_in
from linarite.errors.bodies import body_invalid
from linarite.errors.names import group_not_found, name_invalid, parent_not_found, resource_not_found
from linarite.ids import GROUP, ROOT, SUBSCRIPTION
from linarite.kind import Effect
from linarite.model import Answer, Resource
from linarite.schema import accept
from linarite.shown import as_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.context import Context
    from linarite.ids import ResourceId
    from linarite.kind import Action, Kind
    from linarite.longrunning import Pace
    from linarite.model import Body
    from linarite.routes import Route

SOFT_DELETED_DAYS = 14
"""How long a soft-deleted workspace can be brought back (Microsoft's "Recover workspace data while soft deleted")."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the verbs see it: what it is about, at which api-version, and what it says."""

    route: Route
    query: Mapping[str, str]
    json: Callable[[], Any]
    """The decoded body; None where there is none. Raises BadRequest where it cannot be read."""
    pace: Pace
    method: str = "GET"


def get(context: Context, request: Request) -> Answer:
    """GET and HEAD of one resource."""
    kind, id_ = request.route.kind, request.route.id
    if kind.is_progress:
        return longrunning.poll(context, id_, request.query.get("type", ""), request.pace)
    resource = find(context, kind, id_)
    if request.method == "HEAD":
        return Answer(204)
    return Answer(200, as_shown(context, kind, resource))


def put(work: Work, request: Request) -> Answer:
    """PUT: create, or replace what the caller may set."""
    kind, asked = request.route.kind, request.route.id
    id_ = _kept(kind, asked)
    before = _before(work, kind, id_)
    parent = _parent(work, kind, asked)
    if before is None and not kind.name.allows(id_.name):
        raise name_invalid(kind.type, id_.name, kind.name.sentence)
    draft = drafted(work, kind, id_, request.json(), before, patch=False)
    if before is None:
        id_ = _kept(kind, parent.child(kind.type, id_.name))
        resource = work.view.add(Resource(id_, draft, 0))
        identities.follow(work, resource)
        if kind.created:
            kind.created(work, resource)
    else:
        resource = _change(work, kind, before, draft)
    status = kind.put.new if before is None else kind.put.again
    return _answer_change(work, request, resource, "create" if before is None else "update", status)


def patch(work: Work, request: Request) -> Answer:
    """PATCH: change what the body names (JSON merge patch), leave the rest."""
    kind, id_ = request.route.kind, request.route.id
    before = find(work, kind, id_)
    longrunning.idle(work, before.id)
    draft = drafted(work, kind, id_, request.json(), before, patch=True)
    return _answer_change(work, request, _change(work, kind, before, draft), "update", 200)


def delete(work: Work, request: Request) -> Answer:
    """DELETE: 204 where there is nothing; otherwise remove, or soft-delete where the kind does."""
    kind, id_ = request.route.kind, request.route.id
    resource = work.stored(_kept(kind, id_))
    purge = request.query.get("forceToPurge", "false").lower() == "true"
    if resource is None or (resource.deleted_at is not None and not purge):
        if id_.type.lower() == GROUP.lower():
            raise group_not_found(id_.name)
        if kind.source is not None and kind.source.get(work, id_) is not None:
            raise built_in(id_.name)
        return Answer(204)
    if kind.delete_long:
        longrunning.idle(work, resource.id)
        return longrunning.begin(work, kind, resource, "delete", body={"purge": purge}, pace=request.pace)
    gone = as_shown(work, kind, _asked_for(request, resource)) if kind.delete_answers else None
    longrunning.delete(work, kind, resource, purge=purge)
    return Answer(kind.delete_status, gone)


def act(context: Context, action: Action, request: Request) -> Answer:
    """POST of an action."""
    kind, id_ = request.route.kind, request.route.id
    on_provider = action in kind.provider_actions
    resource = Resource(id_, {}, 0) if on_provider else find(context, kind, id_)
    body = _action_body(action, request, context.version)
    if isinstance(context, Work) and action.effect is Effect.LONG:
        longrunning.idle(context, resource.id)
        return longrunning.begin(
            context,
            kind,
            resource,
            action.name,
            body=body,
            pace=request.pace,
            at_once=context.version < action.long_since,
        )
    result = action.run(context, resource, body)
    return Answer(200, result)


def find(context: Context, kind: Kind, id_: ResourceId) -> Resource:
    """The resource, or the refusal that says what is missing: its group, or itself."""
    if kind.source is not None:
        body = kind.source.get(context, id_)
        if body is not None:
            return Resource(id_, body, 0)
    else:
        found = context.find(id_)
        if found is not None:
            return found
    raise missing(context, id_)


def missing(context: Context, id_: ResourceId) -> Exception:
    """The refusal for a resource that is not there, in Azure's words."""
    group = id_.within(GROUP)
    if id_.type.lower() == GROUP.lower() or (group is not None and context.find(group) is None):
        return group_not_found(group.name if group else id_.name)
    names = [scope.name for scope in id_.scopes() if scope.type.lower().startswith(id_.namespace.lower())]
    return resource_not_found(f"{id_.type}/{'/'.join(reversed(names))}", id_.group)


def _before(work: Work, kind: Kind, id_: ResourceId) -> Resource | None:
    """What a PUT replaces; refuses where the name is blocked or something is under way."""
    before = work.stored(id_)
    if before is not None and before.deleted_at is not None:
        if (work.now - before.deleted_at).days < SOFT_DELETED_DAYS:
            raise BadRequest(
                "BadRequest",
                "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete",
                origin="provider",
            )
        longrunning.delete(work, kind, before, purge=True)
        before = None
    if before is not None or kind.put.long:
        longrunning.idle(work, id_)
    return before


def _parent(work: Work, kind: Kind, id_: ResourceId) -> ResourceId:
    """The scope above, as stored, so that new ids take its spelling."""
    parent = id_.parent or ROOT
    if parent is ROOT:
        return parent
    found = work.find(parent)
    if found is not None:
        return found.id
    if _materialised(work, parent):
        return parent
    if parent.type.lower() == SUBSCRIPTION.lower() or id_.within(GROUP) is None:
        raise missing(work, parent)
    if parent.type.lower() == GROUP.lower():
        raise group_not_found(parent.name)
    if kind.parent == "*":
        raise missing(work, parent)
    raise parent_not_found(_outermost_missing(work, parent).name)


def _kept(kind: Kind, id_: ResourceId) -> ResourceId:
    """Where a resource is kept: what is the same at every scope, at the tenant's root."""
    return ROOT.child(kind.type, id_.name) if kind.tenant_wide else id_


def _asked_for(request: Request, resource: Resource) -> Resource:
    """A resource as it is named in the request, wherever it is kept."""
    return replace(resource, id=request.route.id) if request.route.kind.tenant_wide else resource


def _outermost_missing(work: Work, id_: ResourceId) -> ResourceId:
    """What really is not there: `default` below an account that does not exist is not the news."""
    inside = [scope for scope in id_.scopes() if scope.within(GROUP) not in {None, scope}]
    return next((scope for scope in reversed(inside) if work.find(scope) is None), id_)


def _materialised(work: Work, parent: ResourceId) -> bool:
    """Give a computed parent, as an account's one blob service, a row that its children can hang on."""
    kind = work.registry.kind(parent.type)
    if kind is None or kind.source is None or kind.source.get(work, parent) is None:
        return False
    work.view.add(Resource(parent, {}, 0))
    return True


def _change(work: Work, kind: Kind, before: Resource, draft: Body) -> Resource:
    resource = work.view.rewrite(before, draft)
    identities.follow(work, resource, before)
    if kind.changed:
        kind.changed(work, resource)
    return work.find(resource.id) or resource


def _answer_change(work: Work, request: Request, resource: Resource, step: str, status: int) -> Answer:
    kind = request.route.kind
    if kind.put.long:
        at_once = request.method == "PATCH" and work.version < kind.put.patch_long_since
        return longrunning.begin(work, kind, resource, step, body={}, pace=request.pace, at_once=at_once)
    resource = longrunning.settle(work, kind, resource, "Succeeded")
    return Answer(status, as_shown(work, kind, _asked_for(request, resource)))


def _action_body(action: Action, request: Request, version: str) -> Body:
    """The action's body as its fields read it; a body is ignored where none is declared."""
    if not action.fields:
        return {}
    accepted = accept(action.fields, request.json() or {}, version=version)
    if accepted.problems:
        raise body_invalid(accepted.problems, action.name)
    return accepted.body
