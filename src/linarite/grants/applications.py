"""Applications, their credentials, and the keys that sign: what an operator makes and takes away, as units of work.

Everything here runs inside a transaction of the gate and notes what it changes, so that every process forgets it.
"""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from linarite.grants.delegation import for_everybody
from linarite.grants.proofs import hash_secret, new_secret
from linarite.grants.tickets import Granted, Sort, ticket
from linarite.ids import new_guid
from linarite.model import Principal, PrincipalKind
from linarite.store import directory, tickets
from linarite.store.directory import Credential
from linarite.store.keys import SIGNING_KEYS, principal_key
from linarite.tokens import CLOCK_SKEW
from linarite.tokens.minting import new_signing_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.x509 import Certificate

    from linarite.grants.federation import Federation
    from linarite.model import Secret
    from linarite.seal import Keyring, Random
    from linarite.store.directory import SigningKey
    from linarite.store.transaction import Transaction

KEPT = timedelta(days=1) + CLOCK_SKEW
"""How long a retired key still verifies: no token lives longer than a day."""


def add_application(
    transaction: Transaction, name: str, *, tenant: str, now: datetime, random: Random = os.urandom
) -> tuple[Principal, Secret]:
    """Register an application under new ids, with one secret that does not expire."""
    made = add_bare_application(transaction, name, tenant=tenant, now=now, random=random)
    _, secret = add_secret(transaction, made, now=now, random=random)
    return made, secret


def add_bare_application(
    transaction: Transaction,
    name: str,
    *,
    tenant: str,
    now: datetime,
    redirects: Iterable[str] = (),
    random: Random = os.urandom,
) -> Principal:
    """Register an application that cannot sign in itself until it is given a credential.

    `redirects` are where answers may be sent when it signs users in.
    """
    app_id, object_id = new_guid(random), new_guid(random)
    made = Principal(object_id, PrincipalKind.SERVICE_PRINCIPAL, app_id, tenant, name, app_id)
    directory.add_principal(transaction.connection(), made, now)
    tickets.add_redirects(transaction.connection(), object_id, dict.fromkeys(redirects))
    return made


def add_certificate(
    transaction: Transaction,
    principal: Principal,
    certificate: Certificate,
    *,
    now: datetime,
    random: Random = os.urandom,
) -> str:
    """Let an application prove itself with a certificate, for as long as that is valid; answers the credential's id."""
    pem, digest = certificate.public_bytes(Encoding.PEM).decode(), certificate.fingerprint(SHA256()).hex()
    id_, ends = new_guid(random), certificate.not_valid_after_utc
    return _add_public(transaction, Credential(id_, principal.object_id, digest, now, ends, "certificate", pem))


def add_federation(
    transaction: Transaction,
    principal: Principal,
    federation: Federation,
    *,
    now: datetime,
    random: Random = os.urandom,
) -> str:
    """Let an application prove itself with another issuer's tokens; answers the credential's id."""
    text = federation.text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return _add_public(
        transaction, Credential(new_guid(random), principal.object_id, digest, now, None, "issuer", text)
    )


def _add_public(transaction: Transaction, added: Credential) -> str:
    directory.add_credential(transaction.connection(), added)
    transaction.note(principal_key(added.principal))
    return added.id


def add_secret(
    transaction: Transaction,
    principal: Principal,
    *,
    now: datetime,
    expires: datetime | None = None,
    random: Random = os.urandom,
) -> tuple[str, Secret]:
    """Give an application one more secret; answers the secret's id, by which it can be removed, and the secret."""
    id_, secret = new_guid(random), new_secret(random)
    added = Credential(id_, principal.object_id, hash_secret(secret), now, expires)
    directory.add_credential(transaction.connection(), added)
    transaction.note(principal_key(principal.object_id))
    return id_, secret


def remove_credential(transaction: Transaction, principal: Principal, id_: str) -> None:
    """Take a credential away; it signs nobody in from here on."""
    directory.remove_credential(transaction.connection(), principal.object_id, id_)
    transaction.note(principal_key(principal.object_id))


def consent_to_all(transaction: Transaction, application: Principal, now: datetime) -> None:
    """Let an application ask for every user at every resource, without asking each of them."""
    id_ = application.client
    given = ticket(Sort.CONSENT, for_everybody(id_), id_, Granted(id_), now=now)
    tickets.add(transaction.connection(), given, now)


def rotate_signing_key(transaction: Transaction, keyring: Keyring, now: datetime) -> SigningKey:
    """Sign with a new key from here on; retired ones verify for as long as a token of theirs may live."""
    connection = transaction.connection()
    for old in transaction.signing_keys():
        if old.retired is None:
            directory.retire_signing_key(connection, old.kid, now)
        elif old.retired + KEPT <= now:
            directory.remove_signing_key(connection, old.kid)
    new = new_signing_key(keyring, now)
    directory.add_signing_key(connection, new)
    transaction.note(SIGNING_KEYS)
    return new
