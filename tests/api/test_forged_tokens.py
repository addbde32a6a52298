"""Forged tokens: whatever their claims, a signature that does not hold is none."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from joserfc.jwk import RSAKey

from tests.api.place import refusal
from tests.api.signing import asked, claims_of_the_owner, signed

if TYPE_CHECKING:
    from tests.server import Caller, Server

REFUSED = (401, "InvalidAuthenticationToken", "The access token is invalid.")


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_token_that_another_key_signed_is_refused(server: Server, nobody: Caller, key: RSAKey) -> None:
    claims = claims_of_the_owner(server)
    stranger = RSAKey.generate_key(2048, {"kid": str(key.kid), "use": "sig", "alg": "RS256"})
    assert refusal(asked(server, nobody, signed(stranger, claims))) == REFUSED


def test_a_token_that_nobody_signed_is_refused(server: Server, nobody: Caller, key: RSAKey) -> None:
    for name in ("none", "None", "NONE", ""):
        header = f"Bearer {part({'alg': name, 'kid': key.kid})}.{part(claims_of_the_owner(server))}."
        assert refusal(asked(server, nobody, header)) == REFUSED


def test_a_token_whose_secret_is_the_public_key_is_refused(server: Server, nobody: Caller, key: RSAKey) -> None:
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        text = f"{part({'alg': 'HS256', 'kid': key.kid})}.{part(claims_of_the_owner(server))}"
        signature = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).decode().rstrip("=")
        assert refusal(asked(server, nobody, f"Bearer {text}.{signature}")) == REFUSED


def test_a_token_of_which_a_part_was_changed_is_refused(server: Server, nobody: Caller, key: RSAKey) -> None:
    header = signed(key, claims_of_the_owner(server))
    assert asked(server, nobody, header).status_code == 200, "and it is remembered now"
    start, claims, signature = header.split(".")
    other = part(claims_of_the_owner(server, oid=str(uuid4())))
    for forged in (f"{start}.{other}.{signature}", f"{start}.{claims}.{signature[:-9]}AAAAAAAAA", f"{start}.{claims}"):
        assert refusal(asked(server, nobody, forged)) == REFUSED
