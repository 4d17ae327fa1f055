"""How one record stands, without any of its values (specification, http-endpoints.md 4)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from vmh_sync.gateway.http.documented import problems
from vmh_sync.gateway.requests.entity_name import EntityName
from vmh_sync.gateway.requests.triggers import EspoId
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.store.errors import StoreError
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Transaction

router = APIRouter(tags=["sync"])

LAST_CHANGES = 20


class ChangeShown(BaseModel):
    """One row of the audit log without its values. Times are UTC."""

    id: int | None
    at: datetime | None
    kind: str
    field: str | None
    side_written: str | None
    run_id: str | None


class RecordState(BaseModel):
    """Where a record stands. Times are UTC; ``status`` is null for a record that was never synced."""

    entity: EntityName
    id: str
    status: str | None
    attempts: int
    next_retry_at: datetime | None
    error: str | None = Field(description="one German sentence, without values")
    different: bool = Field(description="whether both sides stay apart in a value; a task is open")
    waiting: bool = Field(description="whether it waits in the inbox")
    betnr: int | None
    base_age_seconds: float | None = Field(description="since both sides last agreed; null: not linked")
    last_changes: list[ChangeShown]


@router.get(
    "/vmh/sync/{entity}/{espo_id}", response_model=RecordState, responses=problems(401, 403, 404, 408, 413, 503)
)
async def record_state(
    request: Request, entity: EntityName, espo_id: EspoId, x_api_key: Annotated[str | None, Header()] = None
) -> JSONResponse | RecordState:
    """Tell how a record stands: status, age of the base, last changes."""
    services = services_of(request)
    services.keys.allow(x_api_key, "read")
    try:
        state = await services.store.read(_read, services, entity, espo_id)
    except StoreError:
        return JSONResponse({"error": "the database is not available"}, 503, {"Retry-After": "30"})
    return JSONResponse({"error": "this record was never seen"}, 404) if state is None else state


def _without_record(link: Link | None) -> str | None:
    # The ledger only holds records that were in trouble once.
    if link is None:
        return None
    return "clean" if link.state == "active" else link.state


def _read(tx: Transaction, services: GatewayServices, entity: EntityName, espo_id: str) -> RecordState | None:
    record = tx.records.get(entity, espo_id)
    link = tx.links.get_by_espo(entity, espo_id)
    changes = [change for change in tx.audit.for_record(espo_id, LAST_CHANGES) if change.espo_id == espo_id]
    waiting = bool(tx.inbox.waiting_ids(entity, [espo_id]))
    if record is None and link is None and not changes and not waiting:
        return None
    agreed = (link.verified_at or link.updated_at) if link else None
    return RecordState(
        entity=entity,
        id=espo_id,
        status=record.status if record else _without_record(link),
        attempts=record.attempts if record else 0,
        next_retry_at=record.next_retry_at if record else None,
        error=record.error_text if record else None,
        different=record is not None and record.is_different,
        waiting=waiting,
        betnr=link.betnr if link else None,
        base_age_seconds=(services.clock.now() - agreed).total_seconds() if agreed else None,
        last_changes=[
            ChangeShown(
                id=change.id,
                at=change.at,
                kind=change.kind,
                field=change.field,
                side_written=change.side_written,
                run_id=change.run_id,
            )
            for change in changes
        ],
    )
