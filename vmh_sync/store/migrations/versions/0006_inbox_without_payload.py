"""the inbox keeps which record is to be synced, and nothing of the record

Revision ID: 0006
Revises: 0005
Created: 2026-11-28 21:50:00.000000
"""

from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("inbox", "payload")


def downgrade() -> None:
    raise NotImplementedError("The product never goes back to an older schema: restore the backup made before.")
