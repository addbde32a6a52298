"""Manifests, tags and referrers over HTTP: everything of the specification that is not a blob.

This module translates; `manifests` and `listing` decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from linarite.doors.registry import listing, manifest, manifests, names
from linarite.doors.registry.messages import Answer, json_answer
from linarite.doors.registry.paging import link, link_to, window
from linarite.doors.registry.refused import manifest_unknown

if TYPE_CHECKING:
    from linarite.doors.registry.routes import Visit


async def version(_: Visit) -> Answer:
    """GET /v2/: this is a registry, and the credentials hold."""
    return json_answer({})


async def pull(visit: Visit) -> Answer:
    """GET: the manifest, byte for byte as it was pushed and with the media type it was pushed with."""
    stored = manifests.find(visit.content, visit.repository, names.reference(visit.parts["reference"]))
    headers = [
        ("Content-Type", stored.media_type),
        ("Docker-Content-Digest", stored.digest),
        ("ETag", f'"{stored.digest}"'),
    ]
    if visit.request.header("if-none-match") == f'"{stored.digest}"':
        return Answer(304, headers)
    return Answer(200, headers, stored.body)


async def push(visit: Visit) -> Answer:
    reference = names.reference(visit.parts["reference"])
    body = await visit.request.whole(manifest.LARGEST)
    pushed = manifest.read(body, visit.request.header("content-type"))
    digest = await manifests.put(visit.content, visit.repository, reference, pushed)
    headers = [("Location", f"/v2/{visit.repository}/manifests/{digest}"), ("Docker-Content-Digest", digest)]
    if pushed.subject is not None:
        headers.append(("OCI-Subject", pushed.subject.digest))
    return Answer(201, headers)


async def delete(visit: Visit) -> Answer:
    """DELETE: a digest deletes the manifest with its tags, a tag only itself."""
    reference = names.reference(visit.parts["reference"])
    digest = names.find_digest(reference)
    if digest is not None:
        await manifests.delete(visit.content, visit.repository, digest)
    elif await manifests.untag(visit.content, visit.repository, names.Tag(reference)) is None:
        raise manifest_unknown(visit.repository, reference)
    return Answer(202)


async def tags(visit: Visit) -> Answer:
    page = listing.tag_names(visit.content, visit.repository, window(visit.request))
    return json_answer({"name": visit.repository, "tags": page.entries}, link(visit.request.path, page.next))


async def catalog(visit: Visit) -> Answer:
    page = listing.catalog(visit.content, window(visit.request))
    return json_answer({"repositories": page.entries}, link(visit.request.path, page.next))


async def referrers(visit: Visit) -> Answer:
    """GET: an image index of the manifests that have this subject. Never 404: clients would fall back to tags."""
    wanted = window(visit.request)
    artifact_type = visit.request.parameter("artifactType") or None
    found = manifests.referrers(
        visit.content,
        visit.repository,
        visit.digest,
        artifact_type=artifact_type,
        after=wanted.last,
        most=wanted.most + 1,
    )
    shown = found[: wanted.most]
    headers = [("Content-Type", manifest.OCI_INDEX)]
    if artifact_type is not None:
        headers.append(("OCI-Filters-Applied", "artifactType"))
    if len(found) > wanted.most and shown:
        query: dict[str, str | int] = {"last": shown[-1]["digest"], "n": wanted.most}
        query |= {"artifactType": artifact_type} if artifact_type else {}
        headers += link_to(visit.request.path, query)
    body = {"schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": shown}
    return Answer(200, headers, orjson.dumps(body))
