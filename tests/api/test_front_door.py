"""The gateway in front of every resource provider: its checks in their order, its codes, words and headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server

ARM = "2024-11-01"
MLS = "Microsoft.MachineLearningServices"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("door") / "data", "--no-doors") as server:
        yield server


@pytest.fixture(scope="module")
def owner(server: Server) -> Caller:
    return server.owner()


def code_and_message(answer: object) -> tuple[int, str, str]:
    error = answer.json()["error"]  # type: ignore[attr-defined]
    return answer.status_code, error["code"], error["message"]  # type: ignore[attr-defined]


def test_without_a_token_the_gateway_says_where_to_get_one(server: Server) -> None:
    answer = server.nobody().post(f"{server.workspace}/listKeys")
    assert code_and_message(answer) == (
        401,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
    )
    assert answer.headers["www-authenticate"] == (
        f'Bearer authorization_uri="{server.origin}/{server.known["tenantId"]}", error="invalid_token", '
        "error_description=\"The authentication failed because of missing 'Authorization' header.\""
    )
    assert answer.headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize(
    ("header", "code", "message"),
    [
        ("Bearer", "AuthenticationFailedMissingToken", "The 'Authorization' header is missing the access token."),
        ("Basic YTpi", "AuthenticationFailedInvalidHeader", "'Authorization' header is provided in an invalid format."),
        ("Bearer nonsense", "InvalidAuthenticationToken", "The access token is invalid."),
    ],
)
def test_a_token_that_is_none_is_named_as_what_it_is(server: Server, header: str, code: str, message: str) -> None:
    status, found, said = code_and_message(server.nobody().get(server.workspace, headers={"authorization": header}))
    assert (status, found) == (401, code)
    assert message in said


def test_the_checks_stand_in_the_gateways_order(server: Server, owner: Caller) -> None:
    unknown = server.workspace.replace(server.known["subscriptionId"], str(uuid4()))
    nobody = server.nobody()
    assert code_and_message(nobody.get(unknown, version=None))[1] == "MissingApiVersionParameter"
    assert code_and_message(nobody.get(unknown))[:2] == (404, "SubscriptionNotFound")
    assert code_and_message(nobody.get(server.workspace, version="2023-10-02"))[:2] == (401, "AuthenticationFailed")
    assert code_and_message(owner.get(server.workspace, version="2023-10-02"))[:2] == (400, "NoRegisteredProviderFound")


NAMED_WRONGLY = {
    "/subscriptions/abc": (
        400,
        "InvalidSubscriptionId",
        "The provided subscription identifier 'abc' is malformed or invalid.",
    ),
    "{s}/resourceGroups/nowhere": (404, "ResourceGroupNotFound", "Resource group 'nowhere' could not be found."),
    "{g}/providers/Microsoft.Nothing/a/b": (
        404,
        "InvalidResourceNamespace",
        "The resource namespace 'Microsoft.Nothing' is invalid.",
    ),
    "{g}/providers/Microsoft.Storage/storageAccounts/nothing": (
        404,
        "ResourceNotFound",
        (
            "The Resource 'Microsoft.Storage/storageAccounts/nothing' under resource group 'testrg123' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        ),
    ),
}


@pytest.mark.parametrize("path", NAMED_WRONGLY)
def test_what_is_named_wrongly_is_refused_in_azures_words(server: Server, owner: Caller, path: str) -> None:
    answer = owner.get(path.format(s=server.subscription, g=server.group), version="2023-01-01")
    assert code_and_message(answer) == NAMED_WRONGLY[path]
    assert "\n" not in answer.text


def test_a_version_is_always_required(server: Server, owner: Caller) -> None:
    assert code_and_message(owner.get(server.workspace, version=None)) == (
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def test_a_type_that_is_not_there_names_the_versions_that_are(server: Server, owner: Caller) -> None:
    status, code, message = code_and_message(owner.get(f"{server.group}/providers/{MLS}/things/a"))
    assert (status, code) == (404, "InvalidResourceType")
    assert message.startswith(
        f"The resource type could not be found in the namespace '{MLS}' for api version '2023-10-01'. "
        "The supported api-versions are '"
    )


def test_every_answer_carries_ids_that_belong_together(server: Server, owner: Caller) -> None:
    answer = owner.get(server.workspace)
    request = answer.headers["x-ms-request-id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", request)
    assert answer.headers["x-ms-correlation-request-id"] == request
    assert re.fullmatch(rf"EASTUS:\d{{8}}T\d{{6}}Z:{request}", answer.headers["x-ms-routing-request-id"])
    assert answer.headers["cache-control"] == "no-cache"


def test_a_correlation_id_is_taken_over_and_a_client_request_id_only_when_asked(server: Server, owner: Caller) -> None:
    correlation, mine = str(uuid4()), str(uuid4())
    headers = {"x-ms-correlation-request-id": correlation, "x-ms-client-request-id": mine}
    answer = owner.get(server.workspace, headers=headers)
    assert answer.headers["x-ms-correlation-request-id"] == correlation
    assert "x-ms-client-request-id" not in answer.headers
    answer = owner.get(server.workspace, headers={**headers, "x-ms-return-client-request-id": "true"})
    assert answer.headers["x-ms-client-request-id"] == mine


@pytest.mark.parametrize(
    ("method", "suffix", "bucket"),
    [
        ("GET", "", "reads"),
        ("POST", "/listKeys", "writes"),
        ("POST", "/listStorageAccountKeys", "writes"),
        ("POST", "/listNotebookKeys", "reads"),
        ("POST", "/listNotebookAccessToken", "reads"),
    ],
)
def test_each_operation_draws_on_its_bucket(
    server: Server, owner: Caller, method: str, suffix: str, bucket: str
) -> None:
    answer = owner.call(method, f"{server.workspace}{suffix}")
    buckets = [name for name in answer.headers if name.startswith("x-ms-ratelimit-remaining-subscription-")]
    assert buckets == [f"x-ms-ratelimit-remaining-subscription-{bucket}"]


def test_a_head_answers_without_a_body(server: Server, owner: Caller) -> None:
    assert owner.call("HEAD", server.group, version=ARM).status_code == 204
    missing = owner.call("HEAD", f"{server.subscription}/resourceGroups/nowhere", version=ARM)
    assert (missing.status_code, missing.content) == (404, b"")


def test_a_body_over_the_limit_is_refused_and_the_connection_stays_usable(server: Server, owner: Caller) -> None:
    answer = owner.call("PUT", server.workspace, content=b" " * (4 * 2**20 + 1))
    assert code_and_message(answer)[:2] == (413, "RequestContentTooLarge")
    assert owner.get(server.workspace).status_code == 200


def test_doubled_slashes_and_other_cases_name_the_same_and_ids_keep_their_spelling(
    server: Server, owner: Caller
) -> None:
    odd = server.workspace.upper().replace("/PROVIDERS", "//providers")
    assert owner.get(odd).json()["id"] == server.workspace


def test_an_unregistered_namespace_is_refused_until_it_is_registered(server: Server, owner: Caller) -> None:
    provider = f"{server.subscription}/providers/Microsoft.OperationalInsights"
    listed = f"{server.group}/providers/Microsoft.OperationalInsights/workspaces"
    assert owner.post(f"{provider}/unregister", version=ARM).json()["registrationState"] == "NotRegistered"
    status, code, message = code_and_message(owner.get(listed, version="2020-08-01"))
    assert (status, code) == (409, "MissingSubscriptionRegistration")
    assert "not registered to use namespace 'Microsoft.OperationalInsights'" in message
    assert owner.post(f"{provider}/register", version=ARM).json()["registrationState"] == "Registered"
    assert owner.get(provider, version=ARM).json()["registrationState"] == "Registered"
    assert owner.get(listed, version="2020-08-01").status_code == 200


def test_lists_are_paged_by_absolute_links(server: Server, owner: Caller) -> None:
    group = f"{server.subscription}/resourceGroups/paged"
    owner.put(group, {"location": "eastus"}, version=ARM)
    names = [f"acct{uuid4().hex[:12]}" for _ in range(5)]
    for name in names:
        path = f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"
        owner.put(path, {"location": "eastus", "sku": {"name": "Standard_LRS"}}, version="2023-01-01")
    found, pages = [], 0
    answer = owner.get(f"{group}/providers/Microsoft.Storage/storageAccounts", version="2023-01-01", params={"$top": 2})
    while True:
        pages += 1
        found += [one["name"] for one in answer.json()["value"]]
        if (link := answer.json().get("nextLink")) is None:
            break
        assert link.startswith(f"{server.origin}/subscriptions/")
        answer = owner.http.get(link)
    assert (sorted(found), pages) == (sorted(names), 3)


def test_the_platform_is_there(server: Server, owner: Caller) -> None:
    subscription = owner.get(server.subscription, version="2022-12-01").json()
    assert subscription["id"] == server.subscription
    assert (subscription["state"], subscription["tenantId"]) == ("Enabled", server.known["tenantId"])
    [listed] = owner.get("/subscriptions", version="2022-12-01").json()["value"]
    assert listed == subscription
    assert owner.get("/tenants", version="2022-12-01").json()["value"][0]["tenantId"] == server.known["tenantId"]
    locations = owner.get(f"{server.subscription}/locations", version="2022-12-01").json()["value"]
    assert {"eastus", "westeurope"} <= {one["name"] for one in locations}
    types = owner.get(f"/providers/{MLS}", version=ARM).json()["resourceTypes"]
    assert "2023-10-01" in next(one for one in types if one["resourceType"] == "workspaces")["apiVersions"]
    where = {"$filter": "resourceType eq 'Microsoft.Storage/storageAccounts' and name eq 'testdemoworkazashomr'"}
    [account] = owner.get(f"{server.subscription}/resources", version=ARM, params=where).json()["value"]
    assert account["type"] == "Microsoft.Storage/storageAccounts"


def test_metadata_and_health_need_no_token(server: Server) -> None:
    nobody = server.nobody()
    assert nobody.get("/health", version=None).json() == {"status": "ok"}
    many = nobody.get("/metadata/endpoints", version="2019-05-01").json()
    one = nobody.get(f"{server.origin}//metadata/endpoints", version="2022-09-01").json()
    assert many == [one]
    assert one["resourceManager"] == f"{server.origin}/"
