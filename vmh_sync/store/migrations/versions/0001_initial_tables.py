"""initial tables

Revision ID: 0001
Revises:
Created: 2026-11-24 05:39:01.514889
"""

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_pairs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kuerzel", sa.String(length=32), nullable=False),
        sa.Column("frnr", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("event_id", sa.String(length=1024), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("source_system", sa.String(length=16), nullable=False),
        sa.Column("strategy", sa.String(length=32), nullable=False),
        sa.Column("write_allowed", sa.Boolean(), nullable=False),
        sa.Column("base_hash", sa.String(length=128), nullable=True),
        sa.Column("base", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("extra", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("etag", sa.String(length=255), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("calendar_pairs", schema=None) as batch_op:
        batch_op.create_index("ix_calendar_pairs_event", ["event_id"], unique=False)
        batch_op.create_index("ix_calendar_pairs_frnr", ["frnr"], unique=False)
        batch_op.create_index(
            "uq_calendar_pairs_event",
            ["kuerzel", "event_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "uq_calendar_pairs_frnr",
            ["kuerzel", "frnr"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "calendar_states",
        sa.Column("kuerzel", sa.String(length=32), nullable=False),
        sa.Column("calendar_id", sa.String(length=255), nullable=True),
        sa.Column("sync_token", sa.Text(), nullable=True),
        sa.Column("sync_parameters_hash", sa.String(length=128), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("anonymised", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kuerzel"),
    )
    op.create_table(
        "call_counts",
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("route", sa.String(length=255), nullable=False),
        sa.Column("status_class", sa.String(length=16), nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("system", "method", "route", "status_class"),
    )
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("espo_id", sa.String(length=64), nullable=True),
        sa.Column("betnr", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("advoware_id", sa.String(length=64), nullable=True),
        sa.Column("field", sa.String(length=255), nullable=True),
        sa.Column("old", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("new", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("side_written", sa.String(length=16), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("losing_value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("losing_side", sa.String(length=16), nullable=True),
        sa.Column("undo_of", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("undone_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.create_index("ix_changes_at", ["at"], unique=False)
        batch_op.create_index("ix_changes_betnr", ["betnr", "id"], unique=False)
        batch_op.create_index("ix_changes_espo", ["espo_id", "id"], unique=False)

    op.create_table(
        "cursors",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("espo_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_record", ["entity", "espo_id"], unique=False)
        batch_op.create_index(
            "uq_inbox_waiting",
            ["entity", "espo_id", "action"],
            unique=True,
            sqlite_where=sa.text("claimed_by IS NULL"),
            postgresql_where=sa.text("claimed_by IS NULL"),
        )

    op.create_table(
        "intents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("espo_id", sa.String(length=64), nullable=False),
        sa.Column("betnr", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("natural_key", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("payload_hash", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("foreign_id", sa.String(length=255), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("intents", schema=None) as batch_op:
        batch_op.create_index("ix_intents_record", ["entity", "espo_id", "state"], unique=False)

    op.create_table(
        "links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("espo_id", sa.String(length=64), nullable=False),
        sa.Column("betnr", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("advoware_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("base", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("extra", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("advoware_row_id", sa.String(length=255), nullable=True),
        sa.Column("espo_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("espo_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("espo_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index("ix_links_espo", ["entity", "espo_id"], unique=False)
        batch_op.create_index("ix_links_verified", ["entity", "state", "verified_at"], unique=False)
        batch_op.create_index(
            "uq_links_advoware",
            ["entity", "betnr", "advoware_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'tombstone'"),
            postgresql_where=sa.text("state <> 'tombstone'"),
        )
        batch_op.create_index(
            "uq_links_betnr",
            ["betnr"],
            unique=True,
            sqlite_where=sa.text("entity = 'beteiligte' AND state <> 'tombstone'"),
            postgresql_where=sa.text("entity = 'beteiligte' AND state <> 'tombstone'"),
        )
        batch_op.create_index(
            "uq_links_espo",
            ["entity", "espo_id"],
            unique=True,
            sqlite_where=sa.text("entity <> 'kommunikation' AND state <> 'tombstone'"),
            postgresql_where=sa.text("entity <> 'kommunikation' AND state <> 'tombstone'"),
        )

    op.create_table(
        "manual_tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("espo_id", sa.String(length=64), nullable=False),
        sa.Column("betnr", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("fields_key", sa.String(length=1024), nullable=False),
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("espo_task_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("manual_tasks", schema=None) as batch_op:
        batch_op.create_index(
            "uq_manual_tasks_living",
            ["entity", "espo_id", "kind", "fields_key"],
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )

    op.create_table(
        "outcome_totals",
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("entity", "outcome"),
    )
    op.create_table(
        "passes",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("trigger", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("calls", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "entity"),
    )
    with op.batch_alter_table("passes", schema=None) as batch_op:
        batch_op.create_index("ix_passes_entity", ["entity", "started_at"], unique=False)

    op.create_table(
        "sync_records",
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("espo_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("auto_reset_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("error_class", sa.String(length=255), nullable=True),
        sa.Column("part", sa.String(length=255), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("espo_modified_at_seen", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("entity", "espo_id"),
    )
    with op.batch_alter_table("sync_records", schema=None) as batch_op:
        batch_op.create_index("ix_sync_records_reset", ["entity", "status", "auto_reset_at"], unique=False)
        batch_op.create_index("ix_sync_records_retry", ["entity", "status", "next_retry_at"], unique=False)



def downgrade() -> None:
    with op.batch_alter_table("sync_records", schema=None) as batch_op:
        batch_op.drop_index("ix_sync_records_retry")
        batch_op.drop_index("ix_sync_records_reset")

    op.drop_table("sync_records")
    with op.batch_alter_table("passes", schema=None) as batch_op:
        batch_op.drop_index("ix_passes_entity")

    op.drop_table("passes")
    op.drop_table("outcome_totals")
    with op.batch_alter_table("manual_tasks", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_manual_tasks_living",
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )

    op.drop_table("manual_tasks")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_links_espo",
            sqlite_where=sa.text("entity <> 'kommunikation' AND state <> 'tombstone'"),
            postgresql_where=sa.text("entity <> 'kommunikation' AND state <> 'tombstone'"),
        )
        batch_op.drop_index(
            "uq_links_betnr",
            sqlite_where=sa.text("entity = 'beteiligte' AND state <> 'tombstone'"),
            postgresql_where=sa.text("entity = 'beteiligte' AND state <> 'tombstone'"),
        )
        batch_op.drop_index(
            "uq_links_advoware",
            sqlite_where=sa.text("state <> 'tombstone'"),
            postgresql_where=sa.text("state <> 'tombstone'"),
        )
        batch_op.drop_index("ix_links_verified")
        batch_op.drop_index("ix_links_espo")

    op.drop_table("links")
    with op.batch_alter_table("intents", schema=None) as batch_op:
        batch_op.drop_index("ix_intents_record")

    op.drop_table("intents")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_inbox_waiting",
            sqlite_where=sa.text("claimed_by IS NULL"),
            postgresql_where=sa.text("claimed_by IS NULL"),
        )
        batch_op.drop_index("ix_inbox_record")

    op.drop_table("inbox")
    op.drop_table("cursors")
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.drop_index("ix_changes_espo")
        batch_op.drop_index("ix_changes_betnr")
        batch_op.drop_index("ix_changes_at")

    op.drop_table("changes")
    op.drop_table("call_counts")
    op.drop_table("calendar_states")
    with op.batch_alter_table("calendar_pairs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_calendar_pairs_frnr",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(
            "uq_calendar_pairs_event",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index("ix_calendar_pairs_frnr")
        batch_op.drop_index("ix_calendar_pairs_event")

    op.drop_table("calendar_pairs")
