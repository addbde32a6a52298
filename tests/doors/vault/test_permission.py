"""Who may do what: tokens, data roles or access policies, and that nothing else opens a secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite import hosts
from linarite.errors import Forbidden, Unauthenticated
from linarite.first_start import TENANT
from linarite.store import directory
from linarite.store.keys import principal_key
from tests.doors.vault.keeper import OFFICER, OWNER, USER, Keeper, inner, policy
from tests.unit.kinds.house import AUTHORITY, GROUP, START

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.store.transaction import Transaction

OPERATIONS: dict[str, tuple[str, str, Any]] = {
    "get": ("GET", "/secrets/s", None),
    "list": ("GET", "/secrets", None),
    "versions": ("GET", "/secrets/s/versions", None),
    "set": ("PUT", "/secrets/s", {"value": "v"}),
    "update": ("PATCH", "/secrets/s", {"tags": {"a": "b"}}),
    "backup": ("POST", "/secrets/s/backup", None),
    "delete": ("DELETE", "/secrets/s", None),
    "get deleted": ("GET", "/deletedsecrets/s", None),
    "list deleted": ("GET", "/deletedsecrets", None),
    "recover": ("POST", "/deletedsecrets/s/recover", None),
    "purge": ("DELETE", "/deletedsecrets/s", None),
}
"""Every operation that a caller may be refused, in an order in which they can be done one after another."""


@pytest.fixture
def other(keeper: Keeper) -> str:
    """Object id of somebody who holds no role."""
    keeper.set("s", "v")
    return keeper.house.join()


@pytest.fixture
def by_roles(keeper: Keeper, other: str) -> Keeper:
    """The vault, where roles count, and a policy that would allow everything does not."""
    keeper.settle(enableRbacAuthorization=True, accessPolicies=[policy(OWNER, "all"), policy(other, "all")])
    return keeper


def allowed(keeper: Keeper, by: str) -> list[str]:
    """The operations that somebody may do, each on a secret that is there for it, or is deleted for it."""
    found = []
    for name, (method, path, body) in OPERATIONS.items():
        _arrange(keeper, deleted="deletedsecrets/" in path)
        try:
            keeper.call(method, path, body, by=by)
        except Forbidden:
            continue
        found.append(name)
    return found


def _arrange(keeper: Keeper, *, deleted: bool) -> None:
    """By somebody who may do everything under either model."""
    if deleted and "s" in keeper.names("/secrets", by=keeper.chief):
        keeper.call("DELETE", "/secrets/s", by=keeper.chief)
    if not deleted and "s" in keeper.names("/deletedsecrets", by=keeper.chief):
        keeper.call("POST", "/deletedsecrets/s/recover", by=keeper.chief)
    if not deleted and "s" not in keeper.names("/secrets", by=keeper.chief):
        keeper.set("s", "v", by=keeper.chief)


def test_a_data_action_of_a_custom_role_counts_as_long_as_the_role_has_it(by_roles: Keeper, other: str) -> None:
    path = f"{GROUP}/providers/Microsoft.Authorization/roleDefinitions/{uuid4()}"

    def make(*data_actions: str) -> None:
        permission = {"dataActions": [f"Microsoft.KeyVault/vaults/secrets/{one}" for one in data_actions]}
        described = {"roleName": "Opener", "assignableScopes": [GROUP], "permissions": [permission]}
        by_roles.house.put(path, {"properties": described})

    make("getSecret/action")
    by_roles.assign(path.rpartition("/")[2], other)
    assert by_roles.value("s", by=other) == "v"
    make("setSecret/action")
    assert inner(by_roles.refused("GET", "/secrets/s", by=other)) == "ForbiddenByRbac"


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_token_a_client_is_told_where_to_get_one_and_nothing_is_recorded(keeper: Keeper) -> None:
    refusal = keeper.refused("GET", "/secrets/s", token="")
    assert (refusal.status, refusal.code) == (401, "Unauthorized")
    assert refusal.message == "AKV10000: Request is missing a Bearer or PoP token."
    challenge = f'Bearer authorization="{AUTHORITY.url}", resource="https://vault.core.linarite.localhost:8449"'
    assert refusal.headers == (("www-authenticate", challenge),)
    assert keeper.entries() == []


def test_a_vault_on_the_usual_port_names_its_resource_without_one(keeper: Keeper) -> None:
    [(_, challenge)] = keeper.refused("GET", "/secrets", token="", origin=keeper.origin.removesuffix(":8449")).headers
    assert challenge.endswith('resource="https://vault.core.linarite.localhost"')


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (lambda _: "Basic dXNlcjpwYXNz", "AKV10000: Request is missing a Bearer or PoP token."),
        (lambda _: "Bearer ", "AKV10000: Request is missing a Bearer or PoP token."),
        (lambda _: "Bearer no.token.atall", "AKV10046: Unable to resolve the key used for signature validation."),
        (
            lambda keeper: f"Bearer {keeper.token()[:-6]}forged",
            "AKV10046: Unable to resolve the key used for signature validation.",
        ),
        (
            lambda keeper: f"Bearer {keeper.token(audience='https://management.azure.com/')}",
            f"AKV10022: Invalid audience. Expected {hosts.VAULTS}, found: https://management.azure.com/.",
        ),
        (
            lambda keeper: f"Bearer {keeper.token(oid=str(uuid4()))}",
            "AKV10046: Unable to resolve the key used for signature validation.",
        ),
    ],
    ids=["basic", "empty", "nonsense", "forged", "for somebody else", "of nobody"],
)
def test_a_token_that_does_not_count_is_refused_with_the_challenge_and_recorded(
    keeper: Keeper, token: Callable[[Keeper], str], message: str
) -> None:
    keeper.set("s", "v")
    refusal = keeper.refused("GET", "/secrets/s", token=token(keeper))
    assert (refusal.status, refusal.message) == (401, message)
    assert [name for name, _ in refusal.headers] == ["www-authenticate"]
    assert keeper.said()[-1] == ("refusal", "getSecret/action", 401)


def test_a_token_that_has_ended_is_refused(keeper: Keeper) -> None:
    token = f"Bearer {keeper.token()}"
    keeper.set("s", "v")
    keeper.get("/secrets/s", token=token)
    keeper.house.now += timedelta(hours=2)
    assert keeper.refused("GET", "/secrets/s", token=token).message == (
        "[TokenExpired] Error validating token: 'S2S12086'."
    )


def test_a_token_outlives_nobody(keeper: Keeper, other: str) -> None:
    """Whoever was disabled, or removed, opens nothing with a token that has not ended."""
    keeper.settle(accessPolicies=[policy(other, "get")])
    token = f"Bearer {keeper.token(other)}"
    assert keeper.value("s", token=token) == "v"
    for again in (True, False):
        keeper.house.runner.run(keeper.house.engine.gate.commit(partial(_end, other, again=again), lambda _: None))
        assert keeper.refused("GET", "/secrets/s", token=token).status == 401


def _end(object_id: str, transaction: Transaction, *, again: bool) -> None:
    """Remove a principal; with `again`, put it back as a disabled one."""
    found = directory.principal(transaction.connection(), object_id)
    directory.remove_principal(transaction.connection(), object_id)
    if again and found is not None:
        directory.add_principal(transaction.connection(), replace(found, disabled=True), START)
    transaction.note(principal_key(object_id))


@pytest.mark.parametrize("audience", [hosts.VAULTS, "https://vault.azure.net", "https://vault.azure.net/"])
def test_a_token_for_vaults_counts_whosever_vaults_they_are(keeper: Keeper, audience: str) -> None:
    keeper.set("s", "v")
    assert keeper.value("s", token=f"Bearer {keeper.token(audience=audience)}") == "v"


def test_a_vault_of_another_tenant_says_so(keeper: Keeper) -> None:
    elsewhere = str(uuid4())
    keeper.settle(tenantId=elsewhere, accessPolicies=[policy(OWNER, "all")])
    refusal = keeper.refused("GET", "/secrets")
    assert isinstance(refusal, Unauthenticated)
    assert refusal.message == (
        f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{elsewhere}/, "
        f"found https://sts.windows.net/{TENANT}/."
    )


# ── roles ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_owner_of_everything_opens_no_secret_by_roles(by_roles: Keeper) -> None:
    refusal = by_roles.refused("GET", "/secrets/s")
    assert (refusal.status, refusal.code, inner(refusal)) == (403, "Forbidden", "ForbiddenByRbac")
    assert f"oid={OWNER};" in refusal.message
    assert "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n" in refusal.message
    assert f"Resource: '{by_roles.path.lower()}/secrets/s'\r\n" in refusal.message


def test_an_officer_may_do_everything_and_a_user_may_read(by_roles: Keeper, other: str) -> None:
    chief = by_roles.chief = by_roles.house.join()
    by_roles.assign(OFFICER, chief)
    assert allowed(by_roles, chief) == list(OPERATIONS)
    by_roles.assign(USER, other)
    assert allowed(by_roles, other) == ["get", "list", "versions", "get deleted", "list deleted"]


def test_a_role_at_one_secret_opens_that_secret_alone(by_roles: Keeper, other: str) -> None:
    chief = by_roles.house.join()
    by_roles.assign(OFFICER, chief)
    by_roles.set("t", "v", by=chief)
    by_roles.assign(USER, other, "/secrets/s")
    assert by_roles.value("s", by=other) == "v"
    assert inner(by_roles.refused("GET", "/secrets/t", by=other)) == "ForbiddenByRbac"
    assert inner(by_roles.refused("GET", "/secrets", by=other)) == "ForbiddenByRbac"


def test_a_role_that_was_taken_away_opens_nothing_any_more(by_roles: Keeper, other: str) -> None:
    assignment = by_roles.assign(USER, other)
    assert by_roles.value("s", by=other) == "v"
    by_roles.house.delete(assignment)
    assert inner(by_roles.refused("GET", "/secrets/s", by=other)) == "ForbiddenByRbac"


# ── access policies ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        (["get"], ["get", "get deleted"]),
        (["LIST"], ["list", "versions", "list deleted"]),
        (["set"], ["set", "update"]),
        (["backup", "recover", "purge", "delete"], ["backup", "delete", "recover", "purge"]),
        (["all"], list(OPERATIONS)),
        ([], []),
    ],
    ids=" ".join,
)
def test_an_access_policy_allows_what_it_says(
    keeper: Keeper, other: str, permissions: list[str], expected: list[str]
) -> None:
    keeper.settle(accessPolicies=[policy(OWNER, "all"), policy(other, *permissions)])
    assert allowed(keeper, other) == expected


def test_a_role_counts_for_nothing_where_policies_do(keeper: Keeper, other: str) -> None:
    keeper.assign(OFFICER, other)
    refusal = keeper.refused("PUT", "/secrets/s", {"value": "w"}, by=other)
    assert inner(refusal) == "ForbiddenByPolicy"
    assert refusal.message == (
        f"The user, group or application 'appid={other};oid={other};iss=https://sts.windows.net/{TENANT}/' does not "
        "have secrets set permission on key vault 'my-vault;location=eastus'. For help resolving this issue, please "
        "see https://go.microsoft.com/fwlink/?linkid=2125287"
    )
    assert keeper.value("s") == "v"


@pytest.mark.parametrize(
    "useless",
    [
        {"permissions": {"keys": ["get"], "certificates": ["get"]}},
        {"permissions": {"secrets": "get"}},
        {"permissions": ["get"]},
        {"tenantId": str(uuid4())},
        {"applicationId": str(uuid4())},
    ],
    ids=["keys", "a word", "a list", "another tenant", "another application"],
)
def test_a_policy_that_is_not_for_this_allows_nothing(keeper: Keeper, other: str, useless: dict[str, Any]) -> None:
    keeper.settle(accessPolicies=[policy(other, "get") | useless])
    assert inner(keeper.refused("GET", "/secrets/s", by=other)) == "ForbiddenByPolicy"


def test_a_policy_for_an_application_counts_for_calls_through_it(keeper: Keeper, other: str) -> None:
    keeper.settle(accessPolicies=[policy(other, "get", applicationId=other)])
    assert keeper.value("s", by=other) == "v"
