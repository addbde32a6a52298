"""The operator's desk: what the commands do to an instance by its database, one function a command.

Each joins the database, asks or commits, and leaves. Whoever may open the database and has the root key is the
operator; nothing here asks for a token.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from linarite import auditing, client, credentials, faulting, first_start, headers, holders, joined, membership, users
from linarite.grants import new_password
from linarite.ids import parse_id
from linarite.model import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from linarite.holders import Holder
    from linarite.membership import Held
    from linarite.model import Body
    from linarite.settings import Settings
    from linarite.store.gate import Gate

Done = TypeVar("Done")

TROUBLE = (*joined.TROUBLE, membership.Unfit, auditing.Unreadable)
"""What can keep a command from what it is for; each says in a sentence what to do."""


def add_application(
    settings: Settings,
    environment: Mapping[str, str],
    name: str,
    *,
    role: str | None,
    scope: str | None,
    certificate: Path | None,
    redirects: Sequence[str],
    public: bool,
) -> tuple[str, str | None, str]:
    """Add an application; answers its client id, its secret, revealed, where it has one, and its object id."""
    place = membership.scope_named(scope)
    proof = credentials.certificate_in(_content(certificate)) if certificate is not None else None
    made, secret = _done(
        settings,
        environment,
        lambda gate: membership.add(
            gate, name, role, place, now=_now(), certificate=proof, redirects=redirects, public=public
        ),
    )
    return made.client, secret.reveal() if secret else None, made.object_id


def list_applications(settings: Settings, environment: Mapping[str, str]) -> list[Held]:
    """Every application with the roles that it holds."""
    return _done(settings, environment, membership.listed)


def remove_application(settings: Settings, environment: Mapping[str, str], named: str) -> str:
    """Remove an application by name or id; answers its name."""
    return _done(settings, environment, lambda gate: membership.remove(gate, named, now=_now())).name


def add_user(
    settings: Settings,
    environment: Mapping[str, str],
    named: str,
    password: str | None,
    *,
    shown: str | None,
    role: str | None,
    scope: str | None,
) -> tuple[str, str | None, str]:
    """Add a user; answers the user principal name, the password, where it was made up, and the object id."""
    name, place = users.name_of(named), membership.scope_named(scope)
    chosen = new_password() if password is None else users.fit(Secret(password))
    made = _done(
        settings,
        environment,
        lambda gate: users.add(gate, name, chosen, shown=shown, role=role, scope=place, now=_now()),
    )
    return made.client, chosen.reveal() if password is None else None, made.object_id


def list_users(settings: Settings, environment: Mapping[str, str]) -> list[Held]:
    """Every user with the roles that they hold."""
    return _done(settings, environment, users.listed)


def remove_user(settings: Settings, environment: Mapping[str, str], named: str) -> str:
    """Remove a user by name or object id; answers the name."""
    return _done(settings, environment, lambda gate: users.remove(gate, named, now=_now())).client


def change_password(
    settings: Settings, environment: Mapping[str, str], named: str, password: str | None
) -> tuple[str, str | None, str]:
    """Give a user another password; answers as `add_user` does."""
    chosen = new_password() if password is None else users.fit(Secret(password))
    user = _done(settings, environment, lambda gate: users.change_password(gate, named, chosen, now=_now()))
    return user.client, chosen.reveal() if password is None else None, user.object_id


def give_secret(settings: Settings, environment: Mapping[str, str], named: str) -> tuple[str, str]:
    """Give an application one more secret; answers its id, and the secret, revealed."""
    id_, secret = _done(settings, environment, lambda gate: credentials.give_secret(gate, named, now=_now()))
    return id_, secret.reveal()


def give_certificate(settings: Settings, environment: Mapping[str, str], named: str, file: Path) -> str:
    """Let an application prove itself with the certificate in a file; answers the credential's id."""
    found = credentials.certificate_in(_content(file))
    return _done(settings, environment, lambda gate: credentials.give_certificate(gate, named, found, now=_now()))


def trust_issuer(
    settings: Settings, environment: Mapping[str, str], named: str, *, issuer: str, subject: str, audience: str
) -> str:
    """Let an application prove itself with another issuer's tokens; answers the credential's id."""
    whom = credentials.federation_with(issuer, subject, audience)
    return _done(settings, environment, lambda gate: credentials.trust(gate, named, whom, now=_now()))


