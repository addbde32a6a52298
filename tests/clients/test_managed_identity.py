"""azure-identity's ManagedIdentityCredential and MSAL's, in the shapes of four of Azure's hosts, without any secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import msal  # type: ignore[import-untyped]
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential

from linarite.first_start import GROUP, SUBSCRIPTION_ID, WORKSPACE
from tests.api.people import AUTHORIZATION, ROLES
from tests.cli.program import answered, refused
from tests.clients.test_sign_in import claims_of, status_with
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server

HOST = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
)
"""The sample workspace, which has a system-assigned identity, and for which the machine stands."""

USER_ASSIGNED = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader"
)
SHAPES = ("app-service", "azure-ml", "imds", "cloud-shell")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose machine stands for the sample, and whose sample has a user-assigned identity too."""
    folder = tmp_path_factory.mktemp("identities") / "data"
    with running(folder, "--no-doors", LINARITE_IMDS=HOST, LINARITE_LRO="immediate") as server:
        owner = server.owner()
        made = owner.put(USER_ASSIGNED, {"location": "eastus"}, version="2023-01-31")
        assert made.status_code == 201, made.text
        identity = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {USER_ASSIGNED: {}}}
        assert owner.patch(HOST, {"identity": identity}).status_code == 200
        yield server


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:
    """Object ids of the two identities, and the client id of the user-assigned one. Both may read."""
    owner = server.owner()
    shown = owner.get(HOST).json()["identity"]
    [other] = shown["userAssignedIdentities"].values()
    found = {"system": shown["principalId"], "user": other["principalId"], "client": other["clientId"]}
    for name in ("system", "user"):
        path = f"{HOST}/providers/Microsoft.Authorization/roleAssignments/{found[name]}"
        definition = f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES['Reader']}"
        properties = {"roleDefinitionId": definition, "principalId": found[name], "principalType": "ServicePrincipal"}
        assert owner.put(path, {"properties": properties}, version=AUTHORIZATION).status_code == 201
    return found


def variables(server: Server, shape: str, resource: str = HOST) -> dict[str, str | None]:
    found = answered("identity", resource, "--shape", shape, "--json", "--data", server.folder)
    return dict(json.loads(found))


