"""Azure's metadata API over HTTP: `/acr/v1`, as azure-containerregistry and `az acr repository` use it.

Shapes, statuses and sentences are those of answers recorded from the real service in the tests of Azure's SDK for
JavaScript. This module translates; `listing`, `manifests` and `repositories` decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from linarite.doors.registry import listing, manifests, names, repositories
from linarite.doors.registry.messages import Answer, json_answer
from linarite.doors.registry.paging import USUAL, link, window
from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from linarite.doors.registry.routes import Visit

LARGEST_PATCH = 64 * 1024


async def catalog(visit: Visit) -> Answer:
    page = listing.catalog(visit.content, window(visit.request, usual=USUAL))
    return json_answer({"repositories": page.entries}, _link(visit, "_catalog", page))


async def repository(visit: Visit) -> Answer:
    properties = listing.repository_properties(visit.content, visit.repository)
    return json_answer({"registry": visit.request.host, **properties})


async def change_repository(visit: Visit) -> Answer:
    await repositories.change(visit.content, visit.repository, await _patch(visit))
    return await repository(visit)


async def delete_repository(visit: Visit) -> Answer:
    deleted = await repositories.delete(visit.content, visit.repository)
    return json_answer({"manifestsDeleted": deleted.manifests, "tagsDeleted": deleted.tags}, status=202)


async def tags(visit: Visit) -> Answer:
    wanted = window(visit.request, usual=USUAL, ordered=True)
    page = listing.tags(visit.content, visit.repository, wanted, visit.request.parameter("digest"))
    return _of(visit, {"tags": page.entries}, _link(visit, "_tags", page))


async def tag(visit: Visit) -> Answer:
    return _of(visit, {"tag": listing.tag_properties(visit.content, visit.repository, _tag(visit))})


async def change_tag(visit: Visit) -> Answer:
    await repositories.change_tag(visit.content, visit.repository, _tag(visit), await _patch(visit))
    return await tag(visit)


async def delete_tag(visit: Visit) -> Answer:
    digest = await manifests.untag(visit.content, visit.repository, _tag(visit))
    if digest is None:
        raise refused("TAG_UNKNOWN")
    return Answer(202, [("X-Ms-Int-Docker-Content-Digest", digest)])


async def all_manifests(visit: Visit) -> Answer:
    page = listing.manifests(visit.content, visit.repository, window(visit.request, usual=USUAL, ordered=True))
    return _of(visit, {"manifests": page.entries}, _link(visit, "_manifests", page))


async def manifest(visit: Visit) -> Answer:
    return _of(visit, {"manifest": listing.manifest_properties(visit.content, visit.repository, visit.digest)})


async def change_manifest(visit: Visit) -> Answer:
    await repositories.change_manifest(visit.content, visit.repository, visit.digest, await _patch(visit))
    return await manifest(visit)


async def delete_manifest(visit: Visit) -> Answer:
    await manifests.delete(visit.content, visit.repository, visit.digest)
    return Answer(202)


def _of(visit: Visit, members: dict[str, Any], headers: list[tuple[str, str]] | None = None) -> Answer:
    return json_answer({"registry": visit.request.host, "imageName": visit.repository, **members}, headers or [])


def _link(visit: Visit, name: str, page: listing.Page) -> list[tuple[str, str]]:
    """Azure encodes the slashes of the repository's name in this header."""
    where = f"{quote(visit.repository, safe='')}/" if "name" in visit.parts else ""
    return link(f"/acr/v1/{where}{name}", page.next)


def _tag(visit: Visit) -> names.Tag:
    return names.tag(visit.parts["reference"])


async def _patch(visit: Visit) -> Any:
    """The body of a PATCH.

    Raises:
        Refused: it is not JSON.
    """
    try:
        return orjson.loads(await visit.request.whole(LARGEST_PATCH))
    except orjson.JSONDecodeError:
        raise refused("UNSUPPORTED", status=400, message="the body is not JSON") from None
