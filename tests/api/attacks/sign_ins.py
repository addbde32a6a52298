"""Sign-ins with what is no secret, or not the right one, or not any more."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from linarite.store import directory
from linarite.store.keys import principal_key
from tests.api.attacks.scene import Attack, Scene
from tests.api.attacks.tokens import disable
from tests.clients.people import Application, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.store.transaction import Transaction
    from tests.api.attacks.scene import Strike

WRONG = "AADSTS7000215"
NOBODY = "99999999-9999-9999-9999-999999999999"


def form(**other: str) -> Callable[[Scene], Strike]:
    """The owner's own form, with something else in it."""
    return lambda scene: scene.signs_in(scene.form(**other))


def text(edit: Callable[[str], str]) -> Callable[[Scene], Strike]:
    return lambda scene: scene.signs_in(edit(urlencode(scene.form())))


def of(scene: Scene, application: Application, secret: str | None = None) -> Strike:
    return scene.signs_in(scene.form(client_id=application.client_id, client_secret=secret or application.secret))


def by_the_hash(scene: Scene) -> Strike:
    """Whoever has read the database knows hashes."""
    application = join(scene.server)
    [kept] = scene.changed(
        lambda transaction: directory.credentials_of(transaction.connection(), application.object_id)
    )
    return of(scene, application, kept.hash)


def by_anothers(scene: Scene) -> Strike:
    one, other = join(scene.server), join(scene.server)
    return of(scene, one, other.secret)


def removed_secret(scene: Scene) -> Strike:
    application = join(scene.server)
    strike = of(scene, application)
    assert strike() == (200, "")

    def remove(transaction: Transaction) -> None:
        connection = transaction.connection()
        [kept] = directory.credentials_of(connection, application.object_id)
        directory.remove_credential(connection, application.object_id, kept.id)
        transaction.note(principal_key(application.object_id))

    scene.changed(remove)
    return strike


def expired_secret(scene: Scene) -> Strike:
    application = join(scene.server)

    def expire(transaction: Transaction) -> None:
        connection = transaction.connection()
        [kept] = directory.credentials_of(connection, application.object_id)
        directory.remove_credential(connection, application.object_id, kept.id)
        past = datetime(2020, 1, 1, tzinfo=UTC)
        directory.add_credential(
            connection, directory.Credential(kept.id, application.object_id, kept.hash, kept.created, past)
        )
        transaction.note(principal_key(application.object_id))

    scene.changed(expire)
    return of(scene, application)


def disabled(scene: Scene) -> Strike:
    application = join(scene.server)
    scene.changed(partial(disable, application.object_id))
    return of(scene, application)


def in_the_query(scene: Scene) -> Strike:
    query = urlencode(scene.form())
    return scene.signs_in({}, f"oauth2/v2.0/token?{query}")


def in_json(scene: Scene) -> Strike:
    return scene.signs_in(json.dumps(scene.form()), headers={"content-type": "application/json"})


SIGN_INS: dict[str, Attack] = {
    "a wrong secret": Attack(401, WRONG, form(client_secret="hunter2")),
    "a secret with a space behind it": Attack(
        401, WRONG, lambda scene: scene.signs_in(scene.form(client_secret=f"{scene.server.known['clientSecret']} "))
    ),
    "a secret but for its case": Attack(
        401,
        WRONG,
        lambda scene: scene.signs_in(scene.form(client_secret=scene.server.known["clientSecret"].swapcase())),
    ),
    "an empty secret": Attack(401, "AADSTS7000216", form(client_secret="")),
    "the hash of a secret": Attack(401, WRONG, by_the_hash),
    "the secret of another application": Attack(401, WRONG, by_anothers),
    "a secret that was removed": Attack(401, WRONG, removed_secret),
    "a secret that has expired": Attack(401, "AADSTS7000222", expired_secret),
    "the secret of a disabled application": Attack(400, "AADSTS7000112", disabled),
    "an application that is not there": Attack(400, "AADSTS700016", form(client_id=NOBODY)),
    "an application whose id ends a query": Attack(400, "AADSTS700016", form(client_id="x' OR '1'='1")),
    "two secrets": Attack(400, "AADSTS9000411", text(lambda form_: f"client_secret=hunter2&{form_}")),
    "two applications": Attack(400, "AADSTS9000411", text(lambda form_: f"{form_}&client_id=x")),
    "another tenant": Attack(
        400,
        "AADSTS90002",
        lambda scene: scene.signs_in(scene.form(), "/99999999-9999-9999-9999-999999999999/oauth2/v2.0/token"),
    ),
    "a resource that is not there": Attack(400, "AADSTS500011", form(scope="https://attacker.example/.default")),
    "a resource that only begins alike": Attack(
        400, "AADSTS500011", form(scope="https://management.azure.com.attacker.example/.default")
    ),
    "a scope of a user's": Attack(400, "AADSTS1002012", form(scope="https://management.azure.com/user_impersonation")),
    "a secret in the query": Attack(400, "AADSTS900144", in_the_query),
    "a secret in JSON": Attack(400, "AADSTS900144", in_json),
    "a secret by GET": Attack(
        405,
        "AADSTS900561",
        lambda scene: scene.asks(
            scene.nobody, "GET", f"/{scene.server.known['tenantId']}/oauth2/v2.0/token", params=scene.form()
        ),
    ),
    "a grant that nobody has": Attack(400, "AADSTS70003", form(grant_type="urn:attacker:everything")),
    "an administrator's secret as Basic, of another": Attack(
        401,
        WRONG,
        lambda scene: scene.signs_in(
            {"grant_type": "client_credentials", "scope": f"{scene.server.origin}/.default"},
            headers={
                "authorization": "Basic "
                + base64.b64encode(f"{scene.server.known['clientId']}:hunter2".encode()).decode()
            },
        ),
    ),
}
