"""What a ticket is and what may happen to it. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Priority(StrEnum):
    """How urgent a ticket is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class State(StrEnum):
    """Where a ticket stands; it only moves forward."""

    OPEN = "open"
    TRIAGED = "triaged"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


SLA = {
    Priority.CRITICAL: timedelta(minutes=15),
    Priority.HIGH: timedelta(hours=1),
    Priority.MEDIUM: timedelta(hours=4),
    Priority.LOW: timedelta(hours=24),
}
SENIOR, POOL, LEAD = "senior-support", "support-pool", "engineering-lead"


class WrongState(ValueError):
    """The ticket has moved past this step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket. Moments are aware, in UTC. Title, description and address are personal: never in a repr."""

    id: str
    title: str = field(repr=False)
    description: str = field(repr=False)
    priority: Priority
    customer_email: str = field(repr=False)
    created_at: datetime
    state: State = State.OPEN
    assignee: str | None = None
    reason: str | None = None
    escalated_at: datetime | None = None


def triaged(ticket: Ticket, assignee: str | None = None) -> Ticket:
    """Return the ticket with somebody to work on it: the given person, or by priority. Raises :class:`WrongState`."""
    if ticket.state not in (State.OPEN, State.TRIAGED):
        raise WrongState(f"the ticket is {ticket.state}")
    urgent = ticket.priority in (Priority.CRITICAL, Priority.HIGH)
    return replace(ticket, state=State.TRIAGED, assignee=assignee or (SENIOR if urgent else POOL))


def escalated(ticket: Ticket, now: datetime, to: str = LEAD, reason: str = "by hand") -> Ticket:
    """Return the ticket in the hands of ``to``. Raises :class:`WrongState` if that happened before."""
    if ticket.state not in (State.OPEN, State.TRIAGED):
        raise WrongState(f"the ticket is {ticket.state}")
    return replace(ticket, state=State.ESCALATED, assignee=to, reason=reason, escalated_at=now)


def resolved(ticket: Ticket) -> Ticket:
    """Return the ticket, done with. Raises :class:`WrongState` if that happened before."""
    if ticket.state is State.RESOLVED:
        raise WrongState(f"the ticket is {ticket.state}")
    return replace(ticket, state=State.RESOLVED)


def breaches(ticket: Ticket, now: datetime) -> bool:
    """Whether the ticket waits longer than its priority allows; one that was escalated or resolved never does."""
    return ticket.state in (State.OPEN, State.TRIAGED) and now - ticket.created_at > SLA[ticket.priority]


def escalated_by_sla(ticket: Ticket, now: datetime) -> Ticket:
    """Return the breached ticket, escalated with its age as the reason."""
    minutes = int((now - ticket.created_at).total_seconds() // 60)
    allowed = int(SLA[ticket.priority].total_seconds() // 60)
    return escalated(ticket, now, LEAD, f"SLA breach: {minutes} min old, {ticket.priority} allows {allowed} min")


def masked(address: str) -> str:
    """Return an e-mail address as it may stand in a log: its first two characters and the domain."""
    name, _, domain = address.rpartition("@")
    return f"{name[:2]}***@{domain}"
