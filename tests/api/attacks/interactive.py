"""The sign-in of users: codes and tokens that are stolen, played again or of others; pages that lead astray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.api.attacks.scene import Attack, Scene, said
from tests.api.browser import AZURE_CLI, REDIRECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.api.attacks.scene import Strike

INVALID = "InvalidAuthenticationToken"
POWERSHELL = "1950a258-227b-4e31-a9cf-717495945fc2"
EVIL = "https://attacker.example/"
ELSEWHERE = "AADSTS50011"
FOREIGN_FORM = "AADSTS165000"


def redeems(**changes: str | None) -> Callable[[Scene], Strike]:
    """Somebody redeems a code that they took, and do not know all that belongs to it."""

    def prepare(scene: Scene) -> Strike:
        code = scene.code(scene.browser())
        told = {"code": code, **changes}
        return lambda: said(scene.browser().redeem(told.pop("code"), **told))

    return prepare


def replayed_code(scene: Scene) -> Strike:
    browser = scene.browser()
    code = scene.code(browser)
    assert browser.redeem(code).status_code == 200
    return lambda: said(browser.redeem(code))


def code_without_a_challenge(scene: Scene) -> Strike:
    """The challenge was taken out of the request, so that any verifier would do."""
    browser = scene.browser()
    code = scene.code(browser, code_challenge=None, code_challenge_method=None)
    return lambda: said(browser.redeem(code))


def replayed_refresh(scene: Scene) -> Strike:
    browser = scene.browser()
    first = scene.tokens(browser)["refresh_token"]
    assert browser.refresh(first).status_code == 200
    return lambda: said(browser.refresh(first))


def refreshed_by_another(scene: Scene) -> Strike:
    browser = scene.browser()
    first = scene.tokens(browser)["refresh_token"]
    return lambda: said(browser.refresh(first, client_id=POWERSHELL))


def as_access_token(name: str) -> Callable[[Scene], Strike]:
    """The API is shown another of a user's tokens."""
    return lambda scene: scene.keys(f"Bearer {scene.tokens(scene.browser())[name]}")


def code_as_access_token(scene: Scene) -> Strike:
    return scene.keys(f"Bearer {scene.code(scene.browser())}")


def asks(**changes: str | None) -> Callable[[Scene], Strike]:
    """An authorization request that somebody is led to."""
    return lambda scene: lambda: said(scene.browser().ask(**changes).answer)


def while_signed_in(**changes: str | None) -> Callable[[Scene], Strike]:
    """The same in a browser in which somebody is signed in, so that nothing would be asked."""

    def prepare(scene: Scene) -> Strike:
        browser = scene.browser()
        scene.code(browser)
        return lambda: said(browser.ask(**changes).answer)

    return prepare


def form_of_another(scene: Scene) -> Strike:
    """The attacker's own form, sent by the victim's browser."""
    browser, page = scene.browser(), scene.browser().ask()
    browser.ask()
    return scene.presses(browser, page, "password", username="owner", password="x")


def form_made_up(scene: Scene) -> Strike:
    browser = scene.browser()
    page = browser.ask()
    return scene.presses(browser, page, "password", csrf="0" * 64, username="owner", password="x")


def after_the_sign_out(scene: Scene) -> Strike:
    """A cookie that was stolen before its session ended."""
    browser, thief = scene.browser(), scene.browser()
    scene.code(browser)
    for name, value in browser.http.cookies.items():
        thief.http.cookies.set(name, value)
    browser.http.get(f"/{browser.tenant}/oauth2/v2.0/logout")
    return lambda: said(thief.ask(prompt="none").answer)


def session_made_up(scene: Scene) -> Strike:
    browser = scene.browser()
    browser.http.cookies.set("__Host-linarite-session", "0" * 43)
    return lambda: said(browser.ask(prompt="none").answer)


def sign_out_to_elsewhere(scene: Scene) -> Strike:
    browser = scene.browser()
    params = {"client_id": AZURE_CLI, "post_logout_redirect_uri": EVIL}
    return lambda: said(browser.http.get(f"/{browser.tenant}/oauth2/v2.0/logout", params=params))


