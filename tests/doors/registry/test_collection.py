"""Giving back space: what nothing needs goes after a period of grace, and never what somebody counts on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from linarite.doors.registry import Limits
from tests.doors.registry.house import REGISTRY, FakeDesk, eventually, noise
from tests.doors.registry.images import digest_of, small_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House, Visitor

GRACE = 1000.0
CONTENT = noise(10_000)


class Clock:
    """The time, and a way to let it pass."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(opened: Opened, clock: Clock) -> Iterator[House]:
    with opened(Limits(grace=GRACE, upload_life=GRACE), now=clock) as house:
        yield house


def tend(house: House) -> None:
    house.run(house.door.tend())


def blob_file(house: House, digest: str) -> Path:
    return house.root / REGISTRY / "blobs/sha256" / digest.removeprefix("sha256:")


def test_a_blob_that_no_manifest_needs_goes_after_its_grace(house: House, visitor: Visitor, clock: Clock) -> None:
    digest = visitor.push_blob("app", CONTENT)
    clock.ahead = GRACE - 100
    tend(house)
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT
    clock.ahead = GRACE + 100
    tend(house)
    assert not visitor.has_blob("app", digest)
    assert not blob_file(house, digest).exists()


def test_what_a_manifest_needs_stays_and_goes_with_it(house: House, visitor: Visitor, clock: Clock) -> None:
    image = visitor.push_image("app", "v1")
    kept = visitor.push_image("app", "v2", small_image("kept"))
    clock.ahead = 10 * GRACE
    tend(house)
    for blob in (*image.blobs, *kept.blobs):
        assert visitor.get(f"/v2/app/blobs/{digest_of(blob)}").content == blob
    visitor("DELETE", f"/v2/app/manifests/{image.digest}")
    tend(house)
    gone = {digest_of(blob) for blob in image.blobs} - {digest_of(blob) for blob in kept.blobs}
    assert gone
    for digest in gone:
        assert not blob_file(house, digest).exists()
    for blob in kept.blobs:
        assert visitor.get(f"/v2/app/blobs/{digest_of(blob)}").content == blob


def test_an_untagged_manifest_and_its_blobs_stay(house: House, visitor: Visitor, clock: Clock) -> None:
    image = visitor.push_image("app", "v1")
    visitor("DELETE", "/v2/app/manifests/v1")
    clock.ahead = 10 * GRACE
    tend(house)
    assert visitor.get(f"/v2/app/manifests/{image.digest}").status_code == 200
    assert visitor.has_blob("app", digest_of(image.layers[0]))


def test_a_file_stays_while_one_repository_needs_it(house: House, visitor: Visitor, clock: Clock) -> None:
    image = visitor.push_image("one", "v1")
    visitor.push_image("two", "v1", image)
    visitor("DELETE", "/acr/v1/one")
    clock.ahead = 10 * GRACE
    tend(house)
    assert visitor.get(f"/v2/two/blobs/{digest_of(image.layers[0])}").content == image.layers[0]


def test_a_blob_that_a_client_made_sure_of_stays_for_another_grace(
    house: House, visitor: Visitor, clock: Clock
) -> None:
    asked, forgotten = visitor.push_blob("app", CONTENT), visitor.push_blob("app", b"forgotten")
    clock.ahead = GRACE - 100
    assert visitor.has_blob("app", asked)
    clock.ahead = GRACE + 100
    tend(house)
    assert visitor.has_blob("app", asked)
    assert not visitor.has_blob("app", forgotten)


def test_a_blob_that_is_pushed_again_stays_for_another_grace(house: House, visitor: Visitor, clock: Clock) -> None:
    visitor.push_blob("app", CONTENT)
    clock.ahead = GRACE - 100
    digest = visitor.push_blob("app", CONTENT)
    clock.ahead = GRACE + 100
    tend(house)
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT


