"""Applications that go on for a user who came to them, and those that are given a user's password."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from linarite.grants import add_secret, consent_to_all, set_password
from linarite.grants.applications import add_bare_application
from linarite.grants.azure_clients import Client
from linarite.grants.delegation import consent_ticket
from linarite.grants.on_behalf_of import JWT_BEARER
from linarite.grants.wishes import ARM, IMPERSONATION, Wish
from linarite.model import Principal, Secret
from linarite.store import directory, tickets
from linarite.store.keys import principal_key
from tests.unit.desk import ORIGIN, TENANT, Desk
from tests.unit.test_user_grants import AZURE_CLI, NAME, PASSWORD, House

if TYPE_CHECKING:
    from linarite.store.transaction import Transaction

ON = "https://management.azure.com/.default"


@pytest.fixture
def house(desk: Desk) -> House:
    """A house whose application everybody consented to, and where passwords are taken."""
    house = House(desk)
    desk.tokens.takes_passwords = True
    desk.commit(lambda transaction: consent_to_all(transaction, desk.application, desk.now))
    return house


def typed(house: House, **changes: str | None) -> dict[str, Any]:
    """What an application gets that sends a name and a password: the Azure CLI, for the house's application."""
    form: dict[str, str | None] = {
        "grant_type": "password",
        "client_id": AZURE_CLI,
        "client_secret": None,
        "username": NAME,
        "password": PASSWORD,
        "scope": f"api://{house.desk.application.client}/user_impersonation",
        **changes,
    }
    return house.desk.ask(**form)


def gone_on(house: House, assertion: str, **changes: str | None) -> dict[str, Any]:
    """What the application gets for the user of that token."""
    form = {"grant_type": JWT_BEARER, "requested_token_use": "on_behalf_of", "assertion": assertion, "scope": ON}
    return house.desk.ask(**{**form, **changes})


def denied(house: House, assertion: str, **changes: str | None) -> tuple[str, int]:
    form = {"grant_type": JWT_BEARER, "requested_token_use": "on_behalf_of", "assertion": assertion, "scope": ON}
    found = house.desk.denied(**{**form, **changes})
    [*_, entry] = house.desk.refusals()
    assert entry.code == f"AADSTS{found.number}"
    assert assertion not in str(entry)
    return found.error, found.number


# ── on behalf of ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_goes_on_for_the_user_who_came_to_it(house: House) -> None:
    answer = gone_on(house, typed(house)["access_token"])
    claims = house.desk.read(answer["access_token"]).all
    assert (claims["oid"], claims["upn"], claims["idtyp"]) == (house.user.object_id, NAME, "user")
    assert (claims["appid"], claims["appidacr"]) == (house.desk.application.client, "1")
    assert (claims["scp"], claims["aud"]) == (IMPERSONATION, ARM.rstrip("/"))
    entry = house.desk.last_entry()
    assert (entry.action, entry.caller) == (f"Microsoft.AAD/token/{JWT_BEARER}", house.user.object_id)


@pytest.mark.parametrize("audience", ["{client}", "api://{client}"])
def test_the_token_may_name_the_application_in_each_way(house: House, audience: str) -> None:
    scope = audience.format(client=house.desk.application.client) + "/.default"
    assert gone_on(house, typed(house, scope=scope)["access_token"])["token_type"] == "Bearer"


def test_a_token_for_resource_manager_is_taken_too(house: House) -> None:
    assert gone_on(house, typed(house, scope=ON)["access_token"])["token_type"] == "Bearer"


def test_a_refresh_token_comes_where_it_is_wished_for(house: House) -> None:
    answer = gone_on(house, typed(house)["access_token"], scope=f"{ON} offline_access openid profile")
    assert answer.keys() >= {"refresh_token", "id_token"}
    again = house.desk.ask(grant_type="refresh_token", refresh_token=answer["refresh_token"], scope=ON)
    assert house.desk.read(again["access_token"]).object_id == house.user.object_id


def test_a_token_for_another_application_is_refused(house: House) -> None:
    other = house.desk.commit(
        lambda transaction: add_bare_application(transaction, "other", tenant=TENANT, now=house.desk.now)
    )
    token = typed(house, scope=f"api://{other.client}/.default")["access_token"]
    assert denied(house, token) == ("invalid_grant", 500131)


def test_a_token_of_an_application_is_refused(house: House) -> None:
    assert denied(house, house.desk.ask()["access_token"]) == ("invalid_grant", 50013)


def test_a_token_that_has_ended_is_refused(house: House) -> None:
    token = typed(house)["access_token"]
    house.desk.now += timedelta(hours=2)
    assert denied(house, token) == ("invalid_grant", 500133)