def consent(settings: Settings, environment: Mapping[str, str], named: str) -> str:
    """Consent for everybody to an application; answers its name."""
    return _done(settings, environment, lambda gate: credentials.consent(gate, named, now=_now()))


def list_credentials(settings: Settings, environment: Mapping[str, str], named: str) -> list[credentials.Held]:
    """The credentials of an application."""
    return _done(settings, environment, lambda gate: credentials.listed(gate, named))


def take_credential(settings: Settings, environment: Mapping[str, str], named: str, id_: str) -> None:
    """Take a credential away."""
    _done(settings, environment, lambda gate: credentials.take(gate, named, id_, now=_now()))


def show_header(settings: Settings, environment: Mapping[str, str], resource: str) -> tuple[str, str]:
    """A resource's id as it is spelled, and the header for the tokens of its identities, revealed."""
    id_, header = _done(settings, environment, lambda gate: headers.shown(gate, resource, now=_now()))
    return id_, header.reveal()


def who_has_access(settings: Settings, _: Mapping[str, str], workspace: str) -> list[Holder]:
    """Everybody who may list the keys of a workspace, given as a name, as GROUP/NAME, or as a full id.

    Raises:
        Unfit: there is no such workspace.
    """
    sample = {"subscriptionId": first_start.SUBSCRIPTION_ID, "resourceGroup": first_start.GROUP, "workspace": ""}
    id_ = parse_id(client.workspace_path(sample, workspace))
    with joined.opened(settings) as database:
        is_one = id_ is not None and id_.type.lower() == holders.TYPE.lower()
        found = holders.of(database, id_, trusting=bool(settings.trust_issuers)) if id_ is not None and is_one else None
    if found is None:
        raise membership.Unfit(f"There is no workspace '{workspace}'. Name it as NAME, GROUP/NAME or by its full id.")
    return found


def add_fault(
    settings: Settings, environment: Mapping[str, str], name: str | None, properties: Mapping[str, Any]
) -> Body:
    """Set a fault on purpose; answers it as the API shows it."""
    return _done(settings, environment, lambda gate: faulting.add(gate, name, properties))


def list_faults(settings: Settings, environment: Mapping[str, str]) -> list[Body]:
    """Every fault on purpose, as the API shows it."""
    return _done(settings, environment, faulting.listed)


def clear_faults(settings: Settings, environment: Mapping[str, str], name: str | None) -> list[str]:
    """Take away one fault or all; answers their names.

    Raises:
        Unfit: there is none of that name.
    """
    gone = _done(settings, environment, lambda gate: faulting.clear(gate, name))
    if name is not None and not gone:
        raise membership.Unfit(f"There is no fault '{name}'. `linarite fault list` shows those that there are.")
    return gone


def read_trail(
    settings: Settings,
    _: Mapping[str, str],
    options: Mapping[str, str | None],
    say: Callable[[str], None],
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Say every wanted entry of the trail, a line each; `options` are the ones of `auditing.wanted`."""
    which = auditing.wanted(**options, now=_now())
    line = auditing.as_json if as_json else auditing.as_text
    with joined.opened(settings) as database:
        for place, entry in auditing.entries(database, which, follow=follow):
            say(line(place, entry))


def verify_trail(settings: Settings, _: Mapping[str, str]) -> str:
    """Prove the trail's chain of hashes; answers the sentence that says so.

    Raises:
        Unreadable: it is broken; the sentence names the first bad place.
    """
    with joined.opened(settings) as database:
        broken, length = auditing.verify(database)
    if broken is not None:
        raise auditing.Unreadable(f"The trail is broken at place {broken}: nothing from there on is proven.")
    return f"The trail holds: {length} entries, each proven by the next."


def _done(settings: Settings, environment: Mapping[str, str], deed: Callable[[Gate], Awaitable[Done]]) -> Done:
    """Join the instance, do one thing to it, and leave."""

    async def run() -> Done:
        async with joined.joined(settings, environment) as gate:
            return await deed(gate)

    return asyncio.run(run())


def _now() -> datetime:
    return datetime.now(UTC)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise membership.Unfit(f"The file {file} cannot be read: {error.strerror}.") from error
