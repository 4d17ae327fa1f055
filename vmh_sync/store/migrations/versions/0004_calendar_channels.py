"""channels through which Google tells that calendars have changed

Revision ID: 0004
Revises: 0003
Created: 2026-11-27 11:45:00.000000
"""

import sqlalchemy as sa
from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_channels",
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("kuerzel", sa.String(length=32), nullable=False),
        sa.Column("calendar_id", sa.String(length=255), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.String(length=255), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel_id"),
    )
    with op.batch_alter_table("calendar_channels", schema=None) as batch_op:
        batch_op.create_index("ix_calendar_channels_kuerzel", ["kuerzel"], unique=False)


def downgrade() -> None:
    op.drop_table("calendar_channels")
