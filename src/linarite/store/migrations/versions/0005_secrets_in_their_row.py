"""Secrets in the row of their resource: whoever reads it has them, sealed, without another way down a tree."""

from __future__ import annotations

from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    owners = _owners(connection)
    while some := list(islice(owners, _AT_ONCE)):
        connection.execute(sa.text("UPDATE resources SET sealed = :sealed WHERE key = :owner"), some)
    op.drop_table("secrets")


def _owners(connection: sa.Connection) -> Iterator[dict[str, object]]:
    """Every owner with its boxes as one document; all are read in one pass, and few are in memory."""
    query = sa.text("SELECT owner, name, box FROM secrets ORDER BY owner")
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as rows:
        for owner, boxes in groupby(rows, itemgetter(0)):
            yield {"owner": owner, "sealed": msgspec.msgpack.encode({name: bytes(box) for _, name, box in boxes})}
