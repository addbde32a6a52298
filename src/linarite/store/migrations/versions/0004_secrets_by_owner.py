"""Secrets of one owner side by side on SQLite: one way down the tree finds them all, and each owner is written once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write the table anew; PostgreSQL has no such choice."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.create_table(
        "secrets_by_owner",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["resources.key"], name="fk_secrets_owner_resources", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner", "name", name="pk_secrets"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO secrets_by_owner SELECT owner, name, box FROM secrets ORDER BY owner, name")
    op.drop_table("secrets")
    op.rename_table("secrets_by_owner", "secrets")
