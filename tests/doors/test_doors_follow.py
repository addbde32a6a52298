"""The doors follow what happens over Resource Manager: deletions, namesakes, roles; and refusals are on the trail."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.storage.blob import BlobServiceClient

from tests.clients.house import LOCATION, credential, fresh, make_workspace
from tests.clients.people import join
from tests.clients.test_authorization import give
from tests.doors.place import INSIGHTS, refusal, refusals, send_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.people import Application
    from tests.doors.place import Place
    from tests.server import Server

MISMATCH = (403, "AuthorizationPermissionMismatch")
GONE = (404, "ResourceNotFound")


@pytest.fixture
def other(server: Server) -> Application:
    """An application that holds no role."""
    return join(server)


@pytest.fixture
def theirs(server: Server, other: Application) -> Iterator[Any]:
    """The other application's credential."""
    with credential(server, other.client_id, other.secret) as theirs:
        yield theirs


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small file to push."""
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    return path


def assign(place: Place, scope: str, role: str, who: Application) -> str:
    """Give a role; answers the assignment's id."""
    made = give(place.azure(AuthorizationManagementClient), scope.lstrip("/"), role, who.object_id)
    return str(made.id)


# ── what is deleted ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_deleted_account_is_closed_and_its_namesake_starts_empty(place: Place, blobs: str) -> None:
    keys = place.storage_keys()
    place.blobs(keys[0]).create_container("data").upload_blob("note", b"hello")
    clients = [place.blobs(key) for key in keys]

    place.accounts.delete(place.group, place.account)

    assert [refusal(client.get_account_information) for client in clients] == [GONE, GONE]
    account = {"location": LOCATION, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    place.accounts.begin_create(place.group, place.account, account).result()
    assert [refusal(client.get_account_information)[0] for client in clients] == [403, 403]
    assert place.containers(place.storage_keys()[0]) == []


def test_a_deleted_registry_is_closed_and_its_namesake_starts_empty(place: Place, model: Path) -> None:
    client, target = place.oras(place.passwords()["password"]), f"{place.login_server}/models/first:v1"
    client.push(target, files=[str(model)], disable_path_validation=True)

    place.registries.begin_delete(place.group, place.registry).result()

    with pytest.raises(ValueError, match="Unauthorized"):
        client.get_manifest(target)
    registry = {"location": LOCATION, "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True}}
    place.registries.begin_create(place.group, place.registry, registry).result()
    with pytest.raises(ValueError, match="Unauthorized"):
        client.get_manifest(target)
    place.resync()
    with pytest.raises(ValueError, match="Not Found"):
        place.oras(place.passwords()["password"]).get_manifest(target)


def test_whatever_stood_in_a_deleted_group_opens_nothing(place: Place, blobs: str) -> None:
    storage, password, component = place.storage_keys()[0], place.passwords()["password"], place.component()
    account, registry = place.blobs(storage), place.oras(password)
    place.azure(ResourceManagementClient).resource_groups.begin_delete(place.group).result()
    assert refusal(account.get_account_information) == GONE
    with pytest.raises(ValueError, match="Unauthorized"):
        registry.get_tags(f"{place.server.known['doors']['registry'].removeprefix('https://')}/models/first")
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        place.events(component.app_id)


def test_a_workspace_that_is_given_another_account_finds_its_containers_there(place: Place, blobs: str) -> None:
    account = {"location": LOCATION, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    made = place.accounts.begin_create(place.group, fresh("st"), account).result()
    place.beside = type(place.beside)(made.id, place.beside.registry, place.beside.component, place.beside.vault)
    assert place.containers(place.storage_keys()[0]) == []
    second = make_workspace(place.azure, place.group, place.beside)
    names = place.containers(place.azure.workspaces.list_keys(place.group, second).user_storage_key)
    workspace = place.azure.workspaces.get(place.group, second)
    assert names == ["azureml", f"azureml-blobstore-{workspace.workspace_id}"]


# ── who has a role ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entra_token_opens_blobs_as_far_as_its_roles_reach_and_as_long(
    place: Place, blobs: str, other: Application, theirs: Any
) -> None:
    place.blobs(place.storage_keys()[0]).get_blob_client("azureml", "note").upload_blob(b"hello")
    with BlobServiceClient(place.endpoint("blob"), credential=theirs, retry_total=0) as client:
        note = client.get_blob_client("azureml", "note")
        assert refusal(note.download_blob) == MISMATCH
        assignment = assign(place, place.beside.account, "Storage Blob Data Reader", other)
        assert note.download_blob().readall() == b"hello"
        assert refusal(lambda: note.upload_blob(b"changed", overwrite=True)) == MISMATCH
        place.azure(AuthorizationManagementClient).role_assignments.delete_by_id(assignment.lstrip("/"))
        assert refusal(note.download_blob) == MISMATCH
    told = refusals(place.server, caller=other.object_id, target=place.beside.account)
    assert [entry["action"].rpartition("/blobs/")[2] for entry in told] == ["read", "write", "read"]
    assert {(entry["status"], entry["code"]) for entry in told} == {MISMATCH}


def test_an_owner_of_everything_reads_no_blob_without_a_data_role(place: Place, blobs: str) -> None:
    with BlobServiceClient(place.endpoint("blob"), credential=place.azure.credential, retry_total=0) as client:
        assert "azureml" in [container.name for container in client.list_containers()]
        assert refusal(client.get_blob_client("azureml", "note").download_blob) == MISMATCH


@pytest.mark.usefixtures("forgotten_connections")
def test_an_entra_token_is_exchanged_for_what_acrpull_allows(
    place: Place, other: Application, theirs: Any, model: Path
) -> None:
    target = f"{place.login_server}/models/first:v1"
    place.oras(place.passwords()["password"]).push(target, files=[str(model)], disable_path_validation=True)
    with ContainerRegistryClient(f"https://{place.login_server}", theirs) as puller:
        with pytest.raises(ClientAuthenticationError):
            list(puller.list_repository_names())
        assign(place, place.beside.registry, "AcrPull", other)
        assert list(puller.list_repository_names()) == ["models/first"]
        manifest = puller.get_manifest("models/first", "v1").manifest
        assert b"".join(puller.download_blob("models/first", manifest["layers"][0]["digest"])) == b"weights"
        with pytest.raises(HttpResponseError) as refused:
            puller.upload_blob("models/first", io.BytesIO(b"other weights"))
        assert refused.value.status_code in {401, 403}
    [told] = refusals(place.server, caller=other.object_id)
    assert (told["status"], told["code"]) == (403, "action")
    assert told["action"].endswith("registries/repository:models/first:pull,push")


def test_a_registry_that_is_called_by_its_own_host_name_is_the_one_that_is_meant(place: Place) -> None:
    other = place.registries.begin_create(
        place.group, fresh("cr"), {"location": LOCATION, "sku": {"name": "Basic"}, "properties": {}}
    ).result()
    token = place.azure.credential.get_token("https://containerregistry.azure.net/.default").token
    form = {"grant_type": "access_token", "service": "x", "access_token": token}

    def sign_in(registry: str, *, user: str = "") -> httpx.Response:
        host = {"Host": f"{registry}.azurecr.core.linarite.localhost"}
        where, trust = f"https://{place.login_server}", place.trust()
        if user:
            return httpx.get(f"{where}/v2/", headers=host, auth=(user, place.passwords()["password"]), verify=trust)
        return httpx.post(f"{where}/oauth2/exchange", data=form, headers=host, verify=trust)

    for name in (place.registry, other.name):
        claims = sign_in(name).json()["refresh_token"].split(".")[1]
        assert json.loads(base64.urlsafe_b64decode(claims + "=="))["registry"] == name
    assert sign_in("nobodys").status_code == 401
    assert sign_in(place.registry, user=place.registry).status_code == 200
    assert sign_in(other.name, user=place.registry).status_code == 401


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_that_does_not_count_any_more_is_on_the_trail(place: Place, blobs: str) -> None:
    client = place.blobs(place.storage_keys()[0])
    place.regenerate_storage()
    assert refusal(client.get_account_information)[0] == 403
    [told] = refusals(place.server, target=place.beside.account)
    assert told["action"] == "Microsoft.Storage/storageAccounts/blobServices/Service_GetAccountInfo"
    assert (told["status"], told["code"], told["address"]) == (403, "AuthenticationFailed", "127.0.0.1")


def test_telemetry_for_nobody_is_on_the_trail(place: Place) -> None:
    before = len(refusals(place.server, action="microsoft.insights/components/track"))
    component = place.component()
    send_trace(component.connection_string.replace(component.instrumentation_key, str(uuid4())), "lost")
    told = refusals(place.server, action="microsoft.insights/components/track")
    assert len(told) == before + 1
    assert (told[-1]["status"], told[-1]["code"]) == (400, "InvalidInstrumentationKey")
    assert told[-1]["target"].startswith("POST /")


def test_a_wrong_password_is_on_the_trail_with_the_name_that_was_claimed(place: Place) -> None:
    before = place.passwords()["password"]
    place.regenerate_password()
    answer = httpx.get(
        f"https://{place.login_server}/v2/models/first/tags/list", auth=(place.registry, before), verify=place.trust()
    )
    assert answer.status_code == 401
    [told] = refusals(place.server, client=place.registry)
    assert (told["status"], told["code"], told["address"]) == (401, "password", "127.0.0.1")
    assert told["target"] == "GET /v2/models/first/tags/list"
    assert before not in place.server.log.read_text()


def test_whoever_may_not_read_telemetry_is_on_the_trail_by_name(place: Place, other: Application, theirs: Any) -> None:
    app_id = place.component().app_id
    where = f"{place.server.known['doors']['telemetry']}/v1/apps/{app_id}/events/traces"
    token = theirs.get_token(INSIGHTS).token
    for authorization in ({"Authorization": f"Bearer {token}"}, {}):
        assert httpx.get(where, headers=authorization, verify=place.trust()).status_code in {401, 403}
    told = refusals(place.server, action="microsoft.insights/components/query/read", target=place.component().id)
    assert [(entry["caller"], entry["status"], entry["code"]) for entry in told] == [
        (other.object_id, 403, "InsufficientAccessError"),
        ("", 401, "AuthorizationRequiredError"),
    ]
