"""Alembic's entry: runs the steps over the connection that `bring_up` opened."""

from __future__ import annotations

from alembic import context

from linarite.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
