"""Several processes, one instance: what one of them changes counts at once in the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from linarite.first_start import OWNER_USER
from linarite.grants.tries import OF_A_USER
from tests.api.browser import browser_of
from tests.api.faults import Faults
from tests.api.people import AUTHORIZATION, hire
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.browser import Browser, Page
    from tests.server import Server

CONNECTIONS = 6
"""Each new connection goes to one process or the other, as the kernel likes: all to one, once in 32 runs."""

WRONG, TOO_OFTEN = "invalid username or password", "too many times"
"""Of what the page for a password says."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("workers") / "data"
    with running(folder, "--no-doors", "--workers", "2", LINARITE_RESYNC="auto") as server:
        yield server


def test_a_key_that_one_process_regenerates_is_released_by_none_of_them_any_more(server: Server) -> None:
    owners = [server.owner() for _ in range(CONNECTIONS)]
    account = owners[0].post(f"{server.workspace}/listKeys").json()["userStorageResourceId"]
    for turn in range(8):
        for owner in owners:  # so that every process remembers a release
            owner.post(f"{server.workspace}/listKeys")
        changed = owners[turn % CONNECTIONS].post(f"{account}/regenerateKey", {"keyName": "key1"}, version="2023-01-01")
        new = changed.json()["keys"][0]["value"]
        assert [owner.post(f"{server.workspace}/listKeys").json()["userStorageKey"] for owner in owners] == (
            [new] * CONNECTIONS
        )


def test_a_custom_role_that_is_changed_through_one_process_counts_so_in_all_of_them(server: Server) -> None:
    owners, person = [server.owner() for _ in range(CONNECTIONS)], hire(server)
    path = f"{server.subscription}/providers/Microsoft.Authorization/roleDefinitions/{uuid4()}"
    read = "Microsoft.MachineLearningServices/workspaces/read"
    permission = {"actions": [read]}
    described = {"roleName": "Turncoat", "assignableScopes": [server.subscription], "permissions": [permission]}
    body = {"properties": described}
    assert owners[0].put(path, body, version=AUTHORIZATION).status_code == 201
    assigned = {"roleDefinitionId": path, "principalId": person.object_id}
    at = f"{server.subscription}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    assert owners[0].put(at, {"properties": assigned}, version=AUTHORIZATION).status_code == 201
    callers = [person.again(server) for _ in range(CONNECTIONS)]
    for turn in range(6):
        permission["notActions"] = [read] if turn % 2 else []
        assert owners[turn].put(path, body, version=AUTHORIZATION).status_code == 201
        wanted = 403 if turn % 2 else 200
        assert [one.get(server.workspace).status_code for one in callers] == [wanted] * CONNECTIONS


def test_a_fault_strikes_as_often_as_it_may_in_all_of_them_together(server: Server) -> None:
    owners = [server.owner() for _ in range(CONNECTIONS)]
    faults = Faults(owners[0])
    faults.set("one", "503", path="*/listKeys", count=5)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        calls = [pool.submit(owner.post, f"{server.workspace}/listKeys") for _ in range(4) for owner in owners]
        answers = [call.result().status_code for call in calls]
    assert answers.count(503) == faults.struck("one") == 5
    assert answers.count(200) == len(answers) - 5
    faults.clear()


def test_the_ready_file_and_the_processes_go_with_the_server(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--no-doors", "--workers", "2", "--seed", "none") as server:
        [sibling] = children(server.process.pid)
        assert server.owner().get("/subscriptions", version="2022-12-01").status_code == 200
    assert not alive(sibling)


def children(pid: int) -> list[int]:

    return [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()]


def alive(pid: int) -> bool:

    return Path(f"/proc/{pid}").exists()


def test_a_sign_in_goes_on_in_another_process_and_a_code_counts_once_in_all_of_them(server: Server) -> None:
    browser, others = browser_of(server), [browser_of(server) for _ in range(CONNECTIONS)]
    code = browser.sign_in(browser.ask(), server.password()).brought["code"]
    for other in others:  # the same browser, over another connection
        other.http.cookies = browser.http.cookies
    assert {"code" in other.ask(prompt="none").brought for other in others} == {True}
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(lambda other: other.redeem(code).status_code, others))
    assert sorted(answers) == [200, *[400] * (CONNECTIONS - 1)]


def test_who_guesses_has_no_more_tries_at_all_of_them_together(server: Server) -> None:
    forms = [(browser, browser.ask()) for browser in (browser_of(server) for _ in range(CONNECTIONS))]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        guesses = [pool.submit(guess, *form, "guessed@example.org", "wrong") for _ in range(4) for form in forms]
        said = [one.result() for one in guesses]
    assert said.count(WRONG) == OF_A_USER
    assert said.count(TOO_OFTEN) == len(said) - OF_A_USER


def test_who_is_held_up_is_so_after_a_restart(tmp_path: Path) -> None:
    alone = ("--no-doors", "--seed", "none")
    with running(tmp_path / "data", *alone) as server:
        browser, password = browser_of(server), server.password()
        page = browser.ask()
        assert {guess(browser, page, OWNER_USER, "wrong") for _ in range(OF_A_USER)} == {WRONG}
    with running(tmp_path / "data", *alone) as server:
        browser = browser_of(server)
        assert guess(browser, browser.ask(), OWNER_USER, password) == TOO_OFTEN


def guess(browser: Browser, page: Page, name: str, password: str) -> str:
    """What the page says that is shown then."""
    text = browser.sign_in(page, password, name).form.text
    return next((said for said in (WRONG, TOO_OFTEN) if said in text), text)
