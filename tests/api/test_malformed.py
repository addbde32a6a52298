"""Malformed requests, over a hundred: each refused in Azure's envelope, none with a 500, and nothing has changed."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server

WORKSPACE = "/subscriptions/{s}/resourceGroups/testrg123/providers/Microsoft.MachineLearningServices/workspaces/{w}"

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
    "not a number": b'{"properties": {"x": NaN}}',
    "infinity": b'{"properties": {"x": Infinity}}',
    "a number of 400 digits": b'{"properties": {"x": ' + b"9" * 400 + b"}}",
    "a number of five thousand digits": b'{"properties": {"x": ' + b"9" * 5000 + b"}}",
    "a huge exponent": b'{"properties": {"x": 1e999}}',
    "half a surrogate": b'{"location": "\\ud800"}',
    "a surrogate as a name": b'{"\\udc00": 1}',
    "latin 1": '{"location": "é"}'.encode("latin-1"),
    "utf-16": '{"location": "eastus"}'.encode("utf-16"),
    "utf-32": '{"location": "eastus"}'.encode("utf-32"),
    "overlong utf-8": b'{"location": "\xc0\xaf"}',
    "a raw NUL": b'{"location": "\x00"}',
    "a raw newline": b'{"location": "a\nb"}',
    "nothing but spaces": b"   ",
    "a bad escape": b'{"location": "\\x41"}',
    "gzip": bytes.fromhex("1f8b0800000000000003abae050043bfa6a302000000"),
}

FIELDS: dict[str, Any] = {
    "location a number": {"location": 1},
    "location an object": {"location": {}},
    "location unknown": {"location": "atlantis"},
    "location of ten thousand letters": {"location": "x" * 10_000},
    "tags a list": {"location": "eastus", "tags": ["a"]},
    "tags with a number": {"location": "eastus", "tags": {"a": 1}},
    "tags with an object": {"location": "eastus", "tags": {"a": {}}},
    "fifty-one tags": {"location": "eastus", "tags": {f"t{n}": "" for n in range(51)}},
    "a tag value too long": {"location": "eastus", "tags": {"a": "x" * 257}},
    "a tag name too long": {"location": "eastus", "tags": {"x" * 513: ""}},
    "identity a text": {"location": "eastus", "identity": "SystemAssigned"},
    "identity without a type": {"location": "eastus", "identity": {}},
    "identity of another type": {"location": "eastus", "identity": {"type": "Other"}},
    "sku a text": {"location": "eastus", "sku": "Basic"},
    "sku without a name": {"location": "eastus", "sku": {"tier": "Basic"}},
    "kind a number": {"location": "eastus", "kind": 5},
    "kind unknown": {"location": "eastus", "kind": "Nothing"},
    "properties a list": {"location": "eastus", "properties": []},
    "properties a text": {"location": "eastus", "properties": "x"},
    "description a list": {"location": "eastus", "properties": {"description": []}},
    "storage account no id": {"location": "eastus", "properties": {"storageAccount": "account"}},
    "storage account another type": {
        "location": "eastus",
        "properties": {"storageAccount": WORKSPACE.format(s="aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", w="w")},
    },
    "storage account a number": {"location": "eastus", "properties": {"storageAccount": 7}},
    "key vault an object": {"location": "eastus", "properties": {"keyVault": {}}},
    "hbi a word": {"location": "eastus", "properties": {"hbiWorkspace": "perhaps"}},
    "hbi a number": {"location": "eastus", "properties": {"hbiWorkspace": 1}},
    "public access unknown": {"location": "eastus", "properties": {"publicNetworkAccess": "Sometimes"}},
    "encryption a text": {"location": "eastus", "properties": {"encryption": "on"}},
    "encryption without a vault": {"location": "eastus", "properties": {"encryption": {"status": "Enabled"}}},
    "shared links a map": {"location": "eastus", "properties": {"sharedPrivateLinkResources": {}}},
    "a shared link a text": {"location": "eastus", "properties": {"sharedPrivateLinkResources": ["x"]}},
    "cosmos throughput a text": {
        "location": "eastus",
        "properties": {"serviceManagedResourcesSettings": {"cosmosDb": {"collectionsThroughput": "many"}}},
    },
    "managed network a list": {"location": "eastus", "properties": {"managedNetwork": []}},
    "isolation unknown": {"location": "eastus", "properties": {"managedNetwork": {"isolationMode": "Total"}}},
    "nothing needed": {"location": "eastus", "properties": {}},
    "no location": {"properties": {}},
}

PATHS = (
    "/subscriptions/not-a-guid/resourceGroups",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups",
    "/subscriptions/{s}/resourceGroups/nowhere/providers/Microsoft.MachineLearningServices/workspaces/abc",
    "/subscriptions/{s}/resourceGroups/testrg123/providers/Microsoft.Nothing/things/a",
    "/subscriptions/{s}/resourceGroups/testrg123/providers/Microsoft.MachineLearningServices/things/a",
    "/subscriptions/{s}/nothing",
    "/subscriptions/{s}/resourceGroups/testrg123/providers/Microsoft.MachineLearningServices/workspaces/workspaces123/x/y/z",
    "/subscriptions/{s}/resourceGroups/testrg123/providers/Microsoft.MachineLearningServices/workspaces/" + "x" * 300,
    "/subscriptions/{s}/resourceGroups/" + "x" * 5000,
    "/subscriptions/{s}/resourceGroups/testrg123%00",
    "/subscriptions/{s}/resourceGroups/test%0Arg",
    "/subscriptions/{s}/resourceGroups/%F0%28%8C%28",
    "/subscriptions/{s}/resourceGroups/..%2F..%2Fetc%2Fpasswd/providers/x/y/z",
    "/",
    "/providers/Microsoft.Nothing/operations",
)

QUERIES = (
    "",
    "api-version=",
    "api-version=2023-10-02",
    "api-version=tomorrow",
    "api-version=2023-10-01%00",
    "api-version=" + "9" * 2000,
    "api-version[]=2023-10-01",
    "api-version=2023-10-01&$top=0",
    "api-version=2023-10-01&$top=-1",
    "api-version=2023-10-01&$top=many",
    "api-version=2023-10-01&$top=999999999999999999999",
    "api-version=2023-10-01&$top=%D9%A3",
    "api-version=2023-10-01&$skip=%%%",
    "api-version=2023-10-01&$skip=AAA",
    "api-version=2023-10-01&$skip=_____",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("malformed") / "data", "--no-doors") as server:
        yield server


@pytest.fixture(scope="module")
def owner(server: Server) -> Caller:
    return server.owner()


@pytest.fixture(autouse=True)
def _nothing_changes(server: Server, owner: Caller) -> Iterator[None]:
    before = everything(server, owner)
    yield
    assert everything(server, owner) == before


def everything(server: Server, owner: Caller) -> Any:
    """All resources, each as it is shown."""
    listed = owner.get(f"{server.subscription}/resources", version="2024-11-01").json()["value"]
    groups = owner.get(f"{server.subscription}/resourceGroups", version="2024-11-01").json()["value"]
    return [groups, listed, owner.get(server.workspace).json()]


def assert_refused(answer: Any) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]
    assert answer.headers["x-ms-request-id"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_cannot_be_read_is_refused(server: Server, owner: Caller, method: str, body: bytes) -> None:
    answer = owner.call(method, server.workspace, content=body, headers={"content-type": "application/json"})
    assert_refused(answer)


@pytest.mark.parametrize("body", FIELDS.values(), ids=FIELDS.keys())
def test_a_body_of_the_wrong_shape_is_refused(server: Server, owner: Caller, body: Any) -> None:
    path = server.workspace.replace("workspaces123", "malformed1")
    assert_refused(owner.put(path, body))


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_names_nothing_is_refused(server: Server, owner: Caller, path: str) -> None:
    assert_refused(owner.get(path.format(s=server.known["subscriptionId"])))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_makes_no_sense_is_refused(server: Server, owner: Caller, query: str) -> None:
    path = f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces"
    assert_refused(owner.http.get(f"{path}?{query}"))


@pytest.mark.parametrize("method", ["TRACE", "BREW", "put", "POST", "PATCH", "OPTIONS"])
def test_a_method_that_a_list_does_not_know_is_refused(server: Server, owner: Caller, method: str) -> None:
    path = f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces"
    assert_refused(owner.call(method, path))


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"],
)
def test_a_body_of_another_media_type_is_refused(server: Server, owner: Caller, media_type: str) -> None:
    answer = owner.call(
        "PUT", server.workspace, content=b'{"location": "eastus"}', headers={"content-type": media_type}
    )
    assert_refused(answer)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Basic YTpi",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer " + "x" * 70_000,
        "Bearer \xff",
        "Negotiate",
    ],
)
def test_an_authorization_header_that_is_none_is_refused(server: Server, authorization: str) -> None:
    nobody = server.nobody()
    answer = nobody.get(server.workspace, headers={"authorization": authorization.encode("latin-1")})
    assert answer.status_code in {400, 401, 431}
    if answer.status_code == 401:
        assert_refused(answer)
        assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /subscriptions HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: x\r\n\r\n",
        b"POST /subscriptions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["no target", "no HTTP", "no such version", "two lengths", "two framings", "an endless target"],
)
def test_what_is_hardly_http_does_no_harm(server: Server, raw: bytes) -> None:
    place = urlsplit(server.origin)
    context = ssl.create_default_context(cafile=server.known["caBundle"])
    with (
        socket.create_connection(("127.0.0.1", place.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        answer = b""
        with contextlib.suppress(OSError):  # it may hang up before it has heard everything
            line.sendall(raw)
            answer = line.recv(4096)
    assert not answer.startswith(b"HTTP/1.1 5")
