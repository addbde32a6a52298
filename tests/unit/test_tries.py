"""Who guesses is held up, by all processes together and over their restarts; who knows is not."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from linarite.grants import Denied, browsers, devices, tries
from linarite.grants.tries import CODES_OF_AN_ADDRESS, HELD_UP, OF_A_USER, OF_AN_ADDRESS
from linarite.model import Deed, Secret
from linarite.store import tables
from linarite.store.keys import principal_key
from tests.store.site import BOTH, commits
from tests.unit.test_user_grants import NAME, PASSWORD, House, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.grants import TokenService
    from linarite.store.transaction import Transaction
    from tests.unit.desk import Desk

WRONG, TOO_OFTEN = 50126, 50053

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.1"
"""Addresses: who knows the password is here."""


@pytest.fixture(params=BOTH)
def desk(request: pytest.FixtureRequest, desk: Desk) -> Iterator[Desk]:
    """One on SQLite, then one on PostgreSQL."""
    if request.param == "sqlite":
        yield desk
        return
    first: Desk = request.getfixturevalue("first_desk_on_postgresql")
    with contextlib.closing(first.moved(request.getfixturevalue("postgres_url"), desk.runner)) as there:
        yield there


@pytest.fixture
def house(desk: Desk) -> House:
    return House(desk)


@pytest.fixture
def other(desk: Desk) -> Iterator[Desk]:
    """A second process on the same database."""
    other = desk.another()
    yield other
    other.close()


def together(house: House, *guesses: tuple[Desk, str]) -> list[int]:
    """How guesses from elsewhere end that arrive at the same moment: numbers of refusals, 0 for one that is let in."""

    async def guess(tokens: TokenService, password: str) -> int:
        case = house.case(ELSEWHERE)
        try:
            await browsers.signed_in(tokens, case, NAME, Secret(password), "")
        except Denied as denied:
            await tokens.refused(case, denied)
            return denied.number
        return 0

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(guess(desk.tokens, password) for desk, password in guesses))

    return house.desk.run(all_of_them())


def kept(house: House) -> Mapping[bytes, int]:
    """What is counted, as the database has it."""
    rows = house.desk.run(
        house.desk.tokens.gate.database.read(lambda connection: connection.execute(select(tables.tries)).all())
    )
    return {row.digest: row.times for row in rows}


def counts(house: House, *subjects: tries.Subject) -> list[int]:
    found = kept(house)
    return [found.get(house.desk.keyring.digest(one.name, "tries"), 0) for one in subjects]


# ── passwords ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_guesses_a_users_password_is_held_up_and_so_is_the_user_for_a_minute(house: House) -> None:
    for _ in range(OF_A_USER):
        with refused(WRONG):
            house.session("wrong password", address=ELSEWHERE)
    with refused(TOO_OFTEN):
        house.session()
    house.passes(HELD_UP)
    assert house.session()


def test_who_guesses_at_many_users_is_held_up_by_address(house: House) -> None:
    def work(transaction: Transaction) -> None:
        for user in range(OF_AN_ADDRESS):
            tries.count(transaction, house.desk.now, tries.user(f"{user}"), tries.address(ELSEWHERE))

    house.desk.commit(work)
    with refused(TOO_OFTEN):
        house.session(address=ELSEWHERE)
    assert house.session()


def test_a_user_who_types_right_at_last_is_counted_anew_and_the_address_is_not(house: House) -> None:
    subjects = tries.user(NAME), tries.address(HERE)
    for _ in range(2):
        with refused(WRONG):
            house.session("wrong password")
    assert house.session()
    assert counts(house, *subjects) == [0, 2]
    with refused(WRONG):
        house.session("wrong password")
    assert house.session()  # by a password that is remembered
    assert counts(house, *subjects) == [0, 3]


def test_a_guess_counts_in_every_process_and_in_one_that_starts_later(house: House, other: Desk) -> None:
    guesses = [(desk, "wrong password") for desk in (house.desk, other)] * (OF_A_USER // 2)
    assert [together(house, guess) for guess in guesses] == [[WRONG]] * OF_A_USER
    later = house.desk.another()
    assert together(house, *((desk, PASSWORD) for desk in (house.desk, other, later))) == [TOO_OFTEN] * 3
    later.close()


def test_guesses_at_the_same_moment_in_two_processes_are_no_more_than_are_borne(house: House, other: Desk) -> None:
    answers = together(house, *[(house.desk, "wrong password"), (other, "wrong password")] * OF_A_USER)
    assert answers.count(WRONG) == OF_A_USER
    assert answers.count(TOO_OFTEN) == len(answers) - OF_A_USER


def test_a_right_guess_does_not_pass_the_wrong_ones_before_it_by_being_remembered(house: House) -> None:
    house.session()
    guesses = [*["wrong password"] * OF_A_USER, PASSWORD]
    assert together(house, *((house.desk, one) for one in guesses)) == [*[WRONG] * OF_A_USER, TOO_OFTEN]


def test_who_knows_the_password_is_never_counted_once_it_is_remembered(house: House) -> None:
    house.session()
    assert together(house, *[(house.desk, PASSWORD)] * (3 * OF_A_USER)) == [0] * (3 * OF_A_USER)
    assert set(kept(house).values()) <= {0}


def test_a_remembered_password_signs_in_with_one_commit(house: House) -> None:
    house.session()
    with commits(house.desk.tokens.gate) as seen:
        house.session()
    assert len(seen) == 1


def test_who_is_held_up_is_not_told_that_the_password_is_right_and_the_user_disabled(house: House) -> None:
    def disable(transaction: Transaction) -> None:
        mine = tables.principals.c.object_id == house.user.object_id
        transaction.connection().execute(update(tables.principals).where(mine).values(disabled=True))
        transaction.note(principal_key(house.user.object_id))

    house.session()
    house.desk.commit(disable)
    assert together(house, *[(house.desk, PASSWORD)] * 2) == [50057, 50057]
    together(house, *[(house.desk, "wrong password")] * OF_A_USER)
    assert together(house, (house.desk, PASSWORD)) == [TOO_OFTEN]


def test_what_is_refused_is_on_the_trail_once(house: House) -> None:
    together(house, *[(house.desk, "wrong password")] * OF_A_USER)
    before = len(house.desk.trail())
    with commits(house.desk.tokens.gate) as seen:
        together(house, (house.desk, "wrong password"))
    [entry] = house.desk.trail()[before:]
    assert (entry.deed, entry.code, entry.client) == (Deed.REFUSAL, f"AADSTS{TOO_OFTEN}", NAME)
    assert len(seen) == 1


def test_of_what_was_typed_for_a_name_nothing_is_kept_that_could_be_guessed_at(house: House) -> None:
    with refused(WRONG):
        house.session("x", name="my password")
    plain = {hashlib.sha256(text.encode()).digest() for text in ("my password", tries.user("my password").name)}
    assert len(kept(house)) == 2
    assert not plain & kept(house).keys()
    if house.desk.url.startswith("sqlite"):
        files = house.desk.file.parent.glob("linarite.db*")
        assert b"my password" not in b"".join(file.read_bytes() for file in files)


# ── codes of devices ────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_guesses_codes_of_devices_is_held_up_in_every_process(house: House, other: Desk) -> None:
    begun = house.device()
    for desk in [house.desk, other] * (CODES_OF_AN_ADDRESS // 2):
        with refused(70018):
            house.desk.run(devices.waiting(desk.tokens, house.case(), "BCDFGHJKL"))
    for desk in (house.desk, other):
        with refused(TOO_OFTEN):
            house.desk.run(devices.waiting(desk.tokens, house.case(), begun["user_code"]))
    house.passes(HELD_UP)
    assert house.desk.run(devices.waiting(house.desk.tokens, house.case(), begun["user_code"]))


def test_a_right_code_behind_too_many_wrong_ones_at_the_same_moment_is_refused(house: House) -> None:
    codes = [*["BCDFGHJKL"] * CODES_OF_AN_ADDRESS, house.device()["user_code"]]

    async def work() -> list[object]:
        waiting = (devices.waiting(house.desk.tokens, house.case(), code) for code in codes)
        return await asyncio.gather(*waiting, return_exceptions=True)

    answers = house.desk.run(work())
    assert [one.number for one in answers if isinstance(one, Denied)] == [70018] * CODES_OF_AN_ADDRESS + [TOO_OFTEN]


def test_a_right_code_is_not_counted_and_not_yet_on_the_trail(house: House) -> None:
    begun = house.device()
    before = house.desk.trail()
    for _ in range(CODES_OF_AN_ADDRESS + 1):
        house.desk.run(devices.waiting(house.desk.tokens, house.case(), begun["user_code"]))
    assert kept(house) == {}
    assert house.desk.trail() == before
