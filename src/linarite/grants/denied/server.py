"""What is refused where the token service itself is the cause, in truth or by a fault on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.faults import HEADER, retry_after
from linarite.grants.denied import Denied

if TYPE_CHECKING:
    from linarite.model import Fault


def unavailable(status: int = 503) -> Denied:
    return Denied("temporarily_unavailable", 90006, "The service is temporarily unavailable. Please try again.", status)


def disturbed(fault: Fault) -> Denied | None:
    """What a fault on purpose refuses a request with; None where it goes on."""
    match fault.what:
        case "429":
            found = throttled()
        case "500":
            found = broken()
        case "502" | "503" | "504":
            found = unavailable(int(fault.what))
        case _:
            return None
    found.headers = ((HEADER, fault.name), *retry_after(fault))
    return found


def throttled() -> Denied:
    message = "There are too many incoming requests. Please try again later."
    return Denied("temporarily_unavailable", 90055, message, 429)


def broken() -> Denied:
    return Denied(
        "server_error", 50000, "There was an error issuing a token or an issue with our sign-in service.", 500
    )
