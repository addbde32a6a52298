"""Faults on purpose, and how Azure's own clients come through: what a user who tests retries relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.core.pipeline.policies import RetryPolicy
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from msal import ConfidentialClientApplication

from linarite.model import Deed
from tests.api.faults import Faults
from tests.api.on_disk import new_entries
from tests.clients.house import credential, pointed_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.model import Entry
    from tests.server import Server

GROUP, WORKSPACE = "testrg123", "workspaces123"


@pytest.fixture
def faults(server: Server) -> Iterator[Faults]:
    found = Faults(server.owner())
    yield found
    found.clear()


@pytest.fixture
def workspaces(server: Server) -> Iterator[Any]:
    """The sample's operations, by a client that has no token yet and waits as little as it can."""
    policy = RetryPolicy(retry_backoff_factor=0.01)
    point = pointed_at(server)
    with (
        credential(server) as owner,
        MachineLearningServicesMgmtClient(owner, api_version="2023-10-01", retry_policy=policy, **point) as client,
    ):
        yield client.workspaces


def codes(entries: list[Entry]) -> list[str]:
    """Of what was refused, in order."""
    return [entry.code for entry in entries if entry.deed is Deed.REFUSAL]


def test_two_that_are_throttled_are_tried_again(server: Server, faults: Faults, workspaces: Any) -> None:
    faults.set("one", "429", path="*/listKeys", count=2, seconds=0)
    keys, entries = new_entries(server, lambda: workspaces.list_keys(GROUP, WORKSPACE))
    assert keys.user_storage_key
    assert codes(entries) == ["SubscriptionRequestsThrottled"] * 2


@pytest.mark.parametrize("fault", ["500", "502", "503", "504"])
def test_a_server_that_fails_is_asked_again(server: Server, faults: Faults, workspaces: Any, fault: str) -> None:
    faults.set("one", fault, path=server.workspace, count=1)
    assert workspaces.get(GROUP, WORKSPACE).name == WORKSPACE
    assert faults.struck("one") == 1


@pytest.mark.parametrize("fault", ["cut", "lose"])
def test_a_read_whose_connection_is_cut_is_tried_again(
    server: Server, faults: Faults, workspaces: Any, fault: str
) -> None:
    faults.set("one", fault, path=server.workspace, count=1)
    assert workspaces.get(GROUP, WORKSPACE).name == WORKSPACE
    assert faults.struck("one") == 1


def test_a_post_whose_connection_is_cut_is_the_callers_to_try_again(faults: Faults, workspaces: Any) -> None:
    """Azure's clients send it no second time, for it may have been done."""
    faults.set("one", "cut", path="*/listKeys", count=1)
    with pytest.raises(ServiceResponseError):
        workspaces.list_keys(GROUP, WORKSPACE)
    assert workspaces.list_keys(GROUP, WORKSPACE).user_storage_key


def test_a_client_that_is_challenged_asks_for_a_new_token_with_the_claims(
    server: Server, faults: Faults, workspaces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []
    acquire = ConfidentialClientApplication.acquire_token_for_client

    def watched(app: Any, scopes: Any, claims_challenge: str | None = None, **more: Any) -> Any:
        asked.append(claims_challenge)
        return acquire(app, scopes, claims_challenge=claims_challenge, **more)

    monkeypatch.setattr(ConfidentialClientApplication, "acquire_token_for_client", watched)
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
    assert workspaces.get(GROUP, WORKSPACE).name == WORKSPACE
    faults.set("one", "challenge", path="*/listKeys", count=1, claims=claims)
    keys, entries = new_entries(server, lambda: workspaces.list_keys(GROUP, WORKSPACE))
    assert keys.user_storage_key
    assert asked == [None, claims]
    _, refused, signed_in, released = entries
    assert [one.deed for one in (refused, signed_in, released)] == [Deed.REFUSAL, Deed.SIGN_IN, Deed.RELEASE]


def test_a_client_that_is_challenged_without_end_gives_up(faults: Faults, workspaces: Any) -> None:
    faults.set("one", "challenge", path="*/listKeys")
    with pytest.raises(HttpResponseError, match="Continuous access evaluation"):
        workspaces.list_keys(GROUP, WORKSPACE)
    assert faults.struck("one") == 2


def test_a_sign_in_that_fails_is_tried_again(faults: Faults, workspaces: Any) -> None:
    faults.set("one", "503", path="/*/oauth2/v2.0/token", count=1, seconds=0)
    assert workspaces.get(GROUP, WORKSPACE).name == WORKSPACE
    assert faults.struck("one") == 1
