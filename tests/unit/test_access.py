"""Who may do what: Azure's built-in roles against the operations of the workspace, and the rules that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite import roles as built_in
from linarite.access import allowed, holds_below, matches, permits, require
from linarite.errors import Forbidden
from linarite.ids import GROUP, ROOT, SUBSCRIPTION
from linarite.kinds.storage_accounts import STORAGE_ACCOUNTS
from linarite.kinds.workspaces import WORKSPACES
from linarite.model import Assignment, Principal, PrincipalKind, Role
from linarite.roles import BUILT_IN, BY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.store.view import View

LIST_KEYS = f"{WORKSPACES.type}/listKeys/action"

HOME = ROOT.child(SUBSCRIPTION, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
TEAM = HOME.child(GROUP, "testrg123")
WORKSPACE = TEAM.child(WORKSPACES.type, "workspaces123")

ALICE = Principal("66666666-0000-0000-0000-000000000001", PrincipalKind.USER, "alice@linarite.test", "t")
NAMES = {role.name: role for role in BUILT_IN}
PATTERNS = [pattern for role in BUILT_IN for pattern in (*role.actions, *role.not_actions)]


class Holding:
    """A view in which Alice holds certain roles, and nothing else is to be seen."""

    def __init__(self, *held: tuple[str, ResourceId]) -> None:
        self._held = tuple(Assignment(ALICE.object_id, role, scope.key) for role, scope in held)

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        return self._held if principal == ALICE.object_id else ()

    def resource(self, _: str) -> None:
        """There are no custom roles."""


def holding(*held: tuple[Role, ResourceId]) -> View:
    return cast("View", Holding(*((role.id, scope) for role, scope in held)))


# ── the built-in roles ──────────────────────────────────────────────────────────────────────────────────────────────

# Letters of the table: what stands for which operation of the workspace, and of its storage account.
OPERATIONS = {
    "r": f"{WORKSPACES.type}/read",
    "w": f"{WORKSPACES.type}/write",
    "d": f"{WORKSPACES.type}/delete",
    "K": LIST_KEYS,
    "S": f"{WORKSPACES.type}/listStorageAccountKeys/action",
    "Y": f"{WORKSPACES.type}/resynckeys/action",
    "P": f"{WORKSPACES.type}/prepareNotebook/action",
    "N": f"{WORKSPACES.type}/listNotebookKeys/read",
    "T": f"{WORKSPACES.type}/listNotebookAccessToken/read",
    "D": f"{WORKSPACES.type}/diagnose/read",
    "O": f"{WORKSPACES.type}/outboundNetworkDependenciesEndpoints/read",
    "k": f"{STORAGE_ACCOUNTS.type}/listKeys/action",
    "g": f"{STORAGE_ACCOUNTS.type}/regenerateKey/action",
    "C": f"{WORKSPACES.type}/computes/listKeys/action",
}

GRANTED = {
    #                                            workspace  actions reads storage compute
    "Owner":                                     "r w d     K S Y P N T D O  k g  C",
    "Contributor":                               "r w d     K S Y P N T D O  k g  C",
    "Reader":                                    "r                 N T D O        ",
    "User Access Administrator":                 "r                 N T D O        ",
    "AzureML Data Scientist":                    "            S Y P N T D O        ",
    "AzureML Compute Operator":                  "                               C",
    "AzureML Registry User":                     "                                ",
    "Azure AI Developer":                        "            S Y P N T D O      C",
    "Azure AI Administrator":                    "r w d     K S Y P N T D O      C",
    "Storage Account Contributor":               "                           k g  ",
    "Storage Account Key Operator Service Role": "                           k g  ",
    "Reader and Data Access":                    "                           k    ",
    "Storage Blob Data Reader":                  "                                ",
    "Storage Blob Data Contributor":             "                                ",
    "Storage Blob Data Owner":                   "                                ",
    "AcrPull":                                   "                                ",
    "AcrPush":                                   "                                ",
    "AcrDelete":                                 "                                ",
    "Key Vault Secrets User":                    "                                ",
    "Key Vault Secrets Officer":                 "                                ",
}  # fmt: skip
"""What each role grants, after Microsoft's "Azure built-in roles" pages."""


def test_the_table_has_every_role_and_every_operation_of_the_workspace() -> None:
    assert GRANTED.keys() == NAMES.keys()
    declared = {f"{WORKSPACES.type}/{action.operation}" for action in WORKSPACES.actions}
    declared |= {f"{STORAGE_ACCOUNTS.type}/{action.operation}" for action in STORAGE_ACCOUNTS.actions}
    declared |= {f"{WORKSPACES.type}/{word}" for word in ("read", "write", "delete")}
    assert declared == set(OPERATIONS.values()) - {OPERATIONS["C"]}


