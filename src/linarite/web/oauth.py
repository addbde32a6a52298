"""The token service's addresses: HTTP into an `Ask`, its answer or refusal into a response, at the paths Entra has.

Every client hard-wires one of these paths or learns the others from a discovery document. `adfs` in the tenant's place
stands for the tenant of whoever asks: MSAL takes such an authority as it is, without asking Microsoft's own discovery.
This module decides nothing: `grants` does; the documents are in `openid`, forms are read in `forms`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog

from linarite.errors import Cut, Refusal
from linarite.errors.server import cut
from linarite.grants import Denied, tenant_of
from linarite.grants.denied.requests import address_unknown, method_wrong
from linarite.grants.denied.server import broken, unavailable
from linarite.web import openid
from linarite.web.devices import Devices
from linarite.web.http import Response
from linarite.web.pages import HTML, Pages
from linarite.web.render import JSON
from linarite.web.sign_in import SignIn
from linarite.web.visits import visit_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.grants import TokenService
    from linarite.tokens import Authority
    from linarite.web.http import Request
    from linarite.web.visits import Visit

    Serve = Callable[[Visit], Awaitable[Response]]
    Headers = tuple[tuple[str, str], ...]

_COMMON = (
    ("cache-control", "no-store, no-cache"),
    ("pragma", "no-cache"),
    ("expires", "-1"),
    ("x-content-type-options", "nosniff"),
    ("x-ms-ests-server", "Linarite"),
)
_SHARED = (
    # Single-page applications ask for documents and tokens from pages of other origins, without cookies.
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "client-request-id, x-ms-request-id"),
)
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    (
        "access-control-allow-headers",
        (
            "authorization, content-type, client-request-id, return-client-request-id, x-anchormailbox, x-client-cpu, "
            "x-client-current-telemetry, x-client-last-telemetry, x-client-os, x-client-sku, x-client-ver, "
            "x-ms-lib-capability"
        ),
    ),
    ("access-control-max-age", "3600"),
)
_UNAUTHORIZED = 401
_METHOD_NOT_ALLOWED = 405

log = structlog.get_logger()


class OAuth:
    """Translates for one token service."""

    def __init__(self, tokens: TokenService, authority: Authority) -> None:
        self._tokens = tokens
        self._authority = authority
        self._pages = Pages()
        sign_in, devices = SignIn(tokens, self._pages), Devices(tokens, self._pages)
        self._addresses: dict[str, tuple[tuple[str, ...], Serve]] = {
            ".well-known/openid-configuration": (("GET",), self._configuration_v1),
            "v2.0/.well-known/openid-configuration": (("GET",), self._configuration_v2),
            "discovery/keys": (("GET",), self._keys),
            "discovery/v2.0/keys": (("GET",), self._keys),
            "discovery/instance": (("GET",), self._instances),
            "oauth2/token": (("POST",), self._token),
            "oauth2/v2.0/token": (("POST",), self._token),
            "oauth2/devicecode": (("POST",), self._device_code),
            "oauth2/v2.0/devicecode": (("POST",), self._device_code),
            "openid/userinfo": (("GET", "POST"), self._user_info),
            "oauth2/authorize": (("GET", "POST"), sign_in.authorize),
            "oauth2/v2.0/authorize": (("GET", "POST"), sign_in.authorize),
            "oauth2/deviceauth": (("GET", "POST"), devices.page),
            "oauth2/logout": (("GET", "POST"), devices.sign_out),
            "oauth2/v2.0/logout": (("GET", "POST"), devices.sign_out),
        }
        """What follows the tenant in a path → the methods that are accepted there, and who serves it."""

    async def serve(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            Cut: it is not to be answered; nothing else is ever raised.
        """
        visit = visit_of(request)
        try:
            response = await self._disturbed(visit)
        except Denied as denied:
            response = self._denied(visit, denied, denied.headers)
        except Cut:
            raise
        except Refusal as refusal:
            response = self._denied(visit, unavailable(), refusal.headers)
        except Exception:
            log.exception("a request to the token service broke", request=visit.ask.request)
            response = self._denied(visit, broken())
        return _complete(visit, response)

    async def _disturbed(self, visit: Visit) -> Response:
        """Serve a visit as far as the faults on purpose let it come."""
        request, action = visit.request, f"Microsoft.AAD/{visit.address}"
        lost = await self._tokens.disturb(visit.ask, request.method, request.path, action)
        response = await self._serve(visit)
        if lost:
            raise cut()
        return response

    async def _serve(self, visit: Visit) -> Response:
        try:
            serve = self._find(visit)
            if serve != self._token:
                return await serve(visit)
        except Denied as denied:
            await self._tokens.turned_away(visit.ask, f"Microsoft.AAD/{visit.address}", denied)
            raise
        return await serve(visit)  # a token: its refusals are recorded where they are decided

    def _find(self, visit: Visit) -> Serve:
        """Who serves an address.

        Raises:
            Denied: there is nothing, or not for this method, or not for this tenant.
        """
        if visit.address not in self._addresses:
            raise address_unknown(visit.request.path)
        methods, serve = self._addresses[visit.address]
        method = visit.request.method
        if method == "OPTIONS":
            return self._preflight
        if ("GET" if method == "HEAD" else method) not in methods:
            raise method_wrong(" and ".join(methods), method)
        if serve != self._token:
            tenant_of(visit.ask.claimed_tenant, self._authority)
        return serve

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _token(self, visit: Visit) -> Response:
        return _json(await self._tokens.token(visit.ask))

    async def _device_code(self, visit: Visit) -> Response:
        return _json(await self._tokens.device(visit.ask))

    async def _user_info(self, visit: Visit) -> Response:
        return _json(await self._tokens.user_info(visit.ask))

    async def _preflight(self, _: Visit) -> Response:
        return Response(204, _PREFLIGHT)

    # ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _configuration_v1(self, visit: Visit) -> Response:
        tenant = tenant_of(visit.ask.claimed_tenant, self._authority)
        return _json(openid.configuration_v1(self._authority, tenant, implicit=self._tokens.implicit))

    async def _configuration_v2(self, visit: Visit) -> Response:
        tenant = tenant_of(visit.ask.claimed_tenant, self._authority)
        return _json(openid.configuration_v2(self._authority, tenant, implicit=self._tokens.implicit))

    async def _instances(self, visit: Visit) -> Response:
        asked = visit.request.query.get("authorization_endpoint", "")
        return _json(openid.instances(self._authority, asked))

    async def _keys(self, _: Visit) -> Response:
        return _json({"keys": await self._tokens.published_keys()})

    # ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _denied(self, visit: Visit, denied: Denied, headers: Headers = ()) -> Response:
        """Entra's error body, whose text clients show as it is; the same as a page for a browser."""
        ask = visit.ask
        at = self._tokens.clock().strftime("%Y-%m-%d %H:%M:%SZ")
        said = f"AADSTS{denied.number}: {denied.message}"
        where = f"Trace ID: {ask.request} Correlation ID: {ask.correlation} Timestamp: {at}"
        headers += self._challenge(visit, denied)
        if "text/html" in visit.request.headers.get("accept", ""):
            page = self._pages.say("Sorry, you cannot be signed in", said, where, status=denied.status)
            return Response(page.status, (*page.headers, *headers), page.body)
        body = {
            "error": denied.error,
            "error_description": f"{said} {where}",
            "error_codes": [denied.number],
            "timestamp": at,
            "trace_id": ask.request,
            "correlation_id": ask.correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={denied.number}",
        }
        return _json(body, denied.status, headers)

    def _challenge(self, visit: Visit, denied: Denied) -> Headers:
        """What HTTP wants said with some statuses: which methods there are; how to authenticate, to who tried to."""
        if denied.status == _METHOD_NOT_ALLOWED:
            return (("allow", ", ".join(self._addresses[visit.address][0])),)
        if denied.status == _UNAUTHORIZED and visit.ask.authorization:
            return (("www-authenticate", f'Basic realm="{self._authority.url}"'),)
        return ()


def _json(body: Any, status: int = 200, headers: Headers = ()) -> Response:
    return Response(status, (("content-type", JSON), *headers), orjson.dumps(body))


def _complete(visit: Visit, response: Response) -> Response:
    """The response with what every answer of the token service carries; without its body where HEAD asked."""
    headers = [*response.headers, *_COMMON, ("x-ms-request-id", visit.ask.request)]
    if dict(response.headers).get("content-type") != HTML:
        headers += _SHARED
    if visit.request.headers.get("return-client-request-id", "").lower() == "true":
        headers.append(("client-request-id", visit.ask.correlation))
    body = b"" if visit.request.method == "HEAD" else response.body
    return Response(response.status, tuple(headers), body)
