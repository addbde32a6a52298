"""azure-identity and MSAL for a user: by a password that they send, and on behalf of who came with a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msal  # type: ignore[import-untyped]
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import OnBehalfOfCredential, UsernamePasswordCredential

from tests.certified import certified
from tests.cli.program import answered
from tests.clients.test_sign_in import claims_of, status_with
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server

pytestmark = [
    pytest.mark.filterwarnings("ignore:UsernamePasswordCredential is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This API has been deprecated for public client flows:DeprecationWarning"),
]
"""Passwords are for tests alone, here as there."""

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes passwords from applications."""
    folder = tmp_path_factory.mktemp("behalf") / "data"
    with running(folder, "--no-doors", LINARITE_PASSWORD_GRANT="true") as server:
        yield server


@dataclass(frozen=True)
class Service:
    """An application to which users come, with two ways to prove itself, and one of its users, who may read."""

    client_id: str
    secret: str
    certificate: bytes
    user: str
    password: str
    object_id: str


@pytest.fixture(scope="module")
def service(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Service:
    where = ("--json", "--data", server.folder)
    made = json.loads(answered("app", "add", "service", *where))
    answered("app", "consent", "service", "--data", server.folder)
    ours, file = certified(), tmp_path_factory.mktemp("service") / "ours.pem"
    _write(file, ours.pem)
    answered("app", "credential", "add", "service", "--certificate", file, *where)
    user = json.loads(answered("user", "add", "ada", "--role", "Reader", *where))
    return Service(
        made["clientId"],
        made["clientSecret"],
        ours.both,
        user["userPrincipalName"],
        user["password"],
        user["objectId"],
    )


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def here(server: Server) -> dict[str, Any]:
    return {"authority": server.known["authority"], "disable_instance_discovery": True}


@pytest.fixture
def came_with(server: Server, service: Service) -> str:
    """The token with which the user came to the service."""
    client = msal.PublicClientApplication(
        AZURE_CLI, authority=f"{server.origin}/adfs", instance_discovery=False, verify=server.known["caBundle"]
    )
    answer = client.acquire_token_by_username_password(
        service.user, service.password, [f"api://{service.client_id}/.default"]
    )
    assert claims_of(answer["access_token"])["aud"] == f"api://{service.client_id}"
    return str(answer["access_token"])


@pytest.mark.parametrize("proof", ["secret", "certificate"])
def test_a_service_goes_on_for_its_user(server: Server, service: Service, came_with: str, proof: str) -> None:
    proofs = {
        "secret": {"client_secret": service.secret},
        "certificate": {"client_certificate": service.certificate},
    }
    with OnBehalfOfCredential(
        server.known["tenantId"], service.client_id, user_assertion=came_with, **proofs[proof], **here(server)
    ) as credential:
        token = credential.get_token(f"{server.origin}/.default").token
    claims = claims_of(token)
    assert (claims["oid"], claims["appid"], claims["scp"]) == (
        service.object_id,
        service.client_id,
        "user_impersonation",
    )
    assert claims["appidacr"] == {"secret": "1", "certificate": "2"}[proof]
    assert status_with(server, token) == 200


def test_msal_goes_on_too(server: Server, service: Service, came_with: str) -> None:
    client = msal.ConfidentialClientApplication(
        service.client_id,
        authority=f"{server.origin}/{server.known['tenantId']}",
        client_credential=service.secret,
        instance_discovery=False,
        verify=server.known["caBundle"],
    )
    answer = client.acquire_token_on_behalf_of(came_with, [f"{server.origin}/.default"])
    assert claims_of(answer["access_token"])["oid"] == service.object_id


def test_the_token_itself_does_not_open_resource_manager(server: Server, came_with: str) -> None:
    assert status_with(server, came_with) == 401


def test_a_token_that_is_not_for_the_service_is_refused_in_entras_words(server: Server, service: Service) -> None:
    owner = server.owner().http.headers["authorization"].partition(" ")[2]
    with (
        OnBehalfOfCredential(
            server.known["tenantId"],
            service.client_id,
            client_secret=service.secret,
            user_assertion=str(owner),
            **here(server),
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS50013: Assertion failed signature validation"),
    ):
        credential.get_token(f"{server.origin}/.default")


def test_a_user_name_and_a_password_sign_in(server: Server, service: Service) -> None:
    with UsernamePasswordCredential(
        AZURE_CLI, service.user, service.password, tenant_id="adfs", **here(server)
    ) as credential:
        token = credential.get_token(f"{server.origin}/.default").token
    assert claims_of(token)["upn"] == service.user
    assert status_with(server, token) == 200
