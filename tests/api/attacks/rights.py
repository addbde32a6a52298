"""People who may do something, and try to do more: roles for oneself, neighbours of others, locks, operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.api.attacks.scene import Attack, Scene
from tests.api.faults import PATH as FAULTS
from tests.api.people import AUTHORIZATION, ROLES, Person
from tests.api.place import ARM, STORAGE, Place, described, fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.api.attacks.scene import Strike

FORBIDDEN = "AuthorizationFailed"
LINKED = "LinkedAuthorizationFailed"
LOCKED = "ScopeLocked"
ACCOUNTS = "Microsoft.Storage/storageAccounts"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
GROUPS = "Microsoft.Resources/resourceGroups"
LOCKS = "2016-09-01"


def assigns(who: str, scope: str, role: str = "Owner") -> Callable[[Scene], Strike]:
    """Somebody gives themselves a role; `{own}` is the contributor's group."""

    def prepare(scene: Scene) -> Strike:
        person: Person = getattr(scene, who)
        at = scope.format(own=scene.group, s=scene.server.subscription, g=scene.server.group)
        path = f"{at}/providers/{ASSIGNMENTS}/{uuid4()}"
        return scene.asks(person, "PUT", path, assignment(person, role), version=AUTHORIZATION)

    return prepare


def assignment(person: Person, role: str = "Owner") -> dict[str, Any]:
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}"
    return {"properties": {"roleDefinitionId": definition, "principalId": person.object_id}}


def turns_another(scene: Scene) -> Strike:
    """The clerk makes of an assignment of a small role one of a great one."""
    path = f"{scene.group}/providers/{ASSIGNMENTS}/{uuid4()}"
    small = assignment(scene.clerk, "Reader")
    assert scene.clerk.caller.put(path, small, version=AUTHORIZATION).status_code == 201
    return scene.asks(scene.clerk, "PUT", path, assignment(scene.clerk), version=AUTHORIZATION)


def defines(scene: Scene) -> Strike:
    """The contributor makes a role that may do everything."""
    path = f"{scene.group}/providers/Microsoft.Authorization/roleDefinitions/{uuid4()}"
    permissions = [{"actions": ["*"]}]
    body = {"properties": {"roleName": fresh("r"), "assignableScopes": [scene.group], "permissions": permissions}}
    return scene.asks(scene.contributor, "PUT", path, body, version=AUTHORIZATION)


def links(edit: Callable[[str], str]) -> Callable[[Scene], Strike]:
    """The contributor makes a workspace with the sample's storage account, whose id they write as they like."""

    def prepare(scene: Scene) -> Strike:
        place = Place(scene.contributor.caller, scene.group)
        own = place.neighbours()
        theirs = scene.owner.get(scene.server.workspace).json()["properties"]["storageAccount"]
        body = described({**own, "storageAccount": edit(theirs)})
        return scene.asks(scene.contributor, "PUT", f"{place.workspaces}/{fresh('w')}", body)

    return prepare


def with_anothers_identity(scene: Scene) -> Strike:
    """The contributor lets a workspace of theirs be somebody who may do more."""
    identity = f"{scene.server.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{fresh('i')}"
    assert scene.owner.put(identity, {"location": "eastus"}, version="2023-01-31").status_code == 201
    place = Place(scene.contributor.caller, scene.group)
    named = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    body = {**described(place.neighbours()), "identity": named}
    return scene.asks(scene.contributor, "PUT", f"{place.workspaces}/{fresh('w')}", body)


def locked(method: str, path: str, body: Any = None, **more: Any) -> Callable[[Scene], Strike]:
    """The owner of everything at a place of their own that is locked; `{w}` is a workspace there."""

    def prepare(scene: Scene) -> Strike:
        place = Place(scene.contributor.caller, scene.group)
        neighbours = place.neighbours()
        workspace = place.workspace(neighbours)
        lock = f"{workspace}/providers/Microsoft.Authorization/locks/hold"
        assert scene.owner.put(lock, {"properties": {"level": "ReadOnly"}}, version=LOCKS).status_code == 201
        named = path.format(w=workspace, W=workspace.upper(), own=scene.group, lock=lock)
        return scene.asks(scene.contributor, method, named, body, **more)

    return prepare


