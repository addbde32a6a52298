"""The door before another registry, Debian's: every registry of ours has a name space there, and sees no other."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from linarite.doors.registry import EVERYTHING
from tests.doors.registry import debian
from tests.doors.registry.house import OTHER_REGISTRY, REGISTRY, closing, codes, granting, noise, short_folder
from tests.doors.registry.images import digest_of, index_of, small_image, write_layout
from tests.doors.registry.test_clients import needs_skopeo, sdk_client, skopeo, upload
from tests.doors.registry.test_processes import MIB, memory, only_linux_tells, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.certificates import Certificates
    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House, Visitor

PLACES = {REGISTRY: f"{REGISTRY}-20260102030405", OTHER_REGISTRY: f"{OTHER_REGISTRY}-20260102030406"}


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The URL of Debian's registry, on a socket."""
    with short_folder() as folder, debian.serving(folder / "storage", "unix", str(folder / "socket")):
        yield f"unix://{folder}/socket"


@pytest.fixture
def place() -> str:
    """The name of a repository that no other test has."""
    return f"r{noise(6).hex()}"


@pytest.fixture
def front(opened: Opened, upstream: str) -> Iterator[House]:
    """A door of ours before it."""
    with opened(upstream=upstream) as house:
        house.desk.places = dict(PLACES)
        yield house


@pytest.fixture
def secure(opened: Opened, upstream: str, files: Certificates) -> Iterator[House]:
    """A door of ours before it, on TLS."""
    with opened(upstream=upstream, files=files) as house:
        yield house


@pytest.fixture
def visitor(front: House) -> Iterator[Visitor]:
    with front.visitor(REGISTRY, front.desk.passwords[REGISTRY][0]) as visitor:
        yield visitor


@pytest.fixture
def stranger(front: House) -> Iterator[Visitor]:
    """The admin user of another registry behind the same door."""
    with front.visitor(OTHER_REGISTRY, front.desk.passwords[OTHER_REGISTRY][0]) as visitor:
        yield visitor


def test_what_is_pushed_is_pulled_and_no_answer_tells_of_the_name_space(visitor: Visitor, place: str) -> None:
    answers: list[httpx.Response] = []
    visitor.http.event_hooks = {"response": [answers.append]}
    image = visitor.push_image(f"{place}/app", "v1")
    assert visitor.get(f"/v2/{place}/app/manifests/v1").content == image.body
    assert visitor("HEAD", f"/v2/{place}/app/manifests/{image.digest}").headers["content-length"] == str(
        len(image.body)
    )
    assert visitor.get(f"/v2/{place}/app/blobs/{digest_of(image.config)}").content == image.config
    part = visitor.get(f"/v2/{place}/app/blobs/{digest_of(image.config)}", headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, image.config[1:4])
    assert visitor.tags(f"{place}/app") == ["v1"]
    assert codes(visitor.get(f"/v2/{place}/none/manifests/v1")) == ["MANIFEST_UNKNOWN"]
    assert codes(visitor.get(f"/v2/{place}/none/tags/list")) == ["NAME_UNKNOWN"]
    for answer in answers:
        told = f"{answer.headers}{answer.text if answer.is_stream_consumed else ''}"
        assert PLACES[REGISTRY] not in told


def test_an_upload_is_resumed_where_it_was_and_cancelled(visitor: Visitor, place: str) -> None:
    content = noise(300_000)
    location = visitor.begin(place)
    first = visitor("PATCH", location, content=content[:100_000], headers={"Content-Range": "0-99999"})
    assert (first.status_code, first.headers["range"]) == (202, "0-99999")
    assert first.headers["location"].startswith(f"/v2/{place}/blobs/uploads/")
    second = visitor("PATCH", first.headers["location"], content=iter([content[100_000:200_000], content[200_000:]]))
    assert second.status_code == 202
    last = visitor("PUT", closing(second.headers["location"], digest_of(content)))
    assert last.headers["location"] == f"/v2/{place}/blobs/{digest_of(content)}"
    assert visitor.get(f"/v2/{place}/blobs/{digest_of(content)}").content == content
    assert visitor("DELETE", visitor.begin(place)).status_code == 204


def test_a_wrong_digest_is_refused_and_nothing_is_kept(visitor: Visitor, place: str) -> None:
    answer = visitor("PUT", closing(visitor.begin(place), digest_of(b"other")), content=b"content")
    assert (answer.status_code, codes(answer)) == (400, ["DIGEST_INVALID"])
    assert not visitor.has_blob(place, digest_of(b"other"))


