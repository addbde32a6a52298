"""What an application gets for a user: what ends, what is revoked, and what is on the trail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.grants import (
    Ask,
    Case,
    Denied,
    Endpoint,
    Form,
    TokenService,
    add_user,
    authorization,
    browsers,
    devices,
    redeeming,
    set_password,
)
from linarite.grants.asking import asking_client
from linarite.grants.tickets import LIFETIMES, Sort
from linarite.grants.wishes import wished
from linarite.model import Deed, Principal, Secret
from linarite.store import directory, tickets
from linarite.store.keys import principal_key
from tests.unit.desk import AUTHORITY, ORIGIN, TENANT, Desk

if TYPE_CHECKING:
    from linarite.store.transaction import Transaction

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
NAME = "alice@linarite.onmicrosoft.com"
PASSWORD = "correct horse battery"
REDIRECT = "http://localhost:8400"
SCOPE = "https://management.azure.com/.default offline_access openid profile"


class House:
    """A desk at which a user is registered, and what programs and browsers do there."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

        def work(transaction: Transaction) -> Principal:
            connection = transaction.connection()
            tickets.add_redirects(connection, desk.application.object_id, [REDIRECT, "https://app.example.org/back"])
            return add_user(transaction, NAME, Secret(PASSWORD), tenant=TENANT, now=desk.now)

        self.user = desk.commit(work)

    def case(self, address: str = "127.0.0.1", **form: str) -> Case:
        ask = Ask(TENANT, Endpoint.V2, lambda: Form(form), str(uuid4()), str(uuid4()), address)
        return Case(ask, form=Form(form))

    def session(self, password: str = PASSWORD, name: str = NAME, address: str = "127.0.0.1") -> str:
        work = browsers.signed_in(self.desk.tokens, self.case(address), name, Secret(password), "")
        return self.desk.run(work).reveal()

    def code(self, session: str, *, client: str = AZURE_CLI, consents: bool = False, **changes: str) -> str:
        asked = {"client_id": client, "response_type": "code", "redirect_uri": REDIRECT, "scope": SCOPE, **changes}

        async def work() -> dict[str, str]:
            case = self.case(**asked)
            named, back = await authorization.way_back(self.desk.tokens, case)
            understood = authorization.understood(self.desk.tokens, case, named, back)
            return await browsers.answered(self.desk.tokens, case, understood, session, consents=consents)

        return self.desk.run(work())["code"]

    def redeemed(self, code: str, **changes: str | None) -> dict[str, Any]:
        return self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, **changes)

    def refreshed(self, answer: dict[str, Any], **changes: str | None) -> dict[str, Any]:
        return self.token(grant_type="refresh_token", refresh_token=answer["refresh_token"], **changes)

    def token(self, **form: str | None) -> dict[str, Any]:
        return self.desk.ask(**{"client_id": AZURE_CLI, "client_secret": None, "scope": None, **form})

    def device(self, **changes: str) -> dict[str, Any]:
        form = {"client_id": AZURE_CLI, "scope": SCOPE, **changes}
        ask = Ask(TENANT, Endpoint.V2, lambda: Form(form), str(uuid4()), str(uuid4()), "127.0.0.1")
        return self.desk.run(self.desk.tokens.device(ask))

    def polled(self, begun: dict[str, Any], **changes: str | None) -> dict[str, Any]:
        return self.token(grant_type="device_code", device_code=begun["device_code"], **changes)

    def decided(self, code: str, session: str, *, declined: bool = False) -> None:
        self.desk.run(devices.settle(self.desk.tokens, self.case(), code, session, declined=declined))

    def passes(self, time: timedelta) -> None:
        self.desk.now += time


@pytest.fixture
def house(desk: Desk) -> House:
    return House(desk)


def refused(number: int) -> Any:
    return pytest.raises(Denied, match=f"^AADSTS{number}: ")


# ── what ends ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_ends_after_minutes(house: House) -> None:
    code = house.code(house.session())
    house.passes(LIFETIMES[Sort.CODE])
    with refused(70008):
        house.redeemed(code)


def test_a_refresh_token_ends_when_it_is_not_used_and_lives_on_when_it_is(house: House) -> None:
    answer = house.redeemed(house.code(house.session()))
    for _ in range(2):
        house.passes(LIFETIMES[Sort.REFRESH] - timedelta(seconds=1))
        answer = house.refreshed(answer)
    house.passes(LIFETIMES[Sort.REFRESH])
    with refused(70008):
        house.refreshed(answer)


def test_a_session_ends_after_hours(house: House) -> None:
    session = house.session()
    house.passes(LIFETIMES[Sort.SESSION])
    with refused(50058):
        house.code(session)


def test_what_ended_long_ago_is_swept_away(house: House) -> None:
    house.redeemed(house.code(house.session()))
    house.passes(LIFETIMES[Sort.REFRESH] + tickets.REMEMBERED)
    house.session()
    with house.desk.tokens.gate.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT kind FROM tickets").scalars().all() == ["session"]


