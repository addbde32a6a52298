"""The vault door's HTTP: an RSGI application that makes calls of requests, and responses of what the clerk answers.

Headers are those of recorded answers. Knows neither secrets nor callers, and decides nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

import orjson

from linarite import ends
from linarite.calls import Call
from linarite.doors.body import Unread, whole
from linarite.doors.vault.bodies import decoded
from linarite.doors.vault.refusals import broken, envelope, unread
from linarite.errors import Refusal
from linarite.model import Answer, Secret

if TYPE_CHECKING:
    from linarite.doors.vault.clerk import VaultClerk

JSON = "application/json; charset=utf-8"
LARGEST_BODY = 4 << 20
"""Bytes of a request; a backup with many versions is the largest."""
BODY_WITHIN = 60.0
"""Seconds that a client may take to send its body."""
PURGED_EVERY = 600.0
"""Seconds between two looks for what is overdue."""

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_ECHOED = re.compile(r"[\x21-\x7e]{1,128}")
_NOBODY = "localhost"
_MOST_PARAMETERS = 20
_FIXED = (
    ("cache-control", "no-cache"),
    ("pragma", "no-cache"),
    ("expires", "-1"),
    ("x-content-type-options", "nosniff"),
)

log = logging.getLogger("linarite.doors.vault")


class VaultDoor:
    """The secrets of all vaults, behind one listener; between `start` and `stop` it also removes what is overdue."""

    def __init__(self, clerk: VaultClerk, region: str) -> None:
        """`region` is the one that answers name."""
        self._clerk = clerk
        self._region = region
        self._purging: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._purging = asyncio.create_task(self._purge())

    async def stop(self) -> None:
        if self._purging is not None:
            self._purging.cancel()
            await asyncio.wait([self._purging])
            self._purging = None

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request, by RSGI."""
        request = str(uuid4())
        outcome: Answer | Refusal
        try:
            outcome = await self._clerk.serve(await _call(scope, protocol, request))
        except Refusal as refusal:
            outcome = refusal
        except Exception:
            log.exception("A request to a vault broke: %s", request)
            outcome = broken(request)
        headers = [*_FIXED, ("x-ms-keyvault-region", self._region), ("x-ms-request-id", request), *outcome.headers]
        echoed = scope.headers.get("x-ms-client-request-id", "")
        if _ECHOED.fullmatch(echoed):
            headers.append(("x-ms-client-request-id", echoed))
        body = envelope(outcome) if isinstance(outcome, Refusal) else outcome.body
        if body is None:
            protocol.response_empty(outcome.status, headers)
        else:
            headers.append(("content-type", JSON))
            protocol.response_bytes(outcome.status, headers, orjson.dumps(body, default=_reveal))

    async def _purge(self) -> None:
        while True:
            try:
                await self._clerk.purge_overdue()
            except Exception:
                log.exception("Overdue secrets were not purged.")
            await asyncio.sleep(PURGED_EVERY)


async def _call(scope: Any, protocol: Any, request: str) -> Call:
    """The request as a call; what is wrong with its body is said once the caller is known.

    A host that is none names no vault, and a query that cannot be read says nothing: whoever sends such things is
    refused by the clerk, for what is missing then.
    """
    body, refusal = b"", None
    try:
        body = await whole(scope, protocol, limit=LARGEST_BODY, within=BODY_WITHIN)
    except Unread as trouble:
        refusal = unread(trouble.status, str(trouble))
    host = scope.headers.get("host") or scope.authority or ""
    return Call(
        method=scope.method,
        path=scope.path,
        query_string=scope.query_string,
        query=_query(scope.query_string),
        authorization=scope.headers.get("authorization"),
        json=lambda: decoded(body),
        origin=f"{scope.scheme}://{host.lower() if _HOST.fullmatch(host) else _NOBODY}",
        request=request,
        correlation=request,
        address=ends.host(scope.client),
        refusal=refusal,
    )


def _query(text: str) -> dict[str, str]:
    with contextlib.suppress(ValueError):
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS))
    return {}


def _reveal(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError
