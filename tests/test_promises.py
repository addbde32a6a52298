"""The lists of promises, and of what the registry's specification asks for, name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LISTS = (HERE / "promises.md", HERE / "doors/registry/conformance.md")
NAMED = sorted({named for list_ in LISTS for named in re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?", list_.read_text())})


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_keeps_a_promise_is_there(path: str, name: str) -> None:
    place = HERE.parent / path
    assert place.exists()
    assert not name or f"def {name}" in place.read_text()


def test_the_lists_are_no_empty_ones() -> None:
    assert len(NAMED) > 70