# ── what is revoked ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_password_revokes_sessions_codes_and_refresh_tokens(house: House) -> None:
    session = house.session()
    answer, code = house.redeemed(house.code(session)), house.code(session)
    new = Secret("another password")
    house.desk.commit(lambda transaction: set_password(transaction, house.user, new, now=house.desk.now))
    with refused(50126):
        house.session()
    with refused(50058):
        house.code(session)
    with refused(54005):
        house.redeemed(code)
    with refused(50173):
        house.refreshed(answer)
    assert house.session("another password")


def test_a_removed_user_has_nothing_any_more(house: House) -> None:
    session = house.session()
    answer, code = house.redeemed(house.code(session)), house.code(session)

    def work(transaction: Transaction) -> None:
        directory.remove_principal(transaction.connection(), house.user.object_id)
        transaction.note(principal_key(house.user.object_id))

    house.desk.commit(work)
    with refused(50126):
        house.session()
    with refused(50058):
        house.code(session)
    with refused(70000):
        house.redeemed(code)
    with refused(70000):
        house.refreshed(answer)


def test_a_used_refresh_token_revokes_its_family_and_no_other(house: House) -> None:
    session = house.session()
    stolen, other = house.redeemed(house.code(session)), house.redeemed(house.code(session))
    renewed = house.refreshed(stolen)
    with refused(50173):
        house.refreshed(stolen)
    with refused(50173):
        house.refreshed(renewed)
    assert house.refreshed(other)


def test_a_code_that_comes_back_revokes_what_it_gave(house: House) -> None:
    code = house.code(house.session())
    answer = house.redeemed(code)
    with refused(54005):
        house.redeemed(code)
    with refused(50173):
        house.refreshed(answer)


