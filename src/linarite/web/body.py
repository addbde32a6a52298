"""Request bodies: JSON read strictly, so that nothing ambiguous is ever stored.

Refused: what is no JSON, names given twice, numbers that are not finite or beyond 64 bits, texts that are no Unicode,
nesting deeper than any Azure resource.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

from linarite.errors.bodies import body_unreadable, media_type_unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.web.http import Headers

DEEPEST = 64
_LARGEST = 2**63


def reader(body: bytes, headers: Headers) -> Callable[[], Any]:
    """A function that answers the decoded body, None for an empty one, and raises where it cannot be read.

    Reading waits until somebody wants the body, so that a caller who may not is refused first.
    """
    if not body:
        return _nothing

    def read() -> Any:
        content_type = headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type and media_type != "application/json" and not media_type.endswith("+json"):
            raise media_type_unsupported(content_type)
        return decode(body)

    return read


def _nothing() -> None:
    """What an empty body says."""


def decode(body: bytes) -> Any:
    """Decode JSON.

    Raises:
        BadRequest: `InvalidRequestContent`, saying why.
    """
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_finite, parse_int=_whole, parse_float=_number
        )
        _check(value)
    except UnicodeDecodeError:
        raise body_unreadable("The body is not UTF-8") from None
    except RecursionError:
        raise body_unreadable(f"The body is nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise body_unreadable(f"{error.msg}. Line {error.lineno}, position {error.colno}") from None
    except _Refused as error:
        raise body_unreadable(str(error)) from None
    return value


class _Refused(ValueError):
    """A rule of ours was broken, which JSON itself would allow."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len({name.lower() for name in found}) != len(pairs):
        message = "A member name is given twice, or twice in different case"
        raise _Refused(message)
    return found


def _finite(word: str) -> Any:
    message = f"'{word}' is not a JSON number"
    raise _Refused(message)


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) >= _LARGEST:  # noqa: PLR2004 - sign and 19 digits
        message = "A number is beyond 64 bits"
        raise _Refused(message)
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        message = "A number is too large"
        raise _Refused(message)
    return value


def _check(value: Any) -> None:
    """Look at every level: not too deep, and every text encodable."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise RecursionError
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not item.isascii():
                _encodable(item)
        level = below


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "A text holds half a surrogate pair"
        raise _Refused(message) from None
