"""Real clients that bring a container engine or want one: buildah, podman; Docker's command line, without daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.doors.registry.house import REGISTRY, short_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from linarite.certificates import Certificates
    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House


def needs(program: str, *, root: bool = True) -> pytest.MarkDecorator:
    """Skips where the program is not there, or may not lay out images' files as it does for root."""
    lacks = shutil.which(program) is None or (root and os.geteuid() != 0)
    return pytest.mark.skipif(lacks, reason=f"there is no {program} on this machine{', or no root' if root else ''}")


@dataclass
class Bench:
    """A door on TLS, and a home for the programs of one test, with nothing in it but our certificates."""

    house: House
    home: Path
    trusts: bool = True

    @property
    def image(self) -> str:
        return f"{self.house.host}/team/app:v1"

    @property
    def password(self) -> str:
        return self.house.desk.passwords[REGISTRY][0]

    def run(self, *command: str, said: str = "", fails: bool = False) -> str:
        """Run a program and return what it says; images lie in the home, and nothing of them is run."""
        assert self.house.files is not None
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            **({"SSL_CERT_FILE": str(self.house.files.bundle)} if self.trusts else {}),
            "DOCKER_HOST": f"unix://{self.home}/no-daemon",
            "BUILDAH_ISOLATION": "chroot",
        }
        done = subprocess.run(
            command, env=environment, input=said, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return (done.stderr if fails else done.stdout).strip()

    def engine(self, program: str, *arguments: str, said: str = "", fails: bool = False) -> str:
        """Run buildah or podman."""
        places = ("--root", str(self.home / "images"), "--runroot", str(self.home / "run"), "--storage-driver", "vfs")
        return self.run(program, *places, *arguments, said=said, fails=fails)

    def build(self, text: str) -> None:
        """An image of one file, from scratch."""
        file = self.home / "hello.txt"
        file.write_text(text)
        container = self.engine("buildah", "from", "scratch")
        self.engine("buildah", "copy", container, str(file), "/hello.txt")
        self.engine("buildah", "commit", container, self.image)


@pytest.fixture
def bench(opened: Opened, files: Certificates) -> Iterator[Bench]:
    with short_folder() as home, opened(files=files) as house:
        yield Bench(house, home)


@needs("buildah")
def test_buildah_builds_pushes_and_pulls_an_image(bench: Bench) -> None:
    bench.engine("buildah", "login", "--username", REGISTRY, "--password-stdin", bench.house.host, said=bench.password)
    bench.build("hello from buildah")
    bench.engine("buildah", "push", bench.image)
    bench.engine("buildah", "rmi", "--all", "--force")
    container = bench.engine("buildah", "from", bench.image)
    mounted = bench.engine("buildah", "mount", container)
    with open(f"{mounted}/hello.txt", encoding="utf-8") as file:  # noqa: PTH123 - buildah answers with text
        assert file.read() == "hello from buildah"
    bench.engine("buildah", "umount", container)
    bench.house.desk.regenerate(0)
    assert "invalid username/password" in bench.engine("buildah", "push", bench.image, fails=True)


@needs("buildah")
def test_buildah_trusts_the_authority_in_a_folder_that_it_is_told(bench: Bench) -> None:
    assert bench.house.files is not None
    (bench.home / "certificates").mkdir()
    shutil.copy(bench.house.files.ca, bench.home / "certificates" / "ca.crt")
    bench.build("hello")
    bench.trusts = False
    told = ("--cert-dir", str(bench.home / "certificates"), "--creds", f"{REGISTRY}:{bench.password}")
    bench.engine("buildah", "push", *told, bench.image)


@needs("podman")
def test_podman_signs_in_pushes_and_pulls(bench: Bench) -> None:
    with bench.house.visitor(REGISTRY, bench.password) as visitor:
        image = visitor.push_image("team/app", "v1")
    bench.engine("podman", "login", "--username", REGISTRY, "--password-stdin", bench.house.host, said=bench.password)
    bench.engine("podman", "pull", bench.image)
    assert bench.engine("podman", "image", "inspect", "--format", "{{.Digest}}", bench.image) == image.digest
    other = f"{bench.house.host}/copied:v2"
    bench.engine("podman", "tag", bench.image, other)
    bench.engine("podman", "push", other)
    bench.house.desk.regenerate(0)
    wrong = ("login", "--username", REGISTRY, "--password-stdin", bench.house.host)
    assert "invalid username/password" in bench.engine("podman", *wrong, said="wrong", fails=True)


@needs("docker", root=False)
def test_dockers_command_line_signs_in_and_reads_a_manifest_without_a_daemon(bench: Bench) -> None:
    with bench.house.visitor(REGISTRY, bench.password) as visitor:
        image = visitor.push_image("team/app", "v1")
    sign_in = ("docker", "login", "--username", REGISTRY, "--password-stdin", bench.house.host)
    bench.run(*sign_in, said="wrong", fails=True)
    assert "Login Succeeded" in bench.run(*sign_in, said=bench.password)
    assert image.document["layers"][0]["digest"] in bench.run("docker", "manifest", "inspect", bench.image)
