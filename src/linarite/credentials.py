"""What applications prove themselves with, as an operator gives, lists and takes it, each as one unit of work.

Secrets, certificates, and trust in the tokens of other issuers. It runs inside a transaction of the gate, and knows
neither the command line nor where the database is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509

from linarite.grants import (
    Federation,
    add_certificate,
    add_federation,
    add_secret,
    certificates,
    consent_to_all,
    remove_credential,
)
from linarite.issuers import is_fit
from linarite.membership import Unfit, application_named, noted, path

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.x509 import Certificate

    from linarite.model import Principal, Secret
    from linarite.seal import Random
    from linarite.store.directory import Credential
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

Added = TypeVar("Added")

_LONGEST_SUBJECT = 600
"""Characters of a trusted subject, as in Entra."""

_MOST = 20
"""Trusted issuers of an application, as in Entra."""


@dataclass(frozen=True, slots=True)
class Held:
    """A credential of an application, without what is secret about it."""

    id: str
    kind: str
    what: str
    """A certificate's thumbprint and subject, or whom of which issuer is trusted for which audience."""
    created: datetime
    expires: datetime | None


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────────────


def certificate_in(pem: bytes) -> Certificate:
    """The certificate of a PEM file.

    Raises:
        Unfit: there is none, or none that may be used.
    """
    try:
        return certificates.read(pem)
    except certificates.BadCertificate as error:
        raise Unfit(str(error)) from error


def federation_with(issuer: str, subject: str, audience: str) -> Federation:
    """A trust in another issuer.

    Raises:
        Unfit: its parts cannot be.
    """
    if not is_fit(issuer):
        raise Unfit(f"The issuer '{issuer}' must be an https address, or an http address of this machine.")
    if not subject or len(subject) > _LONGEST_SUBJECT or not audience:
        raise Unfit(f"--subject is 1 to {_LONGEST_SUBJECT} characters, and --audience is not empty.")
    return Federation(issuer, subject, audience)


# ── the deeds ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def give_secret(gate: Gate, named: str, *, now: datetime, random: Random = os.urandom) -> tuple[str, Secret]:
    """One more secret; answers its id and the secret."""

    def add(transaction: Transaction, application: Principal) -> tuple[str, Secret]:
        return add_secret(transaction, application, now=now, random=random)

    return await gate.commit(lambda transaction: _given(transaction, named, add, now, random), lambda _: None)


async def give_certificate(
    gate: Gate, named: str, certificate: Certificate, *, now: datetime, random: Random = os.urandom
) -> str:
    """One more certificate; answers the credential's id."""

    def add(transaction: Transaction, application: Principal) -> str:
        return add_certificate(transaction, application, certificate, now=now, random=random)

    return await gate.commit(lambda transaction: _given(transaction, named, add, now, random), lambda _: None)


async def trust(gate: Gate, named: str, federation: Federation, *, now: datetime, random: Random = os.urandom) -> str:
    """One more trusted issuer; answers the credential's id."""

    def add(transaction: Transaction, application: Principal) -> str:
        held = [one for one in transaction.credentials_of(application.object_id) if one.kind == "issuer"]
        if federation.text in {one.public for one in held}:
            raise Unfit(f"The application {application.name} trusts that already.")
        if len(held) >= _MOST:
            raise Unfit(f"The application {application.name} trusts {_MOST} issuers already: remove one first.")
        return add_federation(transaction, application, federation, now=now, random=random)

    return await gate.commit(lambda transaction: _given(transaction, named, add, now, random), lambda _: None)


def _given(
    transaction: Transaction,
    named: str,
    add: Callable[[Transaction, Principal], Added],
    now: datetime,
    random: Random,
) -> Added:
    application = application_named(transaction, named)
    added = add(transaction, application)
    transaction.entries.append(noted("Linarite/applications/credentials/write", path(application), now, random))
    return added


async def consent(gate: Gate, named: str, *, now: datetime, random: Random = os.urandom) -> str:
    """Consent for everybody that an application asks for users at every resource; answers its name."""

    def work(transaction: Transaction) -> str:
        application = application_named(transaction, named)
        consent_to_all(transaction, application, now)
        transaction.entries.append(noted("Linarite/applications/consent/action", path(application), now, random))
        return application.name

    return await gate.commit(work, lambda _: None)


async def listed(gate: Gate, named: str) -> list[Held]:
    """The credentials of an application, the oldest first."""

    def question(view: View) -> list[Held]:
        held = view.credentials_of(application_named(view, named).object_id)
        return [_shown(one) for one in sorted(held, key=lambda one: one.created)]

    answer, _ = await gate.look(question)
    return answer


async def take(gate: Gate, named: str, id_: str, *, now: datetime, random: Random = os.urandom) -> None:
    """Take a credential away; it signs nobody in from here on.

    Raises:
        Unfit: the application has no such credential.
    """

    def work(transaction: Transaction) -> None:
        application = application_named(transaction, named)
        if id_ not in {one.id for one in transaction.credentials_of(application.object_id)}:
            hint = f"`linarite app credential list {application.client}` shows those that there are."
            raise Unfit(f"The application {application.name} has no credential '{id_}'. {hint}")
        remove_credential(transaction, application, id_)
        transaction.entries.append(noted("Linarite/applications/credentials/delete", path(application), now, random))

    await gate.commit(work, lambda _: None)


def _shown(credential: Credential) -> Held:
    return Held(credential.id, credential.kind, _what(credential), credential.created, credential.expires)


def _what(credential: Credential) -> str:
    if credential.kind == "certificate":
        found = x509.load_pem_x509_certificate(credential.public.encode())
        return f"{certificates.thumbprint(found)} {found.subject.rfc4514_string()}"
    if credential.kind == "issuer":
        federation = Federation.read(credential.public)
        return f"{federation.subject} of {federation.issuer} for {federation.audience}"
    return ""
