"""What holds a secret does not print it, not even where something breaks."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest

from linarite.model import Secret
from linarite.seal import Keyring, RootKey

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/St1"
TEXT = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq=="
RING = Keyring({1: b"1" * 32, 2: b"2" * 32})


@pytest.mark.parametrize(
    ("keeper", "kept"),
    [(Secret(TEXT), TEXT), (RootKey(b"root key in the clear, 32 bytes."), "in the clear"), (RING, "1111")],
)
def test_what_holds_a_secret_does_not_print_and_is_not_pickled(keeper: object, kept: str) -> None:
    shown = [repr(keeper), str(keeper), f"{keeper}", f"{keeper!r}", repr([keeper])]
    assert not [text for text in shown if kept in text]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(keeper, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(keeper)


@pytest.mark.parametrize("keeper", [Secret(TEXT), RootKey(TEXT[:32].encode())])
def test_a_format_does_not_bring_a_secret_out(keeper: Secret | RootKey) -> None:
    assert f"{keeper:.60}" == f"{keeper:>90}" == repr(keeper)


def _opens_in_another_place() -> None:
    secret = Secret(TEXT)
    RING.open(RING.seal(secret, OWNER, "key1"), OWNER, "key2")


def _seals_with_a_broken_source() -> None:
    RING.seal(Secret(TEXT), OWNER, "key1", lambda _: b"")


def _unwraps_with_the_wrong_root() -> None:
    root, wrong = RootKey(TEXT[:32].encode()), RootKey(TEXT[32:].encode())
    Keyring.unwrap(RING.wrap(root), wrong)


@pytest.mark.parametrize(
    "fail",
    [_opens_in_another_place, _seals_with_a_broken_source, _unwraps_with_the_wrong_root],
)
def test_a_trace_that_prints_all_locals_shows_no_secret(fail: Callable[[], None]) -> None:
    with pytest.raises(Exception, match=r".") as caught:  # of any type
        fail()
    trace = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "nonce = " in trace
    assert TEXT[:8] not in trace
    assert TEXT[32:40] not in trace
