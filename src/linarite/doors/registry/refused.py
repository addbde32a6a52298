"""What the registry will not do, in the words and the JSON envelope of the OCI distribution specification.

One exception, one table of codes. The sentences are those of Azure's registry where a public report or a recorded
answer shows them, and of the Distribution project, on which Azure's registry is built, otherwise. This module knows
no HTTP beyond the status number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS: dict[str, tuple[int, str]] = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (400, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DENIED": (403, "requested access to the resource is denied"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "manifest references a manifest or blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "TAG_INVALID": (400, "manifest tag did not match URI"),
    "TAG_UNKNOWN": (404, "the specified tag does not exist"),
    "UNAUTHORIZED": (
        401,
        "authentication required, visit https://aka.ms/acr/authorization for more information.",
    ),
    "UNAVAILABLE": (503, "the registry cannot do this now"),
    "UNKNOWN": (500, "unknown error"),
    "UNSUPPORTED": (405, "the operation is unsupported"),
}
DISALLOWED = (
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the envelope. `detail` is any JSON value; where it is `...`, the member is left out."""

    code: str
    message: str
    detail: Any = ...

    def document(self) -> dict[str, Any]:
        """The entry as JSON, members in the order of the real service."""
        known = {"code": self.code, "message": self.message}
        return known if self.detail is ... else {**known, "detail": self.detail}


class Refused(Exception):
    """The request is answered with `status` and an envelope of `faults`, and nothing has been changed.

    `locked` marks the refusal of a lock on a repository, manifest or tag: the only one that is not a fault of the
    request itself.
    """

    def __init__(
        self, status: int, faults: Sequence[Fault], headers: Sequence[tuple[str, str]] = (), *, locked: bool = False
    ) -> None:
        super().__init__("; ".join(f"{fault.code}: {fault.message}" for fault in faults))
        self.status = status
        self.faults = tuple(faults)
        self.headers = tuple(headers)
        self.locked = locked

    def body(self) -> bytes:
        return orjson.dumps({"errors": [fault.document() for fault in self.faults]})


def refused(
    code: str,
    detail: Any = ...,
    *,
    status: int | None = None,
    message: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Refused:
    """The refusal for one code; status and sentence come from the table unless the occasion has better ones."""
    known_status, known_message = _WORDS[code]
    fault = Fault(code, message or known_message, detail)
    return Refused(known_status if status is None else status, [fault], headers)


def refused_for_each(code: str, details: Sequence[Any], messages: Sequence[str] = ()) -> Refused:
    """One refusal with an entry for each detail: all that is wrong is said at once."""
    status, message = _WORDS[code]
    sentences = messages or [message] * len(details)
    return Refused(status, [Fault(code, *entry) for entry in zip(sentences, details, strict=True)])


def manifest_unknown(repository: str, reference: str) -> Refused:
    """Azure's sentences, as quoted in issues of its documentation and of its clients."""
    if ":" in reference:
        detail = {"Name": repository, "Revision": reference}
        return refused("MANIFEST_UNKNOWN", detail, message=f"manifest {reference} is not found")
    return refused("MANIFEST_UNKNOWN", {"Tag": reference}, message=f'manifest tagged by "{reference}" is not found')


def disallowed() -> Refused:
    """A lock (`deleteEnabled`, `writeEnabled`, `readEnabled`: false) is in the way."""
    return Refused(405, [Fault("UNSUPPORTED", DISALLOWED)], locked=True)
