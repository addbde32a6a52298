"""The draft of a resource: the body that a PUT or a PATCH comes to, before anything is written.

What the request says is read by the kind's fields over what was there; the kind completes and checks it, and every
problem is refused together. It knows no verb.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite import identities
from linarite.errors.bodies import body_invalid, location_fixed, location_required, location_unavailable
from linarite.model import copied
from linarite.moments import written
from linarite.regions import REGIONS
from linarite.schema import accept

if TYPE_CHECKING:
    from linarite.context import Work
    from linarite.ids import ResourceId
    from linarite.kind import Kind
    from linarite.model import Body, Resource


def drafted(work: Work, kind: Kind, id_: ResourceId, body: Any, before: Resource | None, *, patch: bool) -> Body:
    """The body to keep, checked as a whole; every problem is refused together."""
    if body is None:
        body = {}
    accepted = accept(
        kind.fields, body, version=work.version, before=copied(before.body) if before else None, patch=patch
    )
    if not isinstance(body, dict):
        raise body_invalid(accepted.problems, kind.short_type)
    draft = accepted.body
    if kind.tracked:
        _locate(kind, draft, before)
    problems = list(accepted.problems)
    if not problems:
        if kind.prepare:
            kind.prepare(work, id_, draft, before)
        if kind.check:
            problems.extend(kind.check(work, id_, draft, before))
    if problems:
        raise body_invalid(problems, kind.short_type.rstrip("s"))
    identities.prepare(work, id_, draft, before, f"{kind.permission_type}/write")
    _sign(work, draft, before)
    return draft


def _locate(kind: Kind, draft: Body, before: Resource | None) -> None:
    given = draft.get("location")
    location = given.replace(" ", "").lower() if isinstance(given, str) else ""
    if not location:
        if before is None:
            raise location_required()
        draft["location"] = before.location
        return
    if before is not None and before.location and before.location != location:
        raise location_fixed(before.name, before.id.group or "", before.location, location)
    if location not in REGIONS and not (location == "global" and before is None):
        raise location_unavailable(location, kind.type, REGIONS)
    draft["location"] = location


def _sign(work: Work, draft: Body, before: Resource | None) -> None:
    """Write down who made and last changed it."""
    at = written(work.now, "microseconds")
    by = work.caller.client if work.caller else "linarite"
    by_type = work.caller.created_by_type if work.caller else "Application"
    old = before.body.get("systemData", {}) if before else {}
    draft["systemData"] = {
        "createdAt": old.get("createdAt", at),
        "createdBy": old.get("createdBy", by),
        "createdByType": old.get("createdByType", by_type),
        "lastModifiedAt": at,
        "lastModifiedBy": by,
        "lastModifiedByType": by_type,
    }
