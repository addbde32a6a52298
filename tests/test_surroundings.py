"""The rules of tests/conftest.py hold: no test sees the machine's own settings, none reaches for another machine."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def _signed_in_elsewhere() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURE_CLIENT_SECRET", "of somebody else")
        yield


@pytest.mark.usefixtures("_signed_in_elsewhere")
def test_a_sign_in_of_the_machine_is_not_seen() -> None:
    assert "AZURE_CLIENT_SECRET" not in os.environ


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")])
def test_a_test_that_reaches_for_another_machine_fails(family: socket.AddressFamily, host: str) -> None:
    with (
        socket.socket(family, socket.SOCK_DGRAM) as unsent,
        pytest.raises(pytest.fail.Exception, match="not on this machine"),
    ):
        unsent.connect((host, 9))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_may_be_reached(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect((host, server.getsockname()[1]))
