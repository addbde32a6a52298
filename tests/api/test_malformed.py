"""Malformed requests: each refused in Azure's envelope, none with a 500, and nothing has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.raw import answered, heard, request
from tests.api.unchanged import (
    _everything_is_as_it_was,  # noqa: F401 - a fixture
    _the_state_is_as_it_was,  # noqa: F401 - a fixture
    assert_refused,
)

if TYPE_CHECKING:
    from tests.server import Caller, Server

BODIES: dict[str, bytes] = {
    "nothing but a brace": b"{",
    "an array": b"[]",
    "a text": b'"text"',
    "a number": b"1",
    "true": b"true",
    "words": b"location: eastus",
    "a trailing comma": b'{"location": "eastus",}',
    "single quotes": b"{'location': 'eastus'}",
    "an unquoted name": b'{location: "eastus"}',
    "a comment": b'{/* */"location": "eastus"}',
    "two values": b"{}{}",
    "half a value": b'{"location": "east',
    "nesting of ten thousand": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "arrays of ten thousand": b"[" * 10_000 + b"]" * 10_000,
    "unclosed arrays": b"[" * 100_000,
    "a name given twice": b'{"location": "eastus", "tags": {"a": "b"}, "tags": {"a": "c"}}',
    "a name in two cases": b'{"location": "eastus", "tags": {"a": "b"}, "Tags": {"a": "c"}}',
    "a tag in two cases": b'{"location": "eastus", "tags": {"a": "b", "A": "c"}}',
    "not a number": b'{"properties": {"x": NaN}}',
    "infinity": b'{"properties": {"x": Infinity}}',
    "a number of 400 digits": b'{"properties": {"x": ' + b"9" * 400 + b"}}",
    "a number of five thousand digits": b'{"properties": {"x": ' + b"9" * 5000 + b"}}",
    "a huge exponent": b'{"properties": {"x": 1e999}}',
    "a number with a zero in front": b'{"properties": {"x": 007}}',
    "half a surrogate": b'{"location": "\\ud800"}',
    "a surrogate as a name": b'{"\\udc00": 1}',
    "latin 1": '{"location": "é"}'.encode("latin-1"),
    "utf-16": '{"location": "eastus"}'.encode("utf-16"),
    "utf-32": '{"location": "eastus"}'.encode("utf-32"),
    "overlong utf-8": b'{"location": "\xc0\xaf"}',
    "a surrogate in utf-8": b'{"location": "\xed\xa0\x80"}',
    "a raw NUL": b'{"location": "\x00"}',
    "nothing but NULs": b"\x00" * 100,
    "a raw newline": b'{"location": "a\nb"}',
    "nothing but spaces": b"   ",
    "a bad escape": b'{"location": "\\x41"}',
    "gzip": bytes.fromhex("1f8b0800000000000003abae050043bfa6a302000000"),
    "a form": b"location=eastus&kind=Default",
    "xml": b"<location>eastus</location>",
}

PATHS = (
    "/subscriptions/not-a-guid/resourceGroups",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups",
    "/subscriptions/aaaaaaaabbbbccccddddeeeeeeeeeeee/resourceGroups",
    "/subscriptions/{{aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}}",
    "{s}/resourceGroups/nowhere/providers/Microsoft.MachineLearningServices/workspaces/abc",
    "{g}/providers/Microsoft.Nothing/things/a",
    "{g}/providers/Microsoft.MachineLearningServices/things/a",
    "{g}/providers/workspaces/a/b",
    "{g}/providers/%20/a/b",
    "{s}/nothing",
    "{w}/x/y/z",
    "{w}/providers/Microsoft.Authorization",
    "{w}/providers/Microsoft.Nothing/locks/a",
    "{w}/providers/Microsoft.MachineLearningServices/workspaces/b/c",
    "{w}" + "x" * 300,
    "{s}/resourceGroups/" + "x" * 5000,
    "{w}/" + "a/" * 2000,
    "{s}/resourceGroups/testrg123%00",
    "{s}/resourceGroups/test%0Arg",
    "{s}/resourceGroups/test%7Frg",
    "{s}/resourceGroups/%F0%28%8C%28",
    "{s}/resourceGroups/%C0%AF",
    "{s}/resourceGroups/%ED%A0%80",
    "{s}/resourceGroups/..%2F..%2Fetc%2Fpasswd/providers/x/y/z",
    "{s}/resourceGroups/' OR 1=1 --",
    "{s}/resourceGroups/%25",
    "/",
    "/providers/Microsoft.Nothing/operations",
    "/subscriptions/{{s}}",
)

TARGETS = (
    b"{s}/resourceGroups/%zz?api-version=2024-11-01",
    b"{s}/resourceGroups/%?api-version=2024-11-01",
    b"{s}/resourceGroups/a%2?api-version=2024-11-01",
    b"{s}/resourceGroups/%2e%2e?api-version=2024-11-01",
    b"{s}/resourceGroups/../../etc/passwd?api-version=2024-11-01",
    b"{s}/resourceGroups/\xff\xfe?api-version=2024-11-01",
    b"{s}/resourceGroups?api-version=%zz",
    b"{s}/resourceGroups?api-version=%ff",
    b"{s}/resourceGroups?api-version=2024-11-01%00",
    b"{s}/resourceGroups?api-version=2024-11-01&api-version=",
    b"{s}/resourceGroups?&&&=&=x;y",
    b"{s}/resourceGroups?api-version=2024-11-01&$top=%zz",
    b"{s}/resourceGroups?api-version=2024-11-01&$skiptoken=%ff",
)

QUERIES = (
    "",
    "api-version=",
    "api-version=2023-10-02",
    "api-version=tomorrow",
    "api-version=2023-10-01%00",
    "api-version=%F0%9F%98%80",
    "api-version=" + "9" * 2000,
    "api-version[]=2023-10-01",
    "api-version=2023-10-01&api-version=2023-10-02",
    "api-version=2023-10-01&$top=0",
    "api-version=2023-10-01&$top=-1",
    "api-version=2023-10-01&$top=1.5",
    "api-version=2023-10-01&$top=1e3",
    "api-version=2023-10-01&$top=many",
    "api-version=2023-10-01&$top=999999999999999999999",
    "api-version=2023-10-01&$top=%D9%A3",
    "api-version=2023-10-01&$top=%C2%B2",
    "api-version=2023-10-01&$skip=%%%",
    "api-version=2023-10-01&$skip=AAA",
    "api-version=2023-10-01&$skip=_____",
    "api-version=2023-10-01&$skip=%F0%9F%98%80",
    "api-version=2023-10-01&$skip=" + "A" * 10_000,
)


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_cannot_be_read_is_refused(server: Server, owner: Caller, method: str, body: bytes) -> None:
    answer = owner.call(method, server.workspace, content=body, headers={"content-type": "application/json"})
    assert_refused(answer)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "x", ";"],
)
def test_a_body_of_another_media_type_is_refused(server: Server, owner: Caller, media_type: str) -> None:
    body = b'{"location": "westus"}'
    answer = owner.call("PUT", server.workspace, content=body, headers={"content-type": media_type})
    assert_refused(answer)
    assert answer.status_code == (409 if media_type == ";" else 415)


# ── paths and queries ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_names_nothing_is_refused(server: Server, owner: Caller, path: str, method: str) -> None:
    named = path.format(s=server.subscription, g=server.group, w=server.workspace)
    answer = owner.call(method, named)
    if method == "DELETE" and answer.status_code == 204:
        return  # what is not there need not be deleted
    assert_refused(answer)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_is_hardly_one_is_refused(server: Server, owner: Caller, target: bytes) -> None:
    named = target.replace(b"{s}", server.subscription.encode())
    headers: dict[str, str | bytes] = {"Authorization": owner.http.headers["authorization"]}
    status, body = answered(heard(server, request(server, b"GET", named, headers)))
    assert 400 <= status < 500
    assert body is None or body["error"]["code"]
    assert body is not None or b"\xff" in target, "only what is no URI at all is refused without a word"


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_makes_no_sense_is_refused(server: Server, owner: Caller, query: str) -> None:
    path = f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces"
    answer = owner.http.get(f"{path}?{query}")
    assert_refused(answer)
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["TRACE", "BREW", "LINK", "POST", "PATCH", "OPTIONS", "X" * 200])
def test_a_method_that_a_list_does_not_know_is_refused(server: Server, owner: Caller, method: str) -> None:
    path = f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces"
    answer = owner.call(method, path)
    assert 400 <= answer.status_code < 500
    if len(method) < 100:
        assert_refused(answer)


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TOKENS = (
    "",
    "Bearer",
    "Basic YTpi",
    "Bearer x",
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer " + "x" * 70_000,
    "Bearer " + "." * 10_000,
    "Bearer \xff",
    "Bearer e30.e30.e30",
    "Negotiate",
    "bearer bearer bearer",
)


@pytest.mark.parametrize("authorization", TOKENS)
def test_an_authorization_header_that_is_none_is_refused(server: Server, nobody: Caller, authorization: str) -> None:
    answer = nobody.get(server.workspace, headers={"authorization": authorization.encode("latin-1")})
    assert_refused(answer)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")


ODD: dict[str, Any] = {
    "two hosts": {"Host": b"a\r\nHost: b"},
    "a host that is none": {"Host": b"\xff\xfe"},
    "a host with markup": {"Host": 'x"><script>'},
    "an endless value": {"X": "y" * 100_000},
    "two hundred headers": {f"X-{n}": "y" for n in range(200)},
    "bytes that are no text": {"X-Ms-Correlation-Request-Id": b"\xff\xfe", "X-Ms-Client-Request-Id": b"\xff"},
    "an odd length": {"Content-Length": "-1"},
    "a length that is no number": {"Content-Length": "x"},
    "a length of forty digits": {"Content-Length": "9" * 40},
    "an odd type": {"Content-Type": b"\xff", "Content-Encoding": "nonsense", "Content-Length": "0"},
    "what nobody reads": {"Range": "bytes=5-2", "If-Match": '"x"', "Upgrade": "h2c", "TE": "x", "Accept": "x" * 9000},
    "the method of another": {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/subscriptions"},
}


@pytest.mark.parametrize("headers", ODD.values(), ids=ODD.keys())
def test_headers_that_are_odd_do_no_harm(server: Server, owner: Caller, headers: dict[str, str | bytes]) -> None:
    target = f"{server.workspace}-missing?api-version=2023-10-01".encode()
    known = {"Authorization": owner.http.headers["authorization"]}
    status, body = answered(heard(server, request(server, b"GET", target, {**known, **headers})))
    assert status == 0 or 400 <= status < 500
    assert body is None or body["error"]["code"] == "ResourceNotFound"
    assert b"script" not in str(body).encode()


@pytest.mark.parametrize(
    "said",
    [
        b"GET\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /subscriptions HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: x\r\n\r\n",
        (
            b"POST /subscriptions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n0\r\n\r\n"
        ),
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["no target", "no HTTP", "no such version", "two lengths", "two framings", "an endless target"],
)
def test_what_is_hardly_http_does_no_harm(server: Server, said: bytes) -> None:
    status, _ = answered(heard(server, said))
    assert status == 0 or 400 <= status < 500
