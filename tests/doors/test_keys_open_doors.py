"""Every value of listKeys opens its door with its real client, and opens nothing once it is regenerated."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
)

from tests.clients.house import LOCATION
from tests.doors.place import refusal, send_trace
from tests.doors.registry.images import small_image, write_layout
from tests.node.program import said

if TYPE_CHECKING:
    from pathlib import Path

    from tests.doors.place import Place

REFUSED = (403, "AuthenticationFailed")

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="there is no skopeo on this machine")


def account_sas(place: Place, key: str) -> str:
    return generate_account_sas(
        place.account,
        key,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, list=True),
        datetime.now(UTC) + timedelta(minutes=10),
    )


def blob_sas(place: Place, key: str) -> str:
    return generate_blob_sas(
        place.account,
        "azureml",
        "note",
        account_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(minutes=10),
    )


def read_note(place: Place, credential: str) -> bytes:
    return place.blobs(credential).get_blob_client("azureml", "note").download_blob().readall()


def write_note(place: Place, credential: str, text: bytes) -> None:
    place.blobs(credential).get_blob_client("azureml", "note").upload_blob(text, overwrite=True)


# ── the storage account ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_listed_storage_key_opens_blobs_queues_and_tables(place: Place, blobs: str) -> None:
    keys = place.listed()
    assert keys.user_storage_resource_id == place.beside.account
    assert place.endpoint("blob") == f"{blobs}/{place.account}"
    key = keys.user_storage_key

    write_note(place, key, b"trained")
    assert read_note(place, key) == b"trained"
    place.queues(key).create_queue("jobs").send_message("train")
    [message] = place.queues(key).get_queue_client("jobs").receive_messages()
    assert message.content == "train"
    place.tables(key).create_table("runs").create_entity({"PartitionKey": "a", "RowKey": "b", "loss": 42})
    assert place.tables(key).get_table_client("runs").get_entity("a", "b")["loss"] == 42


@pytest.mark.parametrize("name", ["key1", "key2"])
def test_either_key_of_the_account_opens_it_until_it_is_regenerated(place: Place, blobs: str, name: str) -> None:
    both = dict(zip(("key1", "key2"), place.storage_keys(), strict=True))
    old, other = both.pop(name), both.popitem()[1]
    place.queues(old).create_queue("jobs")
    place.tables(old).create_table("runs")
    write_note(place, old, b"before")

    new = place.regenerate_storage(name)

    assert refusal(lambda: read_note(place, old)) == REFUSED
    assert refusal(lambda: write_note(place, old, b"after")) == REFUSED
    assert refusal(lambda: place.queues(old).get_queue_client("jobs").send_message("x")) == REFUSED
    assert refusal(lambda: place.tables(old).create_table("more")) == REFUSED
    assert read_note(place, new) == read_note(place, other) == b"before"


def test_what_was_signed_with_a_key_opens_until_the_key_is_regenerated(place: Place, blobs: str) -> None:
    key = place.listed().user_storage_key
    write_note(place, key, b"shared")
    signed = [account_sas(place, key), blob_sas(place, key)]
    assert [read_note(place, one) for one in signed] == [b"shared", b"shared"]
    assert refusal(lambda: write_note(place, signed[1], b"changed"))[0] == 403

    new = place.regenerate_storage()

    assert [refusal(lambda one=one: read_note(place, one)) for one in signed] == [REFUSED, REFUSED]
    assert read_note(place, account_sas(place, new)) == read_note(place, blob_sas(place, new)) == b"shared"


def test_the_workspace_lists_a_key_that_opens_nothing_until_it_is_resynced(place: Place, blobs: str) -> None:
    old = place.listed().user_storage_key
    assert place.containers(old)
    place.regenerate_storage()
    assert place.listed().user_storage_key == old
    assert refusal(lambda: place.containers(old)) == REFUSED

    place.resync()

    assert place.containers(place.listed().user_storage_key)


def test_an_account_that_takes_no_shared_keys_refuses_them_from_the_patch_on(place: Place, blobs: str) -> None:
    key = place.listed().user_storage_key
    write_note(place, key, b"kept")
    sas = account_sas(place, key)

    place.accounts.update(place.group, place.account, {"properties": {"allowSharedKeyAccess": False}})

    for credential in (*place.storage_keys(), sas):
        assert refusal(lambda one=credential: read_note(place, one)) == (403, "KeyBasedAuthenticationNotPermitted")
    assert place.listed().user_storage_key is None

    place.accounts.update(place.group, place.account, {"properties": {"allowSharedKeyAccess": True}})

    assert read_note(place, key) == read_note(place, sas) == b"kept"


def test_a_new_workspace_finds_its_containers_made(place: Place, blobs: str) -> None:
    workspace = place.azure.workspaces.get(place.group, place.workspace)
    expected = ["azureml", f"azureml-blobstore-{workspace.workspace_id}"]
    assert place.containers(place.listed().user_storage_key) == expected
    assert refusal(lambda: place.blobs(place.storage_keys()[0]).create_container("azureml"))[0] == 409
    with pytest.raises(ResourceExistsError):
        place.blobs(place.storage_keys()[1]).create_container(expected[1])


# ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────────


@needs_skopeo
def test_skopeo_pushes_and_pulls_with_either_password_until_it_is_regenerated(place: Place, tmp_path: Path) -> None:
    image = small_image("hello")
    write_layout(tmp_path / "image", image, "v1")
    passwords, where = place.passwords(), f"docker://{place.login_server}/team/app:v1"
    for name in ("password", "password2"):
        credentials = f"{place.registry}:{passwords[name]}"
        push = ("copy", f"--dest-creds={credentials}", f"oci:{tmp_path}/image:v1", where)
        pull = ("copy", f"--src-creds={credentials}", where, f"dir:{tmp_path}/{name}")
        for arguments in (push, pull):
            done = place.skopeo(*arguments, home=tmp_path)
            assert done.returncode == 0, done.stderr
        assert (tmp_path / name / "manifest.json").read_bytes() == image.body

        new = place.regenerate_password(name)

        for arguments in (push, pull):
            done = place.skopeo(*arguments, home=tmp_path)
            assert done.returncode != 0
            assert "invalid username/password" in done.stderr, done.stderr
        done = place.skopeo("inspect", f"--creds={place.registry}:{new}", where, home=tmp_path)
        assert json.loads(done.stdout)["Digest"] == image.digest


@pytest.mark.parametrize("backend", ["token", "basic"])
def test_oras_pushes_and_pulls_with_a_listed_password(place: Place, tmp_path: Path, backend: str) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    client, target = place.oras(place.passwords()["password"], backend), f"{place.login_server}/models/first:v1"
    assert client.push(target, files=[str(model)], disable_path_validation=True).status_code == 201
    [pulled] = client.pull(target, outdir=str(tmp_path / "pulled"))
    assert (tmp_path / "pulled" / "model.bin").read_bytes() == b"weights", pulled


def test_oras_is_refused_with_a_password_and_with_a_token_of_before(place: Place, tmp_path: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    target = f"{place.login_server}/models/first:v1"
    old = place.oras(place.passwords()["password2"], "token")
    old.push(target, files=[str(model)], disable_path_validation=True)
    manifest = f"https://{place.login_server}/v2/models/first/manifests/v1"
    assert old.session.get(manifest, headers=old.auth.get_auth_header()).status_code == 200

    new = place.regenerate_password("password2")

    assert old.session.get(manifest, headers=old.auth.get_auth_header()).status_code == 401
    for stale in (place.oras(place.passwords()["password2"]), place.oras("a guess")):
        with pytest.raises(ValueError, match="Unauthorized"):
            stale.get_manifest(target)
    assert place.oras(new).get_manifest(target)["layers"]
    assert place.oras(place.passwords()["password"]).get_manifest(target)["layers"], "the other one goes on"


def test_a_registry_opens_nothing_while_its_admin_user_is_off(place: Place, tmp_path: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    client, target = place.oras(place.passwords()["password"]), f"{place.login_server}/models/first:v1"
    client.push(target, files=[str(model)], disable_path_validation=True)
    for enabled in (False, True):
        parameters = {"properties": {"adminUserEnabled": enabled}}
        place.registries.begin_update(place.group, place.registry, parameters).result()
        if enabled:
            assert client.get_manifest(target)["layers"]
        else:
            with pytest.raises(ValueError, match="Unauthorized"):
                client.get_manifest(target)


# ── telemetry ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_instrumentation_key_delivers_what_the_events_api_reads_back(place: Place) -> None:
    component = place.component()
    assert place.listed().app_insights_instrumentation_key == component.instrumentation_key
    send_trace(component.connection_string, "loss is nan")
    [event] = place.events(component.app_id)
    assert event["trace"]["message"] == "loss is nan"


def test_the_client_for_node_delivers_with_the_connection_string(place: Place) -> None:
    component = place.component()
    quiet = ("APPLICATION_INSIGHTS_NO_STATSBEAT", "APPLICATION_INSIGHTS_NO_STANDARD_METRICS")
    environment = {"NODE_EXTRA_CA_CERTS": place.server.known["caBundle"], **dict.fromkeys(quiet, "true")}
    given = {"connectionString": component.connection_string}
    assert said("telemetry.mjs", given=given, **environment) == [{"sent": True}]
    [trace], [event], [exception] = (
        place.events(component.app_id, one) for one in ("traces", "customEvents", "exceptions")
    )
    assert trace["trace"]["message"] == "loss is nan"
    assert trace["customDimensions"]["run"] == "7"
    assert event["customEvent"]["name"] == "epoch"
    assert exception["exception"]["message"] == "no such model"


def test_the_instrumentation_key_of_a_deleted_component_delivers_nothing(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    before = place.component()
    send_trace(before.connection_string, "while it was there")
    place.components.delete(place.group, before.name)
    send_trace(before.connection_string, "afterwards")
    assert "Non-retryable server side error" in caplog.text
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        place.events(before.app_id)

    place.components.create_or_update(place.group, before.name, {"location": LOCATION, "kind": "web"})

    after = place.component()
    assert after.instrumentation_key != before.instrumentation_key
    assert place.events(after.app_id) == []
