"""Asking the registry for tokens, as its clients do, and looking into what it gives."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.doors.registry.house import House

NOBODY = "00000000-0000-0000-0000-000000000000"
REQUIRED = "authentication required, visit https://aka.ms/acr/authorization for more information."
PULL = "repository:app:pull"
PUSH = "repository:app:pull,push"


def challenge(house: House, scope: str = "", error: str = "") -> str:
    text = f'Bearer realm="{house.url}/oauth2/token",service="{house.host}"'
    text += f',scope="{scope}"' if scope else ""
    return text + (f',error="{error}"' if error else "")


def docker_token(house: House, user: str, password: str, *scopes: str) -> httpx.Response:
    """The flow of Docker's clients."""
    with house.visitor(user, password) as visitor:
        return visitor.get("/oauth2/token", params=[("service", house.host), *(("scope", scope) for scope in scopes)])


def oauth_token(house: House, **form: Any) -> httpx.Response:
    """The flow of OAuth clients."""
    with house.visitor() as visitor:
        return visitor("POST", "/oauth2/token", data={"service": house.host, **form})


def exchange(house: House, entra_token: str) -> httpx.Response:
    form = {"grant_type": "access_token", "service": house.host, "access_token": entra_token}
    with house.visitor() as visitor:
        return visitor("POST", "/oauth2/exchange", params={"api-version": "2021-07-01"}, data=form)


def token_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert len(document) == 1
    return str(*document.values())


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def status(house: House, token: str, path: str = "/v2/", method: str = "GET") -> int:
    with house.visitor(token=token) as visitor:
        return visitor(method, path).status_code