def device(path: str = "devicecode", **form: str) -> Callable[[Scene], Strike]:
    """A device code that nobody has decided about, asked for again and in another way."""

    def prepare(scene: Scene) -> Strike:
        browser = scene.browser()
        whole = {"client_id": AZURE_CLI, "scope": "https://management.azure.com/.default"}
        begun = browser.http.post(f"/{browser.tenant}/oauth2/v2.0/{path}", data=whole).json()
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return lambda: said(browser.token(**{"grant_type": grant, "device_code": begun["device_code"], **form}))

    return prepare


INTERACTIVE: dict[str, Attack] = {
    # codes and refresh tokens
    "a code that comes back": Attack(400, "AADSTS54005", replayed_code, revokes=True),
    "a code with another's verifier": Attack(400, "AADSTS501481", redeems(code_verifier="x" * 43)),
    "a code without its verifier": Attack(400, "AADSTS501481", redeems(code_verifier=None)),
    "a code whose challenge was taken away": Attack(400, "AADSTS501481", code_without_a_challenge),
    "a code at another address": Attack(400, "AADSTS500112", redeems(redirect_uri="http://localhost:8401")),
    "a code of another application": Attack(400, "AADSTS70000", redeems(client_id=POWERSHELL)),
    "a code that is made up": Attack(400, "AADSTS70000", redeems(code="made-up")),
    "a refresh token that comes back": Attack(400, "AADSTS50173", replayed_refresh, revokes=True),
    "a refresh token of another application": Attack(400, "AADSTS70000", refreshed_by_another),
    "a code as an access token": Attack(401, INVALID, code_as_access_token),
    "an ID token as an access token": Attack(401, "InvalidAuthenticationTokenAudience", as_access_token("id_token")),
    "a refresh token as an access token": Attack(401, INVALID, as_access_token("refresh_token")),
    # where the answer goes
    "an answer to the attacker": Attack(400, ELSEWHERE, while_signed_in(redirect_uri=EVIL)),
    "an answer to the attacker's name below ours": Attack(
        400, ELSEWHERE, while_signed_in(redirect_uri="http://localhost.attacker.example/")
    ),
    "an answer to a host behind a name": Attack(
        400, ELSEWHERE, while_signed_in(redirect_uri="http://localhost:8400@attacker.example/")
    ),
    "an answer to another path": Attack(400, ELSEWHERE, while_signed_in(redirect_uri=f"{REDIRECT}/../elsewhere")),
    "an answer to a script": Attack(400, ELSEWHERE, while_signed_in(redirect_uri="javascript:alert(1)")),
    "a sign-out to the attacker": Attack(400, ELSEWHERE, sign_out_to_elsewhere),
    "a challenge that is the verifier": Attack(400, "AADSTS501491", asks(code_challenge_method="plain")),
    "a sign-in without a page, of nobody": Attack(400, "AADSTS50058", asks(prompt="none")),
    # pages and sessions
    "the form of another browser": Attack(400, FOREIGN_FORM, form_of_another),
    "a form that is made up": Attack(400, FOREIGN_FORM, form_made_up),
    "a session that is made up": Attack(400, "AADSTS50058", session_made_up),
    "a session after its end": Attack(400, "AADSTS50058", after_the_sign_out),
    # devices, and what is off
    "a device whose user has not decided": Attack(400, "AADSTS70016", device()),
    "a device code of another application": Attack(400, "AADSTS70018", device(client_id=POWERSHELL)),
    "a device code that is made up": Attack(400, "AADSTS70018", device(device_code="made-up")),
    "a password without a page": Attack(
        400,
        "AADSTS70003",
        lambda scene: scene.signs_in(
            {
                "grant_type": "password",
                "client_id": AZURE_CLI,
                "username": "owner@linarite.onmicrosoft.com",
                "password": scene.server.password(),
                "scope": "https://management.azure.com/.default",
            }
        ),
    ),
}
