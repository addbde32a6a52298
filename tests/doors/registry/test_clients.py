"""Real clients, unmodified: skopeo, oras-py and Azure's own SDK."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure import containerregistry
from azure.core import exceptions
from azure.core.credentials import AccessToken

from linarite.doors.registry import ACR_PULL, EVERYTHING
from tests.doors.registry.house import OTHER_REGISTRY, REGISTRY, granting, noise
from tests.doors.registry.images import OCI_MANIFEST, descriptor, digest_of, small_image, write_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from azure.containerregistry import ContainerRegistryClient

    from linarite.certificates import Certificates
    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="there is no skopeo on this machine")


@pytest.fixture
def secure(opened: Opened, files: Certificates) -> Iterator[House]:
    """The door, open on TLS."""
    with opened(files=files) as house:
        yield house


# ── skopeo ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def skopeo(house: House, *arguments: str, home: Path, fails: bool = False) -> str:
    """Run skopeo with nothing but our certificates, and return what it says."""
    assert house.files is not None
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "SSL_CERT_FILE": str(house.files.bundle),
        "REGISTRY_AUTH_FILE": str(home / "auth.json"),
    }
    done = subprocess.run(
        ["skopeo", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


@needs_skopeo
def test_skopeo_copies_inspects_lists_and_deletes_between_two_registries(secure: House, tmp_path: Path) -> None:
    image = small_image("hello from skopeo")
    write_layout(tmp_path / "image", image, "v1")
    first, second = (f"{name}:{secure.desk.passwords[name][1]}" for name in (REGISTRY, OTHER_REGISTRY))
    here = f"docker://{secure.host}/team/app:v1"
    there = f"docker://{secure.host}/copied:v2"
    skopeo(secure, "copy", f"--dest-creds={first}", f"oci:{tmp_path}/image:v1", here, home=tmp_path)
    skopeo(secure, "copy", f"--src-creds={first}", f"--dest-creds={second}", here, there, home=tmp_path)
    inspected = json.loads(skopeo(secure, "inspect", f"--creds={second}", there, home=tmp_path))
    assert inspected["Digest"] == image.digest
    assert inspected["RepoTags"] == ["v2"]
    listed = json.loads(skopeo(secure, "list-tags", f"--creds={second}", there.removesuffix(":v2"), home=tmp_path))
    assert listed["Tags"] == ["v2"]
    skopeo(secure, "copy", f"--src-creds={second}", there, f"dir:{tmp_path}/pulled", home=tmp_path)
    assert (tmp_path / "pulled/manifest.json").read_bytes() == image.body
    skopeo(secure, "delete", f"--creds={second}", there, home=tmp_path)
    assert "manifest unknown" in skopeo(secure, "inspect", f"--creds={second}", there, home=tmp_path, fails=True)
    skopeo(secure, "inspect", f"--creds={first}", here, home=tmp_path)


@needs_skopeo
def test_skopeo_is_refused_with_a_password_that_was_regenerated(secure: House, tmp_path: Path) -> None:
    write_layout(tmp_path / "image", small_image("hello"), "v1")
    here = f"docker://{secure.host}/app:v1"
    old = secure.desk.passwords[REGISTRY][0]
    skopeo(secure, "login", f"--username={REGISTRY}", f"--password={old}", secure.host, home=tmp_path)
    skopeo(secure, "copy", f"oci:{tmp_path}/image:v1", here, home=tmp_path)
    new = secure.desk.regenerate(0)
    assert "invalid username/password" in skopeo(secure, "inspect", here, home=tmp_path, fails=True)
    skopeo(secure, "login", f"--username={REGISTRY}", f"--password={new}", secure.host, home=tmp_path)
    skopeo(secure, "inspect", here, home=tmp_path)


@needs_skopeo
def test_skopeo_mounts_layers_within_a_registry_and_keeps_a_sha512_blob_apart(secure: House, tmp_path: Path) -> None:
    write_layout(tmp_path / "image", small_image("hello"), "v1")
    credentials = f"{REGISTRY}:{secure.desk.passwords[REGISTRY][0]}"
    names = [f"docker://{secure.host}/{name}:v1" for name in ("one", "two")]
    skopeo(secure, "copy", f"--dest-creds={credentials}", f"oci:{tmp_path}/image:v1", names[0], home=tmp_path)
    both = [f"--src-creds={credentials}", f"--dest-creds={credentials}"]
    skopeo(secure, "copy", *both, *names, home=tmp_path)
    skopeo(secure, "inspect", f"--creds={credentials}", names[1], home=tmp_path)


# ── oras-py ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("backend", ["token", "basic"])
def test_oras_pushes_and_pulls_an_artifact(house: House, tmp_path: Path, backend: str) -> None:
    provider = pytest.importorskip("oras.provider", reason="oras-py is not installed")
    registry = provider.Registry(hostname=house.host, insecure=True, auth_backend=backend)
    registry.auth.set_basic_auth(REGISTRY, house.desk.passwords[REGISTRY][0])
    artifact = tmp_path / "model.bin"
    artifact.write_bytes(noise(200_000))
    target = f"{house.host}/models/first:v1"
    pushed = registry.push(target, files=[str(artifact)], disable_path_validation=True)
    assert pushed.status_code == 201
    assert registry.get_tags(f"{house.host}/models/first") == ["v1"]
    (pulled,) = registry.pull(target, outdir=str(tmp_path / "pulled"))
    with open(pulled, "rb") as file:  # noqa: PTH123 - oras answers with text
        assert file.read() == artifact.read_bytes()


# ── azure-containerregistry ─────────────────────────────────────────────────────────────────────────────────────────


class EntraCredential:
    """A credential as azure-identity has them, with a token that the desk knows."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://containerregistry.azure.net/.default",)
        return AccessToken(self._token, int(time.time()) + 3600)


