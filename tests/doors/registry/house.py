"""What the registry's tests work with: a desk, a running door, and an HTTP client."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx

from linarite.doors.registry import EVERYTHING, Credential, Embedded, Grant, Limits, RegistryDoor
from linarite.doors.registry.upstream import Address, Upstream
from linarite.listener import Listener
from tests.doors.registry.images import OCI_MANIFEST, Image, digest_of, small_image

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator

    from linarite.certificates import Certificates
    from linarite.doors.registry import Caller, TurnedAway
    from linarite.doors.registry.desk import Action
    from linarite.doors.registry.routes import Back

Result = TypeVar("Result")

REGISTRY = "sampleregistry"
OTHER_REGISTRY = "otherregistry"
KINDS = ("password", "password2")
KEY = b"k" * 32


class FakeDesk:
    """Users, passwords and roles as a test wants them; and everything that the door has told."""

    def __init__(self) -> None:
        self.passwords = {
            REGISTRY: ["first+password/of=sample", "second:password"],
            OTHER_REGISTRY: ["first of other", "second of other"],
        }
        self.generations = {name: [0, 0] for name in self.passwords}
        self.principals: dict[str, Credential] = {}
        """By Entra token."""
        self.grants: dict[str, Grant | None] = {}
        """By subject; who is not in it may do everything."""
        self.places: dict[str, str] = {}
        """By registry; one that is not in it has the place of its name."""
        self.told: list[TurnedAway] = []
        self.failure: Exception | None = None

    async def sign_in(self, user: str, password: str, caller: Caller) -> Credential | None:  # noqa: ARG002
        if self.failure is not None:
            raise self.failure
        known = self.passwords.get(user, [])
        if password not in known:
            return None
        which = known.index(password)
        return Credential(user, user, KINDS[which], str(self.generations[user][which]))

    async def exchange(self, unverified_token: str, caller: Caller) -> Credential | None:  # noqa: ARG002
        return self.principals.get(unverified_token)

    async def current(self, credential: Credential) -> Grant | None:
        if credential.kind in KINDS:
            generations = self.generations.get(credential.registry)
            if generations is None or credential.mark != str(generations[KINDS.index(credential.kind)]):
                return None
        grant = self.grants.get(credential.subject, granting(EVERYTHING))
        name = credential.registry.lower()
        return None if grant is None else replace(grant, place=self.places.get(name, name))

    async def gone(self, places: Collection[str]) -> set[str]:
        return {*places} - {self.places.get(name, name) for name in self.passwords}

    async def turned_away(self, event: TurnedAway) -> None:
        self.told.append(event)

    def regenerate(self, which: int, registry: str = REGISTRY) -> str:
        """What ARM's regenerateCredential does: a new password, and the old one dies."""
        self.generations[registry][which] += 1
        self.passwords[registry][which] = f"new password {self.generations[registry][which]}"
        return self.passwords[registry][which]

    def principal(self, subject: str, grant: Grant, registry: str = REGISTRY) -> str:
        """Somebody with an Entra token, which is returned."""
        token = f"entra-token-of-{subject}"
        self.principals[token] = Credential(registry, subject, "entra", "0")
        self.grants[subject] = grant
        return token

    def reasons(self) -> list[str]:
        return [event.reason for event in self.told]


def granting(actions: frozenset[Action]) -> Grant:
    """A grant, whose place is for the desk to say."""
    return Grant(actions, "")


