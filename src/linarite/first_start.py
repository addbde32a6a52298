"""What a data folder starts with: keyring, signing key, tenant, subscription, an owner, and the sample workspace.

Ids are fixed and are those of the sample of Azure's own page, so that its request works with only the host replaced;
secrets are random for each folder. The sample is made by calls of the owner, over the same path as everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from linarite.grants import DOMAIN, add_user, hash_secret, new_password, new_secret
from linarite.ids import ROOT, SUBSCRIPTION
from linarite.inside import Insider
from linarite.model import Assignment, Deed, Entry, Principal, PrincipalKind, Resource, Secret
from linarite.roles import OWNER
from linarite.seal import Sealed
from linarite.store import directory
from linarite.store.directory import Credential
from linarite.store.keys import SIGNING_KEYS, principal_key
from linarite.tokens.minting import new_signing_key

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.engine import Engine
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction

TENANT = "dddddddd-cccc-bbbb-aaaa-000000000000"
SUBSCRIPTION_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OWNER_CLIENT = "11111111-2222-3333-4444-555555555555"
OWNER_OBJECT = "66666666-7777-8888-9999-aaaaaaaaaaaa"
OWNER_USER = f"owner@{DOMAIN}"
OWNER_USER_OBJECT = "66666666-7777-8888-9999-bbbbbbbbbbbb"
GROUP = "testrg123"
WORKSPACE = "workspaces123"

_NEIGHBOURS = "ragargeastus2euap"
"""The group in which the page's sample has the storage account."""

_OWNER_SECRET = "owner-secret"  # noqa: S105 - the name under which it is kept, sealed
_SEEDED = "seeded"
_FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Founded:
    """What the first start made, or found made."""

    owner_secret: Secret
    seeded: bool
    """Whether nothing is left to be made: a start that was cut short is completed by the next one."""
    password: Secret | None = None
    """The owner's as a user, where this start made it: it is kept nowhere."""


async def found(gate: Gate, now: datetime) -> Founded:
    """Make what is missing: signing key, subscription and owner, as application and as user, in one unit of work."""

    def work(transaction: Transaction) -> Founded:
        connection, ring = transaction.connection(), transaction.keyring
        kept = directory.fact(connection, _OWNER_SECRET)
        if kept is not None:
            secret = ring.open(Sealed(kept), _FACTS, _OWNER_SECRET)
            return Founded(secret, directory.fact(connection, _SEEDED) is not None)
        directory.add_signing_key(connection, new_signing_key(ring, now))
        transaction.note(SIGNING_KEYS)
        subscription = ROOT.child(SUBSCRIPTION, SUBSCRIPTION_ID)
        transaction.add(Resource(subscription, {"displayName": "Linarite", "tenantId": TENANT}, 0))
        owner = Principal(
            OWNER_OBJECT, PrincipalKind.SERVICE_PRINCIPAL, OWNER_CLIENT, TENANT, "owner", app_id=OWNER_CLIENT
        )
        secret = new_secret()
        directory.add_principal(connection, owner, now)
        directory.add_credential(connection, Credential(str(uuid4()), owner.object_id, hash_secret(secret), now))
        directory.put_fact(connection, _OWNER_SECRET, ring.seal(secret, _FACTS, _OWNER_SECRET).column)
        _assign_owner(transaction, owner)
        password = new_password()
        user = add_user(
            transaction, OWNER_USER, password, tenant=TENANT, now=now, shown="Owner", object_id=OWNER_USER_OBJECT
        )
        _assign_owner(transaction, user)
        return Founded(secret, seeded=False, password=password)

    return await gate.commit(work, lambda _: _entry(now))


def _assign_owner(transaction: Transaction, owner: Principal) -> None:
    """Owner of the whole tenant: the assignment is a resource like any other, and shows in lists."""
    type_ = "Microsoft.Authorization/roleAssignments"
    id_ = ROOT.child(type_, str(uuid4()))
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER.id}"
    properties = {
        "roleDefinitionId": definition,
        "principalId": owner.object_id,
        "principalType": str(owner.kind),
        "scope": "/",
    }
    transaction.add(Resource(id_, {"properties": properties}, 0))
    transaction.assign(id_.key, Assignment(owner.object_id, OWNER.id, ROOT.key))
    transaction.note(principal_key(owner.object_id))


def _entry(now: datetime) -> Entry:
    return Entry(
        at=now,
        deed=Deed.WRITE,
        action="Linarite/found",
        target="/",
        caller="",
        client="linarite",
        status=200,
        code="",
        request=str(uuid4()),
        correlation="",
        address="",
    )


async def seeded(gate: Gate) -> None:
    """Note that the first start is complete."""
    await gate.commit(lambda transaction: directory.put_fact(transaction.connection(), _SEEDED, b"1"), lambda _: None)


async def seed_sample(engine: Engine, token: Secret, location: str) -> None:
    """Make the sample workspace with every neighbour, so that none of the values of its keys is null."""
    owner = Insider(engine, token)
    subscription = f"/subscriptions/{SUBSCRIPTION_ID}"
    for group in (GROUP, _NEIGHBOURS):
        await owner.send("PUT", f"{subscription}/resourceGroups/{group}", "2024-11-01", {"location": location})
    near = f"{subscription}/resourceGroups/{_NEIGHBOURS}/providers"
    links = {
        "storageAccount": f"{near}/Microsoft.Storage/storageAccounts/testdemoworkazashomr",
        "containerRegistry": f"{near}/Microsoft.ContainerRegistry/registries/testdemoworkjmjmeykp",
        "keyVault": f"{near}/Microsoft.KeyVault/vaults/testdemoworkkvqxnfta",
        "applicationInsights": f"{near}/Microsoft.Insights/components/testdemoworkaievmzkw",
    }
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "storageAccount": ("2023-01-01", {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}),
        "containerRegistry": ("2023-07-01", {"sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}}),
        "keyVault": (
            "2023-07-01",
            {"properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}},
        ),
        "applicationInsights": ("2020-02-02", {"kind": "web", "properties": {"Application_Type": "web"}}),
    }
    for name, (version, body) in bodies.items():
        await owner.send("PUT", links[name], version, {"location": location, **body})
    workspace = (
        f"{subscription}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
    )
    body = {"location": location, "identity": {"type": "SystemAssigned"}, "properties": links}
    await owner.send("PUT", workspace, "2023-10-01", body)
    await owner.send("POST", f"{workspace}/prepareNotebook", "2023-10-01")