def test_a_mounted_blob_has_a_grace_of_its_own(house: House, visitor: Visitor, clock: Clock) -> None:
    digest = visitor.push_blob("base", CONTENT)
    clock.ahead = GRACE - 100
    answer = visitor("POST", "/v2/app/blobs/uploads/", params={"mount": digest, "from": "base"})
    assert answer.status_code == 201
    clock.ahead = GRACE + 100
    tend(house)
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT
    assert visitor.get(f"/v2/base/blobs/{digest}").status_code == 404


def test_a_file_without_a_row_is_swept(house: House, visitor: Visitor, clock: Clock) -> None:
    visitor.get("/v2/")
    orphan = blob_file(house, digest_of(b"left by a crash"))
    orphan.write_bytes(b"left by a crash")
    tend(house)
    assert orphan.exists()
    clock.ahead = GRACE + 100
    tend(house)
    assert not orphan.exists()


def test_a_collection_beside_pushes_takes_nothing_of_them(opened: Opened, clock: Clock) -> None:
    """To the door every file is old here, and the collection is after the one that is pushed again and again."""
    stop = threading.Event()
    password = FakeDesk().passwords[REGISTRY][0]
    with opened(Limits(grace=GRACE), now=clock) as house, house.visitor(REGISTRY, password) as visitor:

        def collect() -> None:
            while not stop.is_set():
                tend(house)

        collector = threading.Thread(target=collect)
        collector.start()
        try:
            for _ in range(30):
                clock.ahead += 2 * GRACE
                digest = visitor.push_blob("app", CONTENT)
                assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT
        finally:
            stop.set()
            collector.join()


def test_an_abandoned_upload_is_given_up_and_a_fresh_one_is_not(house: House, visitor: Visitor, clock: Clock) -> None:
    old = visitor.begin("app")
    visitor("PATCH", old, content=CONTENT)
    clock.ahead = GRACE - 100
    tend(house)
    assert visitor.get(old).status_code == 204
    clock.ahead = GRACE + 100
    tend(house)
    assert visitor.get(old).status_code == 404
    assert visitor("PUT", old, params={"digest": digest_of(CONTENT)}).status_code == 404
    assert list((house.root / REGISTRY / "uploads").glob("*/*")) == []


def test_an_upload_that_is_being_written_is_not_given_up(house: House, visitor: Visitor, clock: Clock) -> None:
    location = visitor.begin("app")
    began, tended = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        yield CONTENT[:5000]
        began.set()
        assert tended.wait(20)
        yield CONTENT[5000:]

    answers = []

    def push() -> None:
        with house.visitor(REGISTRY, house.desk.passwords[REGISTRY][0]) as slow:
            answers.append(slow("PATCH", location, content=body()))

    thread = threading.Thread(target=push)
    thread.start()
    assert began.wait(20)
    eventually(lambda: visitor("PATCH", location, content=b"").status_code == 409)
    clock.ahead = 10 * GRACE
    tend(house)
    tended.set()
    thread.join()
    assert answers[0].status_code == 202
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201


def test_an_empty_repository_is_forgotten_in_time(house: House, visitor: Visitor, clock: Clock) -> None:
    visitor.push_blob("app", CONTENT)
    clock.ahead = 10 * GRACE
    tend(house)
    assert visitor.get("/v2/app/tags/list").status_code == 404


def test_a_namesake_begins_empty_and_what_was_before_is_removed(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    house.desk.places[REGISTRY] = f"{REGISTRY}-2"  # it was deleted, and a namesake made
    assert visitor.get("/v2/_catalog").json() == {"repositories": []}
    assert visitor.get("/v2/app/manifests/v1").status_code == 404
    house.run(house.door.sweep())
    assert [path.name for path in house.root.iterdir()] == [f"{REGISTRY}-2"]
    visitor.push_image("app", "v1", image)
    house.run(house.door.sweep())
    assert visitor.tags("app") == ["v1"]


def test_what_a_discard_that_was_stopped_left_behind_is_removed(house: House, visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    (house.root / ".discarded-by-a-crash/blobs").mkdir(parents=True)
    tend(house)
    assert [path.name for path in house.root.iterdir()] == [REGISTRY]
    assert visitor.tags("app") == ["v1"]
