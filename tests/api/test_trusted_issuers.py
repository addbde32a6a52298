"""Another issuer's tokens at the front door: its subjects hold roles and are on the trail, and nobody else gets in."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.first_start import OWNER_OBJECT
from tests.api.on_disk import entries
from tests.api.people import AUTHORIZATION, ROLES, Person
from tests.api.place import refusal
from tests.cli.program import answered
from tests.issuer import AUDIENCE, DISCOVERY, KEYS, TENANT, issuing, new_key
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.issuer import Issuer
    from tests.server import Caller, Server


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """A company's sign-in, over TLS."""
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def late() -> Iterator[Issuer]:
    """Another one, which is down at first."""
    with issuing() as issuer:
        shown = dict(issuer.answers)
        issuer.answers.clear()
        yield issuer
        issuer.answers |= shown


@pytest.fixture(scope="module")
def server(issuer: Issuer, late: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    more = {"LINARITE_TRUST_ISSUERS": trusted(issuer, late), "SSL_CERT_FILE": str(issuer.bundle)}
    with running(tmp_path_factory.mktemp("trusting") / "data", "--no-doors", **more) as server:
        yield server


def trusted(issuer: Issuer, *plain: Issuer) -> str:
    """The setting that trusts an issuer with tenants, and others without."""
    with_tenants = {"issuer": issuer.origin, "audiences": [AUDIENCE], "tenants": [TENANT]}
    return json.dumps([with_tenants, *({"issuer": one.origin, "audiences": [AUDIENCE]} for one in plain)])


def with_token(server: Server, token: str) -> Caller:
    caller = server.nobody()
    caller.http.headers["authorization"] = f"Bearer {token}"
    return caller


def give(owner: Caller, scope: str, role: str, person: Person) -> str:
    """Give a role to somebody who is in no directory of ours: their type has to be said, as in Azure."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}",
        "principalId": person.object_id,
        "principalType": "User",
    }
    answer = owner.put(path, {"properties": properties}, version=AUTHORIZATION)
    assert answer.status_code == 201, answer.text
    return path


def known(server: Server, issuer: Issuer, **changes: Any) -> Person:
    """Somebody new whom the issuer knows."""
    object_id = str(uuid4())
    token = issuer.token(oid=object_id, preferred_username="ada@contoso.com", scp="user_impersonation", **changes)
    return Person("localhost#ada@contoso.com", object_id, with_token(server, token))


def test_a_subject_of_a_trusted_issuer_may_do_what_its_roles_grant_and_no_more(
    server: Server, owner: Caller, issuer: Issuer
) -> None:
    ada = known(server, issuer)
    action = "Microsoft.MachineLearningServices/workspaces/read"
    assert refusal(ada.caller.get(server.workspace)) == (
        403,
        "AuthorizationFailed",
        ada.refused(action, server.workspace),
    )
    give(owner, server.workspace, "Reader", ada)
    assert ada.caller.get(server.workspace).status_code == 200
    assert ada.caller.post(f"{server.workspace}/listKeys").status_code == 403


def test_who_got_keys_is_on_the_trail_under_the_issuers_name_for_them(
    server: Server, owner: Caller, issuer: Issuer
) -> None:
    ada = known(server, issuer)
    assignment = give(owner, server.workspace, "Contributor", ada)
    assert ada.caller.post(f"{server.workspace}/listKeys").json()["userStorageKey"]
    last = [entry for entry in entries(server) if entry.deed == "release"][-1]
    assert (last.caller, last.client) == (ada.object_id, ada.client_id)
    assert owner.delete(assignment, version="2022-04-01").status_code == 200
    assert ada.caller.post(f"{server.workspace}/listKeys").status_code == 403


def test_the_report_of_who_may_list_keys_names_them_too(server: Server, owner: Caller, issuer: Issuer) -> None:
    ada = known(server, issuer)
    give(owner, server.workspace, "Contributor", ada)
    report = ("access", server.workspace, "--json", "--data", server.folder)
    trusting = json.loads(answered(*report, LINARITE_TRUST_ISSUERS=trusted(issuer)))
    assert [one["role"] for one in trusting if one["objectId"] == ada.object_id] == ["Contributor"]
    assert ada.object_id not in answered(*report)


def test_a_long_running_operation_is_theirs_to_follow(server: Server, owner: Caller, issuer: Issuer) -> None:
    ada = known(server, issuer)
    give(owner, server.group, "Contributor", ada)
    answer = ada.caller.post(f"{server.workspace}/resyncKeys")
    assert answer.status_code == 202
    assert ada.caller.settled(answer).status_code == 200


def test_an_issuer_cannot_stand_for_somebody_of_our_own(server: Server, issuer: Issuer) -> None:
    caller = with_token(server, issuer.token(oid=OWNER_OBJECT))
    assert refusal(caller.get(server.workspace))[:2] == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://management.azure.com/"}, "InvalidAuthenticationTokenAudience"),
        ({"tid": "dddddddd-cccc-bbbb-aaaa-000000000000"}, "InvalidAuthenticationTokenTenant"),
        ({"exp": int(1.7e9)}, "ExpiredAuthenticationToken"),
        ({"header": {"kid": "none"}}, "InvalidAuthenticationToken"),
        ({"key": new_key()}, "InvalidAuthenticationToken"),
        ({"iss": "https://other.example"}, "InvalidAuthenticationToken"),
    ],
    ids=["audience", "tenant", "old", "kid", "key", "issuer"],
)
def test_a_refusal_is_in_azures_words_and_on_the_trail(
    server: Server, issuer: Issuer, changes: dict[str, Any], code: str
) -> None:
    caller = with_token(server, issuer.token(**changes))
    assert refusal(caller.post(f"{server.workspace}/listKeys"))[:2] == (401, code)
    last = entries(server)[-1]
    assert (last.deed, last.code, last.caller) == ("refusal", code, "")


def test_a_key_that_the_issuer_rotates_to_counts_at_once(server: Server, issuer: Issuer) -> None:
    second = new_key("second")
    issuer.publish(issuer.key, second)
    caller = with_token(server, issuer.token(key=second, header={"kid": "second"}))
    assert caller.get(server.workspace).status_code == 403


def test_an_issuer_that_is_down_is_said_so_while_the_server_goes_on(
    server: Server, owner: Caller, late: Issuer
) -> None:
    caller = with_token(server, late.token())
    status, code, message = refusal(caller.get(server.workspace))
    assert (status, code) == (503, "ServiceUnavailable")
    assert f"The keys of the issuer '{late.origin}'" in message
    assert owner.get(server.workspace).status_code == 200
    late.publish(late.key)
    deadline = time.monotonic() + 90  # it is asked a few times a minute at most
    while (answer := caller.get(server.workspace)).status_code == 503:
        assert time.monotonic() < deadline, "it is never asked again"
    assert answer.status_code == 403


def test_its_documents_are_fetched_from_it_alone(late: Issuer) -> None:
    assert set(late.asked) <= {DISCOVERY, KEYS}
