"""Attacks: each is refused as it must be, the refusal is on the trail, nothing else is, and nothing has changed.

Malformed requests have a file of their own (`test_malformed.py`), and so have roles, action by action
(`test_roles.py`), and the doors' tokens. What is no request of HTTP does not come so far as to be recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.model import Deed
from tests.api.attacks.assertions import ASSERTIONS
from tests.api.attacks.identities import IDENTITIES
from tests.api.attacks.interactive import INTERACTIVE
from tests.api.attacks.rights import RIGHTS
from tests.api.attacks.scene import Attack, Scene, set_up
from tests.api.attacks.sign_ins import SIGN_INS
from tests.api.attacks.smuggling import SMUGGLING
from tests.api.attacks.tokens import TOKENS
from tests.api.on_disk import new_entries, state_version

if TYPE_CHECKING:
    from tests.server import Server

ATTACKS = {**TOKENS, **SIGN_INS, **ASSERTIONS, **INTERACTIVE, **IDENTITIES, **SMUGGLING, **RIGHTS}


@pytest.fixture(scope="module")
def scene(server: Server) -> Scene:
    return set_up(server)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_is_refused_and_on_the_trail_and_changes_nothing(
    server: Server, scene: Scene, attack: Attack
) -> None:
    strike = attack.prepare(scene)
    before = state_version(server)
    said, entries = new_entries(server, strike)
    assert said == (attack.status, attack.code)
    assert [(one.deed, one.status, one.code) for one in entries] == [(Deed.REFUSAL, attack.status, attack.code)]
    assert state_version(server) == before or attack.revokes
