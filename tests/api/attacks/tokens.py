"""Tokens that are forged, stolen, out of date or of somebody who is no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from joserfc.jwk import RSAKey
from sqlalchemy import update

from linarite.first_start import OWNER_OBJECT
from linarite.store import directory, tables
from linarite.store.keys import SIGNING_KEYS, principal_key
from linarite.tokens.minting import new_signing_key, private_half
from tests.api.attacks.scene import Attack, Scene
from tests.api.people import give, hire
from tests.api.signing import claims_of_the_owner, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.store.transaction import Transaction
    from tests.api.attacks.scene import Strike

    Sign = Callable[[bytes], bytes]

INVALID = "InvalidAuthenticationToken"
EVIL = "https://attacker.example"


@cache
def stranger() -> rsa.RSAPrivateKey:
    """A key that is none of the server's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(header: dict[str, Any], claims: dict[str, Any], sign: Sign) -> str:
    """A token that says in its header what one likes, signed as one likes."""
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"Bearer {text}.{b64(sign(text.encode()))}"


def rs256(key: rsa.RSAPrivateKey, hash_: hashes.HashAlgorithm | None = None) -> Sign:
    return lambda text: key.sign(text, padding.PKCS1v15(), hash_ or hashes.SHA256())


def hs256(secret: bytes) -> Sign:
    return lambda text: hmac.digest(secret, text, hashlib.sha256)


def forged(sign: Callable[[Scene], Sign], **header: Any) -> Callable[[Scene], Strike]:
    """The owner's claims, signed in some way, below the header of the server's own tokens and `header`."""

    def prepare(scene: Scene) -> Strike:
        own = {"typ": "JWT", "alg": "RS256", "kid": scene.key.kid}
        whole = {name: value() if callable(value) else value for name, value in {**own, **header}.items()}
        whole = {name: value for name, value in whole.items() if value is not None}
        return scene.keys(token(whole, claims_of_the_owner(scene.server), sign(scene)))

    return prepare


def strange(**header: Any) -> Callable[[Scene], Strike]:
    """Signed by a stranger."""
    return forged(lambda _: rs256(stranger()), **header)


def genuine(scene: Scene) -> rsa.RSAPrivateKey:
    """The server's own private key, as a leak would give it away: what is refused with it is refused for itself."""
    found = scene.key.private_key
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


def claiming(**claims: Any) -> Callable[[Scene], Strike]:
    """Signed by the server itself, and wrong in what it says."""
    return lambda scene: scene.keys(signed(scene.key, claims_of_the_owner(scene.server, **claims)))


def public_jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    return dict(RSAKey.import_key(key.public_key()).as_dict(private=False))


def changed(edit: Callable[[str, Scene], str]) -> Callable[[Scene], Strike]:
    """A token of the owner's, edited."""
    return lambda scene: scene.keys(edit(signed(scene.key, claims_of_the_owner(scene.server)), scene))


def with_other_claims(header: str, scene: Scene) -> str:
    start, _, signature = header.split(".")
    return f"{start}.{b64(json.dumps(claims_of_the_owner(scene.server, exp=2**40)).encode())}.{signature}"


