"""Where attacks take place: a server with its owner, and people who may do something, and want more."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from linarite import seal
from linarite.store import keyring
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.memory import Memory
from tests.api.browser import Browser, Page, browser_of
from tests.api.people import Person, give, hire
from tests.api.place import new_group
from tests.api.raw import answered, heard, request
from tests.api.signing import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from joserfc.jwk import RSAKey

    from linarite.store.transaction import Transaction
    from tests.server import Caller, Server

    Said = tuple[int, str]
    """Status and code of an answer; the code is empty where nothing was refused."""
    Strike = Callable[[], Said]


class Attack(NamedTuple):
    """What is tried, and how it must be refused."""

    status: int
    code: str
    prepare: Callable[[Scene], Strike]
    """Sets the attack up, which may change something, and answers the attack itself, which may not."""
    revokes: bool = False
    """Whether the attack costs its victim nothing but the attacker what was stolen: a code comes back, and all that it
    gave is revoked."""


@dataclass
class Scene:
    """One server."""

    server: Server
    owner: Caller
    nobody: Caller
    key: RSAKey
    contributor: Person
    """May do everything in a group of their own but give roles."""
    reader: Person
    """May read the sample's group."""
    clerk: Person
    """May give roles in the contributor's group, and nothing else."""
    group: str
    """Id of the contributor's group."""

    # ── how it is asked ─────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, authorization: str | None = None, **more: Any) -> Strike:
        """Ask for the sample's keys as nobody known, with a header."""
        headers = {"authorization": authorization} if authorization is not None else {}
        headers |= more.pop("headers", {})
        return self.asks(self.nobody, "POST", f"{self.server.workspace}/listKeys", headers=headers, **more)

    def asks(self, who: Person | Caller, method: str, path: str, body: Any = None, **more: Any) -> Strike:
        """One request of somebody."""
        caller = who.caller if isinstance(who, Person) else who
        return lambda: said(caller.call(method, path, body, **more))

    def writes(self, who: Person | Caller, method: str, target: str, *headers: tuple[str, str]) -> Strike:
        """One request of somebody, its target and headers sent as they are, also those that are sent twice."""
        caller = who.caller if isinstance(who, Person) else who
        own = (
            [("Authorization", caller.http.headers["authorization"])] if "authorization" in caller.http.headers else []
        )
        return lambda: self._written(method, target, [*own, *headers])

    def _written(self, method: str, target: str, headers: list[tuple[str, str]]) -> Said:
        lines = "".join(f"\r\n{name}: {value}" for name, value in headers)
        whole = request(self.server, method.encode(), target.encode(), {}).replace(
            b"\r\n\r\n", f"{lines}\r\n\r\n".encode()
        )
        status, body = answered(heard(self.server, whole))
        return status, code_in(body)

    def signs_in(self, form: dict[str, str] | str, path: str = "oauth2/v2.0/token", **more: Any) -> Strike:
        """One request for a token."""
        text = {"content": form, "headers": FORM} if isinstance(form, str) else {"data": form}
        url = path if path.startswith("/") else f"/{self.server.known['tenantId']}/{path}"
        return lambda: said(self.nobody.http.post(url, **{**text, **more}))

    def form(self, **other: str) -> dict[str, str]:
        """What the owner signs in with; `other` parameters stand in their place."""
        known = self.server.known
        return {
            "grant_type": "client_credentials",
            "client_id": known["clientId"],
            "client_secret": known["clientSecret"],
            "scope": f"{self.server.origin}/.default",
            **other,
        }

    def presses(self, browser: Browser, page: Page, step: str, **filled: str) -> Strike:
        """One button of a page of the sign-in."""
        return lambda: said(browser.press(page, step, **filled).answer)

    # ── what is prepared ────────────────────────────────────────────────────────────────────────────────────────────

    def browser(self) -> Browser:
        """A browser that nobody has used."""
        return browser_of(self.server)

    def code(self, browser: Browser, **changes: str | None) -> str:
        """A code that an application gets for the owner, in that browser."""
        return browser.sign_in(browser.ask(**changes), self.server.password()).brought["code"]

    def tokens(self, browser: Browser) -> dict[str, str]:
        """What it gets for the code."""
        return dict(browser.redeem(self.code(browser)).json())

    def changed(self, work: Callable[[Transaction], Any]) -> Any:
        """Change something in the server's database, past its API."""

        async def run() -> Any:
            database = Database(f"sqlite:///{self.server.folder / 'linarite.db'}")
            root = seal.root_key(f"file:{self.server.folder / 'root.key'}", {})
            gate = Gate(database, Memory(100), keyring.unwrapped(database, root))
            try:
                return await gate.commit(work, lambda _: None)
            finally:
                await gate.close()

        return asyncio.run(run())


FORM = {"content-type": "application/x-www-form-urlencoded"}


def said(answer: httpx.Response) -> Said:
    """What a server said: in JSON, on a page, or, as 400, to the application that it leads the browser back to."""
    try:
        return answer.status_code, code_in(answer.json())
    except json.JSONDecodeError:
        found = re.search(r"AADSTS\d+", answer.headers.get("location", "") or answer.text)
        status = 400 if found and answer.has_redirect_location else answer.status_code
        return status, found[0] if found else ""


def code_in(body: Any) -> str:
    """The code of a refusal: Resource Manager's, Entra's, or OAuth's word."""
    if not isinstance(body, dict) or "error" not in body:
        return ""
    if "error_codes" in body:
        return f"AADSTS{body['error_codes'][0]}"
    return str(body["error"]["code"] if isinstance(body["error"], dict) else body["error"])


def set_up(server: Server) -> Scene:
    """The scene of a server."""
    owner = server.owner()
    group = new_group(server, owner)
    contributor, reader, clerk = hire(server), hire(server), hire(server)
    give(owner, group, "Contributor", contributor)
    give(owner, server.group, "Reader", reader)
    give(owner, group, "User Access Administrator", clerk)
    return Scene(server, owner, server.nobody(), key_of(server), contributor, reader, clerk, group)
