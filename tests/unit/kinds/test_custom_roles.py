"""Custom roles: how they are made, what is refused, who sees them, and from when on they count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.errors import BadRequest, Forbidden, NotFound, Refusal
from linarite.first_start import OWNER_OBJECT
from linarite.roles import BUILT_IN
from tests.unit.kinds.house import GROUP, SUBSCRIPTION
from tests.unit.kinds.test_roles import CONTRIBUTOR, DEFINITIONS, OWNER, READER, give

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.kinds.house import House

MLS = "Microsoft.MachineLearningServices/workspaces"
WHO_MAY_ROLES = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
"""User Access Administrator."""


def described(*actions: str, name: str = "Key Lister", scopes: tuple[str, ...] = (SUBSCRIPTION,), **more: Any) -> Any:
    permission = {
        "actions": list(actions),
        **{key: more.pop(key) for key in ("notActions", "dataActions") if key in more},
    }
    return {"properties": {"roleName": name, "assignableScopes": list(scopes), "permissions": [permission], **more}}


def make(house: House, *actions: str, at: str = SUBSCRIPTION, by: str = OWNER_OBJECT, **more: Any) -> Any:
    """A custom role under a new id, as it is answered."""
    answer = house.put(f"{at}{DEFINITIONS}/{uuid4()}", described(*actions, **more), by=by)
    assert answer.status == 201
    return answer.body


def refused(deed: Callable[[], Any]) -> tuple[int, str, str]:
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value.status, caught.value.code, caught.value.message


def names(house: House, scope: str, text: str = "", **more: Any) -> set[str]:
    """The custom roles of a list."""
    found = house.list(f"{scope}{DEFINITIONS}", query={"$filter": text}, **more)
    return {one["properties"]["roleName"] for one in found if one["properties"]["type"] == "CustomRole"}


# ── making ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_custom_role_is_made_read_changed_and_deleted(house: House) -> None:
    made = make(house, f"{MLS}/listKeys/action", description="for the audit")
    assert made == {
        "id": f"{SUBSCRIPTION}{DEFINITIONS}/{made['name']}",
        "name": made["name"],
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": "Key Lister",
            "type": "CustomRole",
            "description": "for the audit",
            "assignableScopes": [SUBSCRIPTION],
            "permissions": [
                {"actions": [f"{MLS}/listKeys/action"], "notActions": [], "dataActions": [], "notDataActions": []}
            ],
        },
    }
    assert house.get(made["id"]) == made
    changed = house.put(made["id"], described(f"{MLS}/read", name="Reader of one"))
    assert (changed.status, changed.body["properties"]["roleName"]) == (201, "Reader of one")
    assert house.get(made["id"]) == changed.body
    gone = house.delete(made["id"])
    assert (gone.status, gone.body) == (200, changed.body)
    assert house.delete(made["id"]).status == 204
    with pytest.raises(NotFound):
        house.get(made["id"])


def test_the_newest_version_says_who_made_it_and_who_changed_it(house: House) -> None:
    made = make(house, "*/read")
    shown = house.get(made["id"], version="2022-05-01-preview")["properties"]
    assert (shown["createdBy"], shown["updatedBy"]) == (OWNER_OBJECT, OWNER_OBJECT)
    assert shown["createdOn"] == shown["updatedOn"] == "2026-11-24T08:15:30Z"


def test_one_role_is_the_same_at_every_scope(house: House) -> None:
    made = make(house, "*/read", at=GROUP, scopes=(GROUP.replace("/resourceGroups/group", "/resourcegroups/GROUP"),))
    assert made["properties"]["assignableScopes"] == [GROUP]
    for scope, at in ((GROUP, SUBSCRIPTION), (SUBSCRIPTION, SUBSCRIPTION), ("", "")):
        assert house.get(f"{scope}{DEFINITIONS}/{made['name'].upper()}")["id"] == f"{at}{DEFINITIONS}/{made['name']}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "ValidationError"),
        ({"name": " padded"}, "ValidationError"),
        ({"name": "x" * 513}, "ValidationError"),
        ({"scopes": ()}, "ValidationError"),
        ({"scopes": ("/",)}, "ValidationError"),
        ({"scopes": ("nonsense",)}, "ValidationError"),
        ({"scopes": (f"{SUBSCRIPTION}/resourceGroups/nowhere",)}, "ValidationError"),
        ({"permissions": []}, "ValidationError"),
        ({"permissions": [{"actions": []}, {"actions": []}]}, "ValidationError"),
        ({"permissions": [{"actions": "*"}]}, "ValidationError"),
        ({"permissions": [{"actions": [7]}]}, "ValidationError"),
        ({"type": "SomethingElse"}, "ValidationError"),
        ({"type": "BuiltInRole"}, "BuiltInRoleDefinition"),
    ],
)
def test_what_is_no_role_is_refused_and_nothing_is_made(house: House, change: dict[str, Any], code: str) -> None:
    path = f"{SUBSCRIPTION}{DEFINITIONS}/{uuid4()}"
    assert refused(lambda: house.put(path, described("*/read", **change)))[:2] == (400, code)
    assert house.delete(path).status == 204


def test_its_id_is_a_guid(house: House) -> None:
    path = f"{SUBSCRIPTION}{DEFINITIONS}/key-lister"
    assert refused(lambda: house.put(path, described("*/read")))[:2] == (400, "InvalidRoleDefinitionId")


@pytest.mark.parametrize("name", ["key lister", "owner", "AZUREML DATA SCIENTIST"])
def test_no_two_roles_of_the_tenant_have_the_same_name(house: House, name: str) -> None:
    make(house, "*/read")
    path = f"{GROUP}{DEFINITIONS}/{uuid4()}"
    assert refused(lambda: house.put(path, described("*/read", name=name, scopes=(GROUP,)))) == (
        409,
        "RoleDefinitionWithSameNameExists",
        "A custom role with the same name already exists in this directory. Use a different name.",
    )
    second = make(house, "*/read", name="Second")
    assert refused(lambda: house.put(second["id"], described("*/read", name=name))) == (
        409,
        "RoleDefinitionWithSameNameExists",
        "A role definition cannot be updated with a name that already exists.",
    )
    assert house.put(second["id"], described("*", name="SECOND")).body["properties"]["roleName"] == "SECOND"


@pytest.mark.parametrize("role", [OWNER, READER.upper()])
def test_what_is_built_in_is_neither_changed_nor_deleted(house: House, role: str) -> None:
    path = f"{SUBSCRIPTION}{DEFINITIONS}/{role}"
    for deed in (lambda: house.put(path, described("*/read")), lambda: house.delete(path)):
        assert refused(deed)[:2] == (400, "BuiltInRoleDefinition")
    assert house.get(path)["properties"]["type"] == "BuiltInRole"


# ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
SECRETS = "Microsoft.KeyVault/vaults/secrets"


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("actions", "nonsense"),
        ("actions", ""),
        ("actions", f"{MLS}/listKeys"),
        ("actions", f"{MLS}/listKey/action"),
        ("notActions", f"{MLS}/listKey/action"),
        ("actions", f"{MLS}/listKeys/read"[:-4] + "reed"),
        ("actions", "Microsoft.Storage/storageAccounts/listKey/action"),
        ("actions", "Microsoft.Authorization/denyAssignments/write"),
        ("actions", f"{MLS}/list keys/action"),
        ("actions", f"{BLOBS}/read"),
        ("actions", f"{SECRETS}/getSecret/action"),
        ("dataActions", f"{MLS}/listKeys/action"),
        ("dataActions", "Microsoft.Storage/storageAccounts/blobServices/containers/read"),
    ],
)
def test_an_action_that_there_is_not_is_refused_in_azures_words(house: House, kind: str, action: str) -> None:
    body = described("*/read", permissions=[{"actions": ["*/read"], kind: [action]}])
    assert refused(lambda: house.put(f"{SUBSCRIPTION}{DEFINITIONS}/{uuid4()}", body)) == (
        400,
        "InvalidActionOrNotAction",
        f"'{action}' does not match any of the actions supported by the providers.",
    )


@pytest.mark.parametrize("role", BUILT_IN, ids=lambda role: role.name)
def test_what_a_built_in_role_names_a_custom_one_may_name(house: House, role: Any) -> None:
    body = described(permissions=[role.granted])
    assert house.put(f"{SUBSCRIPTION}{DEFINITIONS}/{uuid4()}", body).body["properties"]["permissions"] == [role.granted]


@pytest.mark.parametrize(
    "action",
    [
        f"{MLS}/LISTKEYS/ACTION",
        f"{MLS}/computes/start/action",
        f"{MLS}/provisionManagedNetwork/action",
        "Microsoft.Storage/checkNameAvailability/action",
        "Microsoft.Compute/virtualMachines/*/read",
        "Microsoft.Authorization/permissions/read",
        f"{SECRETS}/read",
    ],
)
def test_what_azure_has_and_is_not_served_here_may_be_named(house: House, action: str) -> None:
    assert make(house, action)["properties"]["permissions"][0]["actions"] == [action]


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_of_a_role_counts_for_the_very_next_request(house: House) -> None:
    who = house.join()
    made = make(house, "Microsoft.Resources/subscriptions/resourceGroups/read")
    give(house, SUBSCRIPTION, made["name"], who)
    for _ in range(2):
        assert house.get(GROUP, by=who, version="2024-11-01")["name"] == "group"
        house.put(made["id"], described("Microsoft.Support/*"))
        with pytest.raises(Forbidden):
            house.get(GROUP, by=who, version="2024-11-01")
        house.put(made["id"], described("*/read", notActions=["Microsoft.Support/*"]))


def test_a_role_is_assigned_within_its_scopes_alone(house: House, other: str) -> None:
    made, who = make(house, "*/read", scopes=(GROUP,)), house.join()
    for scope in (other, SUBSCRIPTION, ""):
        with pytest.raises(BadRequest) as caught:
            give(house, scope, made["name"], who)
        assert caught.value.code == "RoleDefinitionDoesNotExist"
    assert give(house, GROUP, made["name"], who).status == 201


def test_a_role_stays_made_for_where_somebody_holds_it(house: House, other: str) -> None:
    made, who = make(house, "*/read", scopes=(GROUP, other)), house.join()
    held = give(house, other, made["name"], who).body
    status, code, message = refused(lambda: house.put(made["id"], described("*/read", scopes=(GROUP,))))
    assert (status, code) == (400, "RoleScopeBeingRemovedContainsAssignments")
    assert message.startswith(f"Role assignments found under scope '{other.lower()}' which is being removed.")
    assert house.put(made["id"], described("*/read", scopes=(SUBSCRIPTION,))).status == 201
    house.delete(held["id"])
    assert house.put(made["id"], described("*/read", scopes=(GROUP,))).status == 201


def test_a_role_that_somebody_holds_is_not_deleted(house: House) -> None:
    made = make(house, "*/read")
    held = give(house, GROUP, made["name"], house.join()).body
    assert refused(lambda: house.delete(made["id"])) == (
        400,
        "RoleDefinitionHasAssignments",
        "There are existing role assignments referencing role.",
    )
    house.delete(held["id"])
    assert house.delete(made["id"]).status == 200


def test_a_role_says_what_its_holder_may_do(house: House) -> None:
    made, who = make(house, "*/read", dataActions=[f"{BLOBS}/read"]), house.join()
    give(house, GROUP, made["name"], who)
    give(house, GROUP, CONTRIBUTOR, who)
    [first, second] = sorted(
        house.list(f"{GROUP}/providers/Microsoft.Authorization/permissions", by=who), key=lambda one: one["actions"][0]
    )
    assert (first["actions"], bool(first["notActions"])) == (["*"], True)
    assert second == {"actions": ["*/read"], "notActions": [], "dataActions": [f"{BLOBS}/read"], "notDataActions": []}
    assert house.list(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions", by=who) == []
    with pytest.raises(Forbidden):
        house.list(f"{GROUP}/providers/Microsoft.Authorization/permissions", by=house.join())


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_has_what_can_be_assigned_there_and_more_when_it_is_asked_to(house: House, other: str) -> None:
    make(house, "*/read", name="wide")
    make(house, "*/read", name="narrow", scopes=(GROUP,))
    assert names(house, SUBSCRIPTION) == {"wide"}
    assert names(house, GROUP) == {"wide", "narrow"}
    assert names(house, other) == {"wide"}
    assert names(house, SUBSCRIPTION, "atScopeAndBelow()") == {"wide", "narrow"}
    assert names(house, SUBSCRIPTION, "type eq 'CustomRole' and atScopeAndBelow()") == {"wide", "narrow"}
    assert names(house, SUBSCRIPTION, "roleName eq 'NARROW' and atScopeAndBelow()") == {"narrow"}
    assert names(house, SUBSCRIPTION, "type eq 'BuiltInRole'") == set()


def test_a_role_is_seen_by_whoever_may_read_roles_where_it_counts(house: House, other: str) -> None:
    made = make(house, "*/read", scopes=(GROUP,))
    who, stranger = house.join(), house.join()
    give(house, GROUP, READER, who)
    give(house, other, READER, stranger)
    assert names(house, GROUP, by=who) == {"Key Lister"}
    assert house.get(made["id"], by=who)["name"] == made["name"]
    assert names(house, other, "atScopeAndBelow()", by=stranger) == set()
    with pytest.raises(NotFound):
        house.get(made["id"], by=stranger)


def test_whoever_changes_a_role_may_do_so_wherever_it_is_made_for(house: House, other: str) -> None:
    who = house.join()
    give(house, GROUP, WHO_MAY_ROLES, who)
    mine = make(house, "*/read", at=GROUP, scopes=(GROUP,), by=who, name="mine")
    path = f"{GROUP}{DEFINITIONS}/{uuid4()}"
    wide = make(house, "*/read", scopes=(GROUP, other))
    at_group = f"{GROUP}{DEFINITIONS}"
    for deed in (
        lambda: house.put(path, described("*", scopes=(GROUP, other), name="new"), by=who),
        lambda: house.put(f"{at_group}/{mine['name']}", described("*", scopes=(other,), name="mine"), by=who),
        lambda: house.put(f"{at_group}/{wide['name']}", described("*", scopes=(GROUP,)), by=who),
        lambda: house.delete(f"{at_group}/{wide['name']}", by=who),
    ):
        assert refused(deed)[:2] == (403, "LinkedAuthorizationFailed")
    assert house.get(wide["id"])["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert house.delete(f"{at_group}/{mine['name']}", by=who).status == 200


@pytest.mark.parametrize("role", [CONTRIBUTOR, READER])
def test_whoever_may_not_give_roles_makes_none(house: House, role: str) -> None:
    who = house.join()
    give(house, SUBSCRIPTION, role, who)
    with pytest.raises(Forbidden):
        make(house, "*", by=who)
    assert names(house, SUBSCRIPTION) == set()


# ── principals ──────────────────────────────────────────────────────────────────────────────────


def test_nobody_who_is_not_there_is_given_a_role(house: House) -> None:
    who = str(uuid4())
    status, code, message = refused(lambda: give(house, GROUP, READER, who))
    assert (status, code) == (400, "PrincipalNotFound")
    assert message.startswith(f"Principal {who.replace('-', '')} does not exist in the directory ")
    assert refused(lambda: give(house, GROUP, READER, who, principalType="User"))[1] == "PrincipalNotFound"
    made = give(house, GROUP, READER, who, principalType="ServicePrincipal")
    assert made.status == 201, "a service principal may be too new to be known, as in Azure"


def test_the_type_of_a_principal_has_to_be_right(house: House) -> None:
    who = house.join()
    assert refused(lambda: give(house, GROUP, READER, who, principalType="User")) == (
        400,
        "UnmatchedPrincipalType",
        (
            f"The PrincipalId '{who.replace('-', '')}' has type 'ServicePrincipal' , which is different from specified "
            "PrinciaplType 'User'."
        ),
    )
    assert give(house, GROUP, READER, who).body["properties"]["principalType"] == "ServicePrincipal"
