"""azure-identity and MSAL, unmodified, over real TLS: they sign in, and what they get is taken by Resource Manager."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import msal  # type: ignore[import-untyped]
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DefaultAzureCredential, EnvironmentCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from tests.server import Server

SCOPES = [
    "{origin}/.default",
    "{origin}//.default",
    "https://management.azure.com/.default",
    "https://management.core.windows.net//.default",
]


def credential(server: Server, **changes: Any) -> ClientSecretCredential:
    known: dict[str, Any] = {
        "tenant_id": server.known["tenantId"],
        "client_id": server.known["clientId"],
        "client_secret": server.known["clientSecret"],
        "authority": server.known["authority"],
        "disable_instance_discovery": True,
        **changes,
    }
    return ClientSecretCredential(**known)


def subscriptions(server: Server, token: str) -> httpx.Response:
    with server.nobody().http as http:
        return http.get(
            "/subscriptions", params={"api-version": "2022-12-01"}, headers={"authorization": f"Bearer {token}"}
        )


def works(server: Server, signed_in: TokenCredential, scope: str) -> bool:
    answer = subscriptions(server, signed_in.get_token(scope.format(origin=server.origin)).token)
    return answer.status_code == httpx.codes.OK and bool(answer.json()["value"])


@pytest.mark.parametrize("scope", SCOPES)
def test_a_client_secret_signs_in_for_resource_manager(server: Server, scope: str) -> None:
    with credential(server) as signed_in:
        assert works(server, signed_in, scope)


@pytest.mark.parametrize("tenant", ["adfs", "linarite.onmicrosoft.com"])
def test_a_client_secret_signs_in_under_each_of_the_tenants_names(server: Server, tenant: str) -> None:
    with credential(server, tenant_id=tenant) as signed_in:
        assert works(server, signed_in, SCOPES[0])


def test_the_asynchronous_credential_signs_in(server: Server) -> None:
    async def token() -> str:
        known = server.known
        async with AsyncClientSecretCredential(
            known["tenantId"],
            known["clientId"],
            known["clientSecret"],
            authority=known["authority"],
            disable_instance_discovery=True,
        ) as signed_in:
            return (await signed_in.get_token(f"{server.origin}/.default")).token

    assert subscriptions(server, asyncio.run(token())).status_code == httpx.codes.OK


@pytest.mark.parametrize("kind", [EnvironmentCredential, DefaultAzureCredential])
def test_variables_alone_sign_a_program_in_with_no_change_of_its_code(
    server: Server, kind: type[EnvironmentCredential | DefaultAzureCredential], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.known["authority"])
    monkeypatch.setenv("AZURE_TENANT_ID", "adfs")
    monkeypatch.setenv("AZURE_CLIENT_ID", server.known["clientId"])
    monkeypatch.setenv("AZURE_CLIENT_SECRET", server.known["clientSecret"])
    with kind() as signed_in:
        assert works(server, signed_in, SCOPES[0])


@pytest.mark.parametrize(
    ("changes", "scope", "said"),
    [
        ({"client_secret": "wrong"}, SCOPES[0], "AADSTS7000215: Invalid client secret provided."),
        ({"client_id": "99999999-9999-9999-9999-999999999999"}, SCOPES[0], "AADSTS700016: Application with identifier"),
        ({}, "https://example.org/.default", "AADSTS500011: The resource principal named https://example.org"),
        ({}, "https://management.azure.com/user", "AADSTS1002012: The provided value for scope"),
    ],
)
def test_a_refusal_is_shown_in_entras_words(server: Server, changes: dict[str, Any], scope: str, said: str) -> None:
    with credential(server, **changes) as signed_in, pytest.raises(ClientAuthenticationError) as caught:
        signed_in.get_token(scope.format(origin=server.origin))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "way",
    [
        {"authority": "{origin}/{tenant}", "instance_discovery": "{origin}/common/discovery/instance"},
        {"oidc_authority": "{origin}/{tenant}/v2.0"},
    ],
    ids=["our own instance discovery", "a plain OpenID authority"],
)
def test_msal_accepts_this_host_as_an_authority(server: Server, way: dict[str, str]) -> None:
    known = server.known
    words = {name: value.format(origin=server.origin, tenant=known["tenantId"]) for name, value in way.items()}
    application = msal.ConfidentialClientApplication(
        known["clientId"], client_credential=known["clientSecret"], verify=known["caBundle"], **words
    )
    answer = application.acquire_token_for_client([f"{server.origin}/.default"])
    assert answer["token_type"] == "Bearer"
    assert subscriptions(server, answer["access_token"]).status_code == httpx.codes.OK
