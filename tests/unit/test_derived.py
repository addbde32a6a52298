"""What was derived is kept until a source of it changes, and leaves nothing behind."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from linarite.derived import Derived


class Sum(msgspec.Struct, frozen=True):
    """Of the numbers behind its sources."""

    total: int
    sources: tuple[str, ...]


NAMES = st.sampled_from("abcdef")
KEEPING = st.tuples(st.integers(0, 7), st.sets(NAMES, max_size=4))
CHANGING = st.sets(NAMES, max_size=2)


@given(st.lists(KEEPING | CHANGING, max_size=40), st.integers(1, 8))
def test_a_value_that_is_found_is_the_sum_of_what_its_sources_are_now(steps: list[object], most: int) -> None:
    now = dict.fromkeys("abcdef", 0)
    derived: Derived[int, Sum] = Derived(most)
    for step in steps:
        if isinstance(step, tuple):
            key, sources = step
            derived.keep(key, Sum(sum(now[one] for one in sources), tuple(sources)))
        elif isinstance(step, set):
            for one in step:
                now[one] += 1
            derived.changed(step)
        for key in range(8):
            found = derived.get(key)
            assert found is None or found.total == sum(now[one] for one in found.sources)
        assert len(derived) <= most
    derived.changed("abcdef")
    assert derived._keys_of == {}


def test_what_has_no_source_in_common_with_a_change_stays() -> None:
    derived: Derived[int, Sum] = Derived(10)
    values = [Sum(number, (f"own{number}", "all")) for number in range(5)]
    for number, value in enumerate(values):
        derived.keep(number, value)
    derived.changed(["own2", "else"])
    assert [derived.get(number) for number in range(5)] == [values[0], values[1], None, values[3], values[4]]
    derived.changed(["all"])
    assert len(derived) == 0


def test_what_makes_room_is_forgotten_with_its_sources() -> None:
    derived: Derived[int, Sum] = Derived(2)
    for number in range(5):
        derived.keep(number, Sum(number, (f"own{number}", "all")))
    assert [derived.get(number) for number in range(5)] == [
        None,
        None,
        None,
        Sum(3, ("own3", "all")),
        Sum(4, ("own4", "all")),
    ]
    assert derived._keys_of.keys() == {"own3", "own4", "all"}


def test_a_value_is_kept_in_place_of_another_one_and_of_its_sources() -> None:
    derived: Derived[int, Sum] = Derived(2)
    derived.keep(1, Sum(1, ("a",)))
    derived.keep(1, Sum(2, ("b",)))
    derived.changed(["a"])
    assert derived.get(1) == Sum(2, ("b",))
