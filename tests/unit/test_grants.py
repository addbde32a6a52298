"""The token service: who gets a token, for what, in which words it is refused, and what of it is on the trail."""

from __future__ import annotations

import asyncio
import base64
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite import tokens
from linarite.errors import Unavailable
from linarite.errors.server import server_busy
from linarite.grants import (
    Denied,
    Endpoint,
    Form,
    add_application,
    add_secret,
    proofs,
    remove_credential,
    rotate_signing_key,
)
from linarite.grants.applications import KEPT
from linarite.grants.ask import AZURE, DOMAIN
from linarite.grants.clients import claimed_client
from linarite.grants.denied import quoted
from linarite.ids import is_guid
from linarite.model import Deed, Principal, PrincipalKind
from linarite.store import directory
from linarite.store.gate import Stale
from linarite.store.keys import principal_key
from linarite.tokens import Authority, Reader
from linarite.tokens.minting import private_half
from tests.unit.desk import AUTHORITY, ORIGIN, TENANT

if TYPE_CHECKING:
    from linarite.store.directory import Credential
    from linarite.store.transaction import Transaction
    from tests.unit.desk import Desk

NOBODY = "99999999-9999-9999-9999-999999999999"


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def payload(token: str) -> dict[str, Any]:
    text = token.split(".")[1]
    claims: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def header(token: str) -> dict[str, Any]:
    text = token.split(".", maxsplit=1)[0]
    found: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that were computed, which is what costs time."""
    seen: list[str] = []
    verify = proofs._verify

    def counted(hash_: str, secret: Any) -> bool:
        seen.append(hash_)
        return verify(hash_, secret)

    monkeypatch.setattr(proofs, "_verify", counted)
    return seen


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_gets_a_token_that_resource_manager_reads(desk: Desk) -> None:
    answer = desk.ask()
    claims = desk.read(answer["access_token"])
    assert claims.object_id == desk.application.object_id
    assert claims.audience == ORIGIN
    assert claims.all["appid"] == desk.application.app_id
    assert claims.all["idtyp"] == "app"
    assert len(claims.all["uti"]) == 22


def test_a_secret_in_a_basic_header_is_as_good(desk: Desk) -> None:
    authorization = basic(str(desk.application.app_id), desk.secret.reveal())
    answer = desk.ask(authorization=authorization, client_id=None, client_secret=None)
    assert desk.read(answer["access_token"]).object_id == desk.application.object_id


def test_a_client_id_counts_in_any_case(desk: Desk) -> None:
    assert desk.ask(client_id=str(desk.application.app_id).upper())["token_type"] == "Bearer"


@pytest.mark.parametrize("tenant", [TENANT, TENANT.upper(), "common", "organizations", "adfs", "ADFS", DOMAIN])
def test_the_tenant_has_several_names(desk: Desk, tenant: str) -> None:
    assert payload(desk.ask(tenant=tenant)["access_token"])["tid"] == TENANT


@pytest.mark.parametrize("resource", [*AZURE, ORIGIN])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_audience_is_spelled_as_the_client_spells_it(desk: Desk, resource: str, slash: str) -> None:
    token = desk.ask(scope=f"{resource}{slash}/.default")["access_token"]
    assert payload(token)["aud"] == resource + slash


def test_what_openid_adds_to_a_scope_is_no_resource(desk: Desk) -> None:
    token = desk.ask(scope=f"openid profile {ORIGIN}//.default offline_access email")["access_token"]
    assert payload(token)["aud"] == f"{ORIGIN}/"


@pytest.mark.parametrize("endpoint", [Endpoint.V2, Endpoint.ADFS])
def test_the_endpoints_of_today_answer_numbers(desk: Desk, endpoint: Endpoint) -> None:
    answer = desk.ask(endpoint=endpoint)
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
    assert payload(token)["exp"] - desk.now.timestamp() == pytest.approx(3599, abs=1)


def test_the_endpoint_of_version_1_answers_texts_and_says_for_what(desk: Desk) -> None:
    answer = desk.ask(endpoint=Endpoint.V1, scope=None, resource="https://management.azure.com/")
    claims = payload(answer.pop("access_token"))
    assert answer == {
        "token_type": "Bearer",
        "expires_in": "3599",
        "ext_expires_in": "3599",
        "expires_on": str(claims["exp"]),
        "not_before": str(claims["nbf"]),
        "resource": "https://management.azure.com/",
    }
    assert claims["aud"] == "https://management.azure.com/"


def test_adfs_reads_a_resource_as_well_as_a_scope(desk: Desk) -> None:
    token = desk.ask(endpoint=Endpoint.ADFS, scope=None, resource=ORIGIN)["access_token"]
    assert payload(token)["aud"] == ORIGIN


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────

SCOPE = "https://management.azure.com/.default"

REFUSALS: list[tuple[str, dict[str, Any], str, int, int]] = [
    ("no grant type", {"grant_type": None}, "invalid_request", 900144, 400),
    ("another grant type", {"grant_type": "password"}, "unsupported_grant_type", 70003, 400),
    ("no client", {"client_id": None}, "invalid_request", 900144, 400),
    ("an empty client", {"client_id": ""}, "invalid_request", 900144, 400),
    ("no secret", {"client_secret": None}, "invalid_client", 7000216, 401),
    ("a wrong secret", {"client_secret": "wrong"}, "invalid_client", 7000215, 401),
    ("an unknown client", {"client_id": NOBODY}, "unauthorized_client", 700016, 400),
    ("a client that no database would take", {"client_id": "a\0b"}, "unauthorized_client", 700016, 400),
    ("a client that is too long", {"client_id": "a" * 129}, "unauthorized_client", 700016, 400),
    ("no scope", {"scope": None}, "invalid_request", 900144, 400),
    ("a scope without .default", {"scope": "https://management.azure.com/user"}, "invalid_scope", 1002012, 400),
    ("no more than a slash off", {"scope": "https://management.azure.com.default"}, "invalid_scope", 1002012, 400),
    ("two scopes", {"scope": f"{SCOPE} {SCOPE}"}, "invalid_scope", 70011, 400),
    ("a scope of openid alone", {"scope": "openid"}, "invalid_scope", 70011, 400),
    ("a scope of nothing", {"scope": "/.default"}, "invalid_scope", 70011, 400),
    ("an unknown resource", {"scope": "https://example.org/.default"}, "invalid_resource", 500011, 400),
    ("two slashes", {"scope": f"{ORIGIN}///.default"}, "invalid_resource", 500011, 400),
    ("a resource at v2.0", {"resource": ORIGIN}, "invalid_request", 901002, 400),
    ("no resource at v1.0", {"endpoint": Endpoint.V1}, "invalid_request", 900144, 400),
    ("another tenant", {"tenant": NOBODY}, "invalid_request", 90002, 400),
    ("another tenant's domain", {"tenant": "contoso.com"}, "invalid_request", 90002, 400),
    ("no tenant's name", {"tenant": "contoso"}, "invalid_request", 900023, 400),
    ("two ways at once", {"authorization": basic(NOBODY, "x")}, "invalid_request", 9002313, 400),
]


@pytest.mark.parametrize(
    ("changes", "error", "number", "status"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_refusal_is_in_entras_words_and_on_the_trail(
    desk: Desk, changes: dict[str, Any], error: str, number: int, status: int
) -> None:
    denied = desk.denied(**changes)
    assert (denied.error, denied.number, denied.status) == (error, number, status)
    entry = desk.last_entry()
    assert entry.deed is Deed.REFUSAL
    assert (entry.code, entry.status) == (f"AADSTS{number}", status)
    assert entry.action.startswith("Microsoft.AAD/token")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "scope"])
def test_a_missing_parameter_is_named(desk: Desk, name: str) -> None:
    denied = desk.denied(**{name: None})
    assert denied.message == f"The request body must contain the following parameter: '{name}'."


def test_a_form_that_cannot_be_read_is_refused_and_on_the_trail(desk: Desk) -> None:
    def unreadable() -> Form:
        raise Denied("invalid_request", 9002313, "No form.")

    with pytest.raises(Denied, match="AADSTS9002313"):
        desk.run(desk.tokens.token(replace(desk.request(), form=unreadable)))
    assert desk.last_entry().code == "AADSTS9002313"


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic !", "Basic " + base64.b64encode(b"\xff:x").decode(), "Bearer x"]
)
def test_a_header_that_says_nothing_leaves_the_form_to_speak(desk: Desk, authorization: str) -> None:
    assert desk.ask(authorization=authorization)["token_type"] == "Bearer"


def test_a_secret_without_a_client_in_the_header_is_no_secret(desk: Desk) -> None:
    authorization = "Basic " + base64.b64encode(f":{desk.secret.reveal()}".encode()).decode()
    assert desk.denied(authorization=authorization, client_id=None, client_secret=None).number == 900144


def test_a_disabled_application_is_told_so_if_it_has_the_secret(desk: Desk) -> None:
    disabled = Principal(NOBODY, PrincipalKind.SERVICE_PRINCIPAL, NOBODY, TENANT, "old", NOBODY, disabled=True)

    def work(transaction: Transaction) -> str:
        directory.add_principal(transaction.connection(), disabled, desk.now)
        return add_secret(transaction, disabled, now=desk.now)[1].reveal()

    secret = desk.commit(work)
    denied = desk.denied(client_id=NOBODY, client_secret=secret)
    assert (denied.error, denied.number) == ("unauthorized_client", 7000112)
    assert denied.message == f"Application '{NOBODY}'(old) is disabled."
    assert desk.denied(client_id=NOBODY, client_secret="wrong").number == 7000215


@pytest.mark.parametrize("kind", [PrincipalKind.USER, PrincipalKind.MANAGED_IDENTITY])
def test_only_applications_sign_in_with_a_secret(desk: Desk, kind: PrincipalKind) -> None:
    other = Principal(NOBODY, kind, NOBODY, TENANT, "somebody", NOBODY)

    def work(transaction: Transaction) -> str:
        directory.add_principal(transaction.connection(), other, desk.now)
        return add_secret(transaction, other, now=desk.now)[1].reveal()

    assert desk.denied(client_id=NOBODY, client_secret=desk.commit(work)).number == 700016


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def second_secret(desk: Desk, expires: Any = None) -> tuple[str, str]:
    """Id and text of one more secret."""
    id_, secret = desk.commit(
        lambda transaction: add_secret(transaction, desk.application, now=desk.now, expires=expires)
    )
    return id_, secret.reveal()


def test_any_of_an_applications_secrets_will_do(desk: Desk) -> None:
    _, second = second_secret(desk)
    assert desk.ask()["token_type"] == desk.ask(client_secret=second)["token_type"] == "Bearer"


def test_an_expired_secret_is_told_from_a_wrong_one(desk: Desk) -> None:
    _, second = second_secret(desk, expires=desk.now + timedelta(hours=1))
    assert desk.ask(client_secret=second)["token_type"] == "Bearer"
    desk.now += timedelta(hours=1)
    assert desk.denied(client_secret=second).number == 7000222
    assert desk.denied(client_secret="wrong").number == 7000215
    assert desk.ask()["token_type"] == "Bearer"


def test_a_secret_is_hashed_once_and_again_only_after_a_restart(desk: Desk, hashes: list[str]) -> None:
    desk.ask()
    desk.ask()
    assert len(hashes) == 1
    other = desk.another()
    other.ask()
    other.close()
    assert len(hashes) == 2


def test_many_who_come_with_one_secret_at_once_cost_no_more_hashes_than_run_at_once(
    desk: Desk, hashes: list[str]
) -> None:
    async def crowd() -> list[dict[str, Any]]:
        return await asyncio.gather(*(desk.tokens.token(desk.request()) for _ in range(20)))

    assert len({answer["access_token"] for answer in desk.run(crowd())}) == 20
    assert len(hashes) <= 2


def test_who_was_proved_before_does_not_wait_for_those_who_guess(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ask()
    guessing, ended = threading.Barrier(3), threading.Event()

    def guess(*_: Any) -> bool:
        guessing.wait(20)
        ended.wait(20)
        return False

    monkeypatch.setattr(proofs, "_verify", guess)

    async def crowd() -> dict[str, Any]:
        guesses = [asyncio.create_task(desk.tokens.token(desk.request(client_secret=str(n)))) for n in range(2)]
        try:
            await asyncio.to_thread(guessing.wait, 20)
            async with asyncio.timeout(10):
                return await desk.tokens.token(desk.request())
        finally:
            ended.set()
            await asyncio.gather(*guesses, return_exceptions=True)

    assert desk.run(crowd())["token_type"] == "Bearer"


def test_a_wrong_secret_is_never_remembered_as_right(desk: Desk, hashes: list[str]) -> None:
    desk.ask()
    for _ in range(2):
        assert desk.denied(client_secret="wrong").number == 7000215
    assert len(hashes) == 3


def test_who_is_unknown_costs_as_many_hashes_as_who_is_wrong(desk: Desk, hashes: list[str]) -> None:
    desk.denied(client_secret="wrong")
    assert len(hashes) == 1
    desk.denied(client_id=NOBODY)
    desk.denied(client_id="a\0b")
    assert len(hashes) == 3
    work = {hash_.rpartition("$")[0].rpartition("$")[0] for hash_ in hashes}
    assert work == {"$argon2id$v=19$m=47104,t=1,p=1"}


def test_no_more_than_two_hashes_are_computed_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock, both = 0, 0, threading.Lock(), threading.Event()

    def slow(_: str, __: Any) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 2:
                both.set()
        assert both.wait(10)
        with lock:
            running -= 1
        return False

    monkeypatch.setattr(proofs, "_verify", slow)

    async def crowd() -> None:
        asks = [desk.tokens.token(desk.request(client_secret=str(number))) for number in range(8)]
        await asyncio.gather(*asks, return_exceptions=True)

    desk.run(crowd())
    assert most == 2


def test_a_secret_that_another_process_removed_signs_nobody_in(desk: Desk) -> None:
    id_, second = second_secret(desk)
    assert desk.ask(client_secret=second)["token_type"] == "Bearer"
    other = desk.another()
    other.commit(lambda transaction: remove_credential(transaction, desk.application, id_))
    other.close()
    assert desk.denied(client_secret=second).number == 7000215


def test_no_token_leaves_for_a_secret_that_was_removed_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    id_, second = second_secret(desk)
    gate, seen = desk.tokens.gate, list[Any]()
    record = gate.record

    async def record_late(entry: Any, version: int | None = None) -> None:
        if not seen:
            await gate.commit(lambda transaction: remove_credential(transaction, desk.application, id_), lambda _: None)
        seen.append(version)
        await record(entry, version)

    monkeypatch.setattr(gate, "record", record_late)
    assert desk.denied(client_secret=second).number == 7000215
    assert len(seen) == 2
    assert [entry.deed for entry in desk.trail()] == [Deed.REFUSAL]


def test_a_state_that_never_rests_is_no_endless_loop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def moving(_: Any, version: int | None = None) -> None:
        assert version is not None
        raise Stale

    monkeypatch.setattr(desk.tokens.gate, "record", moving)
    with pytest.raises(Unavailable):
        desk.ask()


def test_what_is_remembered_of_secrets_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, hashes: list[str]
) -> None:
    monkeypatch.setattr(proofs, "_MOST_REMEMBERED", 1)
    _, second = second_secret(desk)
    desk.ask()
    desk.ask(client_secret=second)
    assert len(desk.tokens.proofs._known) == 1
    before = len(hashes)
    desk.ask(client_secret=second)
    assert len(hashes) == before


def test_a_credential_of_another_kind_is_no_client_secret(desk: Desk) -> None:
    def change(transaction: Transaction) -> None:
        [kept] = transaction.credentials_of(desk.application.object_id)
        directory.remove_credential(transaction.connection(), kept.principal, kept.id)
        directory.add_credential(transaction.connection(), replace(kept, kind="password"))
        transaction.note(principal_key(desk.application.object_id))

    desk.commit(change)
    assert desk.denied().number == 7000215


def test_credentials_are_read_anew_once_they_change(desk: Desk) -> None:
    def known() -> int:
        kept, _ = desk.run(desk.tokens.gate.look(lambda view: view.credentials_of(desk.application.object_id)))
        return len(kept)

    assert known() == 1
    id_, _ = second_secret(desk)
    assert known() == 2
    desk.commit(lambda transaction: remove_credential(transaction, desk.application, id_))
    assert known() == 1


@pytest.mark.parametrize("client", ["a\0b", "a" * 129, "a\u2028b"])
def test_no_database_is_asked_about_what_cannot_be_an_id(desk: Desk, client: str) -> None:
    assert desk.denied(client_id=client).number == 700016
    assert client not in desk.tokens.gate.memory.clients
    assert desk.denied(client_id=NOBODY).number == 700016
    assert desk.tokens.gate.memory.clients.items() == [(NOBODY, None)]


def test_a_hash_that_is_damaged_proves_nothing(desk: Desk) -> None:
    def damage(transaction: Transaction) -> None:
        [kept] = transaction.credentials_of(desk.application.object_id)
        directory.remove_credential(transaction.connection(), kept.principal, kept.id)
        directory.add_credential(transaction.connection(), replace(kept, hash="not a hash"))
        transaction.note(principal_key(desk.application.object_id))

    desk.commit(damage)
    assert desk.denied().number == 7000215


def test_secrets_do_not_print(desk: Desk) -> None:
    secret = desk.secret.reveal()
    ask = desk.request(authorization=basic(str(desk.application.app_id), secret))
    claimed = claimed_client(Form(desk.form()), None)
    assert secret not in f"{ask!r} {ask.form()!r} {claimed!r} {desk.tokens.proofs!r}"
    assert basic(str(desk.application.app_id), secret) not in repr(ask)


# ── the trail ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sign_in_is_on_the_trail_before_the_token_leaves(desk: Desk) -> None:
    ask = desk.request(scope="https://management.azure.com/.default")
    desk.run(desk.tokens.token(ask))
    entry = desk.last_entry()
    assert (entry.deed, entry.action) == (Deed.SIGN_IN, "Microsoft.AAD/token/client_credentials")
    assert (entry.caller, entry.client) == (desk.application.object_id, desk.application.app_id)
    assert (entry.target, entry.status, entry.code) == ("https://management.azure.com", 200, "")
    assert (entry.request, entry.correlation, entry.address) == (ask.request, ask.correlation, "127.0.0.1")
    assert entry.at == desk.now


def test_no_token_leaves_that_cannot_be_recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise server_busy()

    monkeypatch.setattr(desk.tokens.gate, "record", full)
    with pytest.raises(Unavailable):
        desk.ask()
    with pytest.raises(Unavailable):
        desk.ask(client_secret="wrong")


def test_the_trail_names_who_was_claimed_and_who_was_proven(desk: Desk) -> None:
    desk.denied(client_secret="wrong")
    assert (desk.last_entry().caller, desk.last_entry().client) == ("", desk.application.app_id)
    desk.denied(scope="https://example.org/.default")
    assert desk.last_entry().caller == desk.application.object_id
    assert desk.last_entry().target == "https://example.org"


def test_no_secret_is_ever_on_the_trail(desk: Desk) -> None:
    desk.ask()
    for changes in ({"client_id": NOBODY}, {"scope": "x"}, {"grant_type": "x"}, {"tenant": "x"}):
        desk.denied(**changes)
    assert desk.secret.reveal() not in repr(desk.trail())


def test_what_a_caller_sends_is_cut_short_and_cleaned_before_it_is_repeated(desk: Desk) -> None:
    denied = desk.denied(grant_type="evil\r\n\x1b[31m" + "x" * 1000)
    assert "\r" not in denied.message
    assert "\x1b" not in denied.message
    assert len(denied.message) < 400
    assert len(desk.last_entry().action) < 300


@given(st.text())
def test_a_quotation_is_short_and_printable(text: str) -> None:
    assert len(quoted(text)) <= 256
    assert quoted(text).isprintable()


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rotate(desk: Desk) -> str:
    return desk.commit(lambda transaction: rotate_signing_key(transaction, desk.keyring, desk.now)).kid


def test_the_key_that_signs_is_unsealed_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    unsealed: list[str] = []

    def counted(key: Any, keyring: Any) -> Any:
        unsealed.append(key.kid)
        return private_half(key, keyring)

    monkeypatch.setattr("linarite.grants.signer.private_half", counted)
    desk.ask()
    desk.ask()
    assert len(unsealed) == 1
    new = rotate(desk)
    desk.ask()
    assert unsealed[1:] == [new]


def test_a_token_is_verified_once_until_the_keys_change(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though every unit of work reads the keys anew."""

    def keys() -> tuple[Any, ...]:
        return desk.commit(lambda transaction: transaction.signing_keys())

    def counted(*given: Any, **named: Any) -> Any:
        verified.append(given)
        return decode(*given, **named)

    verified: list[Any] = []
    decode = tokens.jwt.decode
    monkeypatch.setattr(tokens.jwt, "decode", counted)
    bearer = f"Bearer {desk.ask()['access_token']}"
    reader = Reader(AUTHORITY, lambda: desk.now)
    for _ in range(3):
        assert reader.read(bearer, keys()).object_id == desk.application.object_id
    assert len(verified) == 1
    rotate(desk)
    reader.read(bearer, keys())
    assert len(verified) == 2


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies(desk: Desk) -> None:
    before = desk.ask()["access_token"]
    desk.now += timedelta(seconds=1)
    kid = rotate(desk)
    after = desk.ask()["access_token"]
    assert header(after)["kid"] == kid != header(before)["kid"]
    assert desk.read(before).object_id == desk.read(after).object_id == desk.application.object_id


