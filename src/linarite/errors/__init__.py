"""Refusals: what a caller did that cannot be granted, in Azure's own codes and words.

The classes here say what kind of thing went wrong and fix the HTTP status; the code is data. The modules beside them
hold Azure's sentences by what they are about: `tokens`, `access`, `names`, `bodies`, `server`. Anything that is raised
and is not a `Refusal` is a defect of ours. Nothing here knows HTTP beyond the status number, or a store, a kind or a
request.

The sentences are those of the Azure Resource Manager gateway and of the resource providers, as quoted in Microsoft's
"Common deployment errors" pages and in public issue reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Origin = Literal["gateway", "provider", "workspaces"]
"""Who speaks: the Resource Manager front door, a provider behind it, or the provider of workspaces, which has an
envelope of its own."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a body: where, which of Azure's codes, and a sentence."""

    target: str
    message: str
    code: str = "Invalid"


class Refusal(Exception):
    """The caller's request is refused; `status` comes from the class, everything else from the occasion."""

    status: ClassVar[int] = 400

    def __init__(
        self,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Problem] = (),
        origin: Origin = "gateway",
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details)
        self.origin = origin
        self.headers = tuple(headers)


class BadRequest(Refusal):
    """400: the request cannot be understood or breaks a rule of the type."""


class Unauthenticated(Refusal):
    """401: nobody is known to be calling."""

    status = 401


class Forbidden(Refusal):
    """403: somebody is calling, and may not."""

    status = 403


class NotFound(Refusal):
    """404: the thing named does not exist."""

    status = 404


class NotAllowed(Refusal):
    """405: the thing exists and does not know this method."""

    status = 405


class Conflict(Refusal):
    """409: the state of the thing does not allow it now."""

    status = 409


class TooLarge(Refusal):
    """413: the body is over the limit."""

    status = 413


class Unsupported(Refusal):
    """415: the body is of a media type that is not read here."""

    status = 415


class Throttled(Refusal):
    """429: too many requests; carries Retry-After."""

    status = 429


class Broken(Refusal):
    """500: the server is at fault."""

    status = 500


class BadGateway(Refusal):
    """502: who stands behind the gateway answers nonsense."""

    status = 502


class Unavailable(Refusal):
    """503: the server cannot serve this now, and the caller may try again."""

    status = 503


class TimedOut(Refusal):
    """504: who stands behind the gateway does not answer."""

    status = 504


class Cut(Refusal):
    """The connection is cut, and nothing is answered at all; the status is for the trail alone."""

    status = 503