def test_a_password_that_changes_while_it_is_proved_begins_no_session(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, find = house.desk.tokens, house.desk.tokens.proofs.find

    async def slowly(*arguments: Any) -> Any:
        found = await find(*arguments)
        new = Secret("another password")
        await tokens.gate.commit(lambda unit: set_password(unit, house.user, new, now=house.desk.now), lambda _: None)
        return found

    monkeypatch.setattr(tokens.proofs, "find", slowly)
    with refused(50126):
        house.session()


def test_an_application_that_is_removed_while_it_asks_gets_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, secret = house.desk.application, house.desk.secret.reveal()
    code = house.code(house.session(), client=str(application.app_id), consents=True)

    async def slowly(service: TokenService, case: Case) -> Any:
        found = await asking_client(service, case)

        def work(transaction: Transaction) -> None:
            directory.remove_principal(transaction.connection(), application.object_id)
            transaction.note(principal_key(application.object_id))

        await service.gate.commit(work, lambda _: None)
        return found

    monkeypatch.setattr(redeeming, "asking_client", slowly)
    with refused(700016):
        house.redeemed(code, client_id=application.app_id, client_secret=secret)


def test_a_code_that_was_tried_wrongly_is_spent(house: House) -> None:
    code = house.code(house.session())
    with refused(500112):
        house.token(grant_type="authorization_code", code=code, redirect_uri="http://localhost:9")
    with refused(54005):
        house.redeemed(code)


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_device_waits_for_its_user_and_gets_its_tokens_once(house: House) -> None:
    begun = house.device()
    assert begun["verification_uri"] == f"{ORIGIN}/devicelogin"
    assert begun["user_code"] in begun["message"]
    with refused(70016) as pending:
        house.polled(begun)
    assert pending.value.error == "authorization_pending"
    with refused(70016) as hasty:
        house.polled(begun)
    assert hasty.value.error == "slow_down"
    house.passes(timedelta(seconds=begun["interval"]))
    house.decided(f" {begun['user_code'][:4].lower()}-{begun['user_code'][4:]} ", house.session())
    answer = house.polled(begun)
    assert house.desk.read(answer["access_token"]).object_id == house.user.object_id
    with refused(54005):
        house.polled(begun)
    with refused(50173):
        house.refreshed(answer)


def test_who_lets_a_device_in_has_consented_to_what_it_goes_on_with(house: House) -> None:
    client = {"client_id": str(house.desk.application.app_id)}
    proof = {**client, "client_secret": house.desk.secret.reveal()}
    begun = house.device(**client)
    house.decided(begun["user_code"], house.session())
    assert house.refreshed(house.polled(begun, **proof), **proof)["access_token"]


def test_a_device_is_told_that_its_user_declined(house: House) -> None:
    begun = house.device()
    with refused(65004):
        house.decided(begun["user_code"], house.session(), declined=True)
    with refused(65004) as declined:
        house.polled(begun)
    assert declined.value.error == "authorization_declined"


def test_a_device_that_waits_too_long_is_told_so_and_so_is_its_user(house: House) -> None:
    begun, session = house.device(), house.session()
    house.passes(timedelta(seconds=begun["expires_in"]))
    with refused(70020) as expired:
        house.polled(begun)
    assert expired.value.error == "expired_token"
    with refused(70020):
        house.decided(begun["user_code"], session)


def test_a_code_of_a_device_is_decided_about_once_and_by_a_session(house: House) -> None:
    begun, session = house.device(), house.session()
    with refused(50058):
        house.decided(begun["user_code"], "no session")
    house.decided(begun["user_code"], session)
    with refused(70018):
        house.decided(begun["user_code"], session)


def test_a_device_code_is_of_one_program(house: House) -> None:
    begun = house.device()
    house.decided(begun["user_code"], house.session())
    with refused(70018) as refusal:
        house.polled(begun, client_id="1950a258-227b-4e31-a9cf-717495945fc2")
    assert refusal.value.error == "bad_verification_code"


# ── applications of one's own ───────────────────────────────────────────────────────────────────────────────────────


def test_an_application_with_a_secret_proves_it_and_a_user_consents_once(house: House) -> None:
    client, session = str(house.desk.application.app_id), house.session()
    with refused(65001):
        house.code(session, client=client)
    house.code(session, client=client, consents=True)
    code = house.code(session, client=client)
    with refused(7000218):
        house.redeemed(code, client_id=client)
    with refused(7000215):
        house.redeemed(code, client_id=client, client_secret="wrong")
    answer = house.redeemed(code, client_id=client, client_secret=house.desk.secret.reveal())
    assert house.desk.read(answer["access_token"]).all["appidacr"] == "1"
    # A consent is for one resource: a refresh token does not widen it.
    with refused(65001):
        house.refreshed(
            answer,
            client_id=client,
            client_secret=house.desk.secret.reveal(),
            scope="https://vault.azure.net/.default",
        )


def test_a_disabled_or_unregistered_address_is_no_way_back(house: House) -> None:
    client, session = str(house.desk.application.app_id), house.session()
    with refused(50011):
        house.code(session, client=client, redirect_uri="https://app.example.org/back/further")
    assert house.code(session, client=client, redirect_uri="https://app.example.org/back", consents=True)


# ── what is on the trail ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_step_of_a_sign_in_is_on_the_trail_and_names_the_user(house: House) -> None:
    before = len(house.desk.trail())
    house.refreshed(house.redeemed(house.code(house.session())))
    entries = house.desk.trail()[before:]
    assert {(entry.deed, entry.caller, entry.client) for entry in entries} == {
        (Deed.SIGN_IN, house.user.object_id, NAME)
    }
    assert [entry.action.rpartition("/")[2] for entry in entries] == [
        *("token", "token"),
        *("authorization_code", "refresh_token"),
    ]


def test_a_reuse_is_on_the_trail_once_with_the_commit_that_revokes(house: House) -> None:
    code = house.code(house.session())
    house.redeemed(code)
    before = len(house.desk.trail())
    with refused(54005):
        house.redeemed(code)
    [entry] = house.desk.trail()[before:]
    assert (entry.deed, entry.code) == (Deed.REFUSAL, "AADSTS54005")


def test_what_was_typed_for_a_name_is_not_on_the_trail_where_it_is_none(house: House) -> None:
    case = house.case()
    with refused(50126) as refusal:
        house.desk.run(browsers.signed_in(house.desk.tokens, case, "my password", Secret("x"), ""))
    house.desk.run(house.desk.tokens.refused(case, refusal.value))
    assert house.desk.last_entry().client == ""


# ── wishes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("endpoint", "form", "audience", "spoken"),
    [
        (Endpoint.V2, {"scope": f"{ORIGIN}/.default"}, ORIGIN, "user_impersonation"),
        (Endpoint.V2, {"scope": f"{ORIGIN}//.default"}, f"{ORIGIN}/", "user_impersonation"),
        (Endpoint.V2, {"scope": "https://vault.azure.net/user_impersonation"}, "https://vault.azure.net", None),
        (Endpoint.V2, {"scope": "User.Read openid"}, "https://graph.microsoft.com", "User.Read openid"),
        (Endpoint.V2, {"scope": "openid profile"}, "https://graph.microsoft.com", "openid profile"),
        (Endpoint.V1, {"scope": "user_impersonation"}, "https://management.azure.com/", None),
        (Endpoint.V1, {}, "https://management.azure.com/", None),
        (Endpoint.V1, {"resource": "https://storage.azure.com"}, "https://storage.azure.com", None),
        (Endpoint.ADFS, {"resource": "https://storage.azure.com/"}, "https://storage.azure.com/", None),
        (Endpoint.ADFS, {"scope": "https://storage.azure.com/.default"}, "https://storage.azure.com", None),
    ],
)
def test_a_wish_is_for_one_resource(
    endpoint: Endpoint, form: dict[str, str], audience: str, spoken: str | None
) -> None:
    wish = wished(Form(form), endpoint, AUTHORITY)
    assert (wish.audience, wish.spoken) == (audience, spoken or "user_impersonation")
