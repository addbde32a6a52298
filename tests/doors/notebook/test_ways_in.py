"""What opens the notebook door, what does not, and what is left of it in cookies, logs and on the trail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from websocket import WebSocketBadStatusException

from tests.doors.notebook.office import ROOT_KEY, compute
from tests.doors.place import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doors.notebook.office import Office

WAYS: list[Callable[[str], dict[str, Any]]] = [
    lambda key: {"params": {"token": key}},
    lambda key: {"headers": {"authorization": f"token {key}"}},
    lambda key: {"headers": {"authorization": f"Bearer {key}"}},
]
WAYS_BY_NAME = ["parameter", "token", "bearer"]


@pytest.mark.parametrize("way", WAYS, ids=WAYS_BY_NAME)
def test_either_key_and_an_access_token_open_it_in_each_way(office: Office, way: Callable[[str], Any]) -> None:
    for key in (*office.keys.values(), office.access_token()):
        answer = office.door.get("/api/me", **way(key))
        assert answer.status_code == httpx.codes.OK, answer.text
        assert answer.json()["identity"]["name"] == office.workspace.rpartition("/")[2].lower()


@pytest.mark.parametrize("way", WAYS, ids=WAYS_BY_NAME)
@pytest.mark.parametrize("wrong", ["0" * 64, "a.b.c", "é" * 40, "x" * 40_000, "none"])
def test_a_wrong_key_is_refused_on_the_trail(office: Office, way: Callable[[str], Any], wrong: str) -> None:
    path = f"/api/contents/{uuid4().hex}"
    shown = way(wrong if wrong.isascii() else "%C3%A9" * 40)
    answer = office.door.get(path, **shown)
    assert answer.status_code == httpx.codes.FORBIDDEN
    [entry] = office.refusals(path)
    assert (entry["target"], entry["status"], entry["code"]) == (f"GET {path}", 403, "AuthenticationFailed")
    assert (entry["caller"], entry["address"]) == ("", "127.0.0.1")


@pytest.mark.parametrize("path", ["/", "/api", "/login", "/metrics", "/static/favicon.ico", "/api/shutdown", "/tree"])
def test_without_a_key_nothing_at_all_is_open_and_nothing_is_recorded(office: Office, path: str) -> None:
    path += f"?{uuid4().hex}"
    assert office.door.get(path).status_code == httpx.codes.FORBIDDEN
    assert office.refusals(path.partition("?")[2]) == []


def test_no_key_stops_jupyter_or_opens_a_terminal(office: Office) -> None:
    with office.door.browser() as browser:
        browser.headers["authorization"] = f"token {office.primary}"
        assert browser.post("/api/shutdown").status_code == httpx.codes.NOT_FOUND
        assert browser.post("/api/terminals").status_code == httpx.codes.NOT_FOUND


def test_a_kernel_computes_over_a_websocket_in_the_folder_of_notebooks(office: Office) -> None:
    kernel = office.door.start_kernel(office.primary)
    with office.door.channels(kernel, office.keys["secondaryAccessKey"]) as socket:
        assert compute(socket, "print(6*7)") == "42\n"
        assert compute(socket, "import os; print(os.getcwd())") == f"{office.server.folder / 'notebooks'}\n"


def test_a_kernel_sees_nothing_of_the_servers_environment_but_what_a_program_needs(office: Office) -> None:
    with office.door.channels(office.door.start_kernel(office.primary), office.primary) as socket:
        seen: dict[str, str] = json.loads(compute(socket, "import json, os; print(json.dumps(dict(os.environ)))"))
    assert "PATH" in seen
    assert not {"OUR_ROOT_KEY", "LINARITE_ROOT_KEY", "PYTHONWARNINGS"} & set(seen)
    assert ROOT_KEY not in seen.values()


def test_a_page_of_another_origin_and_another_name_for_this_machine_get_nothing(office: Office) -> None:
    kernel = office.door.start_kernel(office.primary)
    with office.door.browser() as browser:
        browser.get("/", params={"token": office.primary})
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        assert browser.get("/api/kernels").status_code == httpx.codes.OK
        assert browser.get("/api/kernels", headers={"host": "rebound.example.org"}).status_code == httpx.codes.FORBIDDEN
    path = f"/api/kernels/{kernel}/channels"
    with office.door.socket(path, None, cookie=cookie, origin=office.door.origin) as socket:
        assert compute(socket, "print(6*7)") == "42\n"
    for origin in ("https://example.org", "https://localhost:1"):
        with (
            pytest.raises(WebSocketBadStatusException, match="403"),
            office.door.socket(path, None, cookie=cookie, origin=origin),
        ):
            pass


def test_what_jupyter_and_a_kernel_say_to_each_other_is_encrypted(office: Office) -> None:
    kernel = office.door.start_kernel(office.primary)
    line = json.loads((office.server.folder / f"jupyter/runtime/kernel-{kernel}.json").read_text())
    assert line["curve_publickey"]


def test_a_websocket_without_a_good_key_is_refused(office: Office) -> None:
    kernel = office.door.start_kernel(office.primary)
    for key in (None, "0" * 64):
        with pytest.raises(WebSocketBadStatusException, match="403"), office.door.channels(kernel, key):
            pass
    assert len(office.refusals(kernel)) == 1, "the one that showed a key"


# ── cookies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_browser_that_showed_a_key_once_goes_on_with_its_cookie(office: Office) -> None:
    with office.door.browser() as browser:
        assert browser.get("/", params={"token": office.primary}).status_code == httpx.codes.OK
        assert browser.get("/api/kernels").status_code == httpx.codes.OK
        [set_cookie] = [one for one in browser.cookies.jar if one.name.startswith("username-")]
        assert (set_cookie.secure, set_cookie.expires) == (True, None)
        assert "HttpOnly" in set_cookie._rest
        assert office.primary not in str(set_cookie.value)


def test_a_cookie_changes_nothing_without_its_xsrf_token(office: Office) -> None:
    with office.door.browser() as browser:
        browser.get("/", params={"token": office.primary})
        assert browser.post("/api/kernels").status_code == httpx.codes.FORBIDDEN
        answer = browser.post("/api/kernels", headers={"X-XSRFToken": browser.cookies["_xsrf"]})
        assert answer.status_code == httpx.codes.CREATED


def test_a_cookie_that_somebody_else_made_opens_nothing(office: Office) -> None:
    with office.door.browser() as browser:
        browser.get("/", params={"token": office.primary})
        [name] = [name for name in browser.cookies if name.startswith("username-")]
        value = browser.cookies[name]
    for cookie, status in ((value, httpx.codes.OK), (value[:-4] + "0000", httpx.codes.FORBIDDEN)):
        assert office.door.get(headers={"cookie": f"{name}={cookie}"}).status_code == status


def test_a_key_in_a_header_leaves_no_cookie(office: Office) -> None:
    answer = office.door.get(headers={"authorization": f"token {office.primary}"})
    assert not [name for name in answer.cookies if name.startswith("username-")]


# ── what is left ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_key_is_in_the_log_or_in_a_file_of_jupyters(office: Office) -> None:
    token = office.access_token()
    for key in (office.primary, token):
        for path in ("/nothing", "/api/contents/nothing", "/api/contents/%ff", "/api/kernels/nothing"):
            office.door.get(path, params={"token": key}, headers={"referer": f"{office.door.origin}/?token={key}"})
        with office.door.browser() as browser:  # no JSON object: a failure of Jupyter's own, which it logs
            assert browser.post("/api/contents", params={"token": key}, content="[1]").status_code == 500
    until(lambda: "Uncaught exception POST /api/contents?…" in office.server.log.read_text(), "it is not logged")
    kept = [path for path in (office.server.folder / "jupyter").rglob("*") if path.is_file()]
    for text in (office.server.log.read_bytes(), *(path.read_bytes() for path in kept)):
        assert office.primary.encode() not in text
        assert token.encode() not in text
