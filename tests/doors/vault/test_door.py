"""The vault door's HTTP: addresses, headers, envelopes, and bodies that cannot be had."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, NoReturn

import httpx
import pytest

from linarite.doors.vault.door import LARGEST_BODY, VaultDoor
from linarite.errors.server import server_busy
from linarite.listener import Listener
from tests.doors.place import refusals

if TYPE_CHECKING:
    from linarite.calls import Call
    from tests.doors.vault.shop import Shop

RELAYED = ["cache-control", "pragma", "expires", "x-content-type-options", "x-ms-keyvault-region", "x-ms-request-id"]


def test_a_vault_says_where_its_secrets_are_and_the_ready_file_has_no_more_doors_than_it_should(shop: Shop) -> None:
    assert shop.uri == f"https://{shop.name}.vault.core.linarite.localhost:{shop.port}/"
    assert list(shop.server.known["doors"]) == ["blob", "registry", "telemetry", "notebook"]


def test_answers_carry_the_headers_of_recorded_ones(shop: Shop) -> None:
    answer = shop.http().put("/secrets/s", json={"value": "v"}, headers={"x-ms-client-request-id": "mine"})
    assert answer.status_code == 200
    assert [name for name in RELAYED if name not in answer.headers] == []
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-ms-client-request-id"] == "mine"
    assert answer.json()["value"] == "v"


def test_a_purge_is_answered_without_a_body(shop: Shop) -> None:
    client = shop.http()
    client.put("/secrets/s", json={"value": "v"})
    client.delete("/secrets/s")
    answer = client.delete("/deletedsecrets/s")
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_first_request_of_a_client_is_challenged_also_where_it_has_a_body(shop: Shop) -> None:
    client = shop.http()
    del client.headers["authorization"]
    answer = client.put("/secrets/s", json={"value": "v"})
    known = shop.server.known
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        f'Bearer authorization="{known["authority"]}/{known["tenantId"]}", '
        f'resource="https://vault.core.linarite.localhost:{shop.port}"'
    )
    assert answer.json() == {
        "error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
    }


def test_a_refusal_has_azures_envelope_and_its_request_id_is_on_the_trail(shop: Shop) -> None:
    client = shop.http()
    client.put("/secrets/s", json={"value": "v", "attributes": {"enabled": False}})
    answer = client.get("/secrets/s")
    assert answer.json() == {
        "error": {
            "code": "Forbidden",
            "message": "Operation get is not allowed on a disabled secret.",
            "innererror": {"code": "SecretDisabled"},
        }
    }
    [entry] = refusals(shop.server, request=answer.headers["x-ms-request-id"])
    assert (entry["status"], entry["address"]) == (403, "127.0.0.1")


def test_both_versions_of_http_are_spoken(shop: Shop) -> None:
    trust = ssl.create_default_context(cafile=shop.server.known["caBundle"])
    with httpx.Client(base_url=shop.uri, verify=trust, http2=True) as client:
        answer = client.get("/secrets", params={"api-version": "7.4"})
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 401)


def test_a_body_that_is_too_large_is_refused_to_who_is_known(shop: Shop) -> None:
    client = shop.http()
    answer = client.put("/secrets/s", content=b" " * (LARGEST_BODY + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "RequestBodyTooLarge")
    assert client.get("/secrets").json() == {"value": [], "nextLink": None}


@pytest.mark.parametrize("query", ["api-version=%ff", "&".join(f"p{number}=" for number in range(30))])
def test_a_query_that_cannot_be_read_is_refused(shop: Shop, query: str) -> None:
    client = shop.http()
    client.params = httpx.QueryParams()
    answer = client.get(f"/secrets?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadParameter")
    assert len(refusals(shop.server, request=answer.headers["x-ms-request-id"])) == 1


def test_a_host_that_is_none_names_no_vault(shop: Shop) -> None:
    answer = shop.http().get("/secrets", headers={"host": "not a host"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NotFound")
    assert len(refusals(shop.server, request=answer.headers["x-ms-request-id"])) == 1


def test_a_vault_that_is_not_there_is_not_found(shop: Shop) -> None:
    client = shop.http(host="nobody.vault.core.linarite.localhost")
    answer = client.get("/secrets")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "VaultNotFound")


class Busy:
    """A clerk whose database does not answer."""

    async def serve(self, _: Call) -> NoReturn:
        raise server_busy()


def test_a_clerk_that_cannot_answer_now_makes_the_door_busy() -> None:
    async def scene() -> httpx.Response:
        listener = Listener(VaultDoor(Busy(), "eastus"), "127.0.0.1")  # type: ignore[arg-type]
        await listener.start()
        async with httpx.AsyncClient(base_url=listener.origin, trust_env=False) as client:
            answer = await client.get("/secrets/s?api-version=7.4")
        await listener.stop()
        return answer

    answer = asyncio.run(scene())
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["retry-after"]) == (
        503,
        "ServerBusy",
        "1",
    )
