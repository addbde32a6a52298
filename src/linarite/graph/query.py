"""OData's query of a list: `$filter`, `$top`, `$select` and `$skiptoken`, over objects as they are shown.

A filter compares members with `eq` and `startswith`, or one of a member's values with `any`; conditions are joined by
`and` and `or`. That is what Azure's tools send. What would change an answer and is not done is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from linarite.graph.refusals import property_unknown, query_unsupported
from linarite.odata import joined_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from linarite.model import Body

    Fits = Callable[[Body], bool]

PAGE, LONGEST_PAGE = 100, 999
"""Objects of a page, unless `$top` says how many, and most of them."""

_LONGEST_FILTER = 2048
_NOT_DONE = ("$search", "$orderby", "$expand", "$apply")
_QUOTED = r"'((?:[^']|'')*)'"
_EQUAL = re.compile(rf"(\w+)\s+eq\s+(?:{_QUOTED}|(true|false|null))", re.IGNORECASE)
_STARTS = re.compile(rf"startswith\(\s*(\w+)\s*,\s*{_QUOTED}\s*\)", re.IGNORECASE)
_ANY = re.compile(rf"(\w+)/any\(\s*(\w+)\s*:\s*\2\s+eq\s+{_QUOTED}\s*\)", re.IGNORECASE)


def page(found: Iterable[Body], query: Mapping[str, str], type_: str, base: str) -> Body:
    """The page that a query asks for, of objects of one type in the order of their ids; `base` is its address.

    Raises:
        BadRequest: the query cannot be read, or asks for what is not done.
    """
    for name in _NOT_DONE:
        if query.get(name):
            raise query_unsupported(f"The query option '{name}' is not served.")
    fits, most, after = (
        _filter(query.get("$filter", ""), type_),
        _top(query.get("$top", "")),
        query.get("$skiptoken", ""),
    )
    wanted = [one for one in sorted(found, key=lambda one: str(one["id"])) if one["id"] > after and fits(one)]
    body: Body = {"value": [selected(one, query, type_) for one in wanted[:most]]}
    if len(wanted) > most:
        following = dict(query) | {"$skiptoken": wanted[most - 1]["id"]}
        body = {"@odata.nextLink": f"{base}?{urlencode(following, safe='$')}", **body}
    return body


def selected(body: Body, query: Mapping[str, str], type_: str) -> Body:
    """The members of an object that `$select` names; all of them where it names none."""
    names = [name.strip().lower() for name in query.get("$select", "").split(",") if name.strip()]
    known = {name.lower(): name for name in body}
    for name in names:
        if name not in known:
            raise property_unknown(name, type_)
    return {known[name]: body[known[name]] for name in names} if names else body


def _top(text: str) -> int:
    if not text:
        return PAGE
    if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) < 1:  # noqa: PLR2004 - 999
        raise query_unsupported(f"The value of '$top' is a whole number from 1 to {LONGEST_PAGE}.")
    return int(text)


def _filter(text: str, type_: str) -> Fits:
    if not text.strip():
        return lambda _: True
    if len(text) > _LONGEST_FILTER:
        raise query_unsupported(f"A filter has at most {_LONGEST_FILTER} characters.")
    either = [[_condition(part, type_) for part in joined_by("and", both)] for both in joined_by("or", text)]
    return lambda body: any(all(fits(body) for fits in both) for both in either)


def _condition(text: str, type_: str) -> Fits:
    if (found := _EQUAL.fullmatch(text)) is not None:
        name, wanted = found[1], _text(found[2]) if found[2] is not None else _WORDS[found[3].lower()]
        return lambda body: _same(_member(body, name, type_), wanted)
    if (found := _STARTS.fullmatch(text)) is not None:
        name, start = found[1], _text(found[2]).lower()
        return lambda body: str(_member(body, name, type_) or "").lower().startswith(start)
    if (found := _ANY.fullmatch(text)) is not None:
        name, wanted = found[1], _text(found[3])
        return lambda body: any(_same(one, wanted) for one in _values(_member(body, name, type_)))
    raise query_unsupported(f"The filter clause '{text}' cannot be read.")


_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}


def _text(quoted: str) -> str:
    return quoted.replace("''", "'")


def _member(body: Body, name: str, type_: str) -> Any:
    found = next((one for one in body if one.lower() == name.lower()), None)
    if found is None:
        raise property_unknown(name, type_)
    return body[found]


def _values(member: Any) -> list[Any]:
    return member if isinstance(member, list) else []


def _same(one: Any, other: Any) -> bool:
    """Graph compares texts without regard to case."""
    return one.lower() == other.lower() if isinstance(one, str) and isinstance(other, str) else bool(one == other)
