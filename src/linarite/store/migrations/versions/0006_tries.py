"""What was tried in vain at signing in: counted for all processes, and over restarts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "tries",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_tries"),
    )
    op.create_index("ix_tries_until", "tries", ["until"])
