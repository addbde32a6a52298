"""Tokens of managed identities, asked for by who does not stand where the resource stands."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from linarite.grants import HEADER
from linarite.ids import parse_id
from linarite.model import Secret
from tests.api.attacks.scene import Attack, Scene, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.store.transaction import Transaction
    from tests.api.attacks.scene import Strike

STRANGER, BAD = "unauthorized_client", "invalid_request"
SESAME = "sesame"


def asks(path: str = "/identity{w}", method: str = "GET", **headers: str) -> Callable[[Scene], Strike]:
    """A request for a token; `{w}` is the sample, whose header is `sesame`, and `{g}` its group."""

    def prepare(scene: Scene) -> Strike:
        workspace = parse_id(scene.server.workspace)
        assert workspace is not None

        def work(transaction: Transaction) -> None:
            transaction.put_secret(workspace.key, HEADER, Secret(SESAME))

        scene.changed(work)
        where = scene.server.known["identity"]["endpoint"] + path.format(w=workspace.text, g=scene.server.group)
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        params = {"resource": "https://management.azure.com/", "api-version": "2019-08-01"}
        assert urlsplit(where).hostname == "127.0.0.1"
        return lambda: said(httpx.request(method, where, params=params, headers=written))

    return prepare


IDENTITIES: dict[str, Attack] = {
    "an identity without its header": Attack(401, STRANGER, asks()),
    "an identity with a header that is guessed": Attack(401, STRANGER, asks(X_IDENTITY_HEADER="guess")),
    "an identity with an empty header": Attack(401, STRANGER, asks(X_IDENTITY_HEADER="")),
    "the identity of another resource": Attack(401, STRANGER, asks("/identity{w}-2", X_IDENTITY_HEADER=SESAME)),
    "the identity of a group": Attack(401, STRANGER, asks("/identity{g}", X_IDENTITY_HEADER=SESAME)),
    "an identity through a proxy": Attack(400, BAD, asks(X_IDENTITY_HEADER=SESAME, X_Forwarded_For="169.254.169.254")),
    "an identity from a page": Attack(400, BAD, asks(X_IDENTITY_HEADER=SESAME, Origin="https://attacker.example")),
    "an identity under another's name": Attack(403, STRANGER, asks(X_IDENTITY_HEADER=SESAME, Host="attacker.example")),
    "an identity by POST": Attack(404, "not_found", asks(method="POST", X_IDENTITY_HEADER=SESAME)),
    "the identity of a machine that stands for nobody": Attack(
        400, BAD, asks("/metadata/identity/oauth2/token", Metadata="true")
    ),
    "the identity of a machine, without its header": Attack(400, BAD, asks("/metadata/identity/oauth2/token")),
}
