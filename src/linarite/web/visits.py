"""Requests to the token service: which tenant, which address behind it, what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from linarite.grants import Ask, Endpoint
from linarite.ids import is_guid
from linarite.web.forms import read_form

if TYPE_CHECKING:
    from linarite.web.http import Request

DEVICE_LOGIN = "devicelogin"
"""The address that people type; it stands for `/common/oauth2/deviceauth`."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, what it asks of the token service, and its path behind the tenant, in lower case."""

    request: Request
    ask: Ask
    address: str


def visit_of(request: Request) -> Visit:
    """A request as the token service sees it."""
    words = [word for word in request.path.split("/") if word]
    if [word.lower() for word in words] == [DEVICE_LOGIN]:
        words = ["common", "oauth2", "deviceauth"]
    tenant, address = (words[0] if words else ""), "/".join(words[1:]).lower()
    version = Endpoint.V2 if address.startswith("oauth2/v2.0/") else Endpoint.V1
    request_id = str(uuid4())
    given = request.headers.get("client-request-id", "") or request.query.get("client-request-id", "")
    ask = Ask(
        claimed_tenant=tenant,
        endpoint=Endpoint.ADFS if tenant.lower() == "adfs" else version,
        form=lambda: read_form(request),
        request=request_id,
        correlation=given.lower() if is_guid(given) else request_id,
        address=request.address,
        authorization=request.headers.get("authorization", "") or None,
    )
    return Visit(request, ask, address)
