"""The list of promises names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?", (HERE / "promises.md").read_text())))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_keeps_a_promise_is_there(path: str, name: str) -> None:
    place = HERE.parent / path
    assert place.exists()
    assert not name or f"def {name}" in place.read_text()


def test_the_list_is_no_empty_one() -> None:
    assert len(NAMED) > 20