def es256(text: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(text, ec.ECDSA(hashes.SHA256()))


# ── of those who are no more ────────────────────────────────────────────────────────────────────────────────────────


def removed(scene: Scene) -> Strike:
    """The token of an application that was removed."""
    person = hire(scene.server)
    give(scene.owner, scene.server.group, "Contributor", person)

    def work(transaction: Transaction) -> None:
        directory.remove_principal(transaction.connection(), person.object_id)
        transaction.note(principal_key(person.object_id))

    scene.changed(work)
    return scene.asks(person, "POST", f"{scene.server.workspace}/listKeys")


def disabled(scene: Scene) -> Strike:
    """The token of an application that was disabled."""
    person = hire(scene.server)
    give(scene.owner, scene.server.group, "Contributor", person)
    scene.changed(partial(disable, person.object_id))
    return scene.asks(person, "POST", f"{scene.server.workspace}/listKeys")


def disable(object_id: str, transaction: Transaction) -> None:
    """Disable an application, for which there is no command."""
    whose = tables.principals.c.object_id == object_id
    transaction.connection().execute(update(tables.principals).where(whose).values(disabled=True))
    transaction.note(principal_key(object_id))


def revoked(scene: Scene) -> Strike:
    """The token of somebody whose role was taken away."""
    person = hire(scene.server)
    path = give(scene.owner, scene.server.group, "Contributor", person)
    assert person.caller.post(f"{scene.server.workspace}/listKeys").status_code == 200
    assert scene.owner.delete(path, version="2022-04-01").status_code == 200
    return scene.asks(person, "POST", f"{scene.server.workspace}/listKeys")


def of_a_key_that_was_withdrawn(scene: Scene) -> Strike:
    """A token that was good until the key that signed it was removed."""

    def add(transaction: Transaction) -> RSAKey:
        made = new_signing_key(transaction.keyring, datetime(2020, 1, 1, tzinfo=UTC))
        directory.add_signing_key(transaction.connection(), made)
        transaction.note(SIGNING_KEYS)
        return private_half(made, transaction.keyring)

    def remove(transaction: Transaction) -> None:
        directory.remove_signing_key(transaction.connection(), str(key.kid))
        transaction.note(SIGNING_KEYS)

    key = scene.changed(add)
    strike = scene.keys(signed(key, claims_of_the_owner(scene.server)))
    assert strike() == (200, "")
    scene.changed(remove)
    return strike


TOKENS: dict[str, Attack] = {
    # the signature
    "an unsigned token, alg none": Attack(401, INVALID, forged(lambda _: lambda _: b"", alg="none")),
    "alg none in other letters": Attack(401, INVALID, forged(lambda _: lambda _: b"", alg="nOnE")),
    "alg none with a signature": Attack(401, INVALID, forged(lambda s: rs256(genuine(s)), alg="none")),
    "no alg": Attack(401, INVALID, forged(lambda s: rs256(genuine(s)), alg=None)),
    "HS256 with the public key as secret": Attack(
        401, INVALID, forged(lambda s: hs256(s.key.as_pem(private=False)), alg="HS256")
    ),
    "HS256 with the published key as secret": Attack(
        401, INVALID, forged(lambda s: hs256(json.dumps(s.key.as_dict(private=False)).encode()), alg="HS256")
    ),
    "HS256 with an empty secret": Attack(401, INVALID, forged(lambda _: hs256(b""), alg="HS256")),
    "RS512 by the right key": Attack(401, INVALID, forged(lambda s: rs256(genuine(s), hashes.SHA512()), alg="RS512")),
    "PS256 by the right key": Attack(
        401,
        INVALID,
        forged(
            lambda s: (
                lambda text: genuine(s).sign(
                    text, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH), hashes.SHA256()
                )
            ),
            alg="PS256",
        ),
    ),
    "ES256 under the id of an RSA key": Attack(401, INVALID, forged(lambda _: es256, alg="ES256")),
    "a stranger's signature under a known kid": Attack(401, INVALID, strange()),
    "a signature of nothing but zeros": Attack(401, INVALID, forged(lambda _: lambda _: bytes(256))),
    "other claims under a good signature": Attack(401, INVALID, changed(with_other_claims)),
    "a signature cut off": Attack(401, INVALID, changed(lambda header, _: header.rpartition(".")[0])),
    "a signature left empty": Attack(401, INVALID, changed(lambda header, _: header.rpartition(".")[0] + ".")),
    "five parts, as of an encrypted token": Attack(401, INVALID, changed(lambda header, _: f"{header}.e30.e30")),
    # the key that is named
    "a kid that nobody has": Attack(401, INVALID, strange(kid="nobody")),
    "a kid that walks to a file": Attack(
        401, INVALID, forged(lambda _: hs256(b""), alg="HS256", kid="../../../../../../dev/null")
    ),
    "a kid that ends a query": Attack(401, INVALID, strange(kid="x' UNION SELECT 'secret' --")),
    "a kid that is a list": Attack(401, INVALID, strange(kid=["a"])),
    "a kid that is a number": Attack(401, INVALID, strange(kid=0)),
    "no kid": Attack(401, INVALID, strange(kid=None)),
    "a key brought along in the token": Attack(401, INVALID, strange(jwk=lambda: public_jwk(stranger()))),
    "a key set at the attacker's address": Attack(401, INVALID, strange(jku=f"{EVIL}/keys", kid="evil")),
    "a key set behind the server's own address": Attack(
        401, INVALID, lambda scene: strange(jku=f"{scene.server.origin}@attacker.example/keys", kid="evil")(scene)
    ),
    "a certificate at the attacker's address": Attack(401, INVALID, strange(x5u=f"{EVIL}/certificate")),
    "a certificate brought along in the token": Attack(
        401, INVALID, strange(x5c=[base64.b64encode(bytes(99)).decode()], x5t="AAAA")
    ),
    # the header otherwise
    "an extension that must be understood": Attack(
        401, INVALID, forged(lambda s: rs256(genuine(s)), crit=["http://openbankingspec.example/iat"])
    ),
    "a payload that is not encoded": Attack(401, INVALID, forged(lambda s: rs256(genuine(s)), crit=["b64"], b64=False)),
    "a header that is a list": Attack(
        401, INVALID, lambda scene: scene.keys(f"Bearer {b64(b'[]')}.{b64(b'{}')}.{b64(bytes(256))}")
    ),
    "an encrypted token with the public key": Attack(
        401, INVALID, forged(lambda s: rs256(genuine(s)), typ="JWE", alg="RSA-OAEP", enc="A256GCM")
    ),
    # what it says
    "a token for another resource": Attack(
        401, "InvalidAuthenticationTokenAudience", claiming(aud="https://graph.microsoft.com")
    ),
    "a token for a resource that only begins alike": Attack(
        401, "InvalidAuthenticationTokenAudience", claiming(aud="https://management.azure.com.attacker.example/")
    ),
    "a token for several resources": Attack(
        401, INVALID, claiming(aud=["https://attacker.example", "https://management.azure.com/"])
    ),
    "a token of another issuer": Attack(401, "InvalidAuthenticationTokenTenant", claiming(iss=f"{EVIL}/v2.0")),
    "a token of an issuer that only begins alike": Attack(
        401,
        "InvalidAuthenticationTokenTenant",
        lambda scene: claiming(iss=f"https://sts.windows.net/{scene.server.known['tenantId']}/.attacker.example")(
            scene
        ),
    ),
    "a token of another tenant": Attack(401, "InvalidAuthenticationTokenTenant", claiming(tid=OWNER_OBJECT)),
    "a token of no tenant": Attack(401, "InvalidAuthenticationTokenTenant", claiming(tid=None)),
    "a token that has ended": Attack(401, "ExpiredAuthenticationToken", claiming(exp=1_700_000_000)),
    "a token without end": Attack(401, INVALID, claiming(exp=None)),
    "a token that ends in a text": Attack(401, INVALID, claiming(exp="9999999999")),
    "a token that never ends": Attack(401, INVALID, claiming(exp=1e308)),
    "a token that begins in a hundred years": Attack(401, INVALID, claiming(nbf=2**32)),
    "a token of nobody": Attack(401, INVALID, claiming(oid=None)),
    "a token of two people": Attack(401, INVALID, claiming(oid=["66666666-7777-8888-9999-aaaaaaaaaaaa"])),
    "a token of 70 kilobytes": Attack(401, INVALID, claiming(padding="x" * 70_000)),
    # whose it is
    "the token of an application that was removed": Attack(401, INVALID, removed),
    "the token of an application that was disabled": Attack(401, INVALID, disabled),
    "the token of somebody whose role was taken away": Attack(403, "AuthorizationFailed", revoked),
    "a token by a key that was withdrawn": Attack(401, INVALID, of_a_key_that_was_withdrawn),
}
