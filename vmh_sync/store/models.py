"""The tables of our own database (design.md 4).

Only the repositories of this package use these classes; everybody else sees plain dataclasses. A column that may
hold a personal value is JSON or Text and is never logged.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from vmh_sync.store.database.columns import BigId, Json, UtcDateTime
from vmh_sync.store.link_notes import LinkNotes, LinkNotesColumn


class Base(DeclarativeBase):
    """Common ancestor: carries the metadata that migrations are compared with."""

    type_annotation_map: ClassVar = {datetime: UtcDateTime(), str: String(255)}


def _unique(name: str, *columns: str, where: str) -> Index:
    """Return an index in which only rows are one of a kind for which ``where`` holds; alike on both databases."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


class LinkRow(Base):
    """One linked pair of records with its base, the last agreed state (sync-semantics.md 1)."""

    __tablename__ = "links"
    __table_args__ = (
        _unique("uq_links_advoware", "entity", "betnr", "advoware_id", where="state <> 'tombstone'"),
        # advoware_id is NULL for parties, and NULLs never collide: their betnr needs its own index.
        _unique("uq_links_betnr", "betnr", where="entity = 'beteiligte' AND state <> 'tombstone'"),
        _unique("uq_links_espo", "entity", "espo_id", where="entity <> 'kommunikation' AND state <> 'tombstone'"),
        Index("ix_links_espo", "entity", "espo_id"),
        Index("ix_links_verified", "entity", "state", "verified_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity: Mapped[str] = mapped_column(String(32))
    espo_id: Mapped[str] = mapped_column(String(64))
    betnr: Mapped[int | None] = mapped_column(BigId)
    advoware_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(32))
    base: Mapped[Any] = mapped_column(Json, nullable=False)
    notes: Mapped[LinkNotes] = mapped_column(LinkNotesColumn, nullable=False)
    advoware_row_id: Mapped[str | None]
    espo_version: Mapped[int | None] = mapped_column(BigId)
    espo_modified_at: Mapped[datetime | None]
    espo_read_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(Integer)
    fingerprint: Mapped[str | None] = mapped_column(String(64))


class KommunikationStateRow(Base):
    """How a party's phones and e-mails stood when they were last looked at."""

    __tablename__ = "kommunikation_states"
    __table_args__ = (Index("ix_kommunikation_states_betnr", "betnr"),)

    espo_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    betnr: Mapped[int] = mapped_column(BigId)
    quiet_mark: Mapped[str | None] = mapped_column(String(64))
    empty_sides: Mapped[Any] = mapped_column(Json, nullable=False)
    empty_seen_by: Mapped[str | None] = mapped_column(String(64))
    one_by_one: Mapped[Any] = mapped_column(Json, nullable=False)
    updated_at: Mapped[datetime]


class ValueLossRow(Base):
    """A record that has lost a value: what the mass-change guard counts over all runs of an hour."""

    __tablename__ = "value_losses"
    __table_args__ = (Index("ix_value_losses_at", "entity", "at"),)

    entity: Mapped[str] = mapped_column(String(32), primary_key=True)
    record: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class SyncRecordRow(Base):
    """How each record stands: status, attempts, next try (sync-semantics.md 4)."""

    __tablename__ = "sync_records"
    __table_args__ = (
        Index("ix_sync_records_retry", "entity", "status", "next_retry_at"),
        Index("ix_sync_records_reset", "entity", "status", "auto_reset_at"),
    )

    entity: Mapped[str] = mapped_column(String(32), primary_key=True)
    espo_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    status: Mapped[str] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(Integer)
    next_retry_at: Mapped[datetime | None]
    auto_reset_at: Mapped[datetime | None]
    error_text: Mapped[str | None] = mapped_column(Text)
    error_class: Mapped[str | None]
    part: Mapped[str | None]
    run_id: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime]
    espo_modified_at_seen: Mapped[datetime | None]


