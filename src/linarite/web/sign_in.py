"""Signing in with a browser: which page comes next, and how an answer goes back to the application that asked.

A page's form posts to the address that showed it, with the application's request in the query and the user's step in
the body. So nothing is remembered between two steps but the session, and each step is checked from the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from linarite.grants import Case, Denied, Form, authorization, browsers
from linarite.grants.denied.users import consent_declined, consent_missing, request_forged, session_missing
from linarite.model import Secret
from linarite.web.cookies import cookies_of
from linarite.web.forms import read_query
from linarite.web.http import Response

if TYPE_CHECKING:
    from linarite.grants import TokenService
    from linarite.grants.authorization import Asked, Back
    from linarite.model import Principal
    from linarite.web.cookies import Cookies
    from linarite.web.pages import Pages
    from linarite.web.visits import Visit

SEE_OTHER = 303


class SignIn:
    """Answers authorization requests, and what their users do with the pages; over one token service."""

    def __init__(self, tokens: TokenService, pages: Pages) -> None:
        self._tokens = tokens
        self._pages = pages

    async def authorize(self, visit: Visit) -> Response:
        """A page, or an answer on its way back to the application.

        Raises:
            Denied: it is not known to whom an answer may go, or a form comes from somewhere else.
        """
        request, cookies, step = visit.request, cookies_of(visit.request), None
        form = read_query(request)
        if request.method == "POST" and form.get("client_id"):
            step = visit.ask.form()
            require_own(cookies, step)
        elif request.method == "POST":
            form = visit.ask.form()
        case = Case(visit.ask, f"Microsoft.AAD/{visit.address}", form)
        try:
            client, back = await authorization.way_back(self._tokens, case)
        except Denied as denied:
            await self._tokens.refused(case, denied)  # here, where it is known who asks
            raise
        try:
            asked = authorization.understood(self._tokens, case, client, back)
            response = await _Turn(self._tokens, self._pages, visit, case, cookies).taken(asked, step)
        except Denied as denied:
            await self._tokens.refused(case, denied)
            said = f"AADSTS{denied.number}: {denied.message}"
            response = self._sent(back, client.name, {"error": denied.error, "error_description": said})
        else:
            if not isinstance(response, Response):
                response = self._sent(back, client.name, response)
        return Response(response.status, (*response.headers, *cookies.headers), response.body)

    def _sent(self, back: Back, client: str, parameters: dict[str, str]) -> Response:
        """An answer on its way: in the query, behind the `#`, or in a form that posts itself."""
        if back.state is not None:
            parameters["state"] = back.state
        if back.mode == "form_post":
            return self._pages.show(
                "post", leads_to=back.redirect, redirect=back.redirect, client=client, parameters=parameters
            )
        mark = "#" if back.mode == "fragment" else "&" if "?" in back.redirect else "?"
        return Response(SEE_OTHER, (("location", f"{back.redirect}{mark}{urlencode(parameters)}"),))


class _Turn:
    """One turn of a user: what they did, if anything, and what is shown next."""

    def __init__(self, tokens: TokenService, pages: Pages, visit: Visit, case: Case, cookies: Cookies) -> None:
        self._tokens = tokens
        self._pages = pages
        self._visit = visit
        self._case = case
        self._cookies = cookies

    async def taken(self, asked: Asked, step: Form | None) -> Response | dict[str, str]:
        """The next page, or the parameters of the answer.

        Raises:
            Denied: the application is told of it.
        """
        did = step.get("step") if step is not None else ""
        if step is not None and did == "password":
            bad = await wrong_with_password(self._tokens, self._visit, self._cookies, step)
            if bad:
                return self._page("password", asked, username=step.get("username"), bad=bad)
        user = await browsers.session(self._tokens, self._cookies.session)
        if step is None:
            page = self._first(asked, user)
            if page is not None:
                return page
        if did == "decline":
            raise consent_declined()
        if user is None or did == "another":
            return self._page("password", asked, username="")
        consents = did == "consent"
        if not consents and await browsers.needs_consent(self._tokens, asked, user):
            if "none" in asked.prompts:
                raise consent_missing(asked.client.id, asked.client.name)
            return self._consent(asked, user)
        return await browsers.answered(self._tokens, self._case, asked, self._cookies.session, consents=consents)

    def _first(self, asked: Asked, user: Principal | None) -> Response | None:
        """The page with which a request begins; None where the session is enough."""
        hint = asked.hint.lower()
        fits = user is not None and hint in {"", user.client}
        if "none" in asked.prompts:
            if not fits:
                raise session_missing()
            return None
        if user is None or "login" in asked.prompts:
            return self._page("password", asked, username=asked.hint)
        if "select_account" in asked.prompts or not fits:
            return self._page("account", asked, user=user)
        return None

    def _consent(self, asked: Asked, user: Principal) -> Response:
        wish = asked.granted.wish
        scopes = (*wish.scopes, *wish.about)
        return self._page(
            "consent", asked, user=user, scopes=scopes, audience=wish.audience, destination=asked.back.redirect
        )

    def _page(self, name: str, asked: Asked, **values: Any) -> Response:
        return self._pages.show(
            name,
            leads_to=asked.back.redirect,
            action=f"{self._visit.request.path}?{urlencode(dict(self._case.form.values))}",
            csrf=self._cookies.token,
            kept={},
            client=asked.client.name,
            **values,
        )


def require_own(cookies: Cookies, step: Form) -> None:
    """Refuse a step that comes from no form of ours in this browser.

    Raises:
        Denied: AADSTS165000.
    """
    if not cookies.ties(step.get("csrf")):
        raise request_forged()


async def wrong_with_password(tokens: TokenService, visit: Visit, cookies: Cookies, step: Form) -> str:
    """Begin a session with the name and password that were typed; a sentence where they do not do, else nothing."""
    case = Case(visit.ask, "Microsoft.AAD/login")
    try:
        begun = await browsers.signed_in(
            tokens, case, step.get("username"), Secret(step.get("password")), cookies.session
        )
    except Denied as denied:
        await tokens.refused(case, denied)
        return denied.message
    cookies.begin(begun.reveal())
    return ""
