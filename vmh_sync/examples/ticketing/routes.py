"""The example's endpoints; the gateway takes them in and guards them with its API keys."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Query, Request
from fastapi.params import Depends
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from vmh_sync.clock import Clock
from vmh_sync.examples.ticketing.desk import Desk
from vmh_sync.examples.ticketing.ticket import (
    LEAD,
    Priority,
    State,
    Ticket,
    WrongState,
    escalated,
    masked,
    resolved,
    triaged,
)
from vmh_sync.store.errors import StoreError

_log = logging.getLogger(__name__)

MOST = 200
_CAMEL = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)
_E_MAIL = r"^[^@\s\x00]{1,64}@[^@\s\x00.]+(\.[^@\s\x00.]+)+$"
"""Whether somebody reads there, only a letter shows."""
_PERSON = Field(None, pattern=r"^[A-Za-z0-9_.-]{1,100}$")


class NewTicket(BaseModel):
    """What a caller tells about a problem."""

    model_config = _CAMEL

    title: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")
    description: str = Field(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")
    priority: Priority
    customer_email: str = Field(max_length=254, pattern=_E_MAIL)


class ShownTicket(BaseModel):
    """A ticket as the endpoints show it. Times are UTC."""

    model_config = _CAMEL

    id: str
    title: str
    description: str
    priority: Priority
    customer_email: str
    created_at: datetime
    state: State
    assignee: str | None
    reason: str | None
    escalated_at: datetime | None


class Triage(BaseModel):
    """Whom to give it; left out: by priority."""

    assignee: str | None = _PERSON


class Escalation(BaseModel):
    """Whom to give it and why."""

    to: str | None = _PERSON
    reason: str = Field("by hand", max_length=500, pattern=r"^[^\x00]*$")


class Notified(BaseModel):
    """The customer was told."""

    id: str
    notified: bool = True


class TicketProblem(BaseModel):
    """Why it was refused."""

    detail: str


_MEANINGS = {
    401: "No valid key",
    403: "The key does not cover this",
    404: "No such ticket",
    409: "The ticket has moved past this step",
    503: "The database is away",
}


DeskOf = Callable[[Request], Desk]
ClockOf = Callable[[Request], Clock]


def ticket_router(*, reader: Depends, writer: Depends, desk: DeskOf, clock: ClockOf) -> APIRouter:
    """Make the endpoints. ``reader`` and ``writer`` are dependencies that let only allowed callers in."""
    router = APIRouter(prefix="/tickets", tags=["example: ticketing"])
    _add_opening(router, reader, writer, desk, clock)
    _add_steps(router, writer, desk, clock)
    return router


def _add_opening(router: APIRouter, reader: Depends, writer: Depends, desk: DeskOf, clock: ClockOf) -> None:
    @router.post("", status_code=201, dependencies=[writer], responses=_responses(401, 403, 503))
    async def create(request: Request, given: NewTicket) -> ShownTicket:
        """Open a ticket; it goes to somebody at once, by its priority."""
        opened = Ticket(
            id=str(uuid.uuid4()),
            title=given.title,
            description=given.description,
            priority=given.priority,
            customer_email=given.customer_email,
            created_at=clock(request).now(),
        )
        ticket = triaged(opened)
        await _stored(desk(request).add, ticket)
        return ShownTicket.model_validate(ticket)

    @router.get("", dependencies=[reader], responses=_responses(401, 403, 503))
    async def newest(request: Request, limit: Annotated[int, Query(ge=1, le=MOST)] = 50) -> list[ShownTicket]:
        """List tickets, the newest first."""
        tickets: Sequence[Ticket] = await _stored(desk(request).newest, limit)
        return [ShownTicket.model_validate(ticket) for ticket in tickets]


def _add_steps(router: APIRouter, writer: Depends, desk: DeskOf, clock: ClockOf) -> None:
    @router.post("/{ticket_id}/triage", dependencies=[writer], responses=_responses(401, 403, 404, 409, 503))
    async def triage(request: Request, ticket_id: str, given: Annotated[Triage | None, Body()] = None) -> ShownTicket:
        """Give a ticket to somebody."""
        assignee = given.assignee if given else None
        return await _step(desk(request), ticket_id, lambda ticket: triaged(ticket, assignee))

    @router.post("/{ticket_id}/escalate", dependencies=[writer], responses=_responses(401, 403, 404, 409, 503))
    async def escalate(
        request: Request, ticket_id: str, given: Annotated[Escalation | None, Body()] = None
    ) -> ShownTicket:
        """Give a ticket to the lead, or to the person named."""
        order, now = given or Escalation(), clock(request).now()
        return await _step(
            desk(request), ticket_id, lambda ticket: escalated(ticket, now, order.to or LEAD, order.reason)
        )

    @router.post("/{ticket_id}/resolve", dependencies=[writer], responses=_responses(401, 403, 404, 409, 503))
    async def resolve(request: Request, ticket_id: str) -> ShownTicket:
        """Close a ticket: its time limit runs no longer."""
        return await _step(desk(request), ticket_id, resolved)

    @router.post("/{ticket_id}/notify", dependencies=[writer], responses=_responses(401, 403, 404, 503))
    async def notify(request: Request, ticket_id: str) -> Notified:
        """Tell the customer; in this example a log line with the address masked."""
        ticket = await _stored(desk(request).get, ticket_id)
        if ticket is None:
            raise HTTPException(404, "no such ticket")
        _log.info("ticket %s: %s notified, state %s", ticket.id, masked(ticket.customer_email), ticket.state)
        return Notified(id=ticket.id)


async def _step(desk: Desk, ticket_id: str, step: Callable[[Ticket], Ticket]) -> ShownTicket:
    try:
        ticket = await _stored(desk.change, ticket_id, step)
    except WrongState as problem:
        raise HTTPException(409, str(problem)) from None
    if ticket is None:
        raise HTTPException(404, "no such ticket")
    return ShownTicket.model_validate(ticket)


async def _stored(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return await asyncio.to_thread(work, *arguments)
    except StoreError:
        raise HTTPException(503, "the database is not available", {"Retry-After": "30"}) from None


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": TicketProblem, "description": _MEANINGS[status]} for status in statuses}