def test_an_index_is_deleted_by_its_digest(visitor: Visitor, place: str) -> None:
    images = [small_image("one", "amd64"), small_image("two", "arm64")]
    for image in images:
        visitor.push_image(place, image.document["config"]["digest"][7:20], image)
    pushed = visitor.push_manifest(place, "all", index_of(*images), "application/vnd.oci.image.index.v1+json")
    digest = pushed.headers["docker-content-digest"]
    assert visitor("DELETE", f"/v2/{place}/manifests/{digest}").status_code == 202
    assert visitor.get(f"/v2/{place}/manifests/all").status_code == 404


def test_a_registry_sees_nothing_of_another(visitor: Visitor, stranger: Visitor, place: str) -> None:
    image = visitor.push_image(place, "v1")
    assert stranger.get(f"/v2/{place}/manifests/v1").status_code == 404
    assert not stranger.has_blob(place, digest_of(image.config))
    assert place not in stranger.get("/v2/_catalog").json()["repositories"]
    for source in (place, f"{PLACES[REGISTRY]}/{place}"):
        mount = {"mount": digest_of(image.config), "from": source}
        assert stranger("POST", f"/v2/{place}/blobs/uploads/", params=mount).status_code == 202
    assert stranger("POST", f"/v2/{place}/blobs/uploads/", params={"mount": digest_of(image.config)}).status_code == 202
    assert not stranger.has_blob(place, digest_of(image.config))


def test_a_layer_is_mounted_within_a_registry(visitor: Visitor, place: str) -> None:
    digest = visitor.push_blob(place, noise(1000))
    mount = {"mount": digest, "from": place}
    answer = visitor("POST", f"/v2/{place}/other/blobs/uploads/", params=mount)
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v2/{place}/other/blobs/{digest}")


def test_a_namesake_of_a_registry_starts_empty(front: House, visitor: Visitor, place: str) -> None:
    visitor.push_image(place, "v1")
    front.desk.places[REGISTRY] = f"{REGISTRY}-{int(noise(6).hex(), 16)}"
    assert visitor.get("/v2/_catalog").json() == {"repositories": []}
    assert visitor.get(f"/v2/{place}/manifests/v1").status_code == 404


def test_the_catalog_and_tags_come_in_pages(front: House, visitor: Visitor, stranger: Visitor, place: str) -> None:
    front.desk.places = {name: f"{name}-{place}" for name in PLACES}  # name spaces with nothing in them yet
    images = {name: small_image(name) for name in ("a", "b/c", "b-d", "e")}
    for name, image in images.items():
        visitor.push_image(name, "v1", image)
        stranger.push_image(f"z{name}", "v1", image)
    pages, path = [], "/v2/_catalog?n=3"
    while path:
        answer = visitor.get(path)
        pages.append(answer.json()["repositories"])
        path = answer.links["next"]["url"] if answer.links else ""
    assert [len(page) for page in pages] == [3, 1]
    assert sorted(name for page in pages for name in page) == sorted(images)
    for tag in ("v2", "v3"):
        visitor.push_image("a", tag, images["a"])
    first = visitor.get("/v2/a/tags/list?n=2")
    assert first.json() == {"name": "a", "tags": ["v1", "v2"]}
    assert visitor.get(first.links["next"]["url"]).json()["tags"] == ["v3"]


def test_what_an_upstream_does_not_keep_is_said_to_be_unsupported(visitor: Visitor, place: str) -> None:
    visitor.push_image(place, "v1")
    answer = visitor.get(f"/acr/v1/{place}/_tags/v1")
    assert (answer.status_code, codes(answer)) == (405, ["UNSUPPORTED"])


def test_a_password_that_was_regenerated_opens_nothing(front: House, visitor: Visitor, place: str) -> None:
    visitor.push_image(place, "v1")
    front.desk.regenerate(0)
    assert visitor.get(f"/v2/{place}/manifests/v1").status_code == 401


@needs_skopeo
def test_skopeo_copies_and_deletes(secure: House, tmp_path: Path, place: str) -> None:
    image = small_image("hello")
    write_layout(tmp_path / "image", image, "v1")
    credentials = f"{REGISTRY}:{secure.desk.passwords[REGISTRY][1]}"
    here = f"docker://{secure.host}/{place}:v1"
    skopeo(secure, "copy", f"--dest-creds={credentials}", f"oci:{tmp_path}/image:v1", here, home=tmp_path)
    skopeo(secure, "copy", f"--src-creds={credentials}", here, f"dir:{tmp_path}/pulled", home=tmp_path)
    assert (tmp_path / "pulled/manifest.json").read_bytes() == image.body
    skopeo(secure, "delete", f"--creds={credentials}", here, home=tmp_path)


