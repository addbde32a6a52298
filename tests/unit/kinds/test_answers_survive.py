"""An answer survives every change but those that make it another one, whoever makes them.

Whatever is changed, a server that remembers its answers says what one says that remembers none.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from linarite import first_start, verbs
from linarite.errors import Refusal
from linarite.first_start import OWNER_OBJECT
from linarite.grants.applications import KEPT, rotate_signing_key
from linarite.kinds.faults import TYPE as FAULTS
from linarite.membership import take_away
from linarite.model import Secret
from tests.unit.kinds.house import LOCATION, SUBSCRIPTION, House
from tests.unit.kinds.test_custom_roles import described
from tests.unit.kinds.test_roles import ASSIGNMENTS, DEFINITIONS, READER, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction

GROUP = f"{SUBSCRIPTION}/resourceGroups/{first_start.GROUP}"
WORKSPACES = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces"
WORKSPACE, OTHER = f"{WORKSPACES}/{first_start.WORKSPACE}", f"{WORKSPACES}/other"
LISTER = f"{SUBSCRIPTION}{DEFINITIONS}/33333333-0000-0000-0000-000000000001"
LOCK = f"{GROUP}/providers/Microsoft.Authorization/locks/l"
FAULT = f"/providers/{FAULTS}/f"
LIST_KEYS = "Microsoft.MachineLearningServices/workspaces/listKeys/action"


@dataclass
class Scene:
    """Two servers on the sample and a second workspace, of which one remembers answers, and who calls them."""

    house: House
    forgetful: House
    account: str
    registry: str
    callers: dict[str, str]
    """Object ids of an owner, a reader, somebody with a custom role, and somebody without any."""

    def answers(self, server: House) -> dict[tuple[str, ...], Any]:
        """What everybody is answered to everything."""
        asked = [
            *(("GET", path) for path in (GROUP, WORKSPACE, OTHER, self.account, self.registry, LISTER)),
            *(("POST", f"{path}/listKeys") for path in (WORKSPACE, OTHER, self.account)),
            *(("POST", f"{WORKSPACE}/{action}") for action in ("listNotebookKeys", "listStorageAccountKeys")),
            ("POST", f"{self.registry}/listCredentials"),
        ]
        return {
            (method, path, name): _outcome(server, method, path, by)
            for method, path in asked
            for name, by in self.callers.items()
        }

    def commit(self, work: Callable[[Transaction], Any], server: House) -> None:
        server.runner.run(server.engine.gate.commit(work, lambda _: None))


def assignment(who: str) -> str:
    """Of the role that somebody has at the workspaces' group."""
    return f"{GROUP}{ASSIGNMENTS}/{who}"


def _outcome(server: House, method: str, path: str, by: str) -> Any:
    try:
        return server.call(method, path, by=by).body
    except Refusal as refusal:
        return refusal.code