@pytest.mark.parametrize("name", GRANTED)
def test_a_built_in_role_grants_what_azures_grants(name: str) -> None:
    granted = {letter for letter, operation in OPERATIONS.items() if permits(NAMES[name], operation)}
    assert granted == set(GRANTED[name].split())


REFERENCE = {
    #                                             listKeys      resync        notebook      the account's
    #                                                           account keys  diagnose      listKeys
    "Owner":                                     ("yes",        "yes",        "yes",        "yes"),
    "Contributor":                               ("yes",        "yes",        "yes",        "yes"),
    "Reader":                                    ("no",         "no",         "yes",        "no"),
    "AzureML Data Scientist":                    ("no",         "yes",        "yes",        "no"),
    "AzureML Compute Operator":                  ("no",         "no",         "no",         "no"),
    "AzureML Registry User":                     ("no",         "no",         "no",         "no"),
    "Azure AI Developer":                        ("no",         "",           "",           "no"),
    "Azure AI Administrator":                    ("yes",        "yes",        "yes",        "no"),
    "User Access Administrator":                 ("no",         "no",         "yes",        "no"),
    "Storage Account Contributor":               ("no",         "no",         "no",         "yes"),
    "Storage Account Key Operator Service Role": ("no",         "no",         "no",         "yes"),
    "Reader and Data Access":                    ("no",         "no",         "no",         "yes"),
}  # fmt: skip
"""Who gets which keys: collected from Microsoft's "Azure built-in roles" and "Manage access to Azure Machine Learning
workspaces", apart from the roles' own declarations here; empty where those pages leave it open."""

COLUMNS = (("K",), ("S", "Y"), ("N", "T", "D"), ("k",))


@pytest.mark.parametrize("name", REFERENCE)
def test_a_role_gives_the_keys_that_microsofts_pages_say_it_gives(name: str) -> None:
    for told, letters in zip(REFERENCE[name], COLUMNS, strict=True):
        if told:
            assert {permits(NAMES[name], OPERATIONS[letter]) for letter in letters} == {told == "yes"}, letters


def test_every_role_has_an_id_of_its_own() -> None:
    assert len({role.id for role in BUILT_IN}) == len(BUILT_IN) == len(BY_ID)
    assert all(BY_ID[role.id] is role for role in BUILT_IN)


@pytest.mark.parametrize(
    ("name", "operation", "granted"),
    [
        ("Storage Blob Data Reader", "read", True),
        ("Storage Blob Data Reader", "write", False),
        ("Storage Blob Data Contributor", "write", True),
        ("Storage Blob Data Contributor", "permanentDelete/action", False),
        ("Storage Blob Data Owner", "permanentDelete/action", True),
        ("Owner", "read", False),
    ],
)
def test_data_is_granted_by_data_actions_alone(name: str, operation: str, granted: bool) -> None:  # noqa: FBT001
    blob = f"{STORAGE_ACCOUNTS.type}/blobServices/containers/blobs/{operation}"
    assert permits(NAMES[name], blob, data=True) is granted
    view = holding((NAMES[name], TEAM))
    assert allowed(view, ALICE, blob, WORKSPACE, data=True) is granted


# ── patterns ────────────────────────────────────────────────────────────────────────────────────────────────────────

PARTS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), max_size=12)


@given(st.lists(PARTS, min_size=2, max_size=4), st.lists(PARTS, min_size=3, max_size=3))
def test_every_star_spans_segments(parts: list[str], between: list[str]) -> None:
    operation = parts[0] + "".join(f"/{gap}/{part}" for gap, part in zip(between, parts[1:], strict=False))
    assert matches("*".join(parts), operation)
    assert matches("*", operation)


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_letters_match_in_any_case_and_nothing_else_does(parts: list[str]) -> None:
    operation = "/".join(parts)
    for spelling in (operation.upper(), operation.lower(), operation.swapcase()):
        assert matches(operation, spelling)
    assert not matches(operation, operation + "/more")
    assert not matches(operation, "more/" + operation)


@pytest.mark.parametrize(
    ("pattern", "operation", "covered"),
    [
        ("*/read", "Microsoft.X/things/read", True),
        ("*/read", "Microsoft.X/things/readers/write", False),
        ("*/read", "read", False),
        ("Microsoft.X/*/read", "Microsoft.X/things/parts/read", True),
        ("Microsoft.X/*", "Microsoft.X/things/parts/listKeys/action", True),
        ("Microsoft.X/*", "Microsoft.Xtra/things/read", False),
        ("Microsoft.X/things/*/action", "Microsoft.X/things/listKeys/action", True),
        ("Microsoft.X/things/*/action", "Microsoft.X/things/action", False),
        ("Microsoft.X/things.read", "Microsoft.X/things/read", False),
        ("Microsoft.X/*", "Microsoft.X/things\n/read", False),
        ("", "read", False),
    ],
)
def test_a_pattern_covers_an_operation(pattern: str, operation: str, covered: bool) -> None:  # noqa: FBT001
    assert matches(pattern, operation) is covered