@pytest.mark.usefixtures("forgotten_connections")
def test_azures_sdk_uploads_and_downloads_in_chunks(secure: House, place: str) -> None:
    content = noise(5 * MIB)
    with sdk_client(secure, secure.desk.principal("owner", granting(EVERYTHING))) as client:
        digest = upload(client, place, "v1", content)
        assert client.get_manifest(place, "v1").digest == digest
        assert b"".join(client.download_blob(place, digest_of(content))) == content
        assert place in list(client.list_repository_names())


def test_an_upstream_on_a_port_that_ends_makes_the_door_busy_until_it_is_back(
    opened: Opened, tmp_path: Path, password: str
) -> None:
    port = debian.free_port()
    with opened(upstream=f"http://127.0.0.1:{port}") as house, house.visitor(REGISTRY, password) as visitor:
        with debian.serving(tmp_path / "storage", "tcp", f"127.0.0.1:{port}"):
            image = visitor.push_image("app", "v1")
            location = visitor.begin("app")
        for method, path in (
            ("GET", "/v2/"),
            ("GET", "/v2/_catalog"),
            ("GET", "/v2/app/tags/list"),
            ("GET", "/v2/app/manifests/v1"),
            ("HEAD", "/v2/app/manifests/v1"),
            ("PUT", "/v2/app/manifests/v2"),
            ("POST", "/v2/app/blobs/uploads/"),
            ("PATCH", location),
        ):
            answer = visitor(method, path, content=b"{}" if method in {"PUT", "PATCH"} else None)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert method == "HEAD" or codes(answer) == ["UNAVAILABLE"]
        with debian.serving(tmp_path / "storage", "tcp", f"127.0.0.1:{port}"):
            assert visitor.get("/v2/app/manifests/v1").content == image.body


def test_an_upstream_on_tls_is_used_if_its_authority_is_trusted(
    opened: Opened, files: Certificates, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(files=files) as inner, contextlib.ExitStack() as stack:
        visitors = []
        for bundle in (str(files.bundle), os.devnull):
            monkeypatch.setenv("SSL_CERT_FILE", bundle)
            house = stack.enter_context(opened(upstream=inner.as_upstream()))
            visitors.append(stack.enter_context(house.visitor(REGISTRY, password)))
        trusting, distrusting = visitors
        image = trusting.push_image("app", "v1")
        assert trusting.get("/v2/app/manifests/v1").content == image.body
        assert distrusting.get("/v2/app/manifests/v1").status_code == 503


def test_a_door_killed_in_the_middle_of_an_upload_leaves_no_blob_upstream_and_the_client_begins_again(
    upstream: str, tmp_path: Path, place: str
) -> None:
    content = noise(8 * MIB)
    digest = digest_of(content)
    with served(tmp_path, upstream) as first, first.visitor() as visitor:
        location = visitor.begin(place)

        def body() -> Iterator[bytes]:
            yield content[: 4 * MIB]
            first.kill()

        with pytest.raises(httpx.TransportError):
            visitor("PUT", closing(location, digest), content=body())
    with served(tmp_path, upstream) as second, second.visitor() as visitor:
        assert not visitor.has_blob(place, digest)
        visitor.push_blob(place, content)
        assert visitor.get(f"/v2/{place}/blobs/{digest}").content == content


@only_linux_tells
@pytest.mark.parametrize("count", [256, pytest.param(1024, marks=pytest.mark.torture)])
def test_a_large_layer_passes_through_to_an_upstream_and_back_in_constant_memory(
    upstream: str, tmp_path: Path, count: int
) -> None:
    block = noise(MIB)
    hash_ = hashlib.sha256()
    for _ in range(count):
        hash_.update(block)
    digest = f"sha256:{hash_.hexdigest()}"
    with served(tmp_path, upstream) as running, running.visitor() as visitor:
        visitor.push_image("large", "v1")
        before = memory(running, "VmRSS")
        Path(f"/proc/{running.process.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
        answer = visitor("PUT", closing(visitor.begin("large"), digest), content=(block for _ in range(count)))
        assert answer.status_code == 201
        with (
            visitor.http.stream("GET", f"/v2/large/blobs/{digest}"),  # somebody who takes nothing of it
            visitor.http.stream("GET", f"/v2/large/blobs/{digest}") as pulled,
        ):
            assert sum(map(len, pulled.iter_bytes())) == count * MIB
        assert memory(running, "VmHWM") - before < 64 * MIB
