"""Blobs over HTTP: pulling them, whole or in part, and every way of pushing them that the specification has.

This module translates; `blobs` and `uploads` decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.doors.registry import blobs, locks, names, scopes
from linarite.doors.registry.messages import PARTIAL, Answer
from linarite.doors.registry.refused import Refused, refused

if TYPE_CHECKING:
    from linarite.doors.registry.blobs import Blob
    from linarite.doors.registry.messages import Headers
    from linarite.doors.registry.routes import Visit
    from linarite.doors.registry.uploads import Held

_CONTENT_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def pull(visit: Visit) -> Answer:
    """GET: the blob, the part of it that the Range header names, or nothing where the client has it already."""
    blob = blobs.find(visit.content, visit.repository, visit.digest)
    headers = _blob_headers(blob)
    if visit.request.header("if-none-match") == f'"{blob.digest}"':
        return Answer(304, headers)
    part = _part(visit.request.header("range"), blob.size)
    if part is None:
        return Answer(200, headers, file=blob.path, end=blob.size)
    start, end = part
    headers = [*headers, ("Content-Range", f"bytes {start}-{end - 1}/{blob.size}")]
    return Answer(PARTIAL, headers, file=blob.path, start=start, end=end)


async def head(visit: Visit) -> Answer:
    """HEAD: whether the blob is here. The client may now leave out pushing it, so it must not be collected soon."""
    blob = blobs.find(visit.content, visit.repository, visit.digest)
    if blob.seen < visit.content.stamp(visit.limits.grace / 2):
        await blobs.touch(visit.content, visit.repository, blob.digest)
    return Answer(200, _blob_headers(blob), length=blob.size)


async def delete(visit: Visit) -> Answer:
    await blobs.delete(visit.content, visit.repository, visit.digest)
    return Answer(202)


async def start(visit: Visit) -> Answer:
    """POST: begin an upload; with `digest`, take the whole blob at once; with `mount`, perhaps no upload is needed."""
    request, repository = visit.request, visit.repository
    row = visit.content.index.row("SELECT * FROM repository WHERE name = ?", repository)
    locks.check("write", row)
    if await _mounted(visit):
        return _made(visit, names.digest(request.parameter("mount") or ""))
    whole = request.parameter("digest")
    if whole is None:
        return _progress(visit, visit.content.uploads.begin(repository), 0, status=202)
    digest = names.digest(whole)
    id_ = visit.content.uploads.begin(repository)
    with visit.content.uploads.hold(repository, id_) as held:
        try:
            await _receive(visit, held, names.algorithm(digest))
        except Refused:
            await visit.content.uploads.cancel(held)  # the client never learnt its address
            raise
        return await _finish(visit, held, digest)


async def status(visit: Visit) -> Answer:
    """GET of an upload: how far it has come."""
    id_ = visit.parts["upload"]
    return _progress(visit, id_, visit.content.uploads.size(visit.repository, id_), status=204)


async def add(visit: Visit) -> Answer:
    """PATCH: the next chunk of an upload, or all of it as a stream."""
    with visit.content.uploads.hold(visit.repository, visit.parts["upload"]) as held:
        await _receive(visit, held)
        return _progress(visit, held.id, held.size, status=202)


async def complete(visit: Visit) -> Answer:
    """PUT: the last chunk, or all of the blob, or nothing more; and the digest that all of it must have."""
    digest = names.digest(visit.request.parameter("digest") or "")
    with visit.content.uploads.hold(visit.repository, visit.parts["upload"]) as held:
        await _receive(visit, held, names.algorithm(digest))
        return await _finish(visit, held, digest)


async def cancel(visit: Visit) -> Answer:
    with visit.content.uploads.hold(visit.repository, visit.parts["upload"]) as held:
        await visit.content.uploads.cancel(held)
    return Answer(204)


async def _mounted(visit: Visit) -> bool:
    """Whether a blob of another repository could be given to this one, as the request asks.

    Where it cannot be, for whatever reason, the specification has the client push it; so a repository that the visitor
    may not pull from looks no different from one that does not exist.
    """
    digest = names.find_digest(visit.request.parameter("mount"))
    source = visit.request.parameter("from")
    if digest is None or source is None:
        return False
    try:
        source = names.repository(source)
    except Refused:
        return False
    if not visit.proof.covers([scopes.on(source, "pull")]):
        return False
    return await blobs.mount(visit.content, visit.repository, digest, source)


async def _receive(visit: Visit, held: Held, algorithm: str = "sha256") -> None:
    """Append the body to the upload.

    Raises:
        Refused: it does not follow what is there (416), or its length is not what was announced.
    """
    request = visit.request
    before = held.size
    length = request.length()
    text = request.header("content-range")
    if text is not None:
        match = _CONTENT_RANGE.fullmatch(text)
        if match is None or int(match[1]) != before or int(match[2]) < before:
            raise _out_of_order(visit, held)
        ranged = int(match[2]) + 1 - before
        if length not in {None, ranged}:
            raise refused("SIZE_INVALID")
        length = ranged
    received = await visit.content.uploads.append(held, request.pieces(), algorithm)
    if length is not None and received != length:
        if received > length:
            visit.content.uploads.shorten(held, before)
        raise refused("SIZE_INVALID")  # if it is short, the client has gone: what came in waits for it to come back


async def _finish(visit: Visit, held: Held, digest: names.Digest) -> Answer:
    await visit.content.uploads.finish(held, digest)
    await blobs.place(visit.content, visit.repository, digest, held.path, held.size)
    return _made(visit, digest)


def _made(visit: Visit, digest: names.Digest) -> Answer:
    location = f"/v2/{visit.repository}/blobs/{digest}"
    return Answer(201, [("Location", location), ("Docker-Content-Digest", digest)])


def _progress(visit: Visit, id_: str, size: int, *, status: int) -> Answer:
    return Answer(status, _upload_headers(visit, id_, size))


def _upload_headers(visit: Visit, id_: str, size: int) -> Headers:
    """Where to go on, and the last byte that is here: `0-0` also where none is, as Docker's registry began it."""
    return [
        ("Location", f"/v2/{visit.repository}/blobs/uploads/{id_}"),
        ("Range", f"0-{max(size - 1, 0)}"),
        ("Docker-Upload-UUID", id_),
    ]


def _out_of_order(visit: Visit, held: Held) -> Refused:
    return refused(
        "BLOB_UPLOAD_INVALID",
        status=416,
        message="the chunk does not follow what has been uploaded",
        headers=_upload_headers(visit, held.id, held.size),
    )


def _blob_headers(blob: Blob) -> Headers:
    return [
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", blob.digest),
        ("ETag", f'"{blob.digest}"'),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "max-age=31536000"),
    ]


def _part(text: str | None, size: int) -> tuple[int, int] | None:
    """Start and end of the one range in a Range header; None for no range, several, or something else (RFC 9110).

    Raises:
        Refused: the blob has no such part (416).
    """
    match = _RANGE.fullmatch(text or "")
    first, last = (match[1], match[2]) if match else ("", "")
    if not first and not last:
        return None
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        headers = [("Content-Range", f"bytes */{size}")]
        raise refused("SIZE_INVALID", status=416, message="the blob has no such part", headers=headers)
    return start, end
