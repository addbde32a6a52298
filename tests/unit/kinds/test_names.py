"""Names that Azure takes, and names that it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.kinds.blob_containers import BLOB_CONTAINERS
from linarite.kinds.container_registries import CONTAINER_REGISTRIES
from linarite.kinds.insights_components import INSIGHTS_COMPONENTS
from linarite.kinds.key_vaults import KEY_VAULTS
from linarite.kinds.log_workspaces import LOG_WORKSPACES
from linarite.kinds.resource_groups import RESOURCE_GROUPS
from linarite.kinds.storage_accounts import STORAGE_ACCOUNTS

if TYPE_CHECKING:
    from linarite.kind import Kind

TAKEN = (
    (STORAGE_ACCOUNTS, ("abc", "account1", "a" * 24)),
    (BLOB_CONTAINERS, ("abc", "a-b-c", "0logs", "a" * 63, "$root", "$web")),
    (CONTAINER_REGISTRIES, ("abcde", "Registry1", "r" * 50)),
    (INSIGHTS_COMPONENTS, ("a", "my component (1)", "i" * 260)),
    (KEY_VAULTS, ("abc", "My-Vault-1", "v" * 24)),
    (LOG_WORKSPACES, ("abcd", "Logs-1", "l" * 63)),
    (RESOURCE_GROUPS, ("g", "my.group_(1)-x", "größe", "g" * 90)),
)
REFUSED = (
    (STORAGE_ACCOUNTS, ("", "ab", "a" * 25, "Account", "my-account", "konto1ä", "abc\n")),
    (BLOB_CONTAINERS, ("ab", "a" * 64, "-abc", "abc-", "a--b", "Abc", "a_b", "$logs2")),
    (CONTAINER_REGISTRIES, ("abcd", "r" * 51, "my-registry", "my.registry", "registr\u00e9")),
    (INSIGHTS_COMPONENTS, ("", "a/b", "what?", "ends.", "ends ", "i" * 261)),
    (KEY_VAULTS, ("ab", "v" * 25, "1vault", "vault-", "my--vault", "my_vault")),
    (LOG_WORKSPACES, ("abc", "l" * 64, "-logs", "logs-", "my.logs")),
    (RESOURCE_GROUPS, ("", "g" * 91, "ends.", "a b", "a/b", "a#b")),
)


def each(rules: tuple[tuple[Kind, tuple[str, ...]], ...]) -> list[Any]:
    return [pytest.param(kind, name, id=f"{kind.short_type}-{name[:30]!a}") for kind, names in rules for name in names]


@pytest.mark.parametrize(("kind", "name"), each(TAKEN))
def test_a_good_name_is_taken(kind: Kind, name: str) -> None:
    assert kind.name.allows(name)


@pytest.mark.parametrize(("kind", "name"), each(REFUSED))
def test_a_bad_name_is_refused(kind: Kind, name: str) -> None:
    assert not kind.name.allows(name)