@pytest.mark.parametrize("assertion", ["nonsense", "a.b.c", "é"])
def test_what_is_no_token_is_refused(house: House, assertion: str) -> None:
    assert denied(house, assertion) == ("invalid_grant", 50013)


def test_a_token_that_was_changed_is_refused(house: House) -> None:
    head, body, _ = typed(house)["access_token"].split(".")
    other = house.desk.ask()["access_token"].split(".")[2]
    assert denied(house, f"{head}.{body}.{other}") == ("invalid_grant", 50013)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"requested_token_use": None}, ("invalid_request", 900144)),
        ({"requested_token_use": "logon_cert"}, ("invalid_request", 9002313)),
        ({"client_secret": None}, ("invalid_client", 7000218)),
        ({"client_secret": "wrong"}, ("invalid_client", 7000215)),
        ({"client_id": AZURE_CLI, "client_secret": None}, ("invalid_client", 7000218)),
        ({"scope": "https://example.org/.default"}, ("invalid_resource", 500011)),
        ({"scope": "api://99999999-9999-9999-9999-999999999999/.default"}, ("invalid_resource", 500011)),
    ],
)
def test_a_request_that_is_wrong_is_refused(
    house: House, changes: dict[str, str | None], refusal: tuple[str, int]
) -> None:
    assert denied(house, typed(house)["access_token"], **changes) == refusal


def test_a_user_who_is_gone_is_gone_on_for_no_more(house: House) -> None:
    token = typed(house)["access_token"]

    def remove(transaction: Transaction) -> None:
        directory.remove_principal(transaction.connection(), house.user.object_id)
        transaction.note(principal_key(house.user.object_id))

    house.desk.commit(remove)
    assert denied(house, token) == ("invalid_grant", 50057)


def test_without_consent_nobody_is_gone_on_for(house: House) -> None:
    def stranger(transaction: Transaction) -> tuple[Principal, Secret]:
        made = add_bare_application(transaction, "stranger", tenant=TENANT, now=house.desk.now)
        return made, add_secret(transaction, made, now=house.desk.now)[1]

    made, secret = house.desk.commit(stranger)
    token = typed(house, scope=f"api://{made.client}/.default")["access_token"]
    itself = {"client_id": made.client, "client_secret": secret.reveal()}
    assert denied(house, token, **itself) == ("consent_required", 65001)

    def consented(transaction: Transaction) -> None:
        client = Client(made.client, made.name, (), public=False, principal=made)
        wish = Wish(ARM, (IMPERSONATION,))
        given = consent_ticket(house.desk.tokens, client, house.user.object_id, wish)
        tickets.add(transaction.connection(), given, house.desk.now)

    house.desk.commit(consented)
    assert gone_on(house, token, **itself)["token_type"] == "Bearer"
    assert denied(house, token, **itself, scope="https://vault.azure.net/.default") == ("consent_required", 65001)


# ── a password that an application sends ────────────────────────────────────────────────────────────────────────────


def test_a_password_gets_a_token_where_that_is_switched_on(house: House) -> None:
    answer = typed(house, scope=f"{ORIGIN}/.default openid offline_access", client_info="1")
    assert house.desk.read(answer["access_token"]).all["appidacr"] == "0"
    assert answer.keys() >= {"id_token", "refresh_token", "client_info"}


def test_it_is_off_unless_it_is_switched_on(house: House) -> None:
    house.desk.tokens.takes_passwords = False
    with pytest.raises(Exception, match="AADSTS70003"):
        typed(house)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"password": "wrong"}, 50126),
        ({"username": "nobody@linarite.onmicrosoft.com"}, 50126),
        ({"password": None}, 900144),
        ({"username": None}, 900144),
        ({"client_id": "99999999-9999-9999-9999-999999999999"}, 700016),
        ({"client_secret": "x"}, 700025),
    ],
)
def test_a_password_that_proves_nothing_is_refused(house: House, changes: dict[str, str | None], number: int) -> None:
    with pytest.raises(Exception, match=f"AADSTS{number}:"):
        typed(house, **changes)
    assert house.desk.refusals()[-1].code == f"AADSTS{number}"
    assert PASSWORD not in str(house.desk.refusals())


def test_who_guesses_is_held_up(house: House) -> None:
    for _ in range(10):
        with pytest.raises(Exception, match="AADSTS50126"):
            typed(house, password="wrong")
    with pytest.raises(Exception, match="AADSTS50053"):
        typed(house)


def test_an_old_password_gets_nothing(house: House) -> None:
    new = Secret("another battery staple")
    house.desk.commit(lambda transaction: set_password(transaction, house.user, new, now=house.desk.now))
    with pytest.raises(Exception, match="AADSTS50126"):
        typed(house)
    assert typed(house, password=new.reveal())["token_type"] == "Bearer"
