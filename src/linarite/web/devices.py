"""The pages on which the user of a device types its code, signs in, and decides; and the end of a browser's session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.grants import Case, Denied, Form, authorization, browsers, devices
from linarite.grants.denied.users import consent_declined
from linarite.web.cookies import cookies_of
from linarite.web.forms import read_query
from linarite.web.http import Response
from linarite.web.sign_in import SEE_OTHER, require_own, wrong_with_password

if TYPE_CHECKING:
    from linarite.grants import TokenService
    from linarite.grants.azure_clients import Client
    from linarite.grants.tickets import Granted
    from linarite.web.cookies import Cookies
    from linarite.web.pages import Pages
    from linarite.web.visits import Visit


class Devices:
    """Serves users of devices, over one token service."""

    def __init__(self, tokens: TokenService, pages: Pages) -> None:
        self._tokens = tokens
        self._pages = pages

    async def page(self, visit: Visit) -> Response:
        """Where the code is typed; and every step from there on."""
        cookies = cookies_of(visit.request)
        if visit.request.method == "POST":
            step = visit.ask.form()
            require_own(cookies, step)
            response = await self._next(visit, cookies, step)
        else:
            response = self._code(visit, cookies, devices.plain(read_query(visit.request).get("user_code")))
        return Response(response.status, (*response.headers, *cookies.headers), response.body)

    async def sign_out(self, visit: Visit) -> Response:
        """End the session; where the application says where to go on, and may, go there."""
        cookies, form = cookies_of(visit.request), read_query(visit.request)
        case = Case(visit.ask, "Microsoft.AAD/logout", form)
        if cookies.session:
            await browsers.signed_out(self._tokens, case, cookies.session)
        cookies.end()
        target = form.get("post_logout_redirect_uri")
        if target and form.get("client_id"):
            asked = Form({**form.values, "redirect_uri": target})
            await authorization.way_back(self._tokens, Case(visit.ask, case.action, asked))
            return Response(SEE_OTHER, (("location", target), *cookies.headers))
        page = self._pages.say("You signed out", "You can close this window.")
        return Response(page.status, (*page.headers, *cookies.headers), page.body)

    async def _next(self, visit: Visit, cookies: Cookies, step: Form) -> Response:
        code, did = devices.plain(step.get("code")), step.get("step")
        case = Case(visit.ask, "Microsoft.AAD/deviceauth")
        try:
            client, granted = await devices.waiting(self._tokens, case, code)
        except Denied as denied:
            await self._tokens.refused(case, denied)
            return self._code(visit, cookies, code, bad=_sentence(denied))
        if did == "password":
            bad = await wrong_with_password(self._tokens, visit, cookies, step)
            if bad:
                name = step.get("username")
                return self._form("password", visit, cookies, code, client=client.name, username=name, bad=bad)
        user = await browsers.session(self._tokens, cookies.session)
        if user is None or did == "another":
            return self._form("password", visit, cookies, code, client=client.name, username="")
        if did not in {"consent", "decline"}:
            return self._form(
                "device",
                visit,
                cookies,
                code,
                client=client.name,
                user=user,
                audience=granted.wish.audience,
                scopes=granted.wish.scopes,
            )
        return await self._settled(case, cookies, code, client, granted, declined=did == "decline")

    async def _settled(
        self, case: Case, cookies: Cookies, code: str, client: Client, granted: Granted, *, declined: bool
    ) -> Response:
        case.client, case.audience = client.id, granted.wish.audience
        try:
            await devices.settle(self._tokens, case, code, cookies.session, declined=declined)
        except Denied as denied:
            await self._tokens.refused(case, denied)
            if denied.number != consent_declined().number:
                raise
            return self._pages.say("You did not sign in", "You can close this window.")
        return self._pages.say("You signed in", f"You signed in to {client.name}. You can close this window.")

    def _code(self, visit: Visit, cookies: Cookies, code: str, **values: Any) -> Response:
        return self._pages.show("code", action=visit.request.path, csrf=cookies.token, kept={}, code=code, **values)

    def _form(self, name: str, visit: Visit, cookies: Cookies, code: str, **values: Any) -> Response:
        kept = {"code": code}
        return self._pages.show(name, action=visit.request.path, csrf=cookies.token, kept=kept, **values)


def _sentence(denied: Denied) -> str:
    if denied.error == "bad_verification_code":
        return "That code didn't work. Check the code and try again."
    return denied.message
