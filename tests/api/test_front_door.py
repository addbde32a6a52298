"""The gateway in front of every resource provider: its checks in their order, its codes and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from linarite.kinds.workspaces.declared import VERSIONS
from tests.api.people import hire
from tests.api.place import ARM, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller, Server

MLS = "Microsoft.MachineLearningServices"


# ── the order of the checks ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_checks_stand_in_the_gateways_order(server: Server, owner: Caller, nobody: Caller) -> None:
    """Each request below is wrong in everything that comes after what it is refused for."""
    unknown = f"/subscriptions/{uuid4()}/resourceGroups/nowhere/providers/{MLS}/workspaces/w"
    nowhere = unknown.replace(unknown.split("/")[2], server.known["subscriptionId"])
    missing = f"{server.workspace}-missing"
    somebody = hire(server).caller
    wrong = {"version": "2023-10-02"}
    assert refusal(nobody.get(unknown, version=None))[1] == "MissingApiVersionParameter"
    assert refusal(nobody.get(unknown, **wrong))[1] == "SubscriptionNotFound"
    assert refusal(nobody.get(nowhere, **wrong))[1] == "AuthenticationFailed"
    assert refusal(somebody.get(nowhere, **wrong))[1] == "AuthorizationFailed"
    assert refusal(owner.get(nowhere, **wrong))[1] == "NoRegisteredProviderFound"
    assert refusal(owner.get(nowhere))[1] == "ResourceGroupNotFound"
    assert refusal(owner.get(missing))[1] == "ResourceNotFound"
    assert refusal(owner.patch(missing, ["no object"]))[1] == "ResourceNotFound"
    assert refusal(owner.patch(server.workspace, ["no object"]))[1] == "ValidationError"


def test_a_body_is_not_looked_at_before_its_sender_is_known_and_allowed(
    server: Server, owner: Caller, nobody: Caller
) -> None:
    for caller, code in (
        (nobody, "AuthenticationFailed"),
        (hire(server).caller, "AuthorizationFailed"),
        (owner, "InvalidRequestContent"),
    ):
        assert refusal(caller.call("PATCH", server.workspace, content=b"{not json"))[1] == code


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("query", ["", "api-version=", "apiversion=2023-10-01"])
def test_a_version_is_always_required(server: Server, owner: Caller, nobody: Caller, query: str) -> None:
    said = "The api-version query parameter (?api-version=) is required for all requests."
    for caller in (owner, nobody):
        answer = caller.http.get(f"{server.workspace}?{query}")
        assert refusal(answer) == (400, "MissingApiVersionParameter", said)
        assert answer.headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize("version", ["tomorrow", "2023-10", "20231001", "2023-10-01 "])
def test_a_version_that_is_no_date_is_malformed(server: Server, owner: Caller, version: str) -> None:
    supported = ",".join(VERSIONS.listed[::-1])
    said = f"The api-version '{version}' is invalid. The supported versions are '{supported}'."
    assert refusal(owner.get(server.workspace, version=version)) == (400, "InvalidApiVersionParameter", said)


def test_the_neighbours_are_served_at_every_version_that_is_a_date(server: Server, owner: Caller) -> None:
    account = owner.get(server.workspace).json()["properties"]["storageAccount"]
    for version in ("2015-06-15", "2024-01-01", "2027-12-31-preview"):
        assert owner.get(account, version=version).json()["id"] == account
    assert refusal(owner.get(account, version="latest"))[:2] == (400, "InvalidApiVersionParameter")


# ── what is named ───────────────────────────────────────────────────────────────────────────────────────────────────

NAMED_WRONGLY = {
    "/subscriptions/abc": (
        400,
        "InvalidSubscriptionId",
        "The provided subscription identifier 'abc' is malformed or invalid.",
    ),
    "/subscriptions/99999999-9999-9999-9999-999999999999": (
        404,
        "SubscriptionNotFound",
        "The subscription '99999999-9999-9999-9999-999999999999' could not be found.",
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
    "/": (404, "InvalidRequestUri", "The request URI does not name a resource, a collection or an action."),
}


@pytest.mark.parametrize("path", NAMED_WRONGLY)
def test_what_is_named_wrongly_is_refused_in_azures_words(server: Server, owner: Caller, path: str) -> None:
    answer = owner.get(path.format(s=server.subscription, g=server.group), version="2023-01-01")
    assert refusal(answer) == NAMED_WRONGLY[path]
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert "\n" not in answer.text


@pytest.mark.parametrize("path", ["things/a", "things", "workspaces/workspaces123/things", "workspaces/w/computes/c"])
def test_a_type_that_is_not_there_names_the_versions_that_are(server: Server, owner: Caller, path: str) -> None:
    status, code, message = refusal(owner.get(f"{server.group}/providers/{MLS}/{path}"))
    assert (status, code) == (404, "InvalidResourceType")
    assert message.startswith(
        f"The resource type could not be found in the namespace '{MLS}' for api version '2023-10-01'. "
        "The supported api-versions are '2026-09-01,"
    )


def test_an_action_that_is_not_there_is_a_type_that_is_not_there(server: Server, owner: Caller) -> None:
    assert refusal(owner.post(f"{server.workspace}/listEverything"))[:2] == (404, "InvalidResourceType")


@pytest.mark.parametrize(
    "path",
    [
        "/{a}/stwhere1",
        "{s}/{a}/stwhere2",
        "{w}/{a}/stwhere3",
        "{s}/providers/{m}/workspaces/where4",
        "{w}/providers/{m}/workspaces/where5",
        "/providers/Microsoft.Resources/resourceGroups/where6",
        "{g}/providers/Microsoft.Resources/resourceGroups/where7",
    ],
)
def test_a_resource_stands_where_its_type_does_and_nowhere_else(server: Server, owner: Caller, path: str) -> None:
    a, at = "providers/Microsoft.Storage/storageAccounts", {"s": server.subscription, "g": server.group}
    named = path.format(a=a, m=MLS, w=server.workspace, **at)
    body = {"location": "eastus", "sku": {"name": "Standard_LRS"}}
    for method in ("PUT", "GET", "DELETE"):
        answer = owner.call(method, named, body if method == "PUT" else None)
        assert refusal(answer)[:2] == (404, "InvalidResourceType")


def test_a_child_whose_parent_is_not_there_says_which_parent(owner: Caller, place: Place) -> None:
    path = f"{place.group}/providers/Microsoft.Storage/storageAccounts/nothing/blobServices/default/containers/c"
    said = "Can not perform requested operation on nested resource. Parent resource 'nothing' not found."
    assert refusal(owner.put(path, {}, version="2023-01-01")) == (404, "ParentResourceNotFound", said)


def test_doubled_slashes_and_other_cases_name_the_same_and_ids_keep_their_spelling(
    server: Server, owner: Caller
) -> None:
    odd = server.workspace.upper().replace("/PROVIDERS", "//providers")
    assert owner.get(odd).json()["id"] == server.workspace
    assert owner.get(f"{server.workspace}/").json()["id"] == server.workspace


# ── methods ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE", "BREW", "PROPFIND"])
def test_a_method_that_a_thing_does_not_know_is_refused(server: Server, owner: Caller, method: str) -> None:
    said = f"The requested resource does not support http method '{method}'."
    assert refusal(owner.call(method, server.workspace)) == (405, "HttpMethodNotAllowed", said)


def test_a_head_answers_without_a_body(server: Server, owner: Caller) -> None:
    for path, version in ((server.group, ARM), (server.workspace, "2023-10-01")):
        there = owner.call("HEAD", path, version=version)
        assert (there.status_code, there.content) == (204, b"")
        missing = owner.call("HEAD", f"{path}-missing", version=version)
        assert (missing.status_code, missing.content) == (404, b"")
        assert missing.headers["x-ms-request-id"]


def test_the_platform_itself_is_read_only(server: Server, owner: Caller) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        for path in (server.subscription, f"{server.subscription}/providers/{MLS}", f"{server.subscription}/resources"):
            answer = owner.call(method, path, {} if method != "DELETE" else None, version=ARM)
            assert refusal(answer)[:2] == (405, "HttpMethodNotAllowed")


# ── what needs no token ─────────────────────────────────────────────────────────────────────────────────────────────


def test_metadata_and_health_need_no_token(server: Server, nobody: Caller) -> None:
    assert nobody.get("/health", version=None).json() == {"status": "ok"}
    many = nobody.get("/metadata/endpoints", version="2019-05-01").json()
    one = nobody.get(f"{server.origin}//metadata/endpoints", version="2022-09-01").json()
    assert many == [one]
    assert one["resourceManager"] == f"{server.origin}/"
