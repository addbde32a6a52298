"""Rings at every door: whether it answers over TLS, whatever it answers. It knows addresses, and nothing of keys."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE = 2.0
"""Seconds that a door may take."""


@dataclass(frozen=True, slots=True)
class Ring:
    """What came of ringing at one door."""

    door: str
    fault: str | None
    """Why it is closed or does not answer, in a sentence; None where it answers."""


def ring(doors: Mapping[str, str | None], closed: Mapping[str, str], bundle: str) -> Iterator[Ring]:
    """Ring at each door that has an address, in the order given; one in `closed` is closed for the reason there.

    A door that is in neither is off, and left out. `bundle` is the file of the authorities to trust.
    """
    tls = ssl.create_default_context(cafile=bundle)
    for door in {**doors, **closed}:
        address = doors.get(door)
        if address is not None:
            yield Ring(door, _fault(address, tls))
        elif door in closed:
            yield Ring(door, closed[door])


def _fault(address: str, tls: ssl.SSLContext) -> str | None:
    where = urlsplit(address)
    line = http.client.HTTPSConnection(where.hostname or "", where.port, timeout=PATIENCE, context=tls)
    try:
        line.request("GET", "/")
        status = line.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{address} does not answer: {str(error) or type(error).__name__}."
    finally:
        line.close()
    return None if status < HTTPStatus.INTERNAL_SERVER_ERROR else f"{address} answers {status}."
