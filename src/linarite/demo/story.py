"""The steps of the demo, in their order. Each answers a sentence, and raises where it does not hold."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from linarite.demo import image
from linarite.demo.keyholders import Images, Refused, Storage, fetch, notebooks_of, send_trace
from linarite.demo.management import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from linarite.demo.management import Management
    from linarite.demo.veil import Veil

TEXT = "Keys open doors."
BLOB = ("azureml", "demo/hello.txt")
IMAGE = "demo/hello:v1"
INSIGHTS = "https://api.applicationinsights.io"
WRONG_KEY = "0" * 64


class NotTried(Exception):
    """There is nothing to try; the message says why."""


class DoesNotHold(Exception):
    """What was to be shown is not so; the message says how it is."""


class Scene(NamedTuple):
    """A step to take."""

    title: str
    take: Callable[[], str]
    needed: bool = False
    """Whether nothing after it can be taken without it."""


class Story:
    """One run."""

    def __init__(
        self, azure: Management, known: Mapping[str, Any], faults: Mapping[str, str], scratch: Path, veil: Veil
    ) -> None:
        """`known` is what the ready file says, `faults` why doors are closed; `scratch` is a folder for files."""
        self._azure = azure
        self._doors = known["doors"]
        self._workspace = known["workspace"]
        self._secret = known["clientSecret"]
        self._faults = faults
        self._scratch = scratch
        self._veil = veil
        self._numbers = count(1)
        self._first = Listed("", "", "", "", (None, None))
        self._new_key = self._new_password = ""

    def scenes(self) -> Iterator[Scene]:
        yield Scene("azure-identity signs in", self._sign_in, needed=True)
        yield Scene("azure-mgmt-machinelearningservices lists the keys", self._list, needed=True)
        yield Scene("azure-storage-blob uploads and downloads with the storage key", self._use_storage)
        yield Scene("oras pushes and pulls an image with password", partial(self._use_registry, "password"))
        yield Scene("oras pushes and pulls an image with password2", partial(self._use_registry, "password2"))
        yield Scene("azure-monitor-opentelemetry-exporter sends with the instrumentation key", self._use_telemetry)
        yield Scene("both notebook keys open Jupyter, and a wrong one does not", self._use_notebooks)
        yield Scene("azure-mgmt-storage regenerates key1", self._rotate_key)
        yield Scene("the old storage key is refused at once", self._old_key)
        yield Scene("azure-mgmt-containerregistry regenerates password", self._rotate_password)
        yield Scene("the old password is refused at once, and password2 goes on", self._old_password)
        yield Scene("the workspace still lists the old ones, for it keeps copies", self._stale)
        yield Scene("the workspace resyncs its keys", self._resync)
        yield Scene("the workspace lists the new ones", self._fresh)
        yield Scene("the new storage key opens the blob", self._new_key_opens)
        yield Scene("the new password opens the image", self._new_password_opens)

    # ── listing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _sign_in(self) -> str:
        self._veil.hide(self._secret)
        return f"as the owner, with a token {self._veil.hide(self._azure.token())}"

    def _list(self) -> str:
        self._first = self._azure.keys()
        return self._shown(self._first)

    def _shown(self, keys: Listed) -> str:
        hide = self._veil.hide
        for key in keys.notebook_keys:
            hide(key)
        return (
            f"storage key {hide(keys.storage_key)}, password {hide(keys.password)}, "
            f"password2 {hide(keys.password2)}, instrumentation key {hide(keys.instrumentation_key)}"
        )

    # ── using ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _use_storage(self) -> str:
        storage = self._storage(self._first.storage_key)
        storage.write(*BLOB, TEXT.encode())
        self._read(storage)
        return f"{'/'.join(BLOB)} at {storage.endpoint}"

    def _use_registry(self, name: str) -> str:
        images = self._images(getattr(self._first, name))
        images.push(IMAGE, image.write(self._folder(name), TEXT))
        self._pull(images)
        return f"{images.login_server}/{IMAGE}"

    def _use_telemetry(self) -> str:
        self._must_be_open("telemetry")
        door, arm, credential = self._doors["telemetry"], self._azure.origin, self._azure.credential
        send_trace(self._first.instrumentation_key, door, TEXT)
        id_ = self._azure.linked.application_insights
        component = fetch(credential, arm, f"{id_}?api-version=2020-02-02", arm)
        path = f"/v1/apps/{component['properties']['AppId']}/events/traces"
        events = fetch(credential, door, path, INSIGHTS)["value"]
        _expect([event["trace"]["message"] for event in events] == [TEXT], "The trace cannot be read back.")
        return f"and the events API reads it back, at {door}"

    def _use_notebooks(self) -> str:
        _expect(all(self._first.notebook_keys), "They are not listed.")
        if self._doors["notebook"] is None and "notebook" not in self._faults:
            raise NotTried("Both are listed. What they open is not installed: pip install 'linarite[notebook]'.")
        self._must_be_open("notebook")
        door = self._doors["notebook"]
        for key in self._first.notebook_keys:
            _expect(notebooks_of(door, str(key)) == self._workspace, "They are taken for those of another workspace.")
        return f"{_refused(lambda: notebooks_of(door, WRONG_KEY))}, at {door}"

    # ── rotating ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _rotate_key(self) -> str:
        self._new_key = self._azure.regenerate_key()
        return self._veil.hide(self._new_key)

    def _old_key(self) -> str:
        storage = self._storage(self._first.storage_key)
        return _refused(lambda: storage.read(*BLOB))

    def _rotate_password(self) -> str:
        self._new_password = self._azure.regenerate_password()
        return self._veil.hide(self._new_password)

    def _old_password(self) -> str:
        images = self._images(self._first.password)
        said = _refused(lambda: images.pull(IMAGE, self._folder("refused")))
        self._pull(self._images(self._first.password2))
        return said

    def _stale(self) -> str:
        _expect(self._azure.keys() == self._first, "It lists others.")
        return "as in Azure, until it is told to resync"

    def _resync(self) -> str:
        self._azure.resync()
        return "a long-running operation, followed to its end"

    def _fresh(self) -> str:
        now = self._azure.keys()
        expected = self._first._replace(storage_key=self._new_key, password=self._new_password)
        _expect(now == expected, "It lists others.")
        return self._shown(now)

    def _new_key_opens(self) -> str:
        self._read(self._storage(self._new_key))
        return "it is still there"

    def _new_password_opens(self) -> str:
        self._pull(self._images(self._new_password))
        return "it is still there"

    # ── at the doors ────────────────────────────────────────────────────────────────────────────────────────────────

    def _storage(self, key: str) -> Storage:
        self._must_be_open("blob")
        return Storage(self._azure.blob_endpoint(), key)

    def _images(self, password: str) -> Images:
        self._must_be_open("registry")
        return Images(*self._azure.registry(), password)

    def _must_be_open(self, door: str) -> None:
        """No key goes to an address that is not the server's own."""
        if self._doors[door] is None:
            raise DoesNotHold(f"The {door} door is closed. {self._faults.get(door, '')}".strip())

    def _read(self, storage: Storage) -> None:
        _expect(storage.read(*BLOB) == TEXT.encode(), "What came back is not what was sent.")

    def _pull(self, images: Images) -> None:
        _expect(images.pull(IMAGE, self._folder("pulled")) == TEXT, "What came back is not what was sent.")

    def _folder(self, name: str) -> Path:
        """A folder that is not there yet."""
        return self._scratch / f"{name}-{next(self._numbers)}"


def _refused(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except Refused as refusal:
        return str(refusal)
    raise DoesNotHold("It still opens.")


def _expect(holds: object, otherwise: str) -> None:
    if not holds:
        raise DoesNotHold(otherwise)
