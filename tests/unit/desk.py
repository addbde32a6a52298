"""A token service over a database of its own, and what a test wants to ask of it, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from linarite.grants import Ask, Denied, Endpoint, Form, TokenService, add_application
from linarite.model import Deed, Entry
from linarite.store import directory, trail
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.keys import SIGNING_KEYS
from linarite.store.memory import Memory
from linarite.tokens import Authority, Claims, Reader
from linarite.tokens.minting import new_signing_key

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from linarite.model import Principal, Secret
    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction

Result = TypeVar("Result")

ORIGIN = "https://localhost:8443"
TENANT = "dddddddd-cccc-bbbb-aaaa-000000000000"
AUTHORITY = Authority(ORIGIN, TENANT)
LIFETIME = timedelta(seconds=3599)
START = datetime(2026, 11, 24, 8, 15, 30, tzinfo=UTC)


@dataclass
class Desk:
    """One process's token service, and an application that is registered there."""

    url: str
    """SQLAlchemy's, of its database."""
    keyring: Keyring
    runner: asyncio.Runner
    now: datetime = START
    tokens: TokenService = field(init=False)
    application: Principal = field(init=False)
    secret: Secret = field(init=False)

    def __post_init__(self) -> None:
        gate = Gate(Database(self.url), Memory(1000), self.keyring)
        self.tokens = TokenService(gate, AUTHORITY, lambda: self.now, LIFETIME)

    def found(self) -> None:
        """Make the first signing key, and the application."""

        def work(transaction: Transaction) -> tuple[Principal, Secret]:
            directory.add_signing_key(transaction.connection(), new_signing_key(self.keyring, self.now))
            transaction.note(SIGNING_KEYS)
            return add_application(transaction, "pipeline", tenant=TENANT, now=self.now)

        self.application, self.secret = self.commit(work)

    def moved(self, url: str, runner: asyncio.Runner) -> Desk:
        """A desk that knows the same, on another copy of the database."""
        other = Desk(url, self.keyring, runner, self.now)
        other.application, other.secret = self.application, self.secret
        return other

    def another(self) -> Desk:
        """The token service of a second process on the same database."""
        return self.moved(self.url, self.runner)

    @property
    def file(self) -> Path:
        """SQLite only: where its database lies."""
        return Path(self.url.removeprefix("sqlite:///"))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def commit(self, work: Callable[[Transaction], Result]) -> Result:
        return self.run(self.tokens.gate.commit(work, lambda _: None))

    def form(self, **changes: str | None) -> dict[str, str]:
        """A good request's form, with changes; a parameter that is None is left out."""
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": self.application.app_id,
            "client_secret": self.secret.reveal(),
            "scope": f"{ORIGIN}/.default",
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    def request(
        self,
        *,
        tenant: str = TENANT,
        endpoint: Endpoint = Endpoint.V2,
        authorization: str | None = None,
        **changes: str | None,
    ) -> Ask:
        form = self.form(**changes)
        return Ask(tenant, endpoint, lambda: Form(form), str(uuid4()), str(uuid4()), "127.0.0.1", authorization)

    def ask(self, **changes: Any) -> dict[str, Any]:
        return self.run(self.tokens.token(self.request(**changes)))

    def denied(self, **changes: Any) -> Denied:
        """How a request is refused."""
        try:
            self.ask(**changes)
        except Denied as denied:
            return denied
        message = "a token was issued"
        raise AssertionError(message)

    def read(self, token: str, authority: Authority = AUTHORITY) -> Claims:
        """What a resource reads in a token."""
        keys, _ = self.run(self.tokens.gate.look(lambda view: view.signing_keys()))
        return Reader(authority, lambda: self.now).read(f"Bearer {token}", keys)

    def trail(self) -> list[Entry]:
        found = self.run(self.tokens.gate.database.read(lambda connection: trail.entries(connection, 0, 1000)))
        return [entry for _, entry in found]

    def last_entry(self) -> Entry:
        return self.trail()[-1]

    def refusals(self) -> list[Entry]:
        return [entry for entry in self.trail() if entry.deed is Deed.REFUSAL]

    def close(self) -> None:
        self.run(self.tokens.gate.close())
