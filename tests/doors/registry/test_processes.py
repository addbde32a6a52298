"""A process that is killed at any moment, two that share a folder, and how much memory one takes."""

from __future__ import annotations

import hashlib
import random
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.doors.registry.house import REGISTRY, FakeDesk, Visitor, codes, eventually, noise
from tests.doors.registry.images import digest_of, small_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doors.registry.conftest import Opened

PROJECT = Path(__file__).parents[3]
PASSWORD = FakeDesk().passwords[REGISTRY][0]
MIB = 1024 * 1024

only_linux_tells = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells how much memory a process took at most"
)


@dataclass(frozen=True)
class Served:
    """A process that serves a door."""

    process: subprocess.Popen[str]
    port: int

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        url = f"http://127.0.0.1:{self.port}"
        with httpx.Client(base_url=url, auth=(REGISTRY, PASSWORD), timeout=30, trust_env=False) as client:
            yield Visitor(client)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(root: Path, *upstream: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "tests.doors.registry.serve", str(root), *upstream]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(process, int(process.stdout.readline()))
        finally:
            process.kill()


def whole_blobs(root: Path) -> bool:
    """Whether every file among the blobs is what its name says."""
    files = [path for path in root.glob("*/blobs/*/*") if path.is_file()]
    return all(hashlib.new(path.parent.name, path.read_bytes()).hexdigest() == path.name for path in files)


def test_a_process_killed_in_the_middle_of_an_upload_leaves_no_half_blob_and_the_upload_goes_on(tmp_path: Path) -> None:
    content = noise(8 * MIB)
    digest = digest_of(content)
    with served(tmp_path) as first, first.visitor() as visitor:
        location = visitor.begin("app")
        killed = threading.Event()

        def body() -> Iterator[bytes]:
            yield content[: 4 * MIB]
            eventually(lambda: int(visitor.get(location).headers["range"].partition("-")[2]) > 3 * MIB)
            first.kill()
            killed.set()

        with first.visitor() as pushing, pytest.raises(httpx.TransportError):
            pushing("PUT", f"{location}?digest={digest}", content=body())
        assert killed.is_set()
    with served(tmp_path) as second, second.visitor() as visitor:
        assert not visitor.has_blob("app", digest)
        start = int(visitor.get(location).headers["range"].partition("-")[2]) + 1
        assert 3 * MIB < start <= 4 * MIB
        headers = {"Content-Range": f"{start}-{len(content) - 1}"}
        answer = visitor("PUT", f"{location}?digest={digest}", content=content[start:], headers=headers)
        assert answer.status_code == 201
        assert visitor.get(f"/v2/app/blobs/{digest}").content == content
    assert whole_blobs(tmp_path)


def test_what_was_acknowledged_before_a_kill_is_there_and_nothing_is_half_there(tmp_path: Path) -> None:
    """The process is killed four times at moments that chance picks, while images are being pushed."""
    chance = random.Random(20)  # noqa: S311 - moments, not secrets
    acknowledged: dict[str, str] = {}
    number = 0
    for _ in range(4):
        with served(tmp_path) as running, running.visitor() as visitor:
            timer = threading.Timer(chance.uniform(0.05, 0.4), running.kill)
            timer.start()
            try:
                while True:
                    number += 1
                    image = visitor.push_image("app", f"v{number}", small_image(f"image {number}"))
                    acknowledged[f"v{number}"] = image.digest
            except httpx.TransportError:
                pass
            timer.join()
    assert len(acknowledged) > 4
    assert whole_blobs(tmp_path)
    with served(tmp_path) as running, running.visitor() as visitor:
        found = set(visitor.tags("app"))
        assert found >= set(acknowledged)
        for tag in found:
            answer = visitor.get(f"/v2/app/manifests/{tag}")
            assert answer.headers["docker-content-digest"] == acknowledged.get(tag, digest_of(answer.content))
            for entry in (answer.json()["config"], *answer.json()["layers"]):
                assert digest_of(visitor.get(f"/v2/app/blobs/{entry['digest']}").content) == entry["digest"]


@only_linux_tells
@pytest.mark.parametrize("count", [256, pytest.param(1024, marks=pytest.mark.torture)])
def test_a_large_layer_is_streamed_in_and_out_in_constant_memory(tmp_path: Path, count: int) -> None:
    block = noise(MIB)
    hash_ = hashlib.sha256()
    for _ in range(count):
        hash_.update(block)
    digest = f"sha256:{hash_.hexdigest()}"
    with served(tmp_path) as running, running.visitor() as visitor:
        visitor.push_image("app", "v1")
        before = memory(running, "VmRSS")
        Path(f"/proc/{running.process.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
        answer = visitor("PUT", f"{visitor.begin('app')}?digest={digest}", content=(block for _ in range(count)))
        assert answer.status_code == 201
        with visitor.http.stream("GET", f"/v2/app/blobs/{digest}") as pulled:
            assert sum(map(len, pulled.iter_bytes())) == count * MIB
        assert memory(running, "VmHWM") - before < 64 * MIB


def memory(running: Served, name: str) -> int:
    """Bytes, as the kernel counts them."""
    status = Path(f"/proc/{running.process.pid}/status").read_text(encoding="ascii")
    match = re.search(rf"{name}:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def test_two_processes_on_one_folder_see_each_others_work_at_once(opened: Opened) -> None:
    content = noise(300_000)
    with (
        opened() as one,
        opened() as two,
        one.visitor(REGISTRY, PASSWORD) as first,
        two.visitor(REGISTRY, PASSWORD) as second,
    ):
        image = first.push_image("app", "v1")
        assert second.get("/v2/app/manifests/v1").content == image.body
        assert second.tags("app") == ["v1"]
        location = first.begin("app")
        assert first("PATCH", location, content=content[:100_000]).status_code == 202
        assert second("PATCH", location, content=content[100_000:200_000]).status_code == 202
        closing = f"{location}?digest={digest_of(content)}"
        assert first("PUT", closing, content=content[200_000:]).status_code == 201
        assert second.get(f"/v2/app/blobs/{digest_of(content)}").content == content
        assert second("DELETE", "/acr/v1/app").status_code == 202
        assert codes(first.get("/v2/app/tags/list")) == ["NAME_UNKNOWN"]


def test_many_pushes_at_once_all_arrive(opened: Opened) -> None:
    with opened() as one, opened() as two:

        def push(number: int) -> None:
            with (one, two)[number % 2].visitor(REGISTRY, PASSWORD) as visitor:
                visitor.push_image("app", f"v{number}")

        threads = [threading.Thread(target=push, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with one.visitor(REGISTRY, PASSWORD) as visitor:
            assert set(visitor.tags("app")) == {f"v{number}" for number in range(12)}
