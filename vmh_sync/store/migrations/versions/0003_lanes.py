"""what waits for a sync waits in one of two lanes: somebody's edit, or a large selection

Revision ID: 0003
Revises: 0002
Created: 2026-11-27 11:50:00.000000
"""

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("lane", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_inbox_lane", "inbox", ["entity", "lane", "id"])


def downgrade() -> None:
    op.drop_index("ix_inbox_lane", table_name="inbox")
    op.drop_column("inbox", "lane")
