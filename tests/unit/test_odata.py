"""Conditions of a filter are told apart outside quotes alone."""

from __future__ import annotations

import pytest

from linarite.odata import joined_by


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a eq 'b'", ["a eq 'b'"]),
        ("a eq 'b' and c eq 'd'", ["a eq 'b'", "c eq 'd'"]),
        ("  a eq 1   AND\tb eq 2 ", ["a eq 1", "b eq 2"]),
        ("a eq 'rock and roll' and b eq 'it''s and its'", ["a eq 'rock and roll'", "b eq 'it''s and its'"]),
        ("a eq 1 and and b", ["a eq 1", "and b"]),
        ("sand and candle", ["sand", "candle"]),
        ("a eq 'never closed and b", ["a eq 'never closed", "b"]),
    ],
)
def test_conditions_are_told_apart_outside_quotes(text: str, parts: list[str]) -> None:
    assert joined_by("and", text) == parts


@pytest.mark.parametrize("piece", ["' and ", " ", "and ", "''", "'"])
def test_no_filter_takes_long(piece: str) -> None:
    """A regular expression that looks at the rest of the text at every word takes minutes for one of these."""
    assert joined_by("and", piece * 200_000)
