"""Forms: the URL-encoded parameters of a request to the token service, in its body or its address, read strictly.

A parameter that is given twice is refused, for two readers might each believe another one of the two. A body of another
media type is no form at all: Entra complains of such a request that its first parameter is missing, and so do we.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from linarite.grants import Form
from linarite.grants.denied.requests import parameter_duplicated, request_malformed

if TYPE_CHECKING:
    from linarite.web.http import Request

MEDIA_TYPE = "application/x-www-form-urlencoded"

_MOST_PARAMETERS = 100


def read_form(request: Request) -> Form:
    """The form in a request's body; empty where the body is of another media type.

    Raises:
        Denied: AADSTS9002313, the body is too large or cannot be read; AADSTS9000411, a parameter is given twice.
    """
    if request.refusal is not None:
        raise request_malformed(request.refusal.message, request.refusal.status)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        return Form()
    try:
        text = request.body.decode()
    except UnicodeDecodeError:  # not chained, for it holds the body
        raise request_malformed("The body is no form in UTF-8.") from None
    return _form(text)


def read_query(request: Request) -> Form:
    """The parameters in an address, read as strictly.

    Raises:
        Denied: as `read_form` does.
    """
    return _form(request.query_string)


def _form(text: str) -> Form:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:  # of which UnicodeDecodeError is one
        raise request_malformed("The parameters are no form in UTF-8.") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise parameter_duplicated(name)
        values[name] = value
    return Form(values)