def test_a_rotation_by_another_process_is_followed(desk: Desk) -> None:
    desk.ask()
    other = desk.another()
    other.now += timedelta(seconds=1)
    kid = rotate(other)
    other.close()
    assert header(desk.ask()["access_token"])["kid"] == kid


def test_a_retired_key_is_published_for_as_long_as_a_token_of_its_may_live(desk: Desk) -> None:
    def published() -> list[str]:
        return [key["kid"] for key in desk.run(desk.tokens.published_keys())]

    [first] = published()
    desk.now += timedelta(seconds=1)
    second = rotate(desk)
    assert published() == [second, first]
    desk.now += KEPT - timedelta(seconds=1)
    third = rotate(desk)
    assert published() == [third, second, first]
    desk.now += timedelta(seconds=1)
    fourth = rotate(desk)
    assert published() == [fourth, third, second]


def test_published_keys_are_public_halves_alone(desk: Desk) -> None:
    [key] = desk.run(desk.tokens.published_keys())
    assert {"kty", "use", "kid", "x5t", "n", "e"} <= key.keys()
    assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()


def test_a_sealed_server_issues_nothing(desk: Desk) -> None:
    desk.tokens.gate.keyring = None
    with pytest.raises(Unavailable, match="sealed"):
        desk.ask()


