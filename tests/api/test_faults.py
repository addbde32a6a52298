"""Faults on purpose: what each does to a request, which requests it strikes and how often, and who may set one."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.model import Deed
from tests.api.faults import PATH, Faults
from tests.api.on_disk import new_entries, state_version
from tests.api.people import give, hire
from tests.api.place import ARM, fresh, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server

WORKSPACES = "Microsoft.MachineLearningServices"
STRIKE = "Linarite.Testing/faults/strike/action"

REFUSALS = {
    "500": (500, "InternalServerError", "The server encountered an internal error. Please retry the request. The"),
    "502": (502, "BadGateway", f"The gateway received an invalid response from '{WORKSPACES}'."),
    "503": (503, "ServiceUnavailable", "The service is unavailable now. Please try again."),
    "504": (
        504,
        "GatewayTimeout",
        f"The gateway did not receive a response from '{WORKSPACES}' within the specified time period.",
    ),
    "challenge": (401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with"),
}


@pytest.fixture
def faults(owner: Caller) -> Iterator[Faults]:
    found = Faults(owner)
    yield found
    found.clear()


# ── what becomes of a request ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_fault_refuses_in_azures_words_and_says_its_name(
    server: Server, owner: Caller, faults: Faults, fault: str
) -> None:
    faults.set("one", fault, path=server.workspace)
    answer, entries = new_entries(server, lambda: owner.get(server.workspace))
    status, code, message = REFUSALS[fault]
    assert refusal(answer)[:2] == (status, code)
    assert refusal(answer)[2].startswith(message)
    assert answer.headers["x-linarite-fault"] == "one"
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert "retry-after" not in answer.headers
    struck, refused = entries
    assert (struck.deed, struck.action, struck.target) == (Deed.WRITE, STRIKE, f"{PATH}/one")
    assert (refused.deed, refused.status, refused.code) == (Deed.REFUSAL, status, code)
    assert refused.target == server.workspace
    assert struck.request == refused.request == answer.headers["x-ms-request-id"]


def test_too_many_requests_are_refused_as_azures_buckets_refuse_them(
    server: Server, owner: Caller, faults: Faults
) -> None:
    faults.set("one", "429", path="*/listKeys", count=1, seconds=2.5)
    answer = owner.post(f"{server.workspace}/listKeys")
    said = (
        f"Number of 'write' requests for subscription '{server.known['subscriptionId']}' actor "
        "'66666666-7777-8888-9999-aaaaaaaaaaaa' exceeded. Please try again after '3' seconds after additional tokens "
        "are available. Refer to https://aka.ms/arm-throttling for additional information."
    )
    assert refusal(answer) == (429, "SubscriptionRequestsThrottled", said)
    assert answer.headers["retry-after"] == "3"
    assert owner.post(f"{server.workspace}/listKeys").status_code == 200


def test_any_refusal_may_say_when_to_try_again(server: Server, owner: Caller, faults: Faults) -> None:
    faults.set("one", "503", path=server.workspace, seconds=7)
    assert owner.get(server.workspace).headers["retry-after"] == "7"


def test_a_challenge_asks_for_the_claims(server: Server, owner: Caller, faults: Faults) -> None:
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    for given, expected in (({"claims": claims}, claims), ({}, None)):
        faults.set("one", "challenge", path=server.workspace, **given)
        header = owner.get(server.workspace).headers["www-authenticate"]
        found = re.fullmatch(
            rf'Bearer realm="", authorization_uri="{server.origin}/{server.known["tenantId"]}", '
            r'error="insufficient_claims", claims="([A-Za-z0-9+/=]+)"',
            header,
        )
        assert found, header
        asked = b64decode(found[1]).decode()
        assert asked == expected or json.loads(asked)["access_token"]["nbf"]["essential"] is True


def test_a_delay_is_waited_out_and_the_request_goes_on(server: Server, owner: Caller, faults: Faults) -> None:
    faults.set("one", "delay", path=server.workspace, seconds=0.3)
    answer, entries = new_entries(server, lambda: owner.get(server.workspace))
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.3
    assert answer.headers["x-linarite-fault"] == "one"
    assert [(one.deed, one.action) for one in entries] == [(Deed.WRITE, STRIKE)]


def test_a_connection_is_cut_before_anything_is_done(server: Server, owner: Caller, faults: Faults) -> None:
    group = f"{server.subscription}/resourceGroups/{fresh('cut-')}"
    faults.set("one", "cut", path=group, count=1)

    def ask() -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            owner.put(group, {"location": "eastus"}, version=ARM)

    _, entries = new_entries(server, ask)
    assert [(one.deed, one.target, one.code) for one in entries[1:]] == [(Deed.REFUSAL, group, "ConnectionCut")]
    assert owner.get(group, version=ARM).status_code == 404


def test_an_answer_is_lost_and_what_was_done_is_done(server: Server, owner: Caller, faults: Faults) -> None:
    group = f"{server.subscription}/resourceGroups/{fresh('lost-')}"
    faults.set("one", "lose", path=group, count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        owner.put(group, {"location": "eastus"}, version=ARM)
    assert owner.get(group, version=ARM).status_code == 200


# ── the token service ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "code"),
    [("429", 90055), ("500", 50000), ("502", 90006), ("503", 90006), ("504", 90006)],
)
def test_the_token_service_refuses_in_entras_words(server: Server, faults: Faults, fault: str, code: int) -> None:
    faults.set("one", fault, path="/*/oauth2/v2.0/token", count=1, seconds=4)
    nobody = server.nobody()
    answer, entries = new_entries(server, lambda: nobody.http.post("/adfs/oauth2/v2.0/token", data={}))
    assert (answer.status_code, answer.json()["error_codes"]) == (int(fault), [code])
    assert answer.headers["x-linarite-fault"] == "one"
    assert answer.headers["retry-after"] == "4"
    assert [(one.deed, one.action, one.status, one.code) for one in entries[1:]] == [
        (Deed.REFUSAL, "Microsoft.AAD/oauth2/v2.0/token", int(fault), f"AADSTS{code}")
    ]
    assert server.owner().get(server.workspace).status_code == 200


@pytest.mark.parametrize("fault", ["cut", "lose"])
def test_the_token_service_hangs_up(server: Server, faults: Faults, fault: str) -> None:
    faults.set("one", fault, path="/*/oauth2/v2.0/token", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        server.owner()
    assert server.owner().get(server.workspace).status_code == 200


def test_the_token_service_knows_a_client_by_what_it_says(server: Server, faults: Faults) -> None:
    faults.set("one", "503", path="/*/token", client=server.known["clientId"].upper())
    nobody = server.nobody().http
    for client, status in ((server.known["clientId"], 503), ("somebody", 400)):
        assert nobody.post("/adfs/oauth2/token", data={"client_id": client}).status_code == status


# ── which requests, and how often ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({}, 503),
        ({"path": "*"}, 503),
        ({"path": "*/WORKSPACES/*123"}, 503),
        ({"path": "/subscriptions/*"}, 503),
        ({"path": "*/workspaces"}, 200),
        ({"path": "workspaces"}, 200),
        ({"path": "*/workspaces/?orkspaces123"}, 200),
        ({"path": "*/workspaces/[w]orkspaces123"}, 200),
        ({"method": "GET"}, 503),
        ({"method": "get"}, 503),
        ({"method": "POST"}, 200),
        ({"client": "11111111-2222-3333-4444-555555555555"}, 503),
        ({"client": "66666666-7777-8888-9999-AAAAAAAAAAAA"}, 503),
        ({"client": "somebody"}, 200),
    ],
    ids=str,
)
def test_a_fault_strikes_the_requests_that_it_names(
    server: Server, owner: Caller, faults: Faults, properties: dict[str, Any], status: int
) -> None:
    faults.set("one", "503", **properties)
    assert owner.get(server.workspace).status_code == status
    assert faults.struck("one") == (status == 503)


def test_a_fault_strikes_as_often_as_it_may_and_says_how_often_it_did(
    server: Server, owner: Caller, faults: Faults
) -> None:
    faults.set("one", "503", path="*/listKeys", count=3)
    answers = [owner.post(f"{server.workspace}/listKeys").status_code for _ in range(5)]
    assert answers == [503, 503, 503, 200, 200]
    assert faults.struck("one") == 3
    faults.set("one", "503", path="*/listKeys", count=1)
    assert owner.post(f"{server.workspace}/listKeys").status_code == 503, "set again, it begins anew"


def test_faults_strike_one_after_the_other_by_name(server: Server, owner: Caller, faults: Faults) -> None:
    faults.set("b", "delay", path=server.workspace, seconds=0)
    faults.set("a", "delay", path=server.workspace, seconds=0)
    faults.set("c", "503", path=server.workspace, count=1)
    assert owner.get(server.workspace).headers["x-linarite-fault"] == "a, b, c"
    assert owner.get(server.workspace).headers["x-linarite-fault"] == "a, b"


def test_a_fault_with_a_chance_strikes_requests_whose_answer_was_remembered(
    server: Server, owner: Caller, faults: Faults
) -> None:
    faults.set("one", "503", path="*/listKeys", chance=50)
    seen = ""
    while not re.search("200.*503", seen):
        seen += f"{owner.post(f'{server.workspace}/listKeys').status_code} "
        assert len(seen) < 4 * 100, "which does not happen in 2^98 years"


def test_who_is_not_let_in_meets_no_fault(server: Server, nobody: Caller, faults: Faults) -> None:
    faults.set("one", "503")
    assert nobody.get(server.workspace).status_code == 401
    assert faults.struck("one") == 0


def test_a_fault_is_never_in_the_way_of_those_who_clear_it(server: Server, faults: Faults) -> None:
    faults.set("one", "503")
    assert faults.struck("one") == 0
    faults.clear()
    assert server.owner().get(server.workspace).status_code == 200


# ── who may set one ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_below_the_tenant_sets_no_faults(server: Server, owner: Caller) -> None:
    person = hire(server)
    give(owner, server.subscription, "Owner", person)
    before = state_version(server)
    body = {"properties": {"fault": "503"}}
    answer = person.caller.put(f"{PATH}/one", body)
    assert refusal(answer) == (
        403,
        "AuthorizationFailed",
        person.refused("Linarite.Testing/faults/write", f"{PATH}/one"),
    )
    assert person.caller.get(PATH).json() == {"value": []}
    assert person.caller.put(f"{server.group}{PATH}/one", body).status_code == 404
    assert state_version(server) == before


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"fault": "418"},
        {"fault": 503},
        {"fault": "503", "chance": 0},
        {"fault": "503", "count": 0},
        {"fault": "delay", "seconds": 601},
        {"fault": "delay", "seconds": "1"},
        {"fault": "503", "method": "GET,PUT"},
        {"fault": "challenge", "claims": "[]"},
        {"fault": "challenge", "claims": "{"},
    ],
    ids=str,
)
def test_a_fault_that_is_none_is_refused(owner: Caller, properties: dict[str, Any]) -> None:
    assert refusal(owner.put(f"{PATH}/one", {"properties": properties}))[:2] == (400, "ValidationError")


def test_azures_lists_know_nothing_of_faults(server: Server, owner: Caller, faults: Faults) -> None:
    faults.set("one", "503", path="/nowhere")
    for path in ("/providers", f"{server.subscription}/providers", f"{server.subscription}/resources"):
        assert "linarite" not in owner.get(path, version=ARM).text.lower()
