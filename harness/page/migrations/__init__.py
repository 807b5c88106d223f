"""The layouts of the page's store, one after another (Alembic)."""