def test_a_server_that_is_sealed_meanwhile_issues_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = desk.tokens.gate
    peek = gate.peek

    async def sealing(question: Any) -> Any:
        answer = await peek(question)
        gate.keyring = None
        return answer

    monkeypatch.setattr(gate, "peek", sealing)
    with pytest.raises(Unavailable, match="sealed"):
        desk.ask()


# ── applications ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_application_signs_in_at_once_even_where_it_was_unknown_before(desk: Desk) -> None:
    def random(size: int) -> bytes:
        return bytes(range(size))

    app_id = "00010203-0405-4607-8809-0a0b0c0d0e0f"
    assert desk.denied(client_id=app_id).number == 700016
    made, secret = desk.commit(
        lambda transaction: add_application(transaction, "new", tenant=TENANT, now=desk.now, random=random)
    )
    assert made.app_id == made.client == app_id
    assert len(secret.reveal()) == 40
    assert desk.ask(client_id=app_id, client_secret=secret.reveal())["token_type"] == "Bearer"


def test_a_secret_is_kept_as_a_hash_alone(desk: Desk) -> None:
    kept: tuple[Credential, ...]
    kept, _ = desk.run(desk.tokens.gate.look(lambda view: view.credentials_of(desk.application.object_id)))
    assert [one.hash.startswith("$argon2id$") for one in kept] == [True]
    assert all(is_guid(one.id) for one in kept)
    assert desk.secret.reveal().encode() not in desk.file.read_bytes()


def test_a_token_of_one_server_is_nothing_to_another(desk: Desk) -> None:
    token = desk.ask()["access_token"]
    with pytest.raises(Exception, match="InvalidAuthenticationTokenAudience"):
        desk.read(token, Authority("https://localhost:9443", TENANT))


# ── the header ──────────────────────────────────────────────────────────────────────────────────────────────────────

words = st.text(st.characters(codec="utf-8"), min_size=1)


@given(client=words, secret=words)
def test_a_basic_header_carries_any_client_and_secret(client: str, secret: str) -> None:
    claimed = claimed_client(Form(), basic(client, secret))
    assert claimed.client == client
    assert claimed.secret is not None
    assert claimed.secret.reveal() == secret


@given(st.text())
def test_no_header_breaks_the_reader(text: str) -> None:
    form = Form({"client_id": "somebody", "client_secret": "x"})
    for authorization in (text, f"Basic {text}"):
        try:
            assert claimed_client(form, authorization).client
        except Denied as denied:
            assert denied.number == 9002313  # noqa: PT017
