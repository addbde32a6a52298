"""The grant `password`: an application sends a user's name and password itself. For tests, and off unless switched on.

OAuth 2.1 has it no more, for whoever types a password into an application has given it away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.grants.asking import asking_client
from linarite.grants.delegation import Delegation, answer, delegated, wish_is_consented
from linarite.grants.denied.requests import grant_unsupported
from linarite.grants.denied.users import consent_missing
from linarite.grants.passwords import let_in, proven_user
from linarite.grants.tickets import Granted, new_family
from linarite.grants.wishes import wished
from linarite.model import Secret

if TYPE_CHECKING:
    from linarite.grants.case import Case
    from linarite.grants.denied import Denied
    from linarite.grants.endpoint import TokenService
    from linarite.model import Body
    from linarite.store.transaction import Transaction


async def resource_owner(service: TokenService, case: Case) -> Body:
    """The answer with a token for the user.

    Raises:
        Denied: the grant is off, the password is wrong, or the application has no consent.
    """
    if not service.takes_passwords:
        raise grant_unsupported(case.grant_type)
    name, password = case.form.need("username"), Secret(case.form.need("password"))
    client = await asking_client(service, case)
    wish = wished(case.form, case.ask.endpoint, service.authority)
    proven = await proven_user(service, case, name, password)
    user = proven.user.object_id

    def work(transaction: Transaction) -> Delegation | Denied:
        denied = let_in(service, transaction, case, proven)
        if denied is not None:
            return denied
        if not wish_is_consented(service, transaction, client, user, wish):
            return consent_missing(client.id, client.name)
        granted, family = Granted(client.id, wish), new_family(service.random)
        return delegated(service, transaction, case, client, user=user, granted=granted, family=family)

    return answer(service, case, await service.decided(case, work))
