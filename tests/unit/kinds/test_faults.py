"""Faults on purpose: set from the server's own machine alone, at the tenant alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.errors import Forbidden, NotFound, Unavailable
from linarite.kinds.faults import TYPE
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from tests.unit.kinds.house import House

PATH = f"/providers/{TYPE}"
FAULT = {"properties": {"fault": "503", "path": GROUP}}


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_whoever_calls_from_this_machine_sets_faults(house: House, address: str) -> None:
    assert house.put(f"{PATH}/one", FAULT, address=address).status == 201
    with pytest.raises(Unavailable):
        house.get(GROUP)


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_from_elsewhere_not_even_the_owner_sees_or_sets_them(house: House, address: str) -> None:
    house.put(f"{PATH}/one", FAULT)
    for method, path in (("GET", PATH), ("GET", f"{PATH}/one"), ("PUT", f"{PATH}/two"), ("DELETE", f"{PATH}/one")):
        with pytest.raises(Forbidden) as caught:
            house.call(method, path, FAULT, address=address)
        assert caught.value.code == "CallerNotLocal"
    assert [one["name"] for one in house.list(PATH)] == ["one"]


@pytest.mark.parametrize("scope", [SUBSCRIPTION, GROUP])
def test_there_are_none_below_the_tenant(house: House, scope: str) -> None:
    with pytest.raises(NotFound):
        house.put(f"{scope}{PATH}/one", FAULT)
