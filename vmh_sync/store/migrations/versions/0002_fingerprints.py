"""a party's link remembers what was compared when nothing had to be done

Revision ID: 0002
Revises: 0001
Created: 2026-11-27 07:55:00.000000
"""

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("fingerprint", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("links", "fingerprint")
