"""A vault without its network: the real clerk over the real engine, and the calls of an owner and of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from linarite import first_start, hosts
from linarite.calls import Call
from linarite.doors.vault import VaultClerk
from linarite.doors.vault.bodies import decoded
from linarite.errors import Refusal
from linarite.store import trail
from linarite.tokens.minting import access_claims, mint
from tests.unit.kinds.house import AUTHORITY, GROUP, LOCATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.errors import Problem
    from linarite.model import Answer, Entry
    from tests.unit.kinds.house import House

OWNER = first_start.OWNER_OBJECT
OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
USER = "4633458b-17de-408a-b874-0445c86b69e6"
"""Role definitions: Key Vault Secrets Officer and Key Vault Secrets User."""
VERSION = "7.4"


def policy(object_id: str, *permissions: str, **more: Any) -> dict[str, Any]:
    """An access policy for secrets."""
    return {
        "tenantId": first_start.TENANT,
        "objectId": object_id,
        "permissions": {"secrets": list(permissions)},
        **more,
    }


@dataclass
class Keeper:
    """A vault, in which the owner may do everything unless it is made otherwise."""

    house: House
    signing: Any
    """The key that tokens are signed with: it takes long to be read."""
    name: str = "my-vault"
    chief: str = OWNER
    """Who may do everything here; others have to be named where another model of permissions counts."""
    clerk: VaultClerk = field(init=False)

    def __post_init__(self) -> None:
        self.clerk = VaultClerk(self.house.engine)

    def beside(self, name: str, **properties: Any) -> Keeper:
        """One more vault, in which the owner may do everything."""
        other = Keeper(self.house, self.signing, name)
        other.settle(accessPolicies=[policy(OWNER, "all")], **properties)
        return other

    @property
    def path(self) -> str:
        return f"{GROUP}/providers/Microsoft.KeyVault/vaults/{self.name}"

    @property
    def origin(self) -> str:
        return f"https://{hosts.host_of('vault', self.name)}:8449"

    def settle(self, **properties: Any) -> None:
        """Make the vault, or make it another one."""
        sku = {"family": "A", "name": "standard"}
        given = {"tenantId": first_start.TENANT, "sku": sku, "accessPolicies": [], **properties}
        self.house.put(self.path, {"location": LOCATION, "properties": given})

    def assign(self, role: str, principal: str, scope: str = "") -> str:
        """Give a role at the vault, or at something below it; answers the assignment's path."""
        path = f"{self.path}{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid4()}"
        definition = f"/providers/Microsoft.Authorization/roleDefinitions/{role}"
        properties = {
            "roleDefinitionId": definition,
            "principalId": principal,
            "principalType": "ServicePrincipal",
        }
        self.house.put(path, {"properties": properties})
        return path

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def prepared(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str = OWNER,
        token: str | None = None,
        origin: str = "",
        query: Mapping[str, str] | None = None,
        version: str = VERSION,
    ) -> Call:
        """A call; `token` is a whole Authorization header, empty for none at all."""
        request = str(uuid4())
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return Call(
            method=method,
            path=path,
            query_string="",
            query={"api-version": version, **(query or {})},
            authorization=(f"Bearer {self.token(by)}" if token is None else token) or None,
            json=lambda: decoded(content),
            origin=origin or self.origin,
            request=request,
            correlation=request,
            address="127.0.0.1",
        )

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self.house.runner.run(self.clerk.serve(self.prepared(method, path, body, **more)))

    def get(self, path: str, **more: Any) -> Any:
        """The body of what is there; a value in it is shown as it is."""
        return self.call("GET", path, **more).body

    def set(self, name: str, value: str, **more: Any) -> Any:
        """Set a secret; answers the bundle. What is not for the call goes into the body."""
        by = more.pop("by", OWNER)
        return self.call("PUT", f"/secrets/{name}", {"value": value, **more}, by=by).body

    def value(self, name: str, **more: Any) -> str:
        """The value of a secret now."""
        return str(self.get(f"/secrets/{name}", **more)["value"].reveal())

    def names(self, path: str, **more: Any) -> list[str]:
        """Last words of the ids on one page."""
        return [one["id"].rpartition("/")[2] for one in self.get(path, **more)["value"]]

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> Refusal:
        """The refusal of a call that must be refused."""
        try:
            self.call(method, path, body, **more)
        except Refusal as refusal:
            return refusal
        message = f"{method} {path} is not refused"
        raise AssertionError(message)

    def token(self, by: str = OWNER, audience: str = hosts.VAULTS, **changes: Any) -> str:
        """A token for somebody, with claims changed."""

        principal, _ = self.house.runner.run(self.house.engine.gate.look(lambda view: view.principal(by)))
        assert principal is not None
        claims = access_claims(
            AUTHORITY, principal, audience, now=self.house.now, lifetime=timedelta(hours=1), uti=str(uuid4())
        )
        return mint(self.signing, claims | changes)

    # ── what is left of it ──────────────────────────────────────────────────────────────────────────────────────────

    def entries(self) -> list[Entry]:
        """What the trail has of vaults' secrets, oldest first."""
        return [entry for entry in self.trail() if entry.action.startswith("Microsoft.KeyVault/vaults/secrets/")]

    def trail(self) -> list[Entry]:
        """The whole trail, oldest first."""

        def ask(view: Any) -> list[Entry]:
            return [entry for _, entry in trail.entries(view.connection(), 0, 10_000)]

        found, _ = self.house.runner.run(self.house.engine.gate.look(ask))
        return list(found)

    def said(self) -> list[tuple[str, str, int]]:
        """Deed, last words of the action, and status of those entries."""
        return [
            (str(one.deed), one.action.removeprefix("Microsoft.KeyVault/vaults/secrets/"), one.status)
            for one in self.entries()
        ]


def inner(refusal: Refusal) -> str:
    """The inner code of a refusal."""
    details: tuple[Problem, ...] = refusal.details
    return details[0].code
