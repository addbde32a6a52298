"""The tables, once for both databases. Times are whole microseconds since 1970, bodies are JSON bytes.

Everything that belongs to a resource hangs on its row by a foreign key and goes with it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="One-off facts of an instance: tenant, wrapped keyring, the owner's sealed secret.",
)

state = Table(
    "state",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    comment="One row: the state version and the trail's last place and hash. Whoever commits holds it.",
)

changes = Table(
    "changes",
    metadata,
    Column("version", BigInteger, primary_key=True),
    Column("key", Text, primary_key=True),
    comment="Which keys changed at which state version, so that a reader forgets just those.",
)

resources = Table(
    "resources",
    metadata,
    Column("key", Text, primary_key=True),
    Column("parent", Text, ForeignKey("resources.key", ondelete="CASCADE")),
    Column("subscription", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("sealed", LargeBinary),
    Index(None, "parent", "type", "key"),
    Index(None, "subscription", "type", "key"),
    Index(None, "type", "name"),
    comment="Every stored resource, subscriptions and groups included. key, type and name are lower-case. "
    "sealed has its secrets as MessagePack: boxes by name, each bound to key and name.",
)

assignments = Table(
    "assignments",
    metadata,
    Column("key", Text, ForeignKey("resources.key", ondelete="CASCADE"), primary_key=True),
    Column("principal", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False, index=True),
    comment="Roles that count: one row for each roleAssignments resource.",
)

principals = Table(
    "principals",
    metadata,
    Column("object_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("client", Text, nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("app_id", Text, unique=True),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created", BigInteger, nullable=False),
    Column("resource", Text, ForeignKey("resources.key", ondelete="CASCADE"), index=True),
    comment="Users, applications and identities. client is a user's name or an application's id; resource is the key "
    "of what a managed identity belongs to.",
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("principal", Text, ForeignKey("principals.object_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("public", Text),
    comment="What principals prove themselves with: secrets hashed with Argon2id; certificates (PEM) and trusted "
    "issuers (JSON) in public, under their SHA-256.",
)

presented = Table(
    "presented",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
    Column("request", Text, nullable=False),
    comment="Assertions that were presented, by their SHA-256, where none may be presented twice.",
)

tickets = Table(
    "tickets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("family", Text, nullable=False, index=True),
    Column("principal", Text, ForeignKey("principals.object_id", ondelete="CASCADE"), index=True),
    Column("body", LargeBinary, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
    Column("spent", Boolean, nullable=False, default=False),
    comment="Codes, refresh tokens, sessions: digests of what the token service gave out, and what goes with each.",
)

tries = Table(
    "tries",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    comment="What was tried in vain, and how often: keyed digests of users' names and of addresses.",
)

redirects = Table(
    "redirects",
    metadata,
    Column("application", Text, ForeignKey("principals.object_id", ondelete="CASCADE"), primary_key=True),
    Column("uri", Text, primary_key=True),
    comment="Where answers for an application may be sent.",
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("box", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("retired", BigInteger),
    comment="Keys that sign tokens: the public half as JWK, the private half sealed.",
)

trail = Table(
    "trail",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    comment="Entries in order; each hash covers the one before it.",
)

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("lease", Text),
    Column("lease_until", BigInteger),
    Column("attempts", Integer, nullable=False, default=0),
    Column("body", LargeBinary, nullable=False),
    Index(None, "state", "due"),
    comment="Long-running operations; a worker holds one by lease.",
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def stamp(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(stamp_: int) -> datetime:
    """The moment of a stamp, in UTC."""
    return _EPOCH + timedelta(microseconds=stamp_)
