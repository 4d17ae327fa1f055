"""What both sides made of the master data of a party, also where a company's name has two homes in EspoCRM.

The values of the fields follow the rule for every entity (:mod:`vmh_sync.sync.deciding.read_back`). ``firmenname`` and
``lastName`` both say the name of a company; each may refuse what the other takes.
"""

from collections.abc import Collection, Mapping

from vmh_sync.beteiligte.master_data.company_name import cleared_name
from vmh_sync.beteiligte.model import FIRM, HOME_LABELS, MIRROR, homes_of, read_advoware, read_espo
from vmh_sync.beteiligte.plan import PartyPlan
from vmh_sync.beteiligte.writing.commit import Written
from vmh_sync.engine.writing.crm_write import EspoAnswer
from vmh_sync.sync.base import Side
from vmh_sync.sync.deciding.read_back import not_taken, read_back
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import FieldChange
from vmh_sync.sync.values import Kind, alike, same, text


def note_made_of_it(plan: PartyPlan, written: Written, answer: EspoAnswer) -> None:
    """Correct the base by what EspoCRM made of our values; note what arrived and what a person must know."""
    table, fields = plan.table, plan.master.fields
    attributes = _homes_refused(plan, answer) if plan.state.form.company else answer.refused
    told = read_espo(
        answer.record.attributes,
        table,
        plan.state.form,
        base=plan.state.base.espocrm if plan.state.base else {},
    )
    made = read_back(
        fields.to_espocrm,
        table,
        Side.ESPOCRM,
        before=plan.state.espocrm,
        stands=told,
        refused=_by_field(table, attributes),
        base=fields.base_espocrm,
    )
    written.take(made)
    if plan.state.form.company:
        _note_homes(plan, written, answer)
    for cleared in cleared_name(plan.state, plan.master.espo):
        _note_cleared(plan, written, answer, cleared)


def fields_in(sent: Collection[str], plan: PartyPlan) -> set[str]:
    """Return the fields that these attributes say: a company's name stands in either of its homes."""
    homes = {"name"} if plan.state.form.company and "firmenname" in sent else set[str]()
    return {rule.name for rule in plan.table.rules if rule.espo in sent} | homes


def _by_field(table: FieldTable, attributes: Mapping[str, str]) -> dict[str, str]:
    return {rule.name: attributes[rule.espo] for rule in table.rules if rule.espo in attributes}


def _homes_refused(plan: PartyPlan, answer: EspoAnswer) -> dict[str, str]:
    """Return the refusals as they concern the fields: a name is refused only where both its homes refuse it."""
    refused = dict(answer.refused)
    homes = [home for home in ("lastName", "firmenname") if home in plan.master.espo]
    if not all(home in refused for home in homes):
        refused.pop("lastName", None)
    return refused


def _note_homes(plan: PartyPlan, written: Written, answer: EspoAnswer) -> None:
    """Remember what really stands in both homes of a company's name; tell about one that did not take it."""
    if "name" in plan.master.fields.held:
        return  # nothing was sent, and what stands there is an edit that waits for a person
    before, sent = plan.state.espo_attributes, plan.master.espo
    stands = {home: before.get(home) for home in ("lastName", "firmenname") if home in before}
    stands |= {home: answer.record.attributes.get(home) for home in sent if home in stands}
    stands |= {home: before.get(home) for home in answer.refused if home in stands}
    plan.master.fields.base_espocrm |= homes_of(stands)
    name = plan.master.fields.base_espocrm.get("name")
    apart = [home for home in sent if home in stands and not alike(Kind.TEXT, stands[home], name)]
    if apart and len(apart) < len(stands):
        change = FieldChange(MIRROR, stands[apart[0]], name, "refused")
        finding, task = not_taken(
            Side.ESPOCRM, change, change.old, answer.refused.get(apart[0]), label=HOME_LABELS[MIRROR]
        )
        written.findings.append(finding)
        written.tasks.append(task)


def _note_cleared(plan: PartyPlan, written: Written, answer: EspoAnswer, change: FieldChange) -> None:
    """Note that a person has no company's name any more; tell about one that EspoCRM keeps."""
    reason = answer.refused.get("firmenname")
    stands = change.old if reason is not None else text(answer.record.attributes.get("firmenname"))
    if stands is None:
        written.applied.append(change)
        return
    if same(Kind.TEXT, stands, change.old):  # anything else was typed since
        plan.master.fields.base_espocrm[FIRM] = stands
        finding, task = not_taken(Side.ESPOCRM, change, stands, reason, label=HOME_LABELS[FIRM])
        written.findings.append(finding)
        written.tasks.append(task)


def moved_meanwhile(plan: PartyPlan, written: Written, answer: EspoAnswer | None) -> bool:
    """Whether the answers show an edit that slipped in between our reads and our writes."""
    if _advoware_moved(plan, written):
        return True
    if answer is None:
        return False
    base = plan.master.fields.base_espocrm
    told = read_espo(answer.record.attributes, plan.table, plan.state.form, base=base)
    changed = {change.field for change in plan.master.fields.to_espocrm}
    before = plan.state.espocrm
    # What we wrote is compared with what was learned of it, all else with what stood there before.
    return any(
        not same(plan.table[name].kind, value, base.get(name) if name in changed else before[name])
        for name, value in told.items()
        if name in before
    )


def _advoware_moved(plan: PartyPlan, written: Written) -> bool:
    if written.advoware is plan.read.advoware:
        return False
    told = read_advoware(written.advoware.model_dump(), plan.table, plan.state.form)
    changed = {change.field for change in plan.master.fields.to_advoware}
    before, base = plan.state.advoware or {}, plan.master.fields.base_advoware
    return any(
        not same(plan.table[name].kind, value, base.get(name) if name in changed else before.get(name))
        for name, value in told.items()
    )
