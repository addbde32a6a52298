"""LIST: one page of resources in the order of their ids, filtered to what the caller may read.

A page is found by the last key of the page before it, so every page costs the same. The link to the next page is
absolute, as all clients expect, and carries the caller's own query.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from linarite import access
from linarite.errors import BadRequest
from linarite.errors.access import authorization_failed
from linarite.errors.names import group_not_found, subscription_not_found
from linarite.ids import GROUP, ROOT, SUBSCRIPTION
from linarite.model import Answer, Resource
from linarite.odata import joined_by
from linarite.shown import as_shown
from linarite.store import resources
from linarite.verbs import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from linarite.context import Context
    from linarite.ids import ResourceId
    from linarite.kind import Kind
    from linarite.model import Body
    from linarite.verbs import Request

PAGE = 1000
"""Resources in a page, unless `$top` asks for fewer."""

_MIXED = ("id", "name", "type", "location", "tags", "kind", "sku", "identity")
_CONDITION = re.compile(r"\s*(resourceType|resourceGroup|name|location)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


def list_(context: Context, request: Request, path: str) -> Answer:
    """One page: `{"value": […], "nextLink": …}`, the link left out on the last page."""
    kind, scope = request.route.kind, request.route.id
    may_see = _sight(context, request)
    if scope is not ROOT and not _is_there(context, scope):
        raise _scope_missing(context, scope)
    if kind.pages is not None:
        value, token = kind.pages(
            context, scope, request.query.get("$filter", ""), request.query.get(kind.page_parameter, "")
        )
        shown = _selected(value, request.query.get("$select", ""))
        return Answer(200, {"value": shown, **_next_link(context, request, path, token)})
    most = _top(request.query)
    fits = _own_filter(request)
    if kind.source is not None or kind.scoped:
        found = _around(context, kind, scope) if kind.scoped else _computed(context, kind, scope)
        return Answer(200, {"value": [as_shown(context, kind, one) for one in found if may_see(one.id) and fits(one)]})
    after = _read_token(request.query.get(kind.page_parameter, ""))
    where = _filter(request.query.get("$filter", "")) if kind.is_mixture else {}
    page = _page(context, kind, scope, after=after, most=most, where=where)
    value, last = [], ""
    for one in islice(page, most):
        last = one.key
        if may_see(one.id) and fits(one):
            value.append(_item(context, kind, one))
    body: Body = {"value": value}
    if next(page, None) is not None:
        body |= _next_link(context, request, path, _token(last))
    return Answer(200, body)


def _next_link(context: Context, request: Request, path: str, token: str) -> Body:
    """The member that leads to the next page, if there is one."""
    if not token:
        return {}
    query = dict(request.query) | {request.route.kind.page_parameter: token}
    return {"nextLink": f"{context.origin}{path}?{urlencode(query, safe='$')}"}


def _selected(value: list[Body], text: str) -> list[Body]:
    """Only the members that a `$select` names, where there is one."""
    names = {name.strip().lower() for name in text.split(",") if name.strip()}
    return [{name: one[name] for name in one if name.lower() in names} for one in value] if names else value


def _sight(context: Context, request: Request) -> Callable[[ResourceId], bool]:
    """What of the list the caller may see: all of it, or the parts it has a role at; refused where that is nothing.

    Lists of the tenant are not refused: whoever has no role sees that there are no subscriptions.
    """
    view, caller, operation, scope = context.view, context.caller, request.route.operation, request.route.id
    if caller is None:
        raise authorization_failed("", "", operation, scope.text)
    if access.allowed(view, caller, operation, scope) or request.route.kind.for_everybody:
        return lambda _: True
    if scope is not ROOT and not access.holds_below(view, caller, _stored(context, scope)):
        raise authorization_failed(caller.client, caller.object_id, operation, scope.text)
    return lambda id_: access.allowed(view, caller, operation, id_) or access.holds_below(view, caller, id_)


def _stored(context: Context, scope: ResourceId) -> ResourceId:
    """A scope, or the one above where it is computed, as the events of a subscription are: no role hangs on that."""
    kind = context.registry.kind(scope.type)
    return scope.parent or ROOT if kind is not None and kind.source is not None else scope


def _own_filter(request: Request) -> Callable[[Resource], bool]:
    """What the kind's own filter lets through: everything where it has none."""
    read = request.route.kind.filter
    return read(request.route.id, request.query.get("$filter", "").strip()) if read is not None else lambda _: True


