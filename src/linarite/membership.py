"""Applications as an operator makes, lists and takes them away, each as one unit of work with its entries.

It runs inside a transaction of the gate, and knows neither the command line nor where the database is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from linarite import access
from linarite.first_start import OWNER_OBJECT, SUBSCRIPTION_ID, TENANT
from linarite.grants import add_bare_application, add_certificate, add_secret, fit_redirect
from linarite.ids import ROOT, SUBSCRIPTION, new_guid, parse_id, scope_of
from linarite.model import Assignment, Deed, Entry, PrincipalKind, Resource
from linarite.moments import written
from linarite.roles import BUILT_IN, DEFINITIONS, custom, role_of
from linarite.store import directory, resources
from linarite.store.keys import principal_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

    from linarite.ids import ResourceId
    from linarite.model import Principal, Role, Secret
    from linarite.seal import Random
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"

OPERATOR = "linarite"
"""The client that entries of the command line name."""

_LONGEST_NAME = 120
"""Characters of an application's name, as in Entra."""


class Unfit(Exception):
    """What was asked for cannot be done, and nothing was written; the message is a sentence for the command line."""


@dataclass(frozen=True, slots=True)
class Held:
    """An application or a user and the roles that it holds: the role's name, and its scope."""

    principal: Principal
    roles: tuple[tuple[str, str], ...]


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────────────


def role_named(view: View, text: str) -> Role:
    """A role by name or id, in any case.

    Raises:
        Unfit: there is none; the sentence has the nearest names.
    """
    wanted = text.strip().lower()
    made = (custom(one) for one in resources.at(view.connection(), DEFINITIONS, ROOT.key))
    roles = {role.id: role for role in (*BUILT_IN, *made)}
    names = {role.name.lower(): role for role in roles.values()}
    if (found := names.get(wanted) or roles.get(wanted)) is not None:
        return found
    near = [names[name].name for name in get_close_matches(wanted, names, 3, 0.4)]
    every = ", ".join(role.name for role in roles.values())
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {every}."
    raise Unfit(f"There is no role '{text}'. {hint}")


def scope_named(text: str | None) -> ResourceId:
    """A scope by its id; the subscription where none is given.

    Raises:
        Unfit: the text is no id.
    """
    if text is None:
        return ROOT.child(SUBSCRIPTION, SUBSCRIPTION_ID)
    if text == ROOT.text:
        return ROOT
    if (found := parse_id(text.rstrip("/"))) is None:
        raise Unfit(f"The scope '{text}' is no id of a resource. It looks like /subscriptions/…/resourceGroups/….")
    return found


# ── the three deeds ─────────────────────────────────────────────────────────────────────────────────────────────────


