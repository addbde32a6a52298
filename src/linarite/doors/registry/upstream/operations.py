"""What the door does where its content is kept upstream: most of it is passing on what was checked.

Lists are made anew, for an upstream's catalog holds everybody's repositories, and not every upstream makes pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from linarite.doors.registry import names, scopes
from linarite.doors.registry.listing import Page, Window
from linarite.doors.registry.messages import json_answer
from linarite.doors.registry.paging import link, window
from linarite.doors.registry.refused import Refused, refused
from linarite.doors.registry.upstream.line import Down

if TYPE_CHECKING:
    from linarite.doors.registry.messages import Answer
    from linarite.doors.registry.upstream.line import Query
    from linarite.doors.registry.upstream.visit import Visit

LARGEST_LIST = 16 * 1024 * 1024
"""Bytes of an upstream's list, which is read whole."""
AT_A_TIME = 100
"""Repositories asked for at once: Debian's registry refuses to be asked for more than its operator allows."""

_UPLOAD = re.compile(r"[A-Za-z0-9_=~+-][A-Za-z0-9_=~+.:-]{0,511}")


async def version(visit: Visit) -> Answer:
    """Whether this is a registry, and the one behind it too."""
    await visit.read("/v2/", {}, LARGEST_LIST)
    return json_answer({})


async def manifest(visit: Visit) -> Answer:
    return await visit.pass_on(visit.path("manifests", names.reference(visit.parts["reference"])))


async def blob(visit: Visit) -> Answer:
    return await visit.pass_on(visit.path("blobs", names.digest(visit.parts["reference"])))


async def referrers(visit: Visit) -> Answer:
    path = visit.path("referrers", names.digest(visit.parts["reference"]))
    return await visit.pass_on(path, visit.request.query)


async def start(visit: Visit) -> Answer:
    """Begin an upload; a mount is from a repository of the same registry that the visitor may pull from, or none."""
    query = {name: values for name, values in visit.request.query.items() if name not in {"mount", "from"}}
    digest = names.find_digest(visit.request.parameter("mount"))
    source = _source(visit)
    if digest is not None and source is not None:
        query |= {"mount": [digest], "from": [f"{visit.place}/{source}"]}
    return await visit.pass_on(visit.path("blobs", "uploads", ""), query)


async def upload(visit: Visit) -> Answer:
    id_ = visit.parts["upload"]
    if not _UPLOAD.fullmatch(id_):
        raise refused("BLOB_UPLOAD_UNKNOWN")
    return await visit.pass_on(visit.path("blobs", "uploads", id_), visit.request.query)


async def catalog(visit: Visit) -> Answer:
    """The registry's own part of the upstream's catalog, whose order and pages are the upstream's."""
    wanted = window(visit.request)
    prefix = f"{visit.place}/"
    found: list[str] = []
    last = f"{prefix}{wanted.last}" if wanted.last else visit.place
    while len(found) <= wanted.most:
        listed, more = await _list(visit, "/v2/_catalog", "repositories", {"n": [str(AT_A_TIME)], "last": [last]})
        own = [name.removeprefix(prefix) for name in listed if name.startswith(prefix)]
        found += own
        past = found and not own  # its name space is one piece of the list, in whichever order that is
        if not more or not listed or past or listed[-1] == last:
            break
        last = listed[-1]
    page = _page(found, wanted, more=False)
    return json_answer({"repositories": page.entries}, link(visit.request.path, page.next))


async def tags(visit: Visit) -> Answer:
    wanted = window(visit.request)
    query = {"n": [str(wanted.most)]} | ({"last": [wanted.last]} if wanted.last else {})
    listed, more = await _list(visit, visit.path("tags", "list"), "tags", query)
    if not more:  # the last page; or all there is, where the upstream makes no pages
        listed = sorted(tag for tag in listed if tag > wanted.last)
    page = _page(listed, wanted, more=more)
    return json_answer({"name": visit.repository, "tags": page.entries}, link(visit.request.path, page.next))


async def attributes(_: Visit) -> NoReturn:
    """Azure's metadata API: times and locks that the specification does not have, and no upstream keeps."""
    raise refused("UNSUPPORTED", message="an upstream registry keeps no attributes")


def _source(visit: Visit) -> names.Repository | None:
    """The repository to mount from, where the visitor may pull from it."""
    try:
        source = names.repository(visit.request.parameter("from") or "")
    except Refused:
        return None
    return source if visit.proof.covers([scopes.on(source, "pull")]) else None


async def _list(visit: Visit, path: str, member: str, query: Query) -> tuple[list[str], bool]:
    """A list of the upstream's, and whether it says that there is more.

    Raises:
        Refused, Down: as `Visit.read` says; Down where it is no list.
    """
    body, headers = await visit.read(path, query, LARGEST_LIST)
    try:
        document: Any = orjson.loads(body)
        entries = iter(document[member] or ())
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Down(f"{path} is no list") from error
    return [entry for entry in entries if isinstance(entry, str)], "link" in headers


def _page(entries: list[str], wanted: Window, *, more: bool) -> Page:
    shown = entries[: wanted.most]
    following = Window(wanted.most, shown[-1]) if shown and (more or len(entries) > wanted.most) else None
    return Page(shown, following)
