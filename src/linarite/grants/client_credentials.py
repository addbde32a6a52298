"""The grant `client_credentials`: an application asks for itself, with its secret, and for one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.grants.ask import audience_of, resource_asked_for
from linarite.grants.clients import proven_client

if TYPE_CHECKING:
    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body


async def client_credentials(service: TokenService, case: Case) -> Body:
    """The answer with the token.

    Raises:
        Denied: what is asked for or who asks is not accepted.
        Stale: the state has moved on; grant again.
    """
    case.audience = resource_asked_for(case.form, case.ask.endpoint)
    principal, version = await proven_client(service, case)
    audience = audience_of(case.audience, service.authority)
    return await service.issue(case, principal, audience, version)
