"""Bodies at the front door: how large, of which media type, and in which writing."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest

from tests.api.place import ARM, fresh, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.server import Caller, Server

LIMIT = 4 * 2**20
BODY = b'{"location": "eastus"}'


@pytest.fixture
def group(server: Server) -> str:
    """Path of a group that is not there yet."""
    return f"{server.subscription}/resourceGroups/{fresh('rg-')}"


def put(owner: Caller, path: str, content: object, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return owner.call("PUT", path, version=ARM, content=content, headers=named)


# ── how large ───────────────────────────────────────────────────────────────────────────────────────────────────────


def padded(size: int) -> bytes:
    return BODY + b" " * (size - len(BODY))


def test_a_body_of_the_limit_is_read(owner: Caller, group: str) -> None:
    assert put(owner, group, padded(LIMIT), content_type="application/json").status_code == 201


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT])
@pytest.mark.parametrize("how", ["with a length", "in chunks"])
def test_a_body_over_the_limit_is_refused_and_the_connection_stays_usable(
    server: Server, owner: Caller, group: str, size: int, how: str
) -> None:
    def chunks() -> Iterator[bytes]:
        whole = padded(size)
        for start in range(0, size, 2**16):
            yield whole[start : start + 2**16]

    body = padded(size) if how == "with a length" else chunks()
    answer = put(owner, group, body, content_type="application/json")
    said = f"The request content is larger than the limit of {LIMIT} bytes."
    assert refusal(answer) == (413, "RequestContentTooLarge", said)
    assert owner.get(server.workspace).status_code == 200
    assert owner.get(group, version=ARM).status_code == 404


def test_of_a_body_over_the_limit_nobody_learns_more_than_without_one(server: Server, nobody: Caller) -> None:
    answer = put(nobody, server.workspace, padded(LIMIT + 1), content_type="application/json")
    assert refusal(answer)[:2] == (401, "AuthenticationFailed")


# ── of which media type ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/merge-patch+json",
        "application/vnd.x+json;a=b",
    ],
)
def test_json_of_any_name_is_read(owner: Caller, group: str, media_type: str) -> None:
    assert put(owner, group, BODY, content_type=media_type).status_code == 201


def test_a_body_without_a_media_type_is_read_as_json(owner: Caller, group: str) -> None:
    assert put(owner, group, BODY).status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/jsonp", "json", "text/json"])
def test_any_other_media_type_is_refused(owner: Caller, group: str, media_type: str) -> None:
    said = f"The content media type '{media_type}' is not supported. Only 'application/json' is supported."
    assert refusal(put(owner, group, BODY, content_type=media_type)) == (415, "UnsupportedMediaType", said)
    assert owner.get(group, version=ARM).status_code == 404


# ── in which writing ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mark_of_the_byte_order_is_passed_over(owner: Caller, group: str) -> None:
    assert put(owner, group, codecs.BOM_UTF8 + BODY, content_type="application/json").status_code == 201


def test_texts_of_every_script_come_back_as_they_were(owner: Caller, group: str) -> None:
    tags = {"größe": "日本語", "emoji": "😀", "mark": '"\\\u2028'}
    assert owner.put(group, {"location": "eastus", "tags": tags}, version=ARM).status_code == 201
    assert owner.get(group, version=ARM).json()["tags"] == tags


def test_what_is_wrong_is_said_with_its_place(owner: Caller, group: str) -> None:
    said = (
        "The request content was invalid and could not be deserialized: "
        "'Expecting property name enclosed in double quotes. Line 2, position 1'."
    )
    answer = put(owner, group, b'{"location": "eastus",\n}', content_type="application/json")
    assert refusal(answer) == (400, "InvalidRequestContent", said)
