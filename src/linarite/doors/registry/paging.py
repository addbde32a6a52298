"""Paging: `n`, `last` and `orderby` of a request, and the Link header that leads to the next page.

This module knows no lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from linarite.doors.registry.listing import Window
from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.registry.listing import Order
    from linarite.doors.registry.messages import Request

MOST = 1000
"""Entries of one page, however many are asked for."""

USUAL = 100
"""Entries of a page of Azure's metadata API where the client does not say."""

_ORDERS: dict[str, Order] = {"": "", "none": "", "timeasc": "timeasc", "timedesc": "timedesc"}


def window(request: Request, *, usual: int = MOST, ordered: bool = False) -> Window:
    """What part of a list a request wants.

    Raises:
        Refused: `n` is no number that is not negative, or `orderby` is unknown.
    """
    text = request.parameter("n") or str(usual)
    if not (text.isascii() and text.isdigit()):
        raise refused("UNSUPPORTED", status=400, message="invalid number of results requested")
    order = _ORDERS.get(request.parameter("orderby") or "")
    if order is None:
        raise refused("UNSUPPORTED", status=400, message="orderby must be timeasc or timedesc")
    last = request.parameter("last") or ""
    since = request.parameter("since") or ""
    return Window(min(int(text[:9]), MOST), last, order if ordered else "", since)


def link(path: str, following: Window | None) -> list[tuple[str, str]]:
    """The Link header, if there is a next page. `path` is encoded; members and their order are Azure's."""
    if following is None:
        return []
    query: dict[str, str | int] = {"last": following.last, "n": following.most, "orderby": following.order}
    if following.since:
        query["since"] = following.since
    return link_to(path, query)


def link_to(path: str, query: Mapping[str, str | int]) -> list[tuple[str, str]]:
    return [("Link", f'<{path}?{urlencode(query)}>; rel="next"')]
