"""Certificates and trusted issuers beside secrets, assertions that were presented, and whose a managed identity is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; nothing that is there changes."""
    op.add_column("credentials", sa.Column("public", sa.Text(), nullable=True))
    # Alembic would copy the table to add a key to it, and what hangs on the old one would go with it.
    op.execute(
        "ALTER TABLE principals ADD COLUMN resource TEXT "
        "CONSTRAINT fk_principals_resource_resources REFERENCES resources (key) ON DELETE CASCADE"
    )
    op.create_index("ix_principals_resource", "principals", ["resource"])
    op.create_table(
        "presented",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_presented"),
    )
    op.create_index("ix_presented_until", "presented", ["until"])