@dataclass
class House:
    """A door on a port. The test's thread talks to it; the door lives in the loop's."""

    loop: asyncio.AbstractEventLoop
    desk: FakeDesk
    root: Path
    limits: Limits
    files: Certificates | None
    now: Callable[[], float]
    patience: float
    upstream: str = ""
    """The URL of the registry that keeps the content; empty where the door does."""
    door: RegistryDoor = field(init=False)
    listener: Listener = field(init=False)

    @property
    def host(self) -> str:
        return f"localhost:{self.listener.port}"

    @property
    def url(self) -> str:
        return f"{self.listener.scheme}://{self.host}"

    def authorization(self) -> str:
        """The Authorization header of the admin user."""
        return "Basic " + base64.b64encode(f"{REGISTRY}:{self.desk.passwords[REGISTRY][0]}".encode()).decode()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something where the door lives."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def as_upstream(self) -> str:
        """This door's URL, for another one to stand before it."""
        user = quote(REGISTRY)
        return f"{self.listener.scheme}://{user}:{quote(self.desk.passwords[REGISTRY][0], safe='')}@{self.host}"

    @contextmanager
    def visitor(self, user: str = "", password: str = "", token: str = "") -> Iterator[Visitor]:
        """An HTTP client that signs in with every request, or not at all."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        auth = (user, password) if user else None
        trust = ssl.create_default_context(cafile=self.files.bundle) if self.files else False
        with httpx.Client(
            base_url=self.url, auth=auth, headers=headers, timeout=30, trust_env=False, verify=trust
        ) as client:
            yield Visitor(client)


@contextmanager
def open_house(house: House) -> Iterator[None]:
    house.run(_open(house))
    try:
        yield
    finally:
        house.run(_close(house))


async def _open(house: House) -> None:
    back: Back = Embedded(house.root, limits=house.limits, now=house.now)
    if house.upstream:
        back = Upstream(Address.read(house.upstream))
    house.door = RegistryDoor(house.desk, back, key=KEY, patience=house.patience, now=house.now)
    files = house.files
    house.listener = Listener(
        house.door, "127.0.0.1", 0, certificate=files.chain if files else None, key=files.key if files else None
    )
    await house.listener.start()


async def _close(house: House) -> None:
    await house.listener.stop()
    await house.door.close()


@dataclass
class Visitor:
    """A client that knows the registry's API as far as the tests need it again and again."""

    http: httpx.Client

    def __call__(self, method: str, path: str | httpx.URL, **more: Any) -> httpx.Response:
        return self.http.request(method, path, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.http.get(path, **more)

    def begin(self, repository: str) -> str:
        """Start an upload and return its address."""
        answer = self.http.post(f"/v2/{repository}/blobs/uploads/")
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    def push_blob(self, repository: str, content: bytes, algorithm: str = "sha256") -> str:
        digest = digest_of(content, algorithm)
        answer = self.http.put(closing(self.begin(repository), digest), content=content)
        assert answer.status_code == 201, answer.text
        return digest

    def push_manifest(
        self, repository: str, reference: str, document: dict[str, Any], media_type: str = OCI_MANIFEST
    ) -> httpx.Response:
        return self.http.put(
            f"/v2/{repository}/manifests/{reference}",
            content=json.dumps(document).encode(),
            headers={"Content-Type": media_type},
        )

    def push_image(self, repository: str, tag: str, image: Image | None = None) -> Image:
        """Push an image, one of its own for every tag unless one is given."""
        image = image or small_image(f"{repository}:{tag}")
        for blob in image.blobs:
            self.push_blob(repository, blob)
        answer = self.push_manifest(repository, tag, image.document)
        assert answer.status_code == 201, answer.text
        assert answer.headers["docker-content-digest"] == image.digest
        return image

    def has_blob(self, repository: str, digest: str) -> bool:
        return self.http.head(f"/v2/{repository}/blobs/{digest}").status_code == 200

    def tags(self, repository: str) -> list[str]:
        tags: list[str] = self.http.get(f"/v2/{repository}/tags/list").json()["tags"]
        return tags


def closing(location: str, digest: str) -> httpx.URL:
    """The address that ends an upload; what the location has in its query stays."""
    return httpx.URL(location).copy_merge_params({"digest": digest})


@contextmanager
def short_folder() -> Iterator[Path]:
    """For what allows few characters, as a socket's path does: a test's own folder often has more."""
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:
        yield Path(folder)


def codes(answer: httpx.Response) -> list[str]:
    """The codes of an answer's error envelope."""
    return [error["code"] for error in answer.json()["errors"]]


def eventually(holds: Callable[[], bool], within: float = 20.0) -> None:
    """Wait until something holds, and fail where it does not in time."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def noise(size: int) -> bytes:
    return os.urandom(size)
