"""Where programs ask for the token of a managed identity: plain HTTP, on loopback, in the shapes of Azure's hosts.

`/metadata/identity/oauth2/token` is that of virtual machines and `/oauth2/token` that of Cloud Shell, both for the
resource that this machine was made to stand for; `/identity/{resource}` is that of App Service and of Azure ML, with
the resource's header. As Azure's own, it answers nobody who comes through a proxy or from a page of a browser.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import uuid4

import orjson
import structlog

from linarite.errors import Refusal
from linarite.grants import Ask, Denied, Endpoint, Form, Place, Unidentified
from linarite.model import Secret
from linarite.web import http
from linarite.web.http import Response
from linarite.web.render import JSON

if TYPE_CHECKING:
    from linarite.grants import TokenService
    from linarite.web.http import Request

_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_PROXIES = ("x-forwarded-for", "x-forwarded-host", "forwarded", "via")
_LARGEST = 16 * 1024
_OWN = "http://127.0.0.1"
_PREFIX = "/identity"
_OF_THE_MACHINE = (("GET", "/metadata/identity/oauth2/token"), ("POST", "/oauth2/token"))

log = structlog.get_logger()


class Identity:
    """An RSGI application; `machine` is the id of the resource that this machine stands for, empty where none."""

    def __init__(self, tokens: TokenService, machine: str) -> None:
        self._tokens = tokens
        self._machine = machine

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Serve one request (RSGI)."""
        request = await http.receive(scope, protocol, origin=_OWN, limit=_LARGEST)
        http.send(protocol, await self.serve(request))

    async def serve(self, request: Request) -> Response:
        """Answer a request; never raises."""
        request_id = str(uuid4())
        ask = Ask("", Endpoint.V1, Form, request_id, request_id, request.address)
        try:
            return _json(200, await self._tokens.identity_token(ask, lambda: self._place(request)))
        except Denied as denied:
            said = denied.message if isinstance(denied, Unidentified) else f"{denied.code}: {denied.message}"
            return _json(denied.status, {"error": denied.error, "error_description": said})
        except Refusal as refusal:
            return _json(refusal.status, {"error": "temporarily_unavailable", "error_description": refusal.message})
        except Exception:
            log.exception("a request for an identity broke", request=request_id)
            return _json(500, {"error": "server_error", "error_description": "The request could not be answered."})

    def _place(self, request: Request) -> Place:
        """Where the request comes from, and what it asks for.

        Raises:
            Unidentified: it comes from elsewhere, or asks in no shape that there is.
        """
        _refuse_strangers(request)
        path, asked, header = request.path.rstrip("/"), request.query, request.headers.get
        if path.lower().startswith(f"{_PREFIX}/") and request.method == "GET":
            sent = header("x-identity-header", "") or header("secret", "")
            return _wanted(path[len(_PREFIX) :], asked, Secret(sent) if sent else None)
        if (request.method, path.lower()) not in _OF_THE_MACHINE:
            raise Unidentified("Nothing is served here", 404, "not_found")
        if header("metadata", "").lower() != "true":
            raise Unidentified("Required metadata header not specified")
        if not self._machine:
            raise Unidentified("Identity not found")
        wanted = asked if request.method == "GET" else _form(request)
        return _wanted(self._machine, wanted, None, is_proven=True)


def _refuse_strangers(request: Request) -> None:
    here = ip_address(request.address).is_loopback, _HOST.fullmatch(request.headers.get("host", "")) is not None
    if not all(here):
        raise Unidentified("Only programs of this machine are answered", 403, "unauthorized_client")
    if any(request.headers.get(name, "") for name in _PROXIES) or request.headers.get("origin", ""):
        raise Unidentified("Requests that come through a proxy or from a page of a browser are not answered")


def _wanted(host: str, asked: Any, header: Secret | None, *, is_proven: bool = False) -> Place:
    return Place(
        host=host,
        resource=asked.get("resource", ""),
        header=header,
        is_proven=is_proven,
        client_id=asked.get("client_id", "") or asked.get("clientid", ""),
        object_id=asked.get("object_id", "") or asked.get("principal_id", ""),
        resource_id=asked.get("msi_res_id", "") or asked.get("mi_res_id", ""),
    )


def _form(request: Request) -> dict[str, str]:
    """A form of Cloud Shell; what cannot be read is not there."""
    found = parse_qs(request.body.decode("utf-8", "replace"))
    return {name: values[-1] for name, values in found.items()}


def _json(status: int, body: Any) -> Response:
    headers = (("content-type", JSON), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"))
    return Response(status, headers, orjson.dumps(body))