def set_out(monkeypatch: pytest.MonkeyPatch, found: dict[str, str | None]) -> None:
    for name, value in found.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def claims(server: Server, token: str) -> dict[str, Any]:
    assert status_with(server, token) == 200
    return claims_of(token)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_resources_own_identity_gets_a_token_in_each_shape(
    server: Server, ids: dict[str, str], shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_out(monkeypatch, variables(server, shape))
    with ManagedIdentityCredential() as credential:
        said = claims(server, credential.get_token(f"{server.origin}/.default").token)
    assert (said["oid"], said["idtyp"], said["xms_mirid"]) == (ids["system"], "app", HOST)
    assert said["appid"] != ids["client"]


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        *((shape, how) for shape in ("app-service", "imds") for how in ("client_id", "object_id", "resource_id")),
        ("azure-ml", "client_id"),
    ],
)
def test_a_user_assigned_identity_is_named_in_each_way(
    server: Server, ids: dict[str, str], shape: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_out(monkeypatch, variables(server, shape))
    value = {"client_id": ids["client"], "object_id": ids["user"], "resource_id": USER_ASSIGNED}[how]
    with ManagedIdentityCredential(identity_config={how: value}) as credential:
        said = claims(server, credential.get_token("https://management.azure.com/.default").token)
    assert (said["oid"], said["appid"], said["xms_mirid"]) == (ids["user"], ids["client"], USER_ASSIGNED)


@pytest.mark.parametrize("shape", ["app-service", "imds"])
def test_the_default_credential_finds_it(
    server: Server, ids: dict[str, str], shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_out(monkeypatch, variables(server, shape))
    with DefaultAzureCredential() as credential:
        assert claims(server, credential.get_token(f"{server.origin}/.default").token)["oid"] == ids["system"]


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_msal_finds_it(server: Server, ids: dict[str, str], shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_out(monkeypatch, variables(server, shape))
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=session)
        answer = client.acquire_token_for_client(resource=server.origin)
    assert claims(server, answer["access_token"])["oid"] == ids["system"]


def test_an_identity_can_be_stood_for_by_itself(
    server: Server, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_out(monkeypatch, variables(server, "app-service", USER_ASSIGNED))
    with ManagedIdentityCredential() as credential:
        assert claims(server, credential.get_token(f"{server.origin}/.default").token)["oid"] == ids["user"]


def test_a_wrong_header_gets_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    set_out(monkeypatch, variables(server, "app-service") | {"IDENTITY_HEADER": "wrong"})
    with ManagedIdentityCredential() as credential, pytest.raises(ClientAuthenticationError):
        credential.get_token(f"{server.origin}/.default")


def test_an_identity_that_is_none_of_the_resources_is_not_to_be_had(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_out(monkeypatch, variables(server, "imds"))
    other = "99999999-9999-9999-9999-999999999999"
    with (
        ManagedIdentityCredential(client_id=other) as credential,
        pytest.raises(CredentialUnavailableError, match="Identity not found"),
    ):
        credential.get_token(f"{server.origin}/.default")


# ── the endpoint itself ─────────────────────────────────────────────────────────────────────────────────────────────

IMDS = "/metadata/identity/oauth2/token"
METADATA = {"metadata": "true"}


def test_an_answer_is_all_texts_as_azures(server: Server, ids: dict[str, str]) -> None:
    asked = {"resource": "https://management.azure.com/", "client_id": ids["client"]}
    answer = httpx.get(server.known["identity"]["endpoint"] + IMDS + "/", params=asked, headers=METADATA).json()
    assert {type(value) for value in answer.values()} == {str}
    assert (answer["client_id"], answer["resource"]) == (ids["client"], asked["resource"])
    assert answer.keys() == {
        "access_token",
        "client_id",
        "expires_in",
        "expires_on",
        "ext_expires_in",
        "not_before",
        "resource",
        "token_type",
    }


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "said"),
    [
        ("GET", IMDS, {}, 400, "Required metadata header not specified"),
        ("GET", IMDS, {"metadata": "false"}, 400, "Required metadata header not specified"),
        ("GET", IMDS, {**METADATA, "x-forwarded-for": "10.0.0.1"}, 400, "through a proxy"),
        ("GET", IMDS, {**METADATA, "forwarded": "for=10.0.0.1"}, 400, "through a proxy"),
        ("GET", IMDS, {**METADATA, "origin": "https://evil.example"}, 400, "from a page of a browser"),
        ("GET", IMDS, {**METADATA, "host": "evil.example"}, 403, "Only programs of this machine"),
        ("GET", IMDS, {**METADATA, "host": "localhost.evil.example"}, 403, "Only programs of this machine"),
        ("POST", IMDS, METADATA, 404, "Nothing is served here"),
        ("GET", "/oauth2/token", METADATA, 404, "Nothing is served here"),
        ("POST", "/oauth2/token", {}, 400, "Required metadata header not specified"),
        ("OPTIONS", IMDS, METADATA, 404, "Nothing is served here"),
        ("GET", f"/identity{HOST}", {}, 401, "The header is not that of the resource"),
        ("GET", f"/identity{HOST}", METADATA, 401, "The header is not that of the resource"),
        ("GET", f"/identity{HOST}", {"x-identity-header": "x"}, 401, "The header is not that of the resource"),
        ("GET", f"/identity{HOST}", {"secret": "x"}, 401, "The header is not that of the resource"),
        ("GET", "/identity/nonsense", {"secret": "x"}, 401, "The header is not that of the resource"),
        ("GET", f"/identity{HOST}/x", {"secret": "x"}, 401, "The header is not that of the resource"),
        ("GET", "/", METADATA, 404, "Nothing is served here"),
    ],
)
def test_whoever_does_not_stand_there_gets_nothing(  # noqa: PLR0917 - an example and a fixture
    server: Server, method: str, path: str, headers: dict[str, str], status: int, said: str
) -> None:
    url = server.known["identity"]["endpoint"] + path
    answer = httpx.request(method, url, params={"resource": server.origin}, headers=headers)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error_description"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("resource", "said"),
    [("", "'resource' is missing"), ("https://example.org/", "AADSTS500011: The resource principal")],
)
def test_what_there_is_no_token_for_is_said(server: Server, resource: str, said: str) -> None:
    url = server.known["identity"]["endpoint"] + IMDS
    answer = httpx.get(url, params={"resource": resource}, headers=METADATA)
    assert answer.status_code == 400
    assert said in answer.json()["error_description"]


def test_the_header_is_the_same_each_time_and_printed_for_a_shell(server: Server) -> None:
    first, second = (variables(server, "app-service")["IDENTITY_HEADER"] for _ in range(2))
    assert first == second
    lines = answered("identity", WORKSPACE, "--data", server.folder).splitlines()
    assert f"export IDENTITY_HEADER={first}" in lines
    assert "unset AZURE_CLIENT_SECRET" in lines
    assert server.known["clientSecret"] not in "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none",), "There is no resource"),
        ((f"{HOST.partition('/providers/')[0]}",), "has no managed identity"),
        ((WORKSPACE, "--shape", "arc"), "--shape is one of app-service"),
        ((USER_ASSIGNED, "--shape", "imds"), "This machine does not stand for the resource"),
    ],
)
def test_what_cannot_be_stood_for_is_said(server: Server, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused("identity", *arguments, "--data", server.folder)


def test_an_identity_that_is_gone_gets_nothing_and_its_token_counts_no_more(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = server.owner()
    path = f"{USER_ASSIGNED}-leaving"
    assert owner.put(path, {"location": "eastus"}, version="2023-01-31").status_code == 201
    set_out(monkeypatch, variables(server, "app-service", path))
    with ManagedIdentityCredential() as credential:
        token = credential.get_token(f"{server.origin}/.default").token
        assert status_with(server, token) == 403
        assert owner.delete(path, version="2023-01-31").status_code == 200
        assert status_with(server, token) == 401
        with pytest.raises(ClientAuthenticationError):
            credential.get_token("https://management.azure.com/.default")