def asks(who: str, method: str, path: str, body: Any = None, **more: Any) -> Callable[[Scene], Strike]:
    """A plain request of somebody who may not."""

    def prepare(scene: Scene) -> Strike:
        storage = scene.owner.get(scene.server.workspace).json()["properties"]["storageAccount"]
        named = path.format(w=scene.server.workspace, g=scene.server.group, s=scene.server.subscription, a=storage)
        return scene.asks(getattr(scene, who), method, named, body, **more)

    return prepare


RIGHTS: dict[str, Attack] = {
    # roles
    "a contributor who makes themselves owner": Attack(403, FORBIDDEN, assigns("contributor", "{own}")),
    "a reader who makes themselves owner": Attack(403, FORBIDDEN, assigns("reader", "{g}")),
    "a clerk who makes themselves owner of more": Attack(403, FORBIDDEN, assigns("clerk", "{s}")),
    "a clerk who makes themselves owner of the tenant": Attack(403, FORBIDDEN, assigns("clerk", "")),
    "a clerk who makes themselves owner next door": Attack(403, FORBIDDEN, assigns("clerk", "{g}")),
    "a clerk who writes the tenant's scope as their own": Attack(
        404, "InvalidResourceNamespace", assigns("clerk", "{own}/providers/Microsoft.Authorization/..")
    ),
    "a small role turned into a great one": Attack(400, "RoleAssignmentUpdateNotPermitted", turns_another),
    "a role that may do everything": Attack(403, FORBIDDEN, defines),
    "a reader who takes the owner's role away": Attack(
        403,
        FORBIDDEN,
        asks("reader", "DELETE", f"{{g}}/providers/{ASSIGNMENTS}/x", version=AUTHORIZATION),
    ),
    # keys by another way
    "a reader who asks for the account's keys": Attack(
        403, FORBIDDEN, asks("reader", "POST", "{a}/listKeys", version=STORAGE)
    ),
    "a reader who regenerates a key": Attack(403, FORBIDDEN, asks("reader", "POST", "{w}/resyncKeys")),
    "a reader who has the workspace deleted": Attack(403, FORBIDDEN, asks("reader", "DELETE", "{w}")),
    "a reader who unregisters the provider": Attack(
        403,
        FORBIDDEN,
        asks("reader", "POST", "{s}/providers/Microsoft.MachineLearningServices/unregister", version=ARM),
    ),
    "a contributor who sets faults on everybody": Attack(
        403, FORBIDDEN, asks("contributor", "PUT", f"{FAULTS}/evil", {"properties": {"fault": "503"}})
    ),
    # neighbours of others
    "a workspace with another's account": Attack(403, LINKED, links(lambda id_: id_)),
    "another's account in capitals": Attack(403, LINKED, links(str.upper)),
    "another's account with doubled slashes": Attack(403, LINKED, links(lambda id_: id_.replace("/", "//"))),
    "another's account with a slash at the end": Attack(403, LINKED, links(lambda id_: f"{id_}/")),
    "another's account with dot segments": Attack(
        400, "ValidationError", links(lambda id_: id_.replace("/providers", "/x/../providers"))
    ),
    "a workspace with another's identity": Attack(403, LINKED, with_anothers_identity),
    # places
    "a group in a group": Attack(
        404,
        "InvalidResourceType",
        lambda scene: scene.asks(
            scene.contributor, "PUT", f"{scene.group}/providers/{GROUPS}/x", {"location": "eastus"}, version=ARM
        ),
    ),
    "an account below a workspace": Attack(
        404, "InvalidResourceType", asks("contributor", "PUT", f"{{w}}/providers/{ACCOUNTS}/st123", {}, version=STORAGE)
    ),
    # locks
    "keys under a lock": Attack(409, LOCKED, locked("POST", "{w}/listKeys")),
    "keys under a lock, in capitals": Attack(409, LOCKED, locked("POST", "{W}/LISTKEYS")),
    "keys under a lock, with doubled slashes": Attack(409, LOCKED, locked("POST", "{w}//listKeys")),
    "a change under a lock": Attack(409, LOCKED, locked("PATCH", "{w}", {"tags": {"a": "b"}})),
    "a lock taken away by who may not": Attack(403, FORBIDDEN, locked("DELETE", "{lock}", version=LOCKS)),
    "a locked workspace deleted with its group": Attack(409, LOCKED, locked("DELETE", "{own}", version=ARM)),
}
