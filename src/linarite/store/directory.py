"""Principals, what they prove themselves with, and the keys that sign tokens, over one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from linarite.model import Principal, PrincipalKind
from linarite.seal import Sealed
from linarite.store.driver import execute_of
from linarite.store.statements import PRINCIPAL
from linarite.store.tables import credentials, facts, moment, presented, principals, signing_keys, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Credential:
    """What a principal proves itself with: a hashed secret, or something public under its SHA-256."""

    id: str
    principal: str
    hash: str
    created: datetime
    expires: datetime | None = None
    kind: str = "secret"
    """`secret`, `certificate` or `issuer`."""
    public: str = ""
    """A certificate as PEM, or a trusted issuer as JSON."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs tokens; `public` is its JWK as JSON, `box` the sealed private half."""

    kid: str
    public: bytes
    box: Sealed
    created: datetime
    retired: datetime | None = None


_COLUMNS = (
    *(principals.c.object_id, principals.c.kind, principals.c.client, principals.c.tenant, principals.c.name),
    *(principals.c.app_id, principals.c.disabled, principals.c.resource),
)


def _principal(row: Any) -> Principal:
    object_id, kind, client, tenant, name, app_id, disabled, resource = row
    return Principal(
        object_id, PrincipalKind(kind), client, tenant, name, app_id, disabled=bool(disabled), resource=resource
    )


def principal(connection: Connection, object_id: str) -> Principal | None:
    row = execute_of(connection)(PRINCIPAL, (object_id,)).fetchone()
    return _principal(row) if row else None


def principal_by_client(connection: Connection, client: str) -> Principal | None:
    """Find by application id or user name, in any case."""
    wanted = client.lower()
    query = select(*_COLUMNS).where(or_(principals.c.client == wanted, principals.c.app_id == wanted))
    row = connection.execute(query).first()
    return _principal(row) if row else None


def principals_all(connection: Connection) -> list[Principal]:
    """Everybody, by name."""
    query = select(*_COLUMNS).order_by(principals.c.name, principals.c.object_id)
    return [_principal(row) for row in connection.execute(query)]


def add_principal(connection: Connection, new: Principal, created: datetime) -> None:
    connection.execute(insert(principals).values(**principal_row(new, created)))


def principal_row(new: Principal, created: datetime) -> dict[str, Any]:
    """A principal as its table has it."""
    return {
        "object_id": new.object_id,
        "kind": new.kind,
        "client": new.client.lower(),
        "tenant": new.tenant,
        "name": new.name,
        "app_id": new.app_id.lower() if new.app_id else None,
        "disabled": new.disabled,
        "created": stamp(created),
        "resource": new.resource,
    }


def rename_principal(connection: Connection, object_id: str, name: str) -> None:
    connection.execute(update(principals).where(principals.c.object_id == object_id).values(name=name))


def remove_principal(connection: Connection, object_id: str) -> None:
    connection.execute(delete(principals).where(principals.c.object_id == object_id))


def identities(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Object ids of the managed identities that belong to these resources."""
    query = select(principals.c.object_id).where(principals.c.resource.in_(keys)).order_by(principals.c.object_id)
    return list(connection.execute(query).scalars())


def credentials_of(connection: Connection, object_id: str) -> list[Credential]:
    query = select(credentials).where(credentials.c.principal == object_id)
    return [
        Credential(
            row.id,
            row.principal,
            row.hash,
            moment(row.created),
            moment(row.expires) if row.expires is not None else None,
            row.kind,
            row.public or "",
        )
        for row in connection.execute(query)
    ]


def add_credential(connection: Connection, new: Credential) -> None:
    connection.execute(
        insert(credentials).values(
            id=new.id,
            principal=new.principal,
            kind=new.kind,
            hash=new.hash,
            created=stamp(new.created),
            expires=stamp(new.expires) if new.expires else None,
            public=new.public or None,
        )
    )


def remove_credential(connection: Connection, object_id: str, id_: str) -> None:
    connection.execute(delete(credentials).where(credentials.c.principal == object_id, credentials.c.id == id_))


def present(connection: Connection, digest: str, *, request: str, until: datetime, now: datetime) -> bool:
    """Note that a request presents an assertion; False where another request did so before."""
    connection.execute(delete(presented).where(presented.c.until < stamp(now)))
    holder = connection.execute(select(presented.c.request).where(presented.c.digest == digest)).scalar()
    if holder is None:
        connection.execute(insert(presented).values(digest=digest, until=stamp(until), request=request))
    return holder in {None, request}


def signing_keys_all(connection: Connection) -> list[SigningKey]:
    """Every key that may still verify a token, newest first."""
    query = select(signing_keys).order_by(signing_keys.c.created.desc())
    return [
        SigningKey(
            row.kid,
            row.public,
            Sealed(row.box),
            moment(row.created),
            moment(row.retired) if row.retired is not None else None,
        )
        for row in connection.execute(query)
    ]


def add_signing_key(connection: Connection, new: SigningKey) -> None:
    connection.execute(
        insert(signing_keys).values(
            kid=new.kid, public=new.public, box=new.box.column, created=stamp(new.created), retired=None
        )
    )


def retire_signing_key(connection: Connection, kid: str, at: datetime) -> None:
    """Sign no more with it; it still verifies what it has signed."""
    connection.execute(update(signing_keys).where(signing_keys.c.kid == kid).values(retired=stamp(at)))


def remove_signing_key(connection: Connection, kid: str) -> None:
    connection.execute(delete(signing_keys).where(signing_keys.c.kid == kid))


def fact(connection: Connection, name: str) -> bytes | None:
    """A one-off fact of the instance."""
    return connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()


def put_fact(connection: Connection, name: str, value: bytes) -> None:
    connection.execute(delete(facts).where(facts.c.name == name))
    connection.execute(insert(facts).values(name=name, value=value))
