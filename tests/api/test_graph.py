"""Microsoft Graph: who is looked up, by whom, and applications that are made, given secrets and taken away over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.first_start import OWNER_OBJECT, OWNER_USER, OWNER_USER_OBJECT
from tests.api.browser import browser_of
from tests.api.on_disk import entries
from tests.api.people import AUTHORIZATION, ROLES
from tests.clients.people import join

if TYPE_CHECKING:
    import httpx

    from tests.api.place import Place
    from tests.clients.people import Application
    from tests.server import Caller, Server

CREATED, NO_CONTENT = 201, 204
DENIED = (403, "Authorization_RequestDenied")


@dataclass(frozen=True)
class Person:
    """Somebody who asks the directory."""

    application: Application
    graph: Caller

    def named(self, path: str) -> Any:
        answer = self.graph.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def token(server: Server, client_id: str, secret: str, resource: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "scope": f"{resource}/.default",
    }
    answer = server.nobody().http.post(f"/{server.known['tenantId']}/oauth2/v2.0/token", data=form)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def asking(server: Server, client_id: str, secret: str, resource: str | None = None) -> Caller:
    """A caller of the directory, whose paths are relative to v1.0."""
    caller = server.nobody()
    caller.http.base_url = f"{server.origin}/graph/v1.0/"
    caller.http.headers["authorization"] = (
        f"Bearer {token(server, client_id, secret, resource or f'{server.origin}/graph/')}"
    )
    return caller


def refused(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["message"]
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    return answer.status_code, error["code"]


@pytest.fixture(scope="module")
def chief(server: Server) -> Caller:
    """The owner, asking the directory."""
    return asking(server, server.known["clientId"], server.known["clientSecret"])


def hired(server: Server, owner: Caller, **roles: str) -> Person:
    """Somebody new who holds these roles, at the scopes that are given."""
    made = join(server)
    for role, scope in roles.items():
        assign(owner, scope, ROLES[role.replace("_", " ")], made.object_id)
    return Person(made, asking(server, made.client_id, made.secret))


def assign(owner: Caller, scope: str, role: str, who: str) -> str:
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": who,
    }
    answer = owner.put(path, {"properties": properties}, version=AUTHORIZATION)
    assert answer.status_code == CREATED, answer.text
    return path


def made(chief: Caller, name: str = "pipeline") -> Any:
    """A new application."""
    answer = chief.post("applications", {"displayName": name}, version=None)
    assert answer.status_code == CREATED, answer.text
    return answer.json()


def with_secret(chief: Caller, application: Any) -> Any:
    """A new secret of an application."""
    answer = chief.post(f"applications/{application['id']}/addPassword", {}, version=None)
    assert answer.status_code == 200, answer.text
    return answer.json()


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_service_principal_is_found_by_what_it_is_called(server: Server, chief: Caller) -> None:
    someone = join(server)
    for text in (
        f"servicePrincipalNames/any(c:c eq '{someone.client_id}')",
        f"appId eq '{someone.client_id.upper()}' and displayName eq 'tester'",
        f"appId eq 'nobody' or id eq '{someone.object_id}'",
    ):
        answer = chief.get("servicePrincipals", version=None, params={"$filter": text})
        [found] = answer.json()["value"]
        assert (found["id"], found["appId"]) == (someone.object_id, someone.client_id)
        assert (found["servicePrincipalType"], found["accountEnabled"]) == ("Application", True)
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")


@pytest.mark.parametrize(
    "path", ["servicePrincipals/{id}", "servicePrincipals(appId='{app}')", "directoryObjects/{id}"]
)
def test_one_is_found_by_its_ids(server: Server, chief: Caller, path: str) -> None:
    someone = join(server)
    found = chief.get(path.format(id=someone.object_id, app=someone.client_id), version=None).json()
    assert (found["id"], found["displayName"]) == (someone.object_id, "tester")


def test_an_application_and_its_service_principal_have_ids_of_their_own(server: Server, chief: Caller) -> None:
    someone = join(server)
    text = f"appId eq '{someone.client_id}'"
    [found] = chief.get("applications", version=None, params={"$filter": text}).json()["value"]
    assert found["id"] != someone.object_id
    assert chief.get(f"applications/{found['id']}", version=None).json()["appId"] == someone.client_id
    assert refused(chief.get(f"servicePrincipals/{found['id']}", version=None)) == (404, "Request_ResourceNotFound")
    assert [one["hint"] for one in found["passwordCredentials"]] == [None]
    assert someone.secret not in chief.get("applications", version=None).text


def test_a_user_is_found_by_name_and_by_id_and_no_application_is_a_user(server: Server, chief: Caller) -> None:
    for path in (f"users/{OWNER_USER}", f"users/{OWNER_USER_OBJECT}", f"users('{OWNER_USER.upper()}')"):
        found = chief.get(path, version=None).json()
        assert (found["id"], found["userPrincipalName"]) == (OWNER_USER_OBJECT, OWNER_USER)
        assert "passwordCredentials" not in found
    for path in (f"users/{OWNER_OBJECT}", f"servicePrincipals/{OWNER_USER_OBJECT}"):
        assert refused(chief.get(path, version=None)) == (404, "Request_ResourceNotFound")
    text = f"userPrincipalName eq '{OWNER_USER}'"
    assert [one["id"] for one in chief.get("users", version=None, params={"$filter": text}).json()["value"]] == [
        OWNER_USER_OBJECT
    ]


def test_objects_are_told_by_their_ids_with_what_they_are(server: Server, chief: Caller) -> None:
    someone = join(server)
    ids = [someone.object_id, OWNER_USER_OBJECT, str(uuid4())]
    found = chief.post("directoryObjects/getByIds", {"ids": ids}, version=None).json()["value"]
    assert {(one["id"], one["@odata.type"]) for one in found} == {
        (someone.object_id, "#microsoft.graph.servicePrincipal"),
        (OWNER_USER_OBJECT, "#microsoft.graph.user"),
    }
    body = {"ids": ids, "types": ["user", "group"]}
    found = chief.post("directoryObjects/getByIds", body, version=None).json()["value"]
    assert [one["id"] for one in found] == [OWNER_USER_OBJECT]


def test_a_list_comes_in_pages_that_have_everybody_once(server: Server, chief: Caller) -> None:
    wanted = {join(server).object_id for _ in range(3)}
    page = chief.get("servicePrincipals", version=None, params={"$top": "2", "$select": "id,displayName"}).json()
    seen = page["value"]
    assert [list(one) for one in seen] == [["id", "displayName"]] * 2
    while "@odata.nextLink" in page:
        page = chief.http.get(page["@odata.nextLink"]).json()
        seen += page["value"]
    ids = [one["id"] for one in seen]
    assert len(set(ids)) == len(ids)
    assert wanted < set(ids)


def test_nobody_is_me_who_is_no_user(chief: Caller) -> None:
    answer = chief.get("me", version=None)
    assert refused(answer) == (400, "BadRequest")
    assert answer.json()["error"]["message"] == "/me request is only valid with delegated authentication flow."


def test_there_are_no_groups(chief: Caller) -> None:
    assert chief.get("groups", version=None).json()["value"] == []
    assert chief.post(f"directoryObjects/{OWNER_OBJECT}/getMemberGroups", {}, version=None).json()["value"] == []


# ── who may look ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_may_see_roles_somewhere_may_look_people_up_and_nobody_else(
    server: Server, owner: Caller, place: Place
) -> None:
    reader = hired(server, owner, Reader=place.group)
    nobody, puller = hired(server, owner), hired(server, owner, AzureML_Compute_Operator=place.group)
    assert reader.named(f"servicePrincipals/{OWNER_OBJECT}")["displayName"] == "owner"
    for who in (nobody, puller):
        for path in ("users", "servicePrincipals", "groups", f"users/{uuid4()}", f"servicePrincipals/{OWNER_OBJECT}"):
            assert refused(who.graph.get(path, version=None)) == DENIED
        assert refused(who.graph.post("directoryObjects/getByIds", {"ids": [OWNER_OBJECT]}, version=None)) == DENIED


def test_everybody_may_look_at_themselves(server: Server, owner: Caller) -> None:
    nobody = hired(server, owner)
    own = nobody.application
    assert nobody.named(f"servicePrincipals/{own.object_id}")["appId"] == own.client_id
    [found] = nobody.named(f"servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{own.client_id}')")["value"]
    assert found["id"] == own.object_id


@pytest.mark.parametrize("resource", ["", "https://management.azure.com"])
def test_a_token_for_somebody_else_opens_no_directory(server: Server, resource: str) -> None:
    known = server.known
    caller = asking(server, known["clientId"], known["clientSecret"], resource or server.origin)
    answer = caller.get("users", version=None)
    assert refused(answer) == (401, "InvalidAuthenticationToken")
    assert answer.json()["error"]["message"] == "Access token validation failure. Invalid audience."


def test_a_token_for_microsofts_own_graph_is_taken_and_opens_no_resource_manager(server: Server) -> None:
    known = server.known
    caller = asking(server, known["clientId"], known["clientSecret"], "https://graph.microsoft.com")
    assert caller.get("users", version=None).status_code == 200
    for resource in ("https://graph.microsoft.com", f"{server.origin}/graph"):
        bearer = token(server, known["clientId"], known["clientSecret"], resource)
        answer = server.nobody().get(server.workspace, headers={"authorization": f"Bearer {bearer}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_without_a_token_nothing_is_told(server: Server) -> None:
    answer = server.nobody().get("/graph/v1.0/users", version=None)
    assert refused(answer) == (401, "InvalidAuthenticationToken")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


# ── for a user ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def password(server: Server) -> str:
    return server.password()


def for_the_owner(server: Server, password: str, scope: str) -> Caller:
    """An application that the owner, who is a user, let do this for them."""
    browser = browser_of(server)
    code = browser.sign_in(browser.ask(scope=scope), password).brought["code"]
    caller = server.nobody()
    caller.http.base_url = f"{server.origin}/graph/v1.0/"
    caller.http.headers["authorization"] = f"Bearer {browser.redeem(code, scope=scope).json()['access_token']}"
    return caller


@pytest.mark.parametrize("resource", ["https://graph.microsoft.com", "{origin}/graph/"])
def test_a_user_is_told_who_they_are_and_may_do_what_their_roles_let_them(
    server: Server, password: str, resource: str
) -> None:
    caller = for_the_owner(server, password, f"{resource.format(origin=server.origin)}/.default")
    found = caller.get("me", version=None).json()
    assert (found["id"], found["userPrincipalName"]) == (OWNER_USER_OBJECT, OWNER_USER)
    assert caller.get("me/ownedObjects", version=None).json()["value"] == []
    assert caller.get(f"servicePrincipals/{OWNER_OBJECT}", version=None).status_code == 200
    made(caller, "by a user")


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("openid profile", ""),
        ("openid https://graph.microsoft.com/User.Read", "me"),
        ("https://graph.microsoft.com/Directory.Read.All", "me look"),
        ("https://graph.microsoft.com/Application.ReadWrite.All", "me look make"),
    ],
)
def test_an_application_does_for_a_user_what_they_consented_to_and_no_more(
    server: Server, password: str, scope: str, may: str
) -> None:
    caller = for_the_owner(server, password, scope)
    answers = {
        "me": caller.get("me", version=None),
        "look": caller.get("servicePrincipals", version=None),
        "make": caller.post("applications", {"displayName": "consented"}, version=None),
    }
    assert [name for name in answers if answers[name].status_code < 400] == may.split()
    assert {refused(one) for name, one in answers.items() if name not in may.split()} <= {DENIED}


# ── applications ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_is_made_signs_in_holds_a_role_and_is_taken_away(
    server: Server, owner: Caller, chief: Caller, place: Place
) -> None:
    application = made(chief)
    principal = chief.post("servicePrincipals", {"appId": application["appId"]}, version=None)
    assert principal.status_code == CREATED
    added = with_secret(chief, application)
    caller = server.signed_in(application["appId"], added["secretText"])
    assign(owner, place.group, ROLES["Reader"], principal.json()["id"])
    assert caller.get(place.workspaces).status_code == 200
    assert chief.delete(f"applications/{application['id']}", version=None).status_code == NO_CONTENT
    assert caller.get(place.workspaces).status_code == 401
    assert refused(chief.get(f"applications/{application['id']}", version=None))[0] == 404


def test_a_secret_is_told_once_and_signs_in_until_it_is_taken_away(server: Server, chief: Caller) -> None:
    application = made(chief)
    path = f"applications/{application['id']}"
    body = {"passwordCredential": {"displayName": "rbac", "endDateTime": "2999-01-01T00:00:00Z"}}
    added = chief.post(f"{path}/addPassword", body, version=None).json()
    assert (added["displayName"], added["endDateTime"]) == ("rbac", "2999-01-01T00:00:00Z")
    assert added["secretText"].startswith(added["hint"])
    server.signed_in(application["appId"], added["secretText"])
    shown = chief.get(path, version=None)
    assert added["secretText"] not in shown.text
    assert [one["keyId"] for one in shown.json()["passwordCredentials"]] == [added["keyId"]]
    taken = chief.post(f"{path}/removePassword", {"keyId": added["keyId"]}, version=None)
    assert taken.status_code == NO_CONTENT
    again = chief.post(f"{path}/removePassword", {"keyId": added["keyId"]}, version=None)
    assert refused(again) == (400, "Request_BadRequest")
    with pytest.raises(Exception, match="401"):
        server.signed_in(application["appId"], added["secretText"])


def test_an_application_is_renamed(chief: Caller) -> None:
    application = made(chief, "before")
    path = f"applications/{application['id']}"
    assert chief.patch(path, {"displayName": "after", "tags": []}, version=None).status_code == NO_CONTENT
    assert chief.get(path, version=None).json()["displayName"] == "after"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("applications", {}),
        ("applications", {"displayName": " "}),
        ("applications", {"displayName": "a\nb"}),
        ("applications", {"displayName": 7}),
        ("applications", {"displayName": "x" * 121}),
        ("servicePrincipals", {"appId": "66666666-0000-0000-0000-000000000000"}),
        ("servicePrincipals", {"appId": 7}),
        ("directoryObjects/getByIds", {"ids": "x"}),
        ("directoryObjects/getByIds", {"ids": [7]}),
        ("{application}/addPassword", {"passwordCredential": "x"}),
        ("{application}/addPassword", {"passwordCredential": {"endDateTime": "soon"}}),
        ("{application}/addPassword", {"passwordCredential": {"endDateTime": "2001-01-01T00:00:00Z"}}),
        ("{application}/addPassword", ["x"]),
        ("{application}/removePassword", {"keyId": "x"}),
        ("{application}/removePassword", {"keyId": {}}),
    ],
)
def test_a_body_that_says_nothing_good_is_refused(chief: Caller, path: str, body: Any) -> None:
    application = f"applications/{made(chief)['id']}" if "{" in path else ""
    assert refused(chief.post(path.format(application=application), body, version=None)) == (400, "Request_BadRequest")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"$filter": "displayName"}, "Request_UnsupportedQuery"),
        ({"$filter": "displayName eq 'a' and"}, "Request_UnsupportedQuery"),
        ({"$filter": "colour eq 'blue'"}, "BadRequest"),
        ({"$filter": "x" * 2049}, "Request_UnsupportedQuery"),
        ({"$select": "colour"}, "BadRequest"),
        ({"$top": "0"}, "Request_UnsupportedQuery"),
        ({"$top": "1000"}, "Request_UnsupportedQuery"),
        ({"$search": '"displayName:a"'}, "Request_UnsupportedQuery"),
        ({"$orderby": "displayName"}, "Request_UnsupportedQuery"),
    ],
)
def test_a_query_that_is_not_served_is_refused(chief: Caller, query: dict[str, str], code: str) -> None:
    assert refused(chief.get("servicePrincipals", version=None, params=query)) == (400, code)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nonsense", 400),
        ("GET", "/graph", 400),
        ("GET", "/graph/v2.0/users", 400),
        ("POST", "users", 405),
        ("PUT", "applications", 405),
        ("GET", "applications/x/addPassword", 405),
    ],
)
def test_what_is_not_there_is_said_so_in_graphs_envelope(chief: Caller, method: str, path: str, status: int) -> None:
    assert refused(chief.call(method, path, version=None))[0] == status


# ── who may change ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_is_changed_by_whoever_could_have_given_it_all_its_roles(
    server: Server, owner: Caller, chief: Caller, place: Place
) -> None:
    giver, contributor, narrow = hired(server, owner), hired(server, owner), hired(server, owner, Owner=place.group)
    given = [
        assign(owner, server.subscription, ROLES[role], who.application.object_id)
        for role, who in (("User Access Administrator", giver), ("Contributor", contributor))
    ]
    plain, mighty = made(chief), made(chief)
    object_id = chief.post("servicePrincipals", {"appId": mighty["appId"]}, version=None).json()["id"]
    above = assign(owner, "", ROLES["Reader"], object_id)
    for who, application, may in (
        (giver, plain, True),
        (giver, mighty, False),
        (narrow, plain, False),
        (contributor, plain, False),
    ):
        answer = who.graph.post(f"applications/{application['id']}/addPassword", {}, version=None)
        assert answer.status_code == (200 if may else 403), answer.text
        answer = who.graph.patch(f"applications/{application['id']}", {"displayName": "mine"}, version=None)
        assert answer.status_code == (NO_CONTENT if may else 403)
    for who in (narrow, contributor):
        assert refused(who.graph.post("applications", {"displayName": "x"}, version=None)) == DENIED
    owner.delete(above, version=AUTHORIZATION)
    assert giver.graph.delete(f"applications/{mighty['id']}", version=None).status_code == NO_CONTENT
    for path in given:
        owner.delete(path, version=AUTHORIZATION)


def test_a_managed_identity_is_known_as_one_and_changed_by_nobody(owner: Caller, chief: Caller, place: Place) -> None:
    path = f"{place.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/robot"
    made_ = owner.put(path, {"location": "eastus"}, version="2023-01-31").json()["properties"]
    found = chief.get(f"servicePrincipals/{made_['principalId']}", version=None).json()
    assert (found["servicePrincipalType"], found["appId"]) == ("ManagedIdentity", made_["clientId"])
    assert found["alternativeNames"] == ["isExplicit=True", path.lower()]
    text = f"appId eq '{made_['clientId']}'"
    assert chief.get("applications", version=None, params={"$filter": text}).json()["value"] == []
    for method, suffix, body in (
        ("DELETE", "", None),
        ("POST", "/addPassword", {}),
        ("PATCH", "", {"displayName": "x"}),
    ):
        answer = chief.call(method, f"servicePrincipals/{made_['principalId']}{suffix}", body, version=None)
        assert refused(answer) == DENIED


def test_nobody_changes_who_the_commands_sign_in_as(server: Server, chief: Caller) -> None:
    for method, path, body in (
        ("DELETE", f"servicePrincipals/{OWNER_OBJECT}", None),
        ("POST", f"servicePrincipals/{OWNER_OBJECT}/addPassword", {}),
        ("PATCH", f"servicePrincipals/{OWNER_OBJECT}", {"displayName": "x"}),
    ):
        assert refused(chief.call(method, path, body, version=None)) == DENIED
    assert server.owner().get(server.workspace).status_code == 200


# ── the trail ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_changes_and_refusals_are_on_the_trail_and_looks_and_secrets_are_not(
    server: Server, owner: Caller, chief: Caller
) -> None:
    nobody = hired(server, owner)
    before = len(entries(server))
    application = made(chief, "traced")
    added = with_secret(chief, application)
    chief.get("users", version=None)
    nobody.graph.get("users", version=None)
    chief.delete(f"applications/{application['id']}", version=None)
    seen = entries(server)[before:]
    target = f"/applications/{application['appId']}"
    assert [(one.action, one.target, one.status, one.code) for one in seen] == [
        ("Microsoft.Graph/applications/write", target, CREATED, ""),
        ("Microsoft.Graph/applications/addPassword/action", target, 200, ""),
        ("Microsoft.Graph/users/read", "/graph/v1.0/users", 403, "Authorization_RequestDenied"),
        ("Microsoft.Graph/applications/delete", target, NO_CONTENT, ""),
    ]
    assert [one.caller for one in seen] == [OWNER_OBJECT] * 2 + [nobody.application.object_id, OWNER_OBJECT]
    assert not [one for one in seen if added["secretText"] in repr(one)]
