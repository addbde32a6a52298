"""Somebody who may give roles is always left, whichever way the last one is to go."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from linarite import membership
from linarite.calls import Call
from linarite.errors import Conflict, Forbidden
from linarite.first_start import OWNER_OBJECT, OWNER_USER_OBJECT, TENANT
from linarite.graph import Graph
from linarite.model import Principal, PrincipalKind
from linarite.store import directory
from linarite.store.keys import principal_key
from tests.unit.kinds.house import AUTHORITY, GROUP, ORIGIN, SUBSCRIPTION, House
from tests.unit.kinds.test_custom_roles import WHO_MAY_ROLES
from tests.unit.kinds.test_roles import ASSIGNMENTS, OWNER, give, wanted

if TYPE_CHECKING:
    from linarite.model import Answer
    from linarite.store.transaction import Transaction


@pytest.fixture
def last(house: House) -> tuple[str, str]:
    """Who owns everything alone, and the assignment that says so.

    Others are disabled, gone, a resource's identity, or own a part.
    """
    who, other = house.join(), house.join()
    own = give(house, "", OWNER, who).body["id"]
    give(house, GROUP, OWNER, other)
    give(house, SUBSCRIPTION, WHO_MAY_ROLES, other)
    give(house, SUBSCRIPTION, OWNER, str(uuid4()), principalType="ServicePrincipal")
    give(house, SUBSCRIPTION, OWNER, known(house, PrincipalKind.SERVICE_PRINCIPAL, disabled=True))
    give(house, SUBSCRIPTION, OWNER, known(house, PrincipalKind.MANAGED_IDENTITY))
    for first in (OWNER_USER_OBJECT, OWNER_OBJECT):
        [held] = house.list(ASSIGNMENTS, query={"$filter": f"principalId eq '{first}'"}, by=who)
        assert house.delete(held["id"]).status == 200, "as long as there is another one, an owner may go"
    return who, own


def known(house: House, kind: PrincipalKind, *, disabled: bool = False) -> str:
    """Object id of somebody new in the directory."""
    new = Principal(str(uuid4()), kind, str(uuid4()), TENANT, "other", disabled=disabled)

    def work(transaction: Transaction) -> str:
        directory.add_principal(transaction.connection(), new, house.now)
        transaction.note(principal_key(new.object_id))
        return new.object_id

    return house.runner.run(house.engine.gate.commit(work, lambda _: None))


def removed_over_graph(house: House, who: str) -> Answer:
    call = Call(
        method="DELETE",
        path=f"/graph/v1.0/servicePrincipals/{who}",
        query_string="",
        query={},
        authorization=f"Bearer {house.token(who, f'{ORIGIN}/graph')}",
        json=lambda: None,
        origin=ORIGIN,
        request=str(uuid4()),
        correlation="",
        address="",
    )
    return house.runner.run(Graph(house.engine.gate, AUTHORITY, lambda: house.now).serve(call))


def test_the_last_owners_assignment_is_not_deleted(house: House, last: tuple[str, str]) -> None:
    who, own = last
    with pytest.raises(Conflict) as caught:
        house.delete(own, by=who)
    assert (caught.value.code, caught.value.message) == (
        "LastOwnerAssignment",
        "Cannot delete the last RBAC admin assignment. Make somebody else an Owner of the subscription first.",
    )


def test_the_last_owner_is_not_removed_by_the_operator(house: House, last: tuple[str, str]) -> None:
    with pytest.raises(membership.Unfit, match="is the last one that owns the subscription"):
        house.runner.run(membership.remove(house.engine.gate, last[0], now=house.now))
    assert house.get(last[1], by=last[0])["id"] == last[1]


def test_the_last_owner_is_not_removed_over_graph(house: House, last: tuple[str, str]) -> None:
    with pytest.raises(Forbidden, match="is the last one that owns the subscription"):
        removed_over_graph(house, last[0])
    house.put(f"{SUBSCRIPTION}{ASSIGNMENTS}/{uuid4()}", wanted(OWNER, house.join()), by=last[0])
    assert removed_over_graph(house, last[0]).status == 204
