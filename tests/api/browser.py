"""A browser as far as the sign-in pages need one: it keeps cookies, fills in forms, and goes nowhere by itself."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from linarite.first_start import OWNER_USER

if TYPE_CHECKING:
    from tests.server import Server

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
REDIRECT = "http://localhost:8400"
ARM = "https://management.azure.com/.default"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class _Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.text = "", ""
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        elif tag == "input":
            self.fields[str(given["name"])] = given.get("value") or ""
        elif tag == "button":
            self.buttons.append(given.get("value") or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass
class Page:
    """What the browser shows."""

    answer: httpx.Response
    form: _Form = field(init=False)

    def __post_init__(self) -> None:
        self.form = _Form(self.answer.text)

    @property
    def location(self) -> str:
        """Where it leads on."""
        assert self.answer.status_code == 303, self.answer.text
        return self.answer.headers["location"]

    @property
    def brought(self) -> dict[str, str]:
        """What the application gets, from the query, behind the `#`, or in a form."""
        if self.answer.status_code == 200:
            return self.form.fields
        parts = urlsplit(self.location)
        return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))


@dataclass
class Browser:
    """One browser, with cookies of its own."""

    http: httpx.Client
    tenant: str

    def ask(self, **changes: str | None) -> Page:
        """An application's authorization request; a parameter that is None is left out.

        `version` and `tenant` are those of the address.
        """
        tenant, version = changes.pop("tenant", "") or self.tenant, changes.pop("version", "/v2.0")
        asked: dict[str, str | None] = {
            "client_id": AZURE_CLI,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": f"{ARM} offline_access openid profile",
            "state": "a state & more",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        params = {name: value for name, value in asked.items() if value is not None}
        return Page(self.http.get(f"/{tenant}/oauth2{version}/authorize", params=params))

    def press(self, page: Page, step: str, **filled: str) -> Page:
        """Fill in a page's form and press a button."""
        assert step in page.form.buttons, page.answer.text
        fields = {**page.form.fields, **filled, "step": step}
        return Page(self.http.post(page.form.action, data=fields))

    def sign_in(self, page: Page, password: str, name: str = OWNER_USER) -> Page:
        return self.press(page, "password", username=name, password=password)

    def redeem(self, code: str | None, **changes: str | None) -> httpx.Response:
        return self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT,
                "code_verifier": VERIFIER,
                "scope": f"{ARM} offline_access openid profile",
                **changes,
            }
        )

    def refresh(self, token: str, **changes: str | None) -> httpx.Response:
        return self.token(**{"grant_type": "refresh_token", "refresh_token": token, **changes})

    def token(self, **form: str | None) -> httpx.Response:
        version = form.pop("version", "/v2.0")
        data = {name: value for name, value in {"client_id": AZURE_CLI, **form}.items() if value is not None}
        return self.http.post(f"/{self.tenant}/oauth2{version}/token", data=data)


def browser_of(server: Server) -> Browser:
    """A browser that nobody has used."""
    return Browser(server.nobody().http, server.known["tenantId"])


def claims_in(unverified_token: str) -> dict[str, Any]:
    text = unverified_token.split(".")[1]
    found: dict[str, Any] = httpx.Response(200, content=base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).json()
    return found
