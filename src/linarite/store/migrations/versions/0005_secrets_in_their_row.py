"""Secrets in the row of their resource: whoever reads it has them, sealed, without another way down a tree."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_AT_ONCE = 100
"""Owners whose secrets are moved with one statement."""


def upgrade() -> None:
    """Move the boxes as they are: what binds them names their resource and them, not their table."""
    op.add_column("resources", sa.Column("sealed", sa.LargeBinary()))
    connection = op.get_bind()
    move = sa.text("UPDATE resources SET sealed = :sealed WHERE key = :owner")
    after = ""
    while moved := _next(connection, after):
        connection.execute(move, moved)
        after = str(moved[-1]["owner"])
    op.drop_table("secrets")


def _next(connection: sa.Connection, after: str) -> list[dict[str, object]]:
    """Owners in the order of their keys, each with its boxes as one document."""
    query = sa.text(
        "SELECT owner, name, box FROM secrets WHERE owner IN "
        "(SELECT DISTINCT owner FROM secrets WHERE owner > :after ORDER BY owner LIMIT :most) ORDER BY owner"
    )
    rows = connection.execute(query, {"after": after, "most": _AT_ONCE}).all()
    return [
        {"owner": owner, "sealed": msgspec.msgpack.encode({name: bytes(box) for _, name, box in boxes})}
        for owner, boxes in groupby(rows, itemgetter(0))
    ]