@pytest.fixture
def sdk(secure: House, forgotten_connections: None) -> Iterator[Any]:
    """Azure's client, of somebody who may do everything."""
    with sdk_client(secure, secure.desk.principal("owner", granting(EVERYTHING))) as client:
        yield client


def sdk_client(house: House, token: str) -> ContainerRegistryClient:
    assert house.files is not None
    bundle = str(house.files.bundle)
    return containerregistry.ContainerRegistryClient(house.url, EntraCredential(token), connection_verify=bundle)


def upload(client: ContainerRegistryClient, repository: str, tag: str, content: bytes = b"a layer") -> str:
    """Push an artifact as the SDK's samples do."""
    config, layer = b"{}", content
    entries = []
    for blob, media_type in ((config, "application/vnd.oci.image.config.v1+json"), (layer, "application/vnd.example")):
        digest, size = client.upload_blob(repository, io.BytesIO(blob))
        entries.append({**descriptor(blob, media_type), "digest": digest, "size": size})
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": entries[0], "layers": entries[1:]}
    return client.set_manifest(repository, manifest, tag=tag)


def test_azures_sdk_uploads_and_downloads_in_chunks(sdk: ContainerRegistryClient) -> None:
    content = noise(9 * 1024 * 1024 + 5)
    digest = upload(sdk, "team/image", "v1", content)
    manifest = sdk.get_manifest("team/image", "v1")
    assert (manifest.digest, manifest.media_type) == (digest, OCI_MANIFEST)
    assert manifest.manifest is not None
    (layer,) = manifest.manifest["layers"]
    assert layer["digest"] == digest_of(content)
    assert b"".join(sdk.download_blob("team/image", layer["digest"])) == content
    assert sdk.get_manifest("team/image", digest).digest == digest


def test_azures_sdk_lists_with_pages_and_orders(sdk: ContainerRegistryClient) -> None:
    digests = {tag: upload(sdk, "team/image", tag, tag.encode()) for tag in ("b", "a", "c")}
    upload(sdk, "other", "v1")
    assert list(sdk.list_repository_names(results_per_page=1)) == ["other", "team/image"]
    assert [tag.name for tag in sdk.list_tag_properties("team/image", results_per_page=2)] == ["a", "b", "c"]
    newest = sdk.list_tag_properties("team/image", order_by="timedesc", results_per_page=2)
    assert [tag.name for tag in newest] == ["c", "a", "b"]
    manifests = list(sdk.list_manifest_properties("team/image", order_by="timeasc", results_per_page=2))
    assert [manifest.digest for manifest in manifests] == list(digests.values())
    assert [manifest.tags for manifest in manifests] == [["b"], ["a"], ["c"]]


def test_azures_sdk_reads_and_changes_properties(sdk: ContainerRegistryClient) -> None:
    digest = upload(sdk, "team/image", "v1")
    repository = sdk.get_repository_properties("team/image")
    assert (repository.name, repository.manifest_count, repository.tag_count) == ("team/image", 1, 1)
    assert sdk.get_manifest_properties("team/image", "v1").size_in_bytes == len(b"{}a layer")
    assert sdk.get_tag_properties("team/image", "v1").digest == digest
    assert sdk.update_tag_properties("team/image", "v1", can_delete=False).can_delete is False
    assert sdk.update_manifest_properties("team/image", "v1", can_read=False).can_read is False
    assert sdk.update_repository_properties("team/image", can_list=False).can_list is False
    with pytest.raises(exceptions.HttpResponseError) as refused:
        sdk.delete_tag("team/image", "v1")
    assert refused.value.status_code == 405
    sdk.update_tag_properties("team/image", "v1", can_delete=True)
    sdk.delete_tag("team/image", "v1")
    with pytest.raises(exceptions.ResourceNotFoundError):
        sdk.get_tag_properties("team/image", "v1")


def test_azures_sdk_deletes_what_is_there_and_what_is_not(sdk: ContainerRegistryClient) -> None:
    digest = upload(sdk, "app", "v1")
    sdk.delete_blob("app", digest_of(b"a layer"))
    sdk.delete_blob("app", digest_of(b"never there"))
    sdk.delete_manifest("app", "v1")
    sdk.delete_manifest("app", digest)
    sdk.delete_tag("app", "v1")
    sdk.delete_repository("app")
    sdk.delete_repository("app")
    assert list(sdk.list_repository_names()) == []


@pytest.mark.usefixtures("forgotten_connections")
def test_azures_sdk_is_refused_what_its_role_does_not_allow(secure: House, sdk: ContainerRegistryClient) -> None:
    upload(sdk, "app", "v1")
    with sdk_client(secure, secure.desk.principal("reader", granting(ACR_PULL))) as reader:
        assert reader.get_manifest("app", "v1").media_type == OCI_MANIFEST
        with pytest.raises(exceptions.ClientAuthenticationError):
            upload(reader, "app", "v2")
        with pytest.raises(exceptions.HttpResponseError):
            reader.delete_repository("app")
    with sdk_client(secure, "forged") as stranger, pytest.raises(exceptions.ClientAuthenticationError):
        stranger.get_manifest("app", "v1")
    assert "exchange" in secure.desk.reasons()
