"""A server without its network: the real engine over a database of its own, and the calls of an owner and of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from linarite import first_start
from linarite.calls import Call
from linarite.engine import Engine
from linarite.kinds import KINDS
from linarite.longrunning import Pace
from linarite.model import Principal, PrincipalKind
from linarite.routes import Registry
from linarite.store import directory
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.keys import principal_key
from linarite.store.memory import Memory
from linarite.tokens import Authority, Reader
from linarite.tokens.minting import access_claims, mint, private_half
from linarite.world import Options

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from pathlib import Path

    from linarite.model import Answer
    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction

ORIGIN = "https://localhost:8443"
AUTHORITY = Authority(ORIGIN, first_start.TENANT)
SUBSCRIPTION = f"/subscriptions/{first_start.SUBSCRIPTION_ID}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/group"
LOCATION = "eastus"
START = datetime(2026, 11, 24, 8, 15, 30, tzinfo=UTC)

_VERSIONS = {
    "microsoft.authorization": "2022-04-01",
    "microsoft.containerregistry": "2023-07-01",
    "microsoft.insights": "2020-02-02",
    "microsoft.keyvault": "2023-07-01",
    "microsoft.machinelearningservices": "2023-10-01",
    "microsoft.operationalinsights": "2020-08-01",
    "microsoft.storage": "2023-01-01",
}


@dataclass
class House:
    """One engine, in which long-running operations are immediate."""

    database: Path
    keyring: Keyring
    runner: asyncio.Runner
    endpoints: dict[str, str] = field(default_factory=dict)
    """Addresses of the doors that are open; none at first."""
    now: datetime = START
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        gate = Gate(Database(f"sqlite:///{self.database}"), Memory(1000), self.keyring)
        options = Options(first_start.TENANT, ORIGIN, LOCATION, endpoints=self.endpoints)
        reader = Reader(AUTHORITY, lambda: self.now)
        self.engine = Engine(
            gate, Registry(KINDS), reader, options=options, pace=Pace(immediate=True), clock=lambda: self.now
        )

    def found(self) -> None:
        """Make the tenant, its owner, and a resource group."""
        self.runner.run(first_start.found(self.engine.gate, self.now))
        self.put(GROUP, {"location": LOCATION}, version="2024-11-01")

    def close(self) -> None:
        self.runner.run(self.engine.gate.close())

    def join(self) -> str:
        """Object id of a new application, which holds no role."""
        new = str(uuid4())
        principal = Principal(new, PrincipalKind.SERVICE_PRINCIPAL, new, first_start.TENANT, "tester", app_id=new)

        def work(transaction: Transaction) -> None:
            directory.add_principal(transaction.connection(), principal, self.now)
            transaction.note(principal_key(new))

        self.runner.run(self.engine.gate.commit(work, lambda _: None))
        return new

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str = "",
        by: str = first_start.OWNER_OBJECT,
        query: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> Answer:
        """One call; the api-version is one that clients of that namespace send, unless given."""
        namespace = path.rpartition("/providers/")[2].partition("/")[0].lower()
        request = str(uuid4())
        asked = {"api-version": version or _VERSIONS.get(namespace, "2022-12-01"), **(query or {})}
        call = Call(
            method=method,
            path=path,
            query_string=urlencode(asked),
            query=asked,
            authorization=f"Bearer {self.token(by)}",
            json=lambda: body,
            origin=ORIGIN,
            request=request,
            correlation=request,
            address=address,
        )
        return self.runner.run(self.engine.serve(call))

    def get(self, path: str, **more: Any) -> Any:
        """The body of what is there."""
        return self.call("GET", path, **more).body

    def list(self, path: str, **more: Any) -> list[Any]:
        found: list[Any] = self.get(path, **more)["value"]
        return found

    def put(self, path: str, body: Any, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> Any:
        return self.call("PATCH", path, body, **more).body

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.call("POST", path, body, **more).body

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def token(self, object_id: str, audience: str = "https://management.azure.com/") -> str:
        def ask(view: Any) -> tuple[Principal | None, Any]:
            return view.principal(object_id), view.signing_keys()[0]

        (principal, key), _ = self.runner.run(self.engine.gate.look(ask))
        assert principal is not None
        claims = access_claims(
            AUTHORITY, principal, audience, now=self.now, lifetime=timedelta(hours=1), uti=str(uuid4())
        )
        return mint(private_half(key, self.keyring), claims)
