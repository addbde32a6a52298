"""Tickets of the token service, and the addresses to which applications have answers sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "redirects",
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["principals.object_id"], name="fk_redirects_application_principals", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("application", "uri", name="pk_redirects"),
    )
    op.create_table(
        "tickets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["principal"], ["principals.object_id"], name="fk_tickets_principal_principals", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_tickets"),
    )
    for column in ("expires", "family", "principal"):
        op.create_index(f"ix_tickets_{column}", "tickets", [column])
