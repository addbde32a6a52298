"""Azure's own programs, registered in every tenant: public clients that sign users in on the user's machine.

Ids and addresses are those that the programs' sources name. An address on loopback stands for every port.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.model import Principal

LOOPBACK = ("http://localhost", "http://127.0.0.1")


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may sign users in."""

    id: str
    name: str
    redirects: tuple[str, ...] = ()
    public: bool = True
    """Whether it has no secret, so that anybody can say to be it."""
    principal: Principal | None = None
    """None for Azure's own, which are trusted with what they ask for: nobody is asked to consent."""


AZURE_CLIENTS = {
    one.id: one
    for one in (
        Client("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI", LOOPBACK),
        Client("1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell", LOOPBACK),
        Client(
            "aebc6443-996d-45c2-90f0-388ff96faa56", "Visual Studio Code", (*LOOPBACK, "https://vscode.dev/redirect")
        ),
        Client("872cd9fa-d31f-45e0-9eab-6e460a02d1f1", "Visual Studio", LOOPBACK),
    )
}
"""By id. The Azure CLI's is azure-identity's default too."""