class IntentRow(Base):
    """A create that was announced before it was sent (sync-semantics.md 3)."""

    __tablename__ = "intents"
    __table_args__ = (Index("ix_intents_record", "entity", "espo_id", "state"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    system: Mapped[str] = mapped_column(String(32))
    entity: Mapped[str] = mapped_column(String(32))
    espo_id: Mapped[str] = mapped_column(String(64))
    betnr: Mapped[int | None] = mapped_column(BigId)
    natural_key: Mapped[Any] = mapped_column(Json, nullable=False)
    payload_hash: Mapped[str] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16))
    foreign_id: Mapped[str | None]
    run_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class ChangeRow(Base):
    """The audit log (sync-semantics.md 7)."""

    __tablename__ = "changes"
    __table_args__ = (
        Index("ix_changes_espo", "espo_id", "id"),
        Index("ix_changes_betnr", "betnr", "id"),
        Index("ix_changes_at", "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    run_id: Mapped[str | None] = mapped_column(String(64))
    entity: Mapped[str] = mapped_column(String(32))
    espo_id: Mapped[str | None] = mapped_column(String(64))
    betnr: Mapped[int | None] = mapped_column(BigId)
    advoware_id: Mapped[str | None] = mapped_column(String(64))
    field: Mapped[str | None]
    old: Mapped[Any] = mapped_column(Json, nullable=True)
    new: Mapped[Any] = mapped_column(Json, nullable=True)
    side_written: Mapped[str | None] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    losing_value: Mapped[Any] = mapped_column(Json, nullable=True)
    losing_side: Mapped[str | None] = mapped_column(String(16))
    # Not foreign keys: retention may remove the older of the two rows.
    undo_of: Mapped[int | None] = mapped_column(BigId)
    undone_by: Mapped[int | None] = mapped_column(BigId)


class ManualTaskRow(Base):
    """A task for a person (sync-semantics.md 8): one that is not closed per record, kind and set of fields."""

    __tablename__ = "manual_tasks"
    __table_args__ = (
        _unique("uq_manual_tasks_living", "entity", "espo_id", "kind", "fields_key", where="state <> 'closed'"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity: Mapped[str] = mapped_column(String(32))
    espo_id: Mapped[str] = mapped_column(String(64))
    betnr: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(64))
    fields_key: Mapped[str] = mapped_column(String(1024))
    fingerprint: Mapped[str] = mapped_column(String(128))
    espo_task_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    details: Mapped[Any] = mapped_column(Json, nullable=False)
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class InboxRow(Base):
    """What has to be synced next; the durable side of webhooks and sensors (http-endpoints.md 1)."""

    __tablename__ = "inbox"
    __table_args__ = (
        # A claimed row is out of the index: an event that arrives during its sync waits as a row of its own.
        _unique("uq_inbox_waiting", "entity", "espo_id", "action", where="claimed_by IS NULL"),
        Index("ix_inbox_record", "entity", "espo_id"),
        Index("ix_inbox_lane", "entity", "lane", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity: Mapped[str] = mapped_column(String(32))
    espo_id: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(128))
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer)
    lane: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class CursorRow(Base):
    """A watermark of a sensor or sweep."""

    __tablename__ = "cursors"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    updated_at: Mapped[datetime]


class PassRow(Base):
    """What one run did, in numbers."""

    __tablename__ = "passes"
    __table_args__ = (Index("ix_passes_entity", "entity", "started_at"),)

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    entity: Mapped[str] = mapped_column(String(32), primary_key=True)
    trigger: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[Any] = mapped_column(Json, nullable=False)
    calls: Mapped[Any] = mapped_column(Json, nullable=False)


class OutcomeTotalRow(Base):
    """Records per outcome since the database exists: a counter that retention does not lower."""

    __tablename__ = "outcome_totals"

    entity: Mapped[str] = mapped_column(String(32), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(64), primary_key=True)
    n: Mapped[int] = mapped_column(BigId)


class CallCountRow(Base):
    """Foreign calls since the database exists, for metrics."""

    __tablename__ = "call_counts"

    system: Mapped[str] = mapped_column(String(32), primary_key=True)
    method: Mapped[str] = mapped_column(String(16), primary_key=True)
    route: Mapped[str] = mapped_column(String(255), primary_key=True)
    status_class: Mapped[str] = mapped_column(String(16), primary_key=True)
    n: Mapped[int] = mapped_column(BigId)


class CalendarStateRow(Base):
    """How one employee's calendar stands (kalender.md 1)."""

    __tablename__ = "calendar_states"

    kuerzel: Mapped[str] = mapped_column(String(32), primary_key=True)
    calendar_id: Mapped[str | None]
    sync_token: Mapped[str | None] = mapped_column(Text)
    sync_parameters_hash: Mapped[str | None] = mapped_column(String(128))
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    anonymised: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CalendarChannelRow(Base):
    """A channel through which Google tells that a calendar has changed (kalender.md 1)."""

    __tablename__ = "calendar_channels"
    __table_args__ = (Index("ix_calendar_channels_kuerzel", "kuerzel"),)

    channel_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kuerzel: Mapped[str] = mapped_column(String(32))
    calendar_id: Mapped[str]
    address: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[str] = mapped_column(String(64))
    resource_id: Mapped[str | None]
    expires_at: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class CalendarPairRow(Base):
    """One appointment in both calendars (kalender.md 5)."""

    __tablename__ = "calendar_pairs"
    __table_args__ = (
        _unique("uq_calendar_pairs_frnr", "kuerzel", "frnr", where="deleted_at IS NULL"),
        _unique("uq_calendar_pairs_event", "kuerzel", "event_id", where="deleted_at IS NULL"),
        Index("ix_calendar_pairs_frnr", "frnr"),
        Index("ix_calendar_pairs_event", "event_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kuerzel: Mapped[str] = mapped_column(String(32))
    frnr: Mapped[int | None] = mapped_column(BigId)
    event_id: Mapped[str | None] = mapped_column(String(1024))
    generation: Mapped[int] = mapped_column(Integer)
    source_system: Mapped[str] = mapped_column(String(16))
    strategy: Mapped[str] = mapped_column(String(32))
    write_allowed: Mapped[bool]
    base_hash: Mapped[str | None] = mapped_column(String(128))
    base: Mapped[Any] = mapped_column(Json, nullable=False)
    obstacle: Mapped[str | None]
    guarded: Mapped[Any] = mapped_column(Json, nullable=True)
    etag: Mapped[str | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(32))
    error_text: Mapped[str | None] = mapped_column(Text)
    last_sync_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(Integer)