@pytest.fixture(scope="module")
def furnished(first_house: tuple[Path, Keyring], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A database with all that, and who is there."""
    first, keyring = first_house
    path = tmp_path_factory.mktemp("furnished") / "linarite.db"
    shutil.copy(first, path)
    with asyncio.Runner() as runner:
        house = House(path, keyring, runner)
        runner.run(first_start.seed_sample(house.engine, Secret(house.token(OWNER_OBJECT)), LOCATION))
        near = house.get(WORKSPACE)["properties"]
        house.put(OTHER, {"location": LOCATION, "identity": {"type": "SystemAssigned"}, "properties": near})
        house.put(LISTER, described(LIST_KEYS, "Microsoft.MachineLearningServices/workspaces/read"))
        reader, lister, nobody = house.join(), house.join(), house.join()
        house.put(assignment(reader), wanted(READER, reader))
        house.put(assignment(lister), wanted(LISTER.rpartition("/")[2], lister))
        house.close()
    return path, [OWNER_OBJECT, reader, lister, nobody]


@pytest.fixture
def scene(
    furnished: tuple[Path, list[str]],
    first_house: tuple[Path, Keyring],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    first, callers = furnished
    path, keyring = tmp_path / "linarite.db", first_house[1]
    shutil.copy(first, path)
    with asyncio.Runner() as runner:
        house, forgetful = House(path, keyring, runner), House(path, keyring, runner)
        forgetful.engine.answers.keep = lambda *_: None  # type: ignore[method-assign]
        tokens = {who: house.token(who) for who in callers}
        for server in (house, forgetful):
            monkeypatch.setattr(server, "token", tokens.__getitem__)
        near = house.get(WORKSPACE)["properties"]
        names = dict(zip(("owner", "reader", "lister", "nobody"), callers, strict=True))
        yield Scene(house, forgetful, near["storageAccount"], near["containerRegistry"], names)
        house.close()
        forgetful.close()


def _roll_all_keys(scene: Scene, by: House) -> None:
    """A new signing key, until none is left that anybody's token was signed with."""
    now = by.now

    def work(transaction: Transaction) -> None:
        rotate_signing_key(transaction, by.keyring, now)
        rotate_signing_key(transaction, by.keyring, now + KEPT)

    scene.commit(work, by)


def _leave(scene: Scene, by: House) -> None:
    def work(transaction: Transaction) -> None:
        gone = transaction.principal(scene.callers["lister"])
        assert gone is not None
        take_away(transaction, gone, now=by.now, random=bytes)

    scene.commit(work, by)


CHANGES: dict[str, Callable[[Scene, House], object]] = {
    "a tag": lambda _, by: by.patch(WORKSPACE, {"tags": {"a": "b"}}),
    "a tag of the group": lambda _, by: by.patch(GROUP, {"tags": {"a": "b"}}),
    "a key": lambda scene, by: by.post(f"{scene.account}/regenerateKey", {"keyName": "key1"}),
    "a password": lambda scene, by: by.post(f"{scene.registry}/regenerateCredential", {"name": "password"}),
    "copies of keys": lambda scene, by: (
        by.post(f"{scene.account}/regenerateKey", {"keyName": "key1"}),
        by.post(f"{WORKSPACE}/resyncKeys"),
    ),
    "a notebook": lambda _, by: by.post(f"{OTHER}/prepareNotebook"),
    "a workspace that goes": lambda _, by: by.delete(WORKSPACE),
    "a neighbour that goes": lambda scene, by: by.delete(scene.account),
    "a group that goes": lambda _, by: by.delete(GROUP),
    "a lock": lambda _, by: by.put(LOCK, {"properties": {"level": "ReadOnly"}}, version="2016-09-01"),
    "a fault": lambda _, by: by.put(FAULT, {"properties": {"fault": "503", "path": "*", "method": "POST"}}),
    "a fault for one": lambda scene, by: by.put(
        FAULT, {"properties": {"fault": "429", "path": "*", "client": scene.callers["lister"]}}
    ),
    "a role that is given": lambda scene, by: by.put(
        assignment(scene.callers["nobody"]), wanted(READER, scene.callers["nobody"])
    ),
    "a role that is taken": lambda scene, by: by.delete(assignment(scene.callers["lister"])),
    "a role that grants less": lambda _, by: by.put(LISTER, described("Microsoft.Storage/*/read")),
    "somebody who leaves": _leave,
    "the keys of tokens": _roll_all_keys,
    "a provider": lambda _, by: by.post(
        f"{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/unregister", version="2021-04-01"
    ),
    "anything": lambda scene, by: scene.commit(lambda transaction: transaction.note_everything(), by),
}
ALIKE = {"anything"}
"""What changes no answer, and has them forgotten."""


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_remembered_is_what_is_worked_out(scene: Scene, change: str, *, elsewhere: bool) -> None:
    before = scene.answers(scene.house)
    assert scene.answers(scene.house) == before
    CHANGES[change](scene, scene.forgetful if elsewhere else scene.house)
    after = scene.answers(scene.house)
    assert after == scene.answers(scene.forgetful)
    assert (after == before) == (change in ALIKE)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_what_is_undone_is_undone(scene: Scene, *, elsewhere: bool) -> None:
    by = scene.forgetful if elsewhere else scene.house
    before = scene.answers(scene.house)
    CHANGES["a lock"](scene, by)
    locked = scene.answers(scene.house)
    assert locked["POST", f"{WORKSPACE}/listKeys", "owner"] == "ScopeLocked"
    by.delete(LOCK, version="2016-09-01")
    assert scene.answers(scene.house) == before


def test_a_token_whose_key_is_gone_opens_nothing_that_a_new_one_was_answered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scene.answers(scene.house)
    _roll_all_keys(scene, scene.house)
    old = scene.house.token(OWNER_OBJECT)
    for token, expected in (
        (House.token(scene.house, OWNER_OBJECT), before["GET", WORKSPACE, "owner"]),
        (old, "InvalidAuthenticationToken"),
    ):
        monkeypatch.setattr(scene.house, "token", {OWNER_OBJECT: token}.__getitem__)
        assert _outcome(scene.house, "GET", WORKSPACE, OWNER_OBJECT) == expected


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_what_a_change_does_not_touch_is_not_worked_out_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool
) -> None:
    shown: list[str] = []
    show = verbs.as_shown
    monkeypatch.setattr(verbs, "as_shown", lambda *given: shown.append(given[-1].name) or show(*given))
    scene.answers(scene.house)
    shown.clear()
    scene.answers(scene.house)
    always = list(shown)
    CHANGES["a tag"](scene, scene.forgetful if elsewhere else scene.house)
    shown.clear()
    scene.answers(scene.house)
    assert shown == [first_start.WORKSPACE, *always]
