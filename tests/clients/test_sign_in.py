"""What azure-identity's tokens are good for, and how a wrong secret shows itself in each way to sign in."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential
from azure.identity.aio import ClientSecretCredential
from azure.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from joserfc import jwt
from joserfc.jwk import KeySet

from linarite.client import environment
from tests.clients.house import credential

if TYPE_CHECKING:
    from tests.server import Server


def claims_of(unverified_token: str) -> dict[str, Any]:
    text = unverified_token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def status_with(server: Server, token: str) -> int:
    """What the API answers to a token."""
    caller = server.nobody()
    caller.http.headers["authorization"] = f"Bearer {token}"
    return caller.get(server.workspace).status_code


@pytest.fixture
def _only_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that `linarite env` exports."""
    for name, value in environment(server.known).items():
        monkeypatch.setenv(name, value)


# ── a secret ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_gives_a_token_for_an_hour(server: Server) -> None:
    with credential(server) as owner:
        token = owner.get_token(f"{server.origin}/.default")
    claims = claims_of(token.token)
    assert (claims["aud"], claims["tid"]) == (server.origin, server.known["tenantId"])
    assert (claims["appid"], claims["idtyp"]) == (server.known["clientId"], "app")
    assert abs(token.expires_on - time.time() - 3599) < 60
    assert status_with(server, token.token) == 200


def test_a_token_for_storage_is_given_and_does_not_open_the_api(server: Server) -> None:
    with credential(server) as owner:
        token = owner.get_token("https://storage.azure.com/.default").token
    assert status_with(server, token) == 401


def test_a_token_is_verified_with_the_keys_that_are_published(server: Server) -> None:
    with credential(server) as owner:
        token = owner.get_token(f"{server.origin}/.default").token
    nobody = server.nobody().http
    discovered = nobody.get(f"/{server.known['tenantId']}/v2.0/.well-known/openid-configuration").json()
    keys = KeySet.import_key_set({"keys": nobody.get(discovered["jwks_uri"]).json()["keys"]})
    assert jwt.decode(token, keys, algorithms=["RS256"]).claims["appid"] == server.known["clientId"]


def test_a_wrong_secret_is_refused_in_entras_words_and_not_repeated(server: Server) -> None:
    with (
        credential(server, secret="hunter2") as owner,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215: Invalid client secret provided") as caught,
    ):
        owner.get_token(f"{server.origin}/.default")
    assert server.known["clientId"] in caught.value.message
    assert "hunter2" not in caught.value.message


# ── the environment alone ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("_only_the_environment")
def test_the_environment_alone_signs_unchanged_code_in(server: Server) -> None:
    with DefaultAzureCredential() as owner:
        assert status_with(server, owner.get_token(f"{server.origin}/.default").token) == 200


@pytest.mark.usefixtures("_only_the_environment")
def test_a_wrong_secret_in_the_environment_is_refused_in_entras_words(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "hunter2")
    with DefaultAzureCredential() as owner, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        owner.get_token(f"{server.origin}/.default")


# ── asynchronous ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("_only_the_environment")
def test_the_environment_alone_signs_unchanged_asynchronous_code_in(server: Server) -> None:
    async def sign_in() -> str:
        async with AsyncDefaultAzureCredential() as owner:
            return str((await owner.get_token(f"{server.origin}/.default")).token)

    assert status_with(server, asyncio.run(sign_in())) == 200


def test_a_wrong_secret_is_refused_to_asynchronous_code_in_entras_words(server: Server) -> None:
    async def sign_in() -> None:
        async with credential(server, secret="hunter2", kind=ClientSecretCredential) as owner:
            await owner.get_token(f"{server.origin}/.default")

    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        asyncio.run(sign_in())