# ── assignments ─────────────────────────────────────────────────────────────────────────────────────────────────────

ROLES = st.builds(
    Role,
    id=st.uuids().map(str),
    name=st.just(""),
    description=st.just(""),
    actions=st.lists(st.sampled_from(PATTERNS), max_size=3).map(tuple),
    not_actions=st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
)


@given(st.lists(ROLES, max_size=4), st.sampled_from(sorted(OPERATIONS.values())))
def test_what_any_assignment_grants_no_other_takes_away(roles: list[Role], operation: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(built_in, "BY_ID", {role.id: role for role in roles})
        view = holding(*((role, TEAM) for role in roles))
        assert allowed(view, ALICE, operation, WORKSPACE) is any(permits(role, operation) for role in roles)


def test_a_data_scientist_may_list_keys_once_another_role_grants_it() -> None:
    scientist, administrator = NAMES["AzureML Data Scientist"], NAMES["Azure AI Administrator"]
    assert not allowed(holding((scientist, TEAM)), ALICE, LIST_KEYS, WORKSPACE)
    for held in ([scientist, administrator], [administrator, scientist]):
        assert allowed(holding(*((role, TEAM) for role in held)), ALICE, LIST_KEYS, WORKSPACE)


@pytest.mark.parametrize("operation", sorted(OPERATIONS.values()))
def test_what_is_withheld_is_withheld_whatever_grants_it_in_the_same_role(operation: str) -> None:
    nothing = Role(id="", name="", description="", actions=("*", operation), not_actions=(operation.upper(),))
    assert not permits(nothing, operation)


@pytest.mark.parametrize(
    ("scope", "counts"),
    [
        (ROOT, True),
        (HOME, True),
        (TEAM, True),
        (WORKSPACE, True),
        (WORKSPACE.child(f"{WORKSPACES.type}/computes", "cpu"), False),
        (TEAM.child(WORKSPACES.type, "workspaces1234"), False),
        (HOME.child(GROUP, "testrg12"), False),
        (ROOT.child(SUBSCRIPTION, "ffffffff-bbbb-cccc-dddd-eeeeeeeeeeee"), False),
    ],
    ids=str,
)
def test_a_role_counts_at_its_scope_and_below_and_nowhere_else(scope: ResourceId, counts: bool) -> None:  # noqa: FBT001
    view = holding((NAMES["Owner"], scope))
    assert allowed(view, ALICE, LIST_KEYS, WORKSPACE) is counts


def test_a_role_counts_however_the_scope_is_spelled() -> None:
    shouted = TEAM.child(WORKSPACES.type.upper(), "WORKSPACES123")
    assert allowed(holding((NAMES["Owner"], TEAM)), ALICE, LIST_KEYS, shouted)


@pytest.mark.parametrize("held", [[], [(NAMES["Reader"], ROOT)]], ids=["no role", "a reader"])
def test_what_nothing_grants_is_refused_and_the_refusal_says_who_and_what_and_where(
    held: Iterable[tuple[Role, ResourceId]],
) -> None:
    with pytest.raises(Forbidden, match="AuthorizationFailed") as refused:
        require(holding(*held), ALICE, LIST_KEYS, WORKSPACE)
    for said in (ALICE.client, ALICE.object_id, LIST_KEYS, WORKSPACE.text):
        assert f"'{said}'" in refused.value.message


def test_what_is_granted_is_not_refused() -> None:
    require(holding((NAMES["Owner"], HOME)), ALICE, LIST_KEYS, WORKSPACE)


def test_a_role_that_nobody_knows_grants_nothing() -> None:
    unknown = Role(id="00000000-0000-0000-0000-000000000000", name="", description="", actions=("*",))
    assert not allowed(holding((unknown, ROOT)), ALICE, LIST_KEYS, WORKSPACE)


def test_nobody_elses_roles_count() -> None:
    mallory = Principal("77777777-0000-0000-0000-000000000001", PrincipalKind.USER, "mallory@linarite.test", "t")
    assert not allowed(holding((NAMES["Owner"], ROOT)), mallory, LIST_KEYS, WORKSPACE)


@pytest.mark.parametrize(
    ("scope", "asked", "held"),
    [
        (WORKSPACE, TEAM, True),
        (WORKSPACE, HOME, True),
        (WORKSPACE, ROOT, True),
        (TEAM, TEAM, False),
        (HOME, TEAM, False),
        (HOME.child(GROUP, "testrg1234"), TEAM, False),
    ],
    ids=str,
)
def test_a_role_below_a_scope_is_told_from_one_at_it(scope: ResourceId, asked: ResourceId, held: bool) -> None:  # noqa: FBT001
    assert holds_below(holding((NAMES["Reader"], scope)), ALICE, asked) is held
