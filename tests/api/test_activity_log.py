"""The activity log over the API: who did what, from the trail, filtered and in pages, for whoever may read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.cli.program import answered
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server

SINCE = "2015-01-01T00:00:00Z"
ACTION = "Microsoft.MachineLearningServices/workspaces/listKeys/action"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("activity") / "data", "--no-doors") as server:
        yield server


def ask(server: Server, filter_: str, caller: Caller | None = None) -> Any:
    path = f"{server.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    return (caller or server.owner()).get(path, version="2015-04-01", params={"$filter": filter_})


def events(server: Server, *conditions: str) -> list[dict[str, Any]]:
    answer = ask(server, " and ".join((f"eventTimestamp ge '{SINCE}'", *conditions)))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])


def listed_keys(server: Server) -> str:
    """Have the owner list the keys; the correlation id of that."""
    correlation = str(uuid4())
    headers = {"x-ms-correlation-request-id": correlation}
    assert server.owner().post(f"{server.workspace}/listKeys", headers=headers).status_code == 200
    return correlation


def test_a_release_is_an_event_in_the_shape_of_azure(server: Server) -> None:
    correlation = listed_keys(server)
    [event] = events(server, f"correlationId eq '{correlation}'")
    assert event["authorization"] == {"action": ACTION, "scope": server.workspace}
    assert event["operationName"] == {"value": ACTION, "localizedValue": ACTION}
    assert event["caller"] == "66666666-7777-8888-9999-aaaaaaaaaaaa"
    assert (event["status"]["value"], event["level"], event["channels"]) == ("Succeeded", "Informational", "Operation")
    assert event["resourceId"] == server.workspace
    assert event["resourceGroupName"] == "testrg123"
    assert event["resourceProviderName"]["value"] == "Microsoft.MachineLearningServices"
    assert event["subscriptionId"] == server.known["subscriptionId"]
    assert event["tenantId"] == server.known["tenantId"]
    assert event["id"].startswith(f"{server.workspace}/events/{event['eventDataId']}/ticks/6")
    assert "claims" in event
    assert {"category", "description", "eventName", "operationId", "subStatus", "submissionTimestamp"} <= event.keys()


def test_events_come_newest_first_and_are_no_reads(server: Server) -> None:
    listed_keys(server)
    server.owner().get(server.workspace)
    server.owner().get(f"{server.workspace}x")
    found = events(server)
    assert found[0]["operationName"]["value"] == ACTION
    assert [event["eventTimestamp"] for event in found] == sorted(
        (event["eventTimestamp"] for event in found), reverse=True
    )


def test_a_refusal_is_an_event_that_failed(server: Server) -> None:
    correlation = str(uuid4())
    headers = {"x-ms-correlation-request-id": correlation}
    server.owner().post(f"{server.workspace}x/listKeys", headers=headers)
    [event] = events(server, f"correlationId eq '{correlation}'")
    assert (event["status"]["value"], event["level"]) == ("Failed", "Error")
    assert event["subStatus"] == {"value": "NotFound", "localizedValue": "Not Found (HTTP Status Code: 404)"}
    assert event["properties"]["statusMessage"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("resourceGroupName eq 'TESTRG123'", lambda event: event["resourceGroupName"] == "testrg123"),
        ("resourceUri eq '{workspace}'", lambda event: event["resourceId"].endswith("/workspaces123")),
        ("resourceProvider eq 'Microsoft.KeyVault'", lambda event: "KeyVault" in event["resourceId"]),
        ("caller eq '66666666-7777-8888-9999-AAAAAAAAAAAA'", lambda event: event["caller"].startswith("66666666")),
        ("eventTimestamp le '2999-01-01'", lambda _: True),
        ("status eq 'succeeded'", lambda event: event["status"]["value"] == "Succeeded"),
    ],
)
def test_a_condition_leaves_what_it_names_and_nothing_else(server: Server, condition: str, holds: Any) -> None:
    listed_keys(server)
    everything = events(server)
    found = events(server, condition.format(workspace=server.workspace))
    assert found == [event for event in everything if holds(event)] != []


def test_a_time_leaves_what_is_younger_or_older(server: Server) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert ask(server, f"eventTimestamp ge {tomorrow}").json() == {"value": []}
    assert events(server, f"eventTimestamp le '{SINCE}'") == []


@pytest.mark.parametrize(
    "filter_",
    ["", "caller eq 'x'", "eventTimestamp ge 'x'", "eventTimestamp ge 2015 or 1", "x eq 'y'", "eventTimestamp eq 2015"],
)
def test_a_filter_that_cannot_be_read_or_has_no_beginning_is_refused(server: Server, filter_: str) -> None:
    answer = ask(server, filter_)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UnsupportedQuery")


def test_the_log_comes_in_pages_that_hold_every_event_once(server: Server) -> None:
    owner = server.owner()
    correlation = str(uuid4())
    for _ in range(205):
        owner.post(f"{server.workspace}/listKeys", headers={"x-ms-correlation-request-id": correlation})
    pages = [ask(server, f"eventTimestamp ge '{SINCE}' and correlationId eq '{correlation}'", owner).json()]
    while "nextLink" in pages[-1]:
        pages.append(owner.http.get(pages[-1]["nextLink"]).json())
    assert [len(page["value"]) for page in pages] == [200, 5]
    assert len({event["eventDataId"] for page in pages for event in page["value"]}) == 205


def test_a_continuation_token_that_is_none_is_refused(server: Server) -> None:
    path = f"{server.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    params = {"$filter": f"eventTimestamp ge {SINCE}", "$skipToken": "-1"}
    answer = server.owner().get(path, version="2015-04-01", params=params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidContinuationToken")


def test_the_members_that_are_selected_are_told_and_no_others(server: Server) -> None:
    listed_keys(server)
    path = f"{server.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    params = {"$filter": f"eventTimestamp ge {SINCE}", "$select": "caller, operationname,colour"}
    found = server.owner().get(path, version="2015-04-01", params=params).json()["value"]
    assert {tuple(event) for event in found} == {("caller", "operationName")}


def test_whoever_may_read_one_group_is_told_of_that_group(server: Server) -> None:
    listed_keys(server)
    made = json.loads(
        answered("app", "add", "x", "--role", "Reader", "--scope", server.group, "--json", "--data", server.folder)
    )
    reader = server.signed_in(made["clientId"], made["clientSecret"])
    for group, told in ((server.known["resourceGroup"], True), ("ragargeastus2euap", False)):
        wanted = f"eventTimestamp ge {SINCE} and resourceGroupName eq '{group}'"
        assert bool(ask(server, wanted, reader).json()["value"]) is told
        assert ask(server, wanted).json()["value"] != []


@pytest.mark.parametrize(("role", "status"), [("Reader", 200), ("AcrPull", 403)])
def test_the_log_is_for_those_whom_a_role_lets_read_it(server: Server, role: str, status: int) -> None:
    made = json.loads(answered("app", "add", "x", "--role", role, "--json", "--data", server.folder))
    caller = server.signed_in(made["clientId"], made["clientSecret"])
    answer = ask(server, f"eventTimestamp ge {SINCE}", caller)
    assert answer.status_code == status, answer.text
    assert ("eventtypes/values/read" in answer.text) == (status == 403)


def test_the_subscription_is_named_in_any_case(server: Server) -> None:
    path = f"{server.subscription.upper()}/providers/microsoft.insights/eventTypes/management/values"
    answer = server.owner().get(path, version="2015-04-01", params={"$filter": f"eventTimestamp ge {SINCE}"})
    assert len(answer.json()["value"]) > 5


def test_another_event_type_is_not_there(server: Server) -> None:
    path = f"{server.subscription}/providers/Microsoft.Insights/eventtypes/digest/values"
    answer = server.owner().get(path, version="2015-04-01", params={"$filter": f"eventTimestamp ge {SINCE}"})
    assert answer.status_code == 404
