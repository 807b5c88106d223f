"""Alembic's entry: runs the changes that are due on the connection that `harness.page.store` hands in."""

from __future__ import annotations

from alembic import context

from harness.page.tables import Tables

context.configure(connection=context.config.attributes["connection"], target_metadata=Tables.metadata)
context.run_migrations()
