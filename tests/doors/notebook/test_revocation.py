"""A key that goes is refused from that commit on, with the cookies made of it, and its websockets are closed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest
from websocket import WebSocketException

from tests.doors.notebook.office import ask, closing_code, compute, settle

if TYPE_CHECKING:
    from tests.doors.notebook.office import Office
    from tests.server import Caller, Server

FORBIDDEN = httpx.codes.FORBIDDEN


def test_a_workspace_that_is_deleted_takes_its_keys_and_tokens_and_cookies_along(office: Office) -> None:
    token = office.access_token()
    with office.door.browser() as browser:
        browser.get("/", params={"token": office.primary})
        assert browser.get("/api/kernels").status_code == httpx.codes.OK

        office.delete()

        assert [office.door.status(key) for key in (*office.keys.values(), token)] == [FORBIDDEN] * 3
        refused = browser.get("/api/kernels/of-a-cookie")
        assert refused.status_code == FORBIDDEN
        assert [name for name in browser.cookies if name.startswith("username-")] == [], "it is taken back"
    assert len(office.refusals("/api/kernels/of-a-cookie")) == 1


def test_a_workspace_that_is_made_again_has_other_keys_and_the_old_ones_stay_refused(office: Office) -> None:
    old, token = dict(office.keys), office.access_token()
    office.delete(forceToPurge="true")
    office.make()
    assert set(old.values()).isdisjoint(office.keys.values())
    assert [office.door.status(key) for key in (*old.values(), token)] == [FORBIDDEN] * 3
    assert [office.door.status(key) for key in office.keys.values()] == [httpx.codes.OK] * 2


@pytest.mark.parametrize("how", ["deleted", "purged", "with its group"])
def test_the_websockets_of_a_key_are_closed_and_those_of_others_stay(
    server: Server, owner: Caller, office: Office, how: str
) -> None:
    other, door = settle(server, owner), office.door
    kernel = door.start_kernel(office.primary)
    with (
        door.channels(kernel, office.primary) as by_key,
        door.channels(kernel, office.access_token(), "Bearer") as by_token,
        door.socket("/api/events/subscribe", office.primary) as events,
        door.channels(kernel, other.primary) as others,
    ):
        assert compute(by_key, "print(6*7)") == "42\n"

        if how == "with its group":
            owner.settled(owner.delete(office.group, version="2024-11-01"))
        else:
            office.delete(**({"forceToPurge": "true"} if how == "purged" else {}))

        assert [closing_code(socket) for socket in (by_key, by_token, events)] == [1008] * 3
        with contextlib.suppress(OSError, WebSocketException):  # as of somebody who does not mind being hung up on
            ask(by_key, "late = True")
        assert compute(others, "print('late' in globals())") == "False\n"
        assert compute(others, "print(7*8)") == "56\n", "the kernel goes on, for whoever may use it"


def test_a_change_of_something_else_closes_no_websocket(office: Office) -> None:
    with office.door.channels(office.door.start_kernel(office.primary), office.primary) as socket:
        assert office.owner.patch(office.workspace, {"tags": {"a": "b"}}).status_code == httpx.codes.OK
        assert compute(socket, "print(6*7)") == "42\n"
