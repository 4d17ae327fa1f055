"""The SLA monitor: a schedule, a job, one op."""

from datetime import UTC, datetime

import dagster as dg

from vmh_sync.examples.ticketing.desk import Desk, open_desk
from vmh_sync.examples.ticketing.ticket import Ticket, WrongState, breaches, escalated_by_sla
from vmh_sync.settings import VmhSettings, load


def escalate_breaches(desk: Desk, now: datetime) -> list[Ticket]:
    """Escalate every ticket that waits too long, each once; returns them."""
    done = []
    for waiting in desk.unsettled():
        if not breaches(waiting, now):
            continue
        try:
            ticket = desk.change(waiting.id, lambda ticket: escalated_by_sla(ticket, now))
        except WrongState:
            continue  # somebody was quicker
        if ticket is not None:
            done.append(ticket)
    return done


@dg.op(description="Eskaliert Tickets, deren Frist abgelaufen ist.")
def escalate_overdue(context: dg.OpExecutionContext) -> None:
    """Look once at all waiting tickets."""
    desk = open_desk(load(VmhSettings))
    try:
        done = escalate_breaches(desk, datetime.now(UTC))
    finally:
        desk.close()
    context.add_output_metadata({"escalated": len(done), "ids": dg.MetadataValue.json([ticket.id for ticket in done])})


@dg.job(name="ticket_sla", executor_def=dg.in_process_executor, description="Beispiel: Fristen der Tickets prüfen.")
def ticket_sla() -> None:
    """Escalate overdue tickets."""
    escalate_overdue()


ticket_sla_monitor = dg.ScheduleDefinition(
    name="ticket_sla_monitor",
    job=ticket_sla,
    cron_schedule="* * * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Beispiel: jede Minute die Fristen der Tickets prüfen.",
)

defs = dg.Definitions(jobs=[ticket_sla], schedules=[ticket_sla_monitor])
