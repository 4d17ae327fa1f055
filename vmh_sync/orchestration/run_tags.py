"""Why a run was launched, and what its tags say. Without Dagster: who only asks for runs need not import it."""

from contextvars import ContextVar
from enum import StrEnum
from typing import Any


class Trigger(StrEnum):
    """Why a run was launched; stands in the run's tag ``vmh/trigger``."""

    PERSON = "person"
    SENSOR = "sensor"
    SWEEP = "sweep"
    WEBHOOK = "webhook"
    WATCH = "watch"
    BACKFILL = "backfill"
    CLI = "cli"


SIGN_TAG = "vmh/sign_of_life"
"""Tag of a run that gives a sign of life, with its own id: a repetition inherits the tag and has to begin first."""

PERSONS = frozenset({Trigger.PERSON, Trigger.BACKFILL, Trigger.CLI})
"""Triggers behind which a person stands, who wants everything tried that may be tried."""

QUIET_CONSOLE = {"console": {"config": {"log_level": "WARNING"}}}
"""Run configuration of loggers: the event log stands in the UI, a worker's output needs only warnings."""

SILENT_CONSOLE = {"console": {"config": {"log_level": "CRITICAL"}}}
"""The same for a command in the foreground, which says itself what happened, in one sentence instead of a trace."""

console: ContextVar[dict[str, Any]] = ContextVar("console", default=QUIET_CONSOLE)
"""How much of a run's log goes to this process's output."""

TRIGGER_TAG = "vmh/trigger"
ENTITY_TAG = "entity_type"
PENDING_TAG = "vmh/pending"
"""On every run that was launched to claim what waits in the inbox: ``yes``, or ``backlog`` for the bulk lane."""
BULK_TAG = "vmh/bulk"
"""The entity of a run that looks at many records because their time has come. ``dagster.yaml`` lets such runs take some
places only, so that a run for somebody's edit finds one free."""
PRIORITY_TAG = "dagster/priority"
AGAIN_FROM_START = {"dagster/retry_strategy": "ALL_STEPS"}
"""Tags of a job with several steps: when its process dies, Dagster starts it again with all of them. Its own way, only
what had failed, needs the results of the others, which are in no file, since they are personal data."""


def bulk_tags(entity: str) -> dict[str, str]:
    """Return the tags of a run that can wait: it takes no place that edits need, and none before them."""
    return {BULK_TAG: entity, PRIORITY_TAG: "-10"}


AT_ONCE_TAG = "vmh/at_once"
"""Run tag with the value ``yes``: start at once when a place is free."""
