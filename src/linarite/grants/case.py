"""A request to the token service while it is decided, and the entry that tells the trail of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linarite.grants.ask import Form
from linarite.grants.denied import quoted
from linarite.model import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from linarite.grants.ask import Ask
    from linarite.model import Deed, Principal

ACTION = "Microsoft.AAD/token"
"""What the trail calls a request for a token; the grant type follows it: `Microsoft.AAD/token/client_credentials`."""


@dataclass(slots=True)
class Case:
    """What turned out about a request: claimed first, then proved."""

    ask: Ask
    action: str = ACTION
    """What the trail calls it."""
    form: Form = field(default_factory=Form)
    grant_type: str = ""
    client: str = ""
    """Who the client says it is."""
    principal: Principal | None = None
    """Who it proved to be."""
    audience: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    """What the token says besides."""
    proof: str = "1"
    """How, in the words of the claim `appidacr`: `1` by a secret, `2` by an assertion."""

    def entry(self, at: datetime, deed: Deed, status: int, code: str = "") -> Entry:
        """The case for the trail, as it stands."""
        return Entry(
            at=at,
            deed=deed,
            action=self.action,
            target=quoted(self.audience),
            caller=self.principal.object_id if self.principal else "",
            client=self.principal.client if self.principal else quoted(self.client),
            status=status,
            code=code,
            request=self.ask.request,
            correlation=self.ask.correlation,
            address=self.ask.address,
        )
