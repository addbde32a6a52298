"""Sign-ins by client assertion: what an application says of itself, signed by somebody else or about something else."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from linarite.grants import Federation, add_certificate, add_federation
from linarite.store import directory
from linarite.store.keys import principal_key
from tests.api.attacks.scene import Attack, Scene
from tests.api.attacks.tokens import token
from tests.certified import BEARER, Certified, certified, claims_of
from tests.clients.people import Application, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.store.transaction import Transaction
    from tests.api.attacks.scene import Strike
    from tests.api.attacks.tokens import Sign

BAD = "AADSTS700027"
ISSUER = "https://trusted.example"


@cache
def own() -> Certified:
    """The certificate that the application has."""
    return certified()


@cache
def anothers() -> Certified:
    """One that it has not."""
    return certified()


def with_certificate(scene: Scene) -> Application:
    """A new application with that certificate, which trusts an issuer too."""
    application = join(scene.server)

    def work(transaction: Transaction) -> None:
        principal = directory.principal(transaction.connection(), application.object_id)
        assert principal is not None
        now = datetime.now(UTC)
        add_certificate(transaction, principal, own().certificate, now=now)
        add_federation(transaction, principal, Federation(ISSUER, "pipeline", "api://AzureADTokenExchange"), now=now)

    scene.changed(work)
    return application


def presented(scene: Scene, application: Application, assertion: str) -> Strike:
    """A sign-in with an assertion."""
    form = scene.form(client_id=application.client_id, client_assertion_type=BEARER, client_assertion=assertion)
    del form["client_secret"]
    return scene.signs_in(form)


def endpoint(scene: Scene) -> str:
    return f"{scene.server.origin}/{scene.server.known['tenantId']}/oauth2/v2.0/token"


def says(by: Callable[[], Certified] = own, **changes: Any) -> Callable[[Scene], Strike]:
    """An assertion, by its own certificate unless by another, with `header` and claims changed."""

    def prepare(scene: Scene) -> Strike:
        application = with_certificate(scene)
        header = changes.get("header")
        claims = {name: value for name, value in changes.items() if name != "header"}
        whole = claims_of(application.client_id, **{"audience": endpoint(scene), **claims})
        return presented(scene, application, by().assertion(whole, header=header() if header else None))

    return prepare


def forged(alg: str, sign: Callable[[], Sign]) -> Callable[[Scene], Strike]:
    """An assertion below its own certificate's name, signed in another way."""

    def prepare(scene: Scene) -> Strike:
        application = with_certificate(scene)
        header = {"alg": alg, **own().headers()["x5t#S256"]}
        text = token(header, claims_of(application.client_id, endpoint(scene)), sign()).partition(" ")[2]
        return presented(scene, application, text)

    return prepare


def of_another_application(scene: Scene) -> Strike:
    """A good assertion of one application, presented by another."""
    one, other = with_certificate(scene), join(scene.server)
    return presented(scene, other, own().assertion(claims_of(one.client_id, endpoint(scene))))


def after_its_removal(scene: Scene) -> Strike:
    """A certificate that was taken away."""
    application = with_certificate(scene)
    strike = presented(scene, application, own().assertion(claims_of(application.client_id, endpoint(scene))))
    assert strike() == (200, "")

    def remove(transaction: Transaction) -> None:
        for kept in directory.credentials_of(transaction.connection(), application.object_id):
            directory.remove_credential(transaction.connection(), application.object_id, kept.id)
        transaction.note(principal_key(application.object_id))

    scene.changed(remove)
    return strike


def own_access_token(scene: Scene) -> Strike:
    """A token of the server's own, presented as if it vouched for the application."""
    application = with_certificate(scene)
    return presented(scene, application, scene.owner.http.headers["authorization"].partition(" ")[2])


ASSERTIONS: dict[str, Attack] = {
    "an unsigned assertion": Attack(401, BAD, forged("none", lambda: lambda _: b"")),
    "an assertion by the public certificate as a secret": Attack(
        401, BAD, forged("HS256", lambda: lambda text: hmac.digest(own().pem, text, hashlib.sha256))
    ),
    "an assertion by another certificate, which it brings along": Attack(
        401, BAD, says(anothers, header=lambda: anothers().headers()["x5c"])
    ),
    "an assertion by another key below a good name": Attack(
        401, BAD, says(anothers, header=lambda: own().headers()["x5t#S256"])
    ),
    "an assertion for another token service": Attack(
        401, "AADSTS700023", says(audience="https://login.microsoftonline.com/common/oauth2/v2.0/token")
    ),
    "an assertion that has ended": Attack(401, "AADSTS700024", says(exp=1_700_000_000)),
    "an assertion that never ends": Attack(401, "AADSTS700024", says(exp=None)),
    "an assertion about another application": Attack(
        401, "AADSTS700021", says(sub="11111111-2222-3333-4444-555555555555")
    ),
    "an assertion of another application": Attack(401, "AADSTS700211", of_another_application),
    "an assertion by a certificate that was taken away": Attack(401, BAD, after_its_removal),
    "a token of an issuer that nobody trusts": Attack(
        401, "AADSTS700211", says(iss="https://attacker.example", sub="pipeline", audience="api://AzureADTokenExchange")
    ),
    "a token of a trusted issuer for another subject": Attack(
        401, "AADSTS700213", says(iss=ISSUER, sub="attacker", audience="api://AzureADTokenExchange")
    ),
    "a token of a trusted issuer for another audience": Attack(
        401, "AADSTS700212", says(iss=ISSUER, sub="pipeline", audience="https://attacker.example")
    ),
    "an access token as an assertion": Attack(401, "AADSTS700211", own_access_token),
}
