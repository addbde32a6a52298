"""Signing in with a browser: pages, codes, tokens, and every way in which it is refused."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from linarite.first_start import OWNER_USER, OWNER_USER_OBJECT
from tests.api.browser import AZURE_CLI, REDIRECT, Browser, Page, browser_of, claims_in

if TYPE_CHECKING:
    import httpx

    from tests.server import Server


@pytest.fixture(scope="module")
def password(server: Server) -> str:
    return server.password()


@pytest.fixture
def browser(server: Server) -> Browser:
    return browser_of(server)


def code_of(browser: Browser, password: str, **changes: str | None) -> str:
    return browser.sign_in(browser.ask(**changes), password).brought["code"]


def refused(answer: httpx.Response, error: str, number: int) -> None:
    found = answer.json()
    assert (found["error"], found["error_codes"]) == (error, [number]), found
    assert found["error_description"].startswith(f"AADSTS{number}: ")


def reads(server: Server, token: str) -> int:
    caller = server.nobody()
    caller.http.headers["authorization"] = f"Bearer {token}"
    return caller.get(server.workspace).status_code


# ── a code ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tenant", ["common", "organizations", "linarite.onmicrosoft.com", ""])
def test_a_password_gives_a_code_and_the_code_gives_a_token_of_the_user(
    server: Server, browser: Browser, password: str, tenant: str
) -> None:
    brought = browser.sign_in(browser.ask(tenant=tenant, nonce="n"), password).brought
    assert brought.keys() == {"code", "state"}
    assert brought["state"] == "a state & more"
    answer = browser.redeem(brought["code"], client_info="1").json()
    assert answer.keys() == {
        *("token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token", "id_token"),
        "client_info",
    }
    assert "https://management.azure.com/user_impersonation" in answer["scope"].split()
    claims, who = claims_in(answer["access_token"]), claims_in(answer["id_token"])
    assert (claims["scp"], claims["oid"], claims["upn"]) == ("user_impersonation", OWNER_USER_OBJECT, OWNER_USER)
    assert (claims["idtyp"], claims["appid"], claims["appidacr"]) == ("user", AZURE_CLI, "0")
    assert (who["aud"], who["nonce"], who["preferred_username"]) == (AZURE_CLI, "n", OWNER_USER)
    assert reads(server, answer["access_token"]) == 200
    assert reads(server, answer["id_token"]) == 401


def test_version_1_asks_for_a_resource_and_is_answered_in_texts(
    server: Server, browser: Browser, password: str
) -> None:
    asked = browser.ask(version="", scope=None, resource="https://management.core.windows.net/")
    code = browser.sign_in(asked, password).brought["code"]
    answer = browser.token(
        version="",
        grant_type="authorization_code",
        code=code,
        redirect_uri=REDIRECT,
        code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ).json()
    assert (answer["resource"], answer["scope"]) == ("https://management.core.windows.net/", "user_impersonation")
    assert answer["expires_in"] == "3599"
    assert {"refresh_token", "id_token", "expires_on"} <= answer.keys()
    assert reads(server, answer["access_token"]) == 200


def test_a_session_signs_in_without_a_page_and_a_select_account_shows_whose_it_is(
    browser: Browser, password: str
) -> None:
    browser.sign_in(browser.ask(), password)
    assert "code" in browser.ask().brought
    assert "code" in browser.ask(prompt="none").brought
    picker = browser.ask(prompt="select_account")
    assert OWNER_USER in picker.form.text
    assert "code" in browser.press(picker, "continue").brought
    assert "password" in browser.press(picker, "another").form.buttons
    assert "password" in browser.ask(prompt="login").form.buttons
    assert "continue" in browser.ask(login_hint="somebody@linarite.onmicrosoft.com").form.buttons


def test_a_login_hint_fills_in_the_name(browser: Browser) -> None:
    assert browser.ask(login_hint="hinted@example.org").form.fields["username"] == "hinted@example.org"


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_an_answer_goes_back_in_the_mode_that_was_asked_for(browser: Browser, password: str, mode: str) -> None:
    page = browser.sign_in(browser.ask(response_mode=mode), password)
    assert page.brought.keys() == {"code", "state"}
    if mode == "form_post":
        assert page.form.action == REDIRECT
    else:
        parts = urlsplit(page.location)
        assert bool(parts.query) == (mode == "query")


@pytest.mark.parametrize("port", [":1", ":65535", ""])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_every_port_of_loopback_is_the_applications(browser: Browser, password: str, host: str, port: str) -> None:
    page = browser.sign_in(browser.ask(redirect_uri=f"http://{host}{port}/"), password)
    assert page.location.startswith(f"http://{host}{port}/?code=")


# ── implicit ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_flow_of_the_documentation_gives_a_token_behind_the_hash(
    server: Server, browser: Browser, password: str
) -> None:
    asked = browser.ask(
        version="",
        tenant="common",
        response_type="token",
        scope="user_impersonation",
        code_challenge=None,
        code_challenge_method=None,
    )
    page = browser.sign_in(asked, password)
    assert "?" not in page.location
    assert page.brought["state"] == "a state & more"
    assert (page.brought["token_type"], page.brought["expires_in"]) == ("Bearer", "3599")
    assert "refresh_token" not in page.brought
    assert reads(server, page.brought["access_token"]) == 200


@pytest.mark.parametrize("types", ["id_token", "id_token token", "code id_token"])
def test_an_id_token_vouches_for_what_comes_with_it(browser: Browser, password: str, types: str) -> None:
    brought = browser.sign_in(browser.ask(response_type=types, nonce="once"), password).brought
    claims = claims_in(brought["id_token"])
    assert (claims["nonce"], claims["aud"], claims["oid"]) == ("once", AZURE_CLI, OWNER_USER_OBJECT)
    for name, beside in (("at_hash", "access_token"), ("c_hash", "code")):
        assert (name in claims) == (beside in brought) == (beside.removeprefix("access_") in types.split())
        if beside in brought:
            digest = hashlib.sha256(brought[beside].encode()).digest()[:16]
            assert claims[name] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


# ── what the application is told ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "magic"}, "unsupported_response_type", 700054),
        ({"response_type": " "}, "unsupported_response_type", 700054),
        ({"response_type": "code token"}, "unsupported_response_type", 700054),
        ({"response_type": "code", "response_mode": "carrier_pigeon"}, "invalid_request", 70007),
        ({"response_type": "token", "response_mode": "query"}, "invalid_request", 70007),
        ({"response_type": "id_token"}, "invalid_request", 900144),
        ({"prompt": "nicely"}, "invalid_request", 90023),
        ({"prompt": "none"}, "login_required", 50058),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": "https://example.org/.default"}, "invalid_resource", 500011),
        ({"scope": "https://management.azure.com/.default https://vault.azure.net/.default"}, "invalid_scope", 28000),
        ({"scope": "https://management.azure.com/everything"}, "invalid_client", 650053),
        ({"resource": "https://management.azure.com/"}, "invalid_request", 901002),
        ({"code_challenge_method": "plain"}, "invalid_request", 501491),
        ({"code_challenge_method": None}, "invalid_request", 501491),
        ({"code_challenge": "short"}, "invalid_request", 501491),
    ],
    ids=lambda value: "-".join(f"{one}={value[one]}" for one in value) if isinstance(value, dict) else str(value),
)
def test_an_application_is_told_what_it_cannot_have(
    browser: Browser, changes: dict[str, str | None], error: str, number: int
) -> None:
    brought = browser.ask(**changes).brought
    assert (brought["error"], brought["state"]) == (error, "a state & more")
    assert brought["error_description"].startswith(f"AADSTS{number}: ")
    assert "code" not in brought


# ── what nobody but the user is told ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://localhost:8400@evil.example/",
        "http://evil.example\\@localhost/",
        "http://localhost:8400/elsewhere",
        "http://localhost:8400/?next=https://evil.example",
        "http://localhost:8400#fragment",
        "https://localhost:8400",
        "http://127.0.0.1.evil.example/",
        "http://localhost:8400\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "//evil.example",
    ],
)
def test_no_answer_goes_to_an_address_that_is_not_the_applications(browser: Browser, redirect: str) -> None:
    page = browser.ask(redirect_uri=redirect)
    assert page.answer.status_code == 400
    assert "location" not in page.answer.headers
    assert "AADSTS50011" in page.answer.text


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_id": "99999999-9999-9999-9999-999999999999"}, 700016),
        ({"client_id": None}, 900144),
        ({"redirect_uri": None}, 900971),
    ],
    ids=["no such application", "no application", "no address"],
)
def test_without_an_application_and_its_address_there_is_only_a_page(
    browser: Browser, changes: dict[str, str | None], number: int
) -> None:
    page = browser.ask(**changes)
    assert page.answer.status_code == 400
    assert f"AADSTS{number}" in page.answer.text


def test_a_request_that_is_posted_is_understood_too(browser: Browser, password: str) -> None:
    asked = {
        "client_id": AZURE_CLI,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "state": "posted",
    }
    page = Page(browser.http.post(f"/{browser.tenant}/oauth2/v2.0/authorize", data=asked))
    brought = browser.sign_in(page, password).brought
    assert brought["state"] == "posted"
    assert browser.redeem(brought["code"], code_verifier=None).status_code == 200


def test_a_parameter_that_is_given_twice_is_refused(browser: Browser) -> None:
    path = f"/{browser.tenant}/oauth2/v2.0/authorize?client_id={AZURE_CLI}&redirect_uri={REDIRECT}&redirect_uri=x"
    assert "AADSTS9000411" in browser.http.get(path).text


# ── the pages themselves ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_password_shows_the_page_again_and_is_on_the_trail_without_it(server: Server, browser: Browser) -> None:
    for name in (OWNER_USER, "nobody@linarite.onmicrosoft.com"):
        page = browser.sign_in(browser.ask(), "hunter2-hunter2", name)
        assert "invalid username or password" in page.form.text
        assert page.form.fields["username"] == name
        assert page.form.fields["password"] == ""
    assert "hunter2" not in (server.folder / "linarite.db").read_bytes().decode("latin-1")


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_that_was_not_given_to_this_browser_signs_nobody_in(browser: Browser, password: str, token: str) -> None:
    page = browser.ask()
    page.form.fields["csrf"] = token
    answer = browser.sign_in(page, password)
    assert answer.answer.status_code == 400
    assert "AADSTS165000" in answer.answer.text


def test_a_form_that_was_given_to_another_browser_signs_nobody_in(
    server: Server, browser: Browser, password: str
) -> None:
    browser.ask()
    stolen = browser_of(server).ask()
    assert "AADSTS165000" in browser.sign_in(stolen, password).answer.text


def test_a_page_stands_in_no_frame_and_runs_no_script(browser: Browser) -> None:
    answer = browser.ask().answer
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' {REDIRECT};" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store, no-cache"
    assert "access-control-allow-origin" not in answer.headers
    assert "<script" not in answer.text


def test_cookies_are_for_this_host_over_tls_and_for_no_script(browser: Browser, password: str) -> None:
    first = browser.ask()
    second = browser.sign_in(first, password)
    for answer in (first.answer, second.answer):
        for cookie in answer.headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-linarite-")
            assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
    assert len(second.answer.headers.get_list("set-cookie")) == 1


def test_what_an_application_sends_is_shown_and_never_run(browser: Browser) -> None:
    page = browser.ask(login_hint='"><script>alert(1)</script>', state="</form><b>")
    assert "<script" not in page.answer.text
    assert page.form.fields["username"] == '"><script>alert(1)</script>'


def test_signing_out_ends_the_session_and_leads_to_no_foreign_address(browser: Browser, password: str) -> None:
    browser.sign_in(browser.ask(), password)
    logout = f"/{browser.tenant}/oauth2/v2.0/logout"
    away = browser.http.get(logout, params={"client_id": AZURE_CLI, "post_logout_redirect_uri": "https://evil.example"})
    assert (away.status_code, "location" in away.headers) == (400, False)
    back = browser.http.get(logout, params={"client_id": AZURE_CLI, "post_logout_redirect_uri": REDIRECT})
    assert back.headers["location"] == REDIRECT
    assert browser.ask(prompt="none").brought["error"] == "login_required"


# ── codes and refresh tokens ────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_that_comes_back_twice_is_refused_and_takes_what_it_gave_with_it(
    browser: Browser, password: str
) -> None:
    code = code_of(browser, password)
    first = browser.redeem(code).json()
    refused(browser.redeem(code), "invalid_grant", 54005)
    refused(browser.refresh(first["refresh_token"]), "invalid_grant", 50173)


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant", 501481),
        ({"code_verifier": None}, "invalid_grant", 501481),
        ({"redirect_uri": "http://localhost:8401"}, "invalid_grant", 500112),
        ({"redirect_uri": None}, "invalid_request", 900144),
        ({"client_id": "1950a258-227b-4e31-a9cf-717495945fc2"}, "invalid_grant", 70000),
        ({"client_id": "99999999-9999-9999-9999-999999999999"}, "unauthorized_client", 700016),
        ({"client_secret": "s"}, "invalid_client", 700025),
        ({"code": "made-up"}, "invalid_grant", 70000),
        ({"code": None}, "invalid_request", 900144),
    ],
    ids=lambda value: "-".join(f"{one}={value[one]}" for one in value) if isinstance(value, dict) else str(value),
)
def test_a_code_is_redeemed_by_the_request_it_was_given_for_alone(
    browser: Browser, password: str, changes: dict[str, str | None], error: str, number: int
) -> None:
    code = code_of(browser, password)
    asked = {"code": code, **changes}
    refused(browser.redeem(asked.pop("code"), **asked), error, number)


def test_a_verifier_is_refused_where_the_challenge_was_taken_away(browser: Browser, password: str) -> None:
    code = code_of(browser, password, code_challenge=None, code_challenge_method=None)
    refused(browser.redeem(code), "invalid_grant", 501481)


def test_a_refresh_token_counts_once_and_a_second_use_revokes_its_family(
    server: Server, browser: Browser, password: str
) -> None:
    first = browser.redeem(code_of(browser, password)).json()
    second = browser.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert reads(server, second["access_token"]) == 200
    refused(browser.refresh(first["refresh_token"]), "invalid_grant", 50173)
    refused(browser.refresh(second["refresh_token"]), "invalid_grant", 50173)


def test_a_refresh_token_gives_a_token_for_another_resource(browser: Browser, password: str) -> None:
    first = browser.redeem(code_of(browser, password)).json()
    second = browser.refresh(first["refresh_token"], scope="https://vault.azure.net/.default").json()
    assert claims_in(second["access_token"])["aud"] == "https://vault.azure.net"
    refused(browser.refresh(second["refresh_token"], scope="https://example.org/.default"), "invalid_resource", 500011)


def test_a_refresh_token_is_of_one_application(browser: Browser, password: str) -> None:
    first = browser.redeem(code_of(browser, password)).json()
    other = "1950a258-227b-4e31-a9cf-717495945fc2"
    refused(browser.refresh(first["refresh_token"], client_id=other), "invalid_grant", 70000)


def test_nothing_that_is_given_out_is_kept_as_it_is(server: Server, browser: Browser, password: str) -> None:
    code = code_of(browser, password)
    answer = browser.redeem(code).json()
    cookie = browser.http.cookies["__Host-linarite-session"]
    kept = b"".join(path.read_bytes() for path in server.folder.glob("linarite.db*"))
    for text in (code, answer["refresh_token"], answer["access_token"], cookie, password):
        assert text.encode() not in kept


def test_the_user_of_a_token_for_graph_is_told(browser: Browser, password: str) -> None:
    answer = browser.redeem(code_of(browser, password, scope="openid profile"), scope=None).json()
    where = f"/{browser.tenant}/openid/userinfo"
    who = browser.http.get(where, headers={"authorization": f"Bearer {answer['access_token']}"})
    assert who.json()["preferred_username"] == OWNER_USER
    refused(browser.http.get(where), "invalid_token", 50027)
