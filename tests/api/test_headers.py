"""Headers of every answer: ids that belong together and are taken over, the bucket drawn on, who refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.api.place import ARM

if TYPE_CHECKING:
    import httpx

    from tests.server import Caller, Server

REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SOME_ID = "0d1f7a3c-5b2e-4c6f-9a8d-7e4b1c2d3f50"


@pytest.fixture(params=["an answer", "a list", "a release", "a refusal", "nobody's", "of the provider", "a head"])
def answer(request: pytest.FixtureRequest, server: Server, owner: Caller, nobody: Caller) -> httpx.Response:
    """One of each sort."""
    return {
        "an answer": lambda: owner.get(server.workspace),
        "a list": lambda: owner.get(f"{server.subscription}/resourceGroups", version=ARM),
        "a release": lambda: owner.post(f"{server.workspace}/listKeys"),
        "a refusal": lambda: owner.get(f"{server.workspace}-missing"),
        "nobody's": lambda: nobody.get(server.workspace),
        "of the provider": lambda: owner.patch(server.workspace, []),
        "a head": lambda: owner.call("HEAD", server.workspace),
    }[request.param]()


def test_every_answer_carries_ids_that_belong_together(answer: httpx.Response) -> None:
    request = answer.headers["x-ms-request-id"]
    assert REQUEST_ID.fullmatch(request)
    assert answer.headers["x-ms-correlation-request-id"] == request
    assert re.fullmatch(rf"EASTUS:\d{{8}}T\d{{6}}Z:{request}", answer.headers["x-ms-routing-request-id"])


def test_no_answer_is_kept_by_anybody_between_or_taken_for_something_else(answer: httpx.Response) -> None:
    kept = {"cache-control": "no-cache", "pragma": "no-cache", "expires": "-1", "x-content-type-options": "nosniff"}
    assert {name: answer.headers[name] for name in kept} == kept
    assert answer.headers["vary"] == "Accept-Encoding"
    if answer.content:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_a_refusal_says_whether_the_gateway_or_the_provider_refused(answer: httpx.Response) -> None:
    refused = answer.status_code >= 400
    gateway = refused and answer.status_code != 400
    assert answer.headers.get("x-ms-failure-cause") == ("gateway" if gateway else None)
    assert answer.headers.get("x-ms-response-type") == (None if gateway else "error" if refused else "standard")


def test_no_two_answers_have_the_same_id(server: Server, owner: Caller) -> None:
    assert len({owner.get(server.workspace).headers["x-ms-request-id"] for _ in range(20)}) == 20


# ── what is taken over ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("write", [str, str.upper])
def test_a_correlation_id_is_taken_over_in_small_letters(server: Server, owner: Caller, write: type[str]) -> None:
    correlation = str(uuid4())
    headers = {"x-ms-correlation-request-id": write(correlation)}
    for path in (server.workspace, f"{server.workspace}-missing"):
        answer = owner.get(path, headers=headers)
        assert answer.headers["x-ms-correlation-request-id"] == correlation
        assert answer.headers["x-ms-request-id"] != correlation


@pytest.mark.parametrize("given", ["", "x", "1" * 36, f"{{{SOME_ID}}}", f"{SOME_ID}0", "a\tb"])
def test_a_correlation_id_that_is_none_is_passed_over(server: Server, owner: Caller, given: str) -> None:
    answer = owner.get(server.workspace, headers={"x-ms-correlation-request-id": given})
    assert answer.headers["x-ms-correlation-request-id"] == answer.headers["x-ms-request-id"]


@pytest.mark.parametrize("wanted", ["true", "True", "TRUE"])
def test_a_client_request_id_is_given_back_when_that_is_asked_for(server: Server, owner: Caller, wanted: str) -> None:
    headers = {"x-ms-client-request-id": "mine-1", "x-ms-return-client-request-id": wanted}
    for path in (server.workspace, f"{server.workspace}-missing"):
        assert owner.get(path, headers=headers).headers["x-ms-client-request-id"] == "mine-1"


@pytest.mark.parametrize("wanted", [None, "", "false", "1", "yes"])
def test_a_client_request_id_is_not_given_back_otherwise(server: Server, owner: Caller, wanted: str | None) -> None:
    headers = {"x-ms-client-request-id": "mine-1"}
    if wanted is not None:
        headers["x-ms-return-client-request-id"] = wanted
    assert "x-ms-client-request-id" not in owner.get(server.workspace, headers=headers).headers


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "ä"])
def test_a_client_request_id_that_is_no_word_is_not_given_back(server: Server, owner: Caller, given: str) -> None:
    headers = {"x-ms-client-request-id": given.encode("utf-8"), "x-ms-return-client-request-id": b"true"}
    answer = owner.get(server.workspace, headers=headers)
    assert answer.status_code == 200
    assert "x-ms-client-request-id" not in answer.headers


# ── buckets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "suffix", "bucket"),
    [
        ("GET", "", "reads"),
        ("HEAD", "", "reads"),
        ("PATCH", "", "writes"),
        ("DELETE", "-missing", "deletes"),
        ("POST", "/listKeys", "writes"),
        ("POST", "/listStorageAccountKeys", "writes"),
        ("POST", "/resyncKeys", "writes"),
        ("POST", "/prepareNotebook", "writes"),
        ("POST", "/listNotebookKeys", "reads"),
        ("POST", "/listNotebookAccessToken", "reads"),
        ("POST", "/diagnose", "reads"),
        ("GET", "/outboundNetworkDependenciesEndpoints", "reads"),
    ],
)
def test_each_operation_draws_on_its_bucket(
    server: Server, owner: Caller, method: str, suffix: str, bucket: str
) -> None:
    answer = owner.call(method, f"{server.workspace}{suffix}", {} if method in {"PATCH", "POST"} else None)
    assert answer.status_code < 300, answer.text
    buckets = [name for name in answer.headers if name.startswith("x-ms-ratelimit-remaining-subscription-")]
    assert buckets == [f"x-ms-ratelimit-remaining-subscription-{bucket}"]
    assert int(answer.headers[buckets[0]]) == (249 if bucket == "reads" else 199)


def test_a_refusal_of_somebody_who_is_known_draws_on_the_bucket_too(server: Server, owner: Caller) -> None:
    answer = owner.get(f"{server.workspace}-missing")
    assert answer.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"


def test_what_is_of_no_subscription_draws_on_the_tenants_bucket(owner: Caller) -> None:
    answer = owner.get("/subscriptions", version="2022-12-01")
    buckets = [name for name in answer.headers if name.startswith("x-ms-ratelimit-remaining-")]
    assert [(name, answer.headers[name]) for name in buckets] == [("x-ms-ratelimit-remaining-tenant-reads", "249")]