async def add(
    gate: Gate,
    name: str,
    role: str | None,
    scope: ResourceId,
    *,
    now: datetime,
    certificate: Certificate | None = None,
    redirects: Sequence[str] = (),
    public: bool = False,
    random: Random = os.urandom,
) -> tuple[Principal, Secret | None]:
    """Register an application, and give it a role at a scope where one is given.

    It gets a secret, unless it proves itself with a certificate or is public, and proves nothing.

    Raises:
        Unfit: the name or an address is none, there is no such role, or there is nothing at the scope.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Unfit(f"A name is 1 to {_LONGEST_NAME} characters that can be printed.")

    for address in redirects:
        if not fit_redirect(address):
            raise Unfit(f"Answers cannot be sent to '{address}'. An address is https://…, or http://localhost.")

    def work(transaction: Transaction) -> tuple[Principal, Secret | None]:
        made = add_bare_application(
            transaction, name.strip(), tenant=TENANT, redirects=redirects, now=now, random=random
        )
        secret = None
        if certificate is not None:
            add_certificate(transaction, made, certificate, now=now, random=random)
        elif not public:
            _, secret = add_secret(transaction, made, now=now, random=random)
        transaction.entries.append(noted("Linarite/applications/write", path(made), now, random))
        if role is not None:
            assign(transaction, made, role, scope, now=now, random=random)
        return made, secret

    return await gate.commit(work, lambda _: None)


async def listed(gate: Gate) -> list[Held]:
    """Every application, by name, with the roles that it holds."""
    answer, _ = await gate.look(lambda view: [held(view, one) for one in _applications(view)])
    return answer


async def remove(gate: Gate, named: str, *, now: datetime, random: Random = os.urandom) -> Principal:
    """Take an application away, by name, client id or object id: its tokens, secrets and roles count no more.

    Raises:
        Unfit: there is none, or more than one, or it is the owner, or the last one that owns the subscription.
    """

    def work(transaction: Transaction) -> Principal:
        gone = application_named(transaction, named)
        if gone.object_id == OWNER_OBJECT:
            raise Unfit("The owner cannot be removed: the commands sign in as the owner.")
        take_away(transaction, gone, now=now, random=random)
        transaction.entries.append(noted("Linarite/applications/delete", path(gone), now, random))
        return gone

    return await gate.commit(work, lambda _: None)


# ── shared with users ───────────────────────────────────────────────────────────────────────────────────────────────


def held(view: View, principal: Principal) -> Held:
    """A principal and the roles that it holds."""
    roles = tuple((_role_name(view, one.role), one.scope) for one in view.assignments_of(principal.object_id))
    return Held(principal, roles)


def take_away(transaction: Transaction, gone: Principal, *, now: datetime, random: Random) -> None:
    """Remove a principal with all that it has, each role assignment with an entry of its own.

    Raises:
        Unfit: it is the last one that owns the subscription.
    """
    if access.owns_alone(transaction, gone):
        raise Unfit(f"{gone.name} is the last one that owns the subscription. Make somebody else an Owner first.")
    for key in resources.assignment_keys(transaction.connection(), gone.object_id):
        assignment = scope_of(key)
        transaction.remove(assignment)
        transaction.entries.append(noted(f"{ASSIGNMENTS}/delete", assignment.text, now, random))
    directory.remove_principal(transaction.connection(), gone.object_id)
    transaction.note(principal_key(gone.object_id))


def assign(
    transaction: Transaction, made: Principal, named: str, scope: ResourceId, *, now: datetime, random: Random
) -> None:
    """Give a role, as a PUT of a role assignment would: a resource that shows in lists, and an entry of its own.

    Raises:
        Unfit: there is no such role, nothing at the scope, or the role is not made for it.
    """
    role = role_named(transaction, named)
    if scope is not ROOT:
        found = transaction.resource(scope.key)
        if found is None or found.deleted_at is not None:
            raise Unfit(f"There is nothing at the scope {scope.text}. Scopes are ids of what exists.")
        scope = found.id
    if not role.is_assignable(scope):
        raise Unfit(f"The role '{role.name}' is not made for the scope {scope.text}.")
    id_ = scope.child(ASSIGNMENTS, new_guid(random))
    subscription = scope.within(SUBSCRIPTION)
    at = written(now)
    properties = {
        "roleDefinitionId": (subscription or ROOT).child(DEFINITIONS, role.id).text,
        "principalId": made.object_id,
        "principalType": str(made.kind),
        "scope": scope.text,
        "createdOn": at,
        "updatedOn": at,
        "createdBy": "",
        "updatedBy": "",
    }
    transaction.add(Resource(id_, {"properties": properties}, 0))
    transaction.assign(id_.key, Assignment(made.object_id, role.id, scope.key))
    transaction.entries.append(noted(f"{ASSIGNMENTS}/write", id_.text, now, random))


def _applications(view: View) -> list[Principal]:
    everybody = directory.principals_all(view.connection())
    return [one for one in everybody if one.kind is PrincipalKind.SERVICE_PRINCIPAL]


def application_named(view: View, named: str) -> Principal:
    """The application of that name or id.

    Raises:
        Unfit: there is none, or more than one.
    """
    wanted = named.strip().lower()
    found = [
        one for one in _applications(view) if wanted in {one.name.lower(), one.client.lower(), one.object_id.lower()}
    ]
    if not found:
        raise Unfit(f"There is no application '{named}'. `linarite app list` shows those that there are.")
    if len(found) > 1:
        ids = " or ".join(one.client for one in found)
        raise Unfit(f"There are {len(found)} applications called '{named}'. Name one by its client id: {ids}.")
    return found[0]


def _role_name(view: View, id_: str) -> str:
    role = role_of(id_, view.resource)
    return role.name if role is not None else id_


def path(application: Principal) -> str:
    """How an entry names an application."""
    return f"/applications/{application.client}"


def noted(action: str, target: str, now: datetime, random: Random) -> Entry:
    """An entry of the operator, who is known by having the root key and not by a token."""
    return Entry(
        at=now,
        deed=Deed.WRITE,
        action=action,
        target=target,
        caller="",
        client=OPERATOR,
        status=200,
        code="",
        request=new_guid(random),
        correlation="",
        address="",
    )