def _computed(context: Context, kind: Kind, scope: ResourceId) -> list[Resource]:
    """Resources of a kind that are not stored."""
    return [Resource(id_, body, 0) for id_, body in kind.source.list(context, scope)] if kind.source else []


def _around(context: Context, kind: Kind, scope: ResourceId) -> list[Resource]:
    """Resources of a scoped kind at a scope, above it and below it."""
    found = resources.below(context.view.connection(), kind.type, scope.key)
    for above in scope.scopes():
        if above is not scope:
            found.extend(context.at(above, kind.type))
    return found


def _is_there(context: Context, scope: ResourceId) -> bool:
    """Whether a scope exists, stored or computed, as an account's one blob service is."""
    kind = context.registry.kind(scope.type)
    if kind is not None and kind.source is not None:
        return kind.source.get(context, scope) is not None
    return context.find(scope) is not None


def _scope_missing(context: Context, scope: ResourceId) -> Exception:
    if scope.type.lower() == SUBSCRIPTION.lower():
        return subscription_not_found(scope.name)
    if scope.type.lower() == GROUP.lower():
        return group_not_found(scope.name)
    return missing(context, scope)


def _page(
    context: Context, kind: Kind, scope: ResourceId, *, after: str, most: int, where: Mapping[str, str]
) -> Iterator[Resource]:
    """The resources of a page and those behind it, as many as are asked for."""
    whole_subscription = scope.type.lower() == SUBSCRIPTION.lower() and kind.parent != SUBSCRIPTION
    read = partial(
        resources.children,
        context.view.connection(),
        parent=None if scope is ROOT or whole_subscription else scope.key,
        subscription=scope.name.lower() if whole_subscription else None,
        type_="" if kind.is_mixture else kind.type,
        most=most + 1,
    )
    while True:
        rows = 0
        for one in read(after=after):
            rows, after = rows + 1, one.key
            if not kind.is_mixture or _fits(context, one, where):
                yield one
        if rows <= most:
            return


def _item(context: Context, kind: Kind, resource: Resource) -> Body:
    if not kind.is_mixture:
        return as_shown(context, kind, resource)
    own = context.registry.kind(resource.type)
    shown = as_shown(context, own, resource) if own else {"id": resource.id.text}
    return {name: shown[name] for name in _MIXED if name in shown}


def _fits(context: Context, resource: Resource, where: Mapping[str, str]) -> bool:
    """Top-level tracked resources, and of these the ones that the filter names."""
    kind = context.registry.kind(resource.type)
    if kind is None or not kind.tracked or kind.parent or resource.id.within(GROUP) is None:
        return False
    seen = {
        "resourcetype": resource.type,
        "resourcegroup": resource.id.group or "",
        "name": resource.name,
        "location": resource.location,
    }
    return all(seen[name].lower() == value.lower() for name, value in where.items())


def _filter(text: str) -> dict[str, str]:
    """Read `resourceType eq 'A/b' and name eq 'c'`; the conditions that Azure's own tools send."""
    if not text.strip():
        return {}
    conditions: dict[str, str] = {}
    for part in joined_by("and", text):
        found = _CONDITION.fullmatch(part)
        if found is None:
            raise BadRequest(
                "InvalidFilterInQueryString",
                f"Invalid $filter '{text}' specified in the query string. Conditions are resourceType, resourceGroup, "
                "name or location, 'eq' and a value in single quotes, joined by 'and'.",
            )
        conditions[found[1].lower()] = found[2].replace("''", "'")
    return conditions


def _top(query: Mapping[str, str]) -> int:
    text = query.get("$top", "")
    if not text:
        return PAGE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 100_000 or len(text) > 6:  # noqa: PLR2004
        raise BadRequest("InvalidTopValue", f"The $top value '{text}' is invalid. It is a whole number from 1 on.")
    return min(int(text), PAGE)


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_token(text: str) -> str:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = "?"
    if text and not key.startswith("/"):
        message = "The continuation token is invalid. Take it from the 'nextLink' of the page before."
        raise BadRequest("InvalidContinuationToken", message)
    return key
