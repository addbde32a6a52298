"""Azure's own clients sign users in, unmodified: in a browser, with a device code, with a code of one's own."""

from __future__ import annotations

import shutil
import threading
import webbrowser
from typing import TYPE_CHECKING, Any

import msal  # type: ignore[import-untyped]
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AuthorizationCodeCredential, DeviceCodeCredential, InteractiveBrowserCredential

from linarite.first_start import OWNER_USER
from tests.api.browser import AZURE_CLI, REDIRECT, Browser, Page, browser_of
from tests.clients.chromium import browsing
from tests.clients.test_sign_in import claims_of, status_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.credentials import TokenCredential

    from tests.clients.chromium import Chromium
    from tests.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def password(server: Server) -> str:
    return server.password()


@pytest.fixture
def browser(server: Server) -> Browser:
    return browser_of(server)


@pytest.fixture(scope="module")
def chromium(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with browsing(CHROMIUM, tmp_path_factory.mktemp("chromium"), server.origin) as browser:
        yield browser


def pointed_here(server: Server, **more: Any) -> dict[str, Any]:
    return {"authority": server.known["authority"], "disable_instance_discovery": True, **more}


def token_of(server: Server, credential: TokenCredential) -> dict[str, Any]:
    """What a credential's token says; it opens the API."""
    token = credential.get_token(f"{server.origin}/.default").token
    assert status_with(server, token) == 200
    return claims_of(token)


def typed_in(browser: Browser, server: Server, code: str, password: str) -> Page:
    """What a user does at the address that a device shows."""
    page = Page(browser.http.get(f"{server.origin}/devicelogin"))
    page = browser.press(page, "code", code=code.lower())
    page = browser.sign_in(page, password)
    assert "Microsoft Azure CLI" in page.form.text
    return browser.press(page, "consent")


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tenant", ["organizations", "adfs"])
def test_a_device_code_signs_a_user_in(server: Server, browser: Browser, password: str, tenant: str) -> None:
    def show(address: str, code: str, _: object) -> None:
        assert address == f"{server.origin}/devicelogin"
        assert "You signed in" in typed_in(browser, server, code, password).answer.text

    with DeviceCodeCredential(prompt_callback=show, **pointed_here(server, tenant_id=tenant)) as credential:
        claims = token_of(server, credential)
        assert (claims["upn"], claims["appid"], claims["scp"]) == (OWNER_USER, AZURE_CLI, "user_impersonation")
        # The second resource comes by the refresh token, and nobody is asked.
        other = claims_of(credential.get_token("https://vault.azure.net/.default").token)
        assert (other["aud"], other["upn"]) == ("https://vault.azure.net", OWNER_USER)


def test_a_user_who_declines_is_heard_by_the_device(server: Server, browser: Browser, password: str) -> None:
    def show(_: str, code: str, __: object) -> None:
        page = browser.press(Page(browser.http.get(f"/devicelogin?user_code={code}")), "code")
        page = browser.press(browser.sign_in(page, password), "decline")
        assert "You did not sign in" in page.answer.text

    with (
        DeviceCodeCredential(prompt_callback=show, **pointed_here(server)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS65004"),
    ):
        credential.get_token(f"{server.origin}/.default")


def test_a_code_that_is_none_is_asked_for_again(browser: Browser) -> None:
    page = browser.press(Page(browser.http.get("/devicelogin")), "code", code="BCDFGHJKL")
    assert "Check the code and try again" in page.form.text
    assert "code" in page.form.buttons


# ── a code of one's own ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_signs_a_user_in_and_is_refused_a_second_time(server: Server, browser: Browser, password: str) -> None:
    scope = f"{server.origin}/.default offline_access"
    asked = browser.ask(scope=scope, code_challenge=None, code_challenge_method=None)
    code = browser.sign_in(asked, password).brought["code"]
    arguments = (server.known["tenantId"], AZURE_CLI, code, REDIRECT)
    with AuthorizationCodeCredential(*arguments, authority=server.known["authority"]) as credential:
        assert token_of(server, credential)["upn"] == OWNER_USER
    with (
        AuthorizationCodeCredential(*arguments, authority=server.known["authority"]) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS54005"),
    ):
        credential.get_token(f"{server.origin}/.default")


@pytest.mark.parametrize("tenant", ["organizations", "adfs"])
def test_msal_signs_a_user_in_and_finds_the_account_again(
    server: Server, browser: Browser, password: str, tenant: str
) -> None:
    application = msal.PublicClientApplication(
        AZURE_CLI,
        authority=f"{server.origin}/{tenant}",
        instance_discovery=False,
        verify=server.known["caBundle"],
    )
    flow = application.initiate_auth_code_flow(
        [f"{server.origin}/.default"], redirect_uri=REDIRECT, response_mode="form_post"
    )
    page = browser.sign_in(Page(browser.http.get(flow["auth_uri"])), password)
    answer = application.acquire_token_by_auth_code_flow(flow, page.brought)
    assert answer["id_token_claims"]["preferred_username"] == OWNER_USER
    assert status_with(server, answer["access_token"]) == 200
    [account] = application.get_accounts()
    assert account["username"] == OWNER_USER
    cached = application.acquire_token_silent([f"{server.origin}/.default"], account)
    assert cached["access_token"] == answer["access_token"]
    renewed = application.acquire_token_silent([f"{server.origin}/.default"], account, force_refresh=True)
    assert status_with(server, renewed["access_token"]) == 200
    assert renewed["access_token"] != answer["access_token"]


def test_msal_takes_no_answer_with_another_state_or_nonce(server: Server, browser: Browser, password: str) -> None:
    application = msal.PublicClientApplication(
        AZURE_CLI,
        authority=f"{server.origin}/{server.known['tenantId']}",
        instance_discovery=False,
        verify=server.known["caBundle"],
    )
    flow = application.initiate_auth_code_flow(
        [f"{server.origin}/.default"], redirect_uri=REDIRECT, response_mode="form_post"
    )
    brought = browser.sign_in(Page(browser.http.get(flow["auth_uri"])), password).brought
    with pytest.raises(ValueError, match="state mismatch"):
        application.acquire_token_by_auth_code_flow(flow, {**brought, "state": "forged"})


# ── a real browser ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_browser_signs_a_user_in_by_keys_alone(
    server: Server, chromium: Chromium, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    asked = threading.Event()

    def show(address: str, *_: object) -> bool:
        opened.append(address)
        asked.set()
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    found: list[dict[str, Any]] = []

    def program(credential: InteractiveBrowserCredential) -> None:
        found.append(token_of(server, credential))

    with InteractiveBrowserCredential(**pointed_here(server, tenant_id=server.known["tenantId"])) as credential:
        running = threading.Thread(target=program, args=(credential,))
        running.start()
        try:
            assert asked.wait(60)
            chromium.open(opened[0])
            chromium.until("to continue to Microsoft Azure CLI")
            chromium.type(OWNER_USER)
            chromium.press("Tab")
            chromium.type("not the password")
            chromium.press("Enter")
            chromium.until("invalid username or password")
            chromium.type(password)
            chromium.press("Enter")
            chromium.until("Authentication complete")
        finally:
            running.join(60)
    [claims] = found
    assert (claims["upn"], claims["appid"]) == (OWNER_USER, AZURE_CLI)


def test_a_browser_shows_pages_in_the_colours_of_its_user(server: Server, chromium: Chromium, browser: Browser) -> None:
    address = str(browser.ask(prompt="login").answer.request.url)
    grounds = {}
    for scheme in ("light", "dark"):
        chromium.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        chromium.open(address)
        chromium.until("Linarite")
        grounds[scheme] = chromium.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(233, 238, 248)", "dark": "rgb(10, 15, 29)"}
    assert chromium.evaluate("document.querySelectorAll('input:not([type=hidden])').length") == "2"
    assert chromium.evaluate("[...document.querySelectorAll('input:not([type=hidden])')].every(i => i.labels.length)")
