"""People, their sessions and tokens, attempts, the workshop's copies, assignments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """Make the first layout."""
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("team", sa.String(80), nullable=False),
        sa.Column("site", sa.String(80), nullable=False, index=True),
        sa.Column("shift", sa.String(40), nullable=False),
        sa.Column("password", sa.String(200)),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    for table in ("sessions", "tokens"):
        op.create_table(
            table,
            sa.Column("digest", sa.String(64), primary_key=True),
            sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id"), nullable=False, index=True),
            sa.Column("until", sa.Float, nullable=False),
        )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("scenario", sa.String(60), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("build", sa.String(200), nullable=False),
        sa.Column("seat", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(16), nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("took_s", sa.Float, nullable=False),
        sa.Column("percent", sa.Float, nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
        sa.Column("thrive", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "copies",
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "assignments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scenario", sa.String(60), nullable=False),
        sa.Column("team", sa.String(80), nullable=False, index=True),
        sa.Column("by_id", sa.Integer, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
