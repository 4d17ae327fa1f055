"""Short ways to write both sides down."""

from dataclasses import replace
from typing import Any

from vmh_sync.kommunikation.merge import plan_communication
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, Options, Pair, PairState, PartyCommunication
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan, espo_step

MAIL, PHONE = Channel.EMAIL, Channel.PHONE


def mail(value: str, *, primary: bool = False, opt_out: bool = False, invalid: bool = False) -> EspoEntry:
    raw = {"emailAddress": value, "lower": value.lower(), "primary": primary, "optOut": opt_out, "invalid": invalid}
    return EspoEntry.read(MAIL, raw)


def tel(
    value: str, kind: str = "Office", *, primary: bool = False, opt_out: bool = False, invalid: bool = False
) -> EspoEntry:
    raw = {"phoneNumber": value, "type": kind, "primary": primary, "optOut": opt_out, "invalid": invalid}
    return EspoEntry.read(PHONE, raw)


def entry(number: int, tlf: str | None, kind: int | None = 0, remark: str | None = None, **more: Any) -> AdvowareEntry:
    return AdvowareEntry(number, tlf, remark, kind, more.get("online", False), more.get("row_id", f"R{number}"))


def pair(number: int | None, kind: int, espo: str | None, advoware: str | None, **more: Any) -> Pair:
    known = {"online_base": False, "primary_base": False, **more}
    return Pair(number, kind, espo, advoware, **known)


def slot(number: int, kind: int) -> Pair:
    return Pair(number, kind, None, None, online_base=False, state=PairState.SLOT)


def plan(
    emails: list[EspoEntry] | None = None,
    phones: list[EspoEntry] | None = None,
    entries: list[AdvowareEntry] | None = None,
    pairs: list[Pair] | None = None,
    contacts: dict[str, str | None] | None = None,
    **options: Any,
) -> KommunikationPlan:
    """Plan one party; a side left out was read and is empty."""
    party = PartyCommunication(
        tuple(emails or ()), tuple(phones or ()), tuple(entries or ()), tuple(pairs or ()), contacts or {}
    )
    return plan_communication(party, replace(Options(), **options))


def written(result: KommunikationPlan) -> dict[str | None, dict[str, Any]]:
    """Return the payloads sent to Advoware by entry id."""
    return {write.operation.key: dict(write.operation.payload) for write in result.writes}


def blanked(result: KommunikationPlan) -> int:
    """How many values are emptied or removed."""
    return sum(change.blanks for one in result.operations("id") for change in one.changes)


def only_write(result: KommunikationPlan) -> EntryWrite:
    assert len(result.writes) == 1
    return result.writes[0]


def values(result: KommunikationPlan, channel: Channel) -> list[str] | None:
    """Return the values of the list to send, ``None`` when it is not sent."""
    one = result.emails if channel is MAIL else result.phones
    name = "emailAddress" if channel is MAIL else "phoneNumber"
    return None if one is None else [item[name] for item in one.items]


def stored(result: KommunikationPlan, created: int = 99) -> dict[int | None, Pair]:
    """Return the pairs stored when every step succeeds."""
    done = {write.step: created if write.operation.key is None else None for write in result.writes}
    done |= {espo_step(one.channel): None for one in result.lists}
    return {one.advoware_id: one for one in result.pairs_after(done).stored}
