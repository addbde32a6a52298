"""Others than the owner: applications that hold the roles a test gives them, over the API, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.clients.people import join

if TYPE_CHECKING:
    import httpx

    from tests.server import Caller, Server

AUTHORIZATION = "2022-04-01"
ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "AzureML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "AzureML Compute Operator": "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
    "Azure AI Developer": "64702f94-c441-49e6-a78b-ef80e0188fee",
    "Azure AI Administrator": "b78c5d69-af96-48a3-bf8d-a8b4d589de94",
    "Storage Account Contributor": "17d1049b-9a84-46fb-8f53-869881c3d3ab",
    "Storage Account Key Operator Service Role": "81a9662b-bebf-436f-a333-f67b29880f12",
    "Reader and Data Access": "c12c1c16-33a1-487b-954d-41c89c60f349",
}
"""Azure's built-in roles and their ids."""


@dataclass(frozen=True)
class Person:
    """An application that is signed in."""

    client_id: str
    object_id: str
    caller: Caller

    def again(self, server: Server) -> Caller:
        """The same person on a connection of its own."""
        another = server.nobody()
        another.http.headers["authorization"] = self.caller.http.headers["authorization"]
        return another

    def refused(self, action: str, scope: str) -> str:
        """What Azure says when they may not do this there."""
        return (
            f"The client '{self.client_id}' with object id '{self.object_id}' does not have authorization to perform "
            f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
            "refresh your credentials."
        )


def hire(server: Server) -> Person:
    """Somebody new, who holds no role; see `give`."""
    made = join(server)
    return Person(made.client_id, made.object_id, server.signed_in(made.client_id, made.secret))


def give(owner: Caller, scope: str, role: str, person: Person) -> str:
    """Give somebody a role at a scope; answers the path of the assignment."""
    path, answer = ask_to_give(owner, scope, role, person)
    assert answer.status_code == 201, answer.text
    return path


def ask_to_give(caller: Caller, scope: str, role: str, person: Person) -> tuple[str, httpx.Response]:
    """Try to give somebody a role: the path of the assignment, and what the server says."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}",
        "principalId": person.object_id,
    }
    return path, caller.put(path, {"properties": properties}, version=AUTHORIZATION)
