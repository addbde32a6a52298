"""What is changed on the way between a client and an upstream: addresses lose the name space, faults are put in order.

Pure functions. What an upstream says is judged here: it is another's word, and a client is told of it only what the
specification has a registry say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from linarite.doors.registry.refused import Fault, Refused, refused
from linarite.doors.registry.upstream.line import Down

if TYPE_CHECKING:
    from linarite.doors.registry.messages import Headers
    from linarite.doors.registry.upstream.line import Answered

PASSED_UP = ("Content-Type", "Content-Length", "Content-Range", "Range", "If-None-Match", "Accept")
"""Headers of a request that the upstream sees. Several `Accept` lines stay apart: merged, some registries miss them."""

PASSED_DOWN = (
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Range",
    "Accept-Ranges",
    "Cache-Control",
    "ETag",
    "Allow",
    "Retry-After",
    "Docker-Content-Digest",
    "Docker-Upload-UUID",
    "OCI-Subject",
    "OCI-Filters-Applied",
    "OCI-Chunk-Min-Length",
)
"""Headers of an answer that a client sees, beside Location and Link."""

OF_A_BODY = {"Content-Type", "Content-Length"}
REDIRECTIONS = {301, 302, 303, 307, 308}
NOT_OURS = {401, 403}
SERVERS = 500


def headers_down(answered: Answered, place: str) -> Headers:
    """An answer's headers, as the client gets them.

    Raises:
        Down: an address in them leads out of the name space.
    """
    found = answered.headers
    passed = [(name, found[name.lower()]) for name in PASSED_DOWN if name.lower() in found]
    if "location" in found:
        redirected = answered.status in REDIRECTIONS
        passed.append(("Location", located(found["location"], place, may_leave=redirected)))
    if "link" in found:
        where, bracket, rest = found["link"].partition(">")
        passed.append(("Link", f"<{located(where.lstrip('< '), place)}{bracket}{rest}"))
    return passed


def located(url: str, place: str, *, may_leave: bool = False) -> str:
    """An address of the upstream's as one of this door's; with `may_leave`, also one elsewhere, as a blob's storage is.

    Raises:
        Down: it leads out of the name space.
    """
    parts = urlsplit(url)
    prefix = f"/v2/{place}/"
    if parts.path.startswith(prefix):
        return urlunsplit(("", "", f"/v2/{parts.path.removeprefix(prefix)}", parts.query, ""))
    if may_leave and parts.netloc:
        return url
    raise Down(f"the upstream refers to {parts.netloc}{parts.path}, which is not of {prefix}")


def refusal(status: int, headers: Headers, body: bytes, place: str) -> Refused:
    """What an upstream refused, in the envelope; its own trouble, and its distrust of us, make the door busy.

    Raises:
        Down: that is so; the message says which.
    """
    if status >= SERVERS or status in NOT_OURS:
        raise Down(f"the upstream answers {status}")
    kept = [(name, value) for name, value in headers if name not in OF_A_BODY]
    faults = _faults(body.replace(f"{place}/".encode(), b""))
    return Refused(status, faults or refused("NAME_UNKNOWN" if status == 404 else "UNSUPPORTED").faults, kept)  # noqa: PLR2004


def _faults(body: bytes) -> list[Fault]:
    """The entries of an envelope that are in order."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    entries = document.get("errors") if isinstance(document, dict) else None
    return [_fault(entry) for entry in entries if _is_fault(entry)] if isinstance(entries, list) else []


def _is_fault(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("code"), str)


def _fault(entry: dict[str, Any]) -> Fault:
    return Fault(entry["code"], str(entry.get("message") or ""), entry.get("detail", ...))
