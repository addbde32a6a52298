"""Releases: recorded at the version that they were computed at, or not at all; and nothing while the gate is sealed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import Unavailable
from linarite.store.gate import Stale
from tests.store.site import HOME, account, commits, found_group, in_one_batch, recorded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.store.gate import Gate
    from tests.store.site import Site


def test_a_release_at_the_current_version_is_written(site: Site) -> None:
    site.commit(found_group)
    site.run(site.gate.record(recorded(None, "Linarite/release"), version=1))
    assert [entry.action for entry in site.entries()] == ["Linarite/test", "Linarite/release"]


def test_a_release_at_an_old_version_is_stale_and_writes_nothing(site: Site) -> None:
    site.commit(found_group)
    for version in (0, 2):
        with pytest.raises(Stale):
            site.run(site.gate.record(recorded(None, "Linarite/release"), version=version))
    assert len(site.entries()) == 1


def test_a_release_is_stale_after_another_process_has_written(site: Site) -> None:
    site.commit(found_group)
    version = site.version()
    site.commit(account("st1"), site.another())
    with pytest.raises(Stale):
        site.run(site.gate.record(recorded(None), version=version))


def test_a_release_is_not_made_stale_by_a_write_of_the_same_batch(site: Site) -> None:
    async def both() -> list[Any]:
        write = site.gate.commit(account("st1"), recorded)
        release = site.gate.record(recorded(None, "Linarite/release"), version=1)
        return await in_one_batch(site.gate, write, release)

    site.commit(found_group)
    with commits(site.gate) as made:
        assert site.run(both())[1] is None
    assert len(made) == 1
    # It comes first on the trail too: what it released was true then.
    assert [entry.action for entry in site.entries()[1:]] == ["Linarite/release", "Linarite/test"]


def test_a_stale_release_leaves_its_neighbours_alone(site: Site) -> None:
    async def both() -> list[Any]:
        gate = site.gate
        records = (gate.record(recorded(None, str(version)), version) for version in (0, 1, 0, 1))
        return await in_one_batch(gate, *records)

    site.commit(found_group)
    assert [type(outcome) for outcome in site.run(both())] == [Stale, type(None), Stale, type(None)]
    assert [entry.action for entry in site.entries()[1:]] == ["1", "1"]


# ── sealed ──────────────────────────────────────────────────────────────────────────────────────────────────────────

EVERYTHING: dict[str, Callable[[Gate], Awaitable[Any]]] = {
    "look": lambda gate: gate.look(lambda view: view.resource(HOME.key)),
    "peek": lambda gate: gate.peek(lambda view: view.resource(HOME.key)),
    "record": lambda gate: gate.record(recorded(None)),
    "commit": lambda gate: gate.commit(found_group, recorded),
}


@pytest.mark.parametrize("asked", EVERYTHING)
def test_a_sealed_gate_refuses_everything(site: Site, asked: str) -> None:
    async def ask() -> Any:
        return await EVERYTHING[asked](site.gate)

    site.commit(found_group)
    site.look(lambda view: view.resource(HOME.key))
    site.gate.keyring = None
    with pytest.raises(Unavailable, match="sealed") as refused:
        site.run(ask())
    assert refused.value.status == 503
    assert ("retry-after", "30") in refused.value.headers
    assert len(site.entries()) == 1


# ── alone, and with others ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_by_itself_is_durable_before_the_loop_turns(sqlite_site: Site) -> None:
    async def at_once() -> None:
        with pytest.raises(StopIteration):
            sqlite_site.gate.record(recorded(None)).send(None)  # type: ignore[attr-defined]

    sqlite_site.run(at_once())
    assert len(sqlite_site.entries()) == 1


def test_who_comes_right_after_one_by_itself_shares_one_commit(sqlite_site: Site) -> None:
    async def five() -> None:
        await asyncio.gather(*(sqlite_site.gate.record(recorded(None)) for _ in range(5)))

    with commits(sqlite_site.gate) as made:
        sqlite_site.run(five())
    assert len(made) == 2
