"""The ends of a connection as they are written."""

from __future__ import annotations

import pytest

from linarite import ends


@pytest.mark.parametrize(
    ("end", "host"),
    [
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]:80", "::1"),
        ("::ffff:127.0.0.1:80", "::ffff:127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
    ],
)
def test_an_end_names_a_host_with_or_without_a_port(end: str, host: str) -> None:
    assert ends.host(end) == host


@pytest.mark.parametrize("end", ["127.0.0.1:8080", "[::1]:8080"])
def test_an_end_names_a_port(end: str) -> None:
    assert ends.port(end) == 8080
