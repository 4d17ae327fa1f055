"""Addresses as children of a party."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from vmh_sync.adressen import model
from vmh_sync.adressen.fields import ADVOWARE_ENTITY, BLOCK_PARTS, ENTITY, ESPO_ENTITY, FIELDS, KEY_ATTRIBUTE
from vmh_sync.children.kind import ChildKind, Problem
from vmh_sync.children.part import ChildrenPart
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.create_what_is_taken import Needed
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.base import Fields
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import FieldChange, TaskKind, TaskWanted
from vmh_sync.sync.values import Kind, Value, alike, same
from vmh_sync.systems.advoware.records import Adresse, Beteiligter, Created, WireRecord
from vmh_sync.systems.spoilt_row import SpoiltRow


class Addresses(ChildKind):
    """What Adressen say about themselves (specification, entities.md 3)."""

    entity = ENTITY
    espo_entity = ESPO_ENTITY
    advoware_entity = ADVOWARE_ENTITY
    label = "Adresse"
    table = FIELDS
    key_attribute = KEY_ATTRIBUTE
    waiting_status = "clean"
    different_status = "conflict"
    given_up_status = "permanently_failed"
    due_statuses = ("pending_sync", "dirty", "syncing")
    update_task = TaskKind.ADDRESS_FIELD_UPDATE
    delete_task = TaskKind.ADDRESS_DELETE
    marks_what_it_creates = True
    double = "Diese Adresse gibt es bei diesem Beteiligten schon. Bitte die doppelte Adresse löschen oder berichtigen."

    def embedded(self, party: Beteiligter) -> Sequence[WireRecord] | None:
        """Return the addresses inside a read party."""
        return party.adressen

    async def listed(self, context: PassContext, betnr: int, spoilt: list[SpoiltRow]) -> Sequence[WireRecord]:
        """Read the addresses by a call of their own."""
        return await context.advoware.list_adressen(betnr, spoilt)

    async def post(self, context: PassContext, betnr: int, values: Mapping[str, object]) -> Created[Adresse]:
        """Create an address in Advoware."""
        return await context.advoware.create_adresse(betnr, values)

    async def put(
        self, context: PassContext, betnr: int, current: WireRecord, values: Mapping[str, object]
    ) -> WireRecord | None:
        """Change street, code, town and block of an address."""
        if not isinstance(current, Adresse):
            raise TypeError("an address is needed")
        return await context.advoware.update_adresse(betnr, current, values)

    def read_advoware(self, table: FieldTable, attributes: Mapping[str, object]) -> dict[str, Value]:
        """Our mark in the remark is no text of people."""
        fields = super().read_advoware(table, attributes)
        if "bemerkung" in fields:
            fields["bemerkung"] = model.without_mark(fields["bemerkung"])
        return fields

    def natural_key(self, fields: Fields) -> tuple[str, ...] | None:
        """Street, code and town."""
        return model.natural_key(fields)

    def marked_for(self, attributes: Mapping[str, object]) -> str | None:
        """The id in the remark."""
        return model.marked_for(attributes.get("bemerkung"))

    def problems(self, fields: Fields) -> list[Problem]:
        """An empty address, or a validity that ends before it begins."""
        return [Problem(name, message) for name, message in model.problems(fields)]

    def valid(self, attributes: Mapping[str, object], today: date) -> bool:
        """An address that has ended does not count any more."""
        return model.is_valid(attributes.get("gueltig_bis"), today)

    def create_values(self, espo_id: str, values: dict[str, Any], fields: Fields, owner: str) -> dict[str, Any]:
        """Advoware gets the printed block and, in the remark, the EspoCRM id."""
        values["bemerkung"] = model.with_mark(espo_id, fields.get("bemerkung"))
        block = str(fields.get("anschrift") or model.block(owner, fields))
        values["anschrift"] = block.replace("\r\n", "\n").replace("\n", "\r\n")
        return values

    def needed(self, espo_id: str, values: Mapping[str, object]) -> Needed:
        """Our mark, and where it is."""
        return Needed({"bemerkung": model.with_mark(espo_id, None)}, BLOCK_PARTS)

    def espo_name(self, fields: Fields) -> str:
        """Street and town."""
        return model.espo_name(fields)

    def complete(self, plan: FieldPlan, fields: Fields, owner: str) -> None:
        """Build the printed block anew when what it is made of is written to Advoware."""
        changed = {change.field for change in plan.to_advoware}
        if not changed & set(BLOCK_PARTS) or "anschrift" in {*changed, *plan.held} or "anschrift" not in self.table:
            return
        typed = next((c for c in (*plan.to_espocrm, *plan.adopted) if c.field == "anschrift"), None)
        standing = typed.new if typed is not None else fields.get("anschrift")
        block = model.block(owner, fields)
        if _stands(self.table["anschrift"].kind, block, plan):
            return  # a part that was refused is only sent once more
        plan.to_espocrm[:] = [change for change in plan.to_espocrm if change.field != "anschrift"]
        change = FieldChange("anschrift", standing, block, "rebuilt")
        first = any(c.reason == "first_contact" for c in plan.to_advoware if c.field in BLOCK_PARTS)
        moved = typed is not None or first
        # What is built of the parts as they stood was typed by nobody.
        built = model.block(owner, {**fields, **{one.field: one.old for one in plan.to_advoware}})
        if moved and not any(alike(self.table["anschrift"].kind, standing, one) for one in (None, built, block)):
            change = _lost(plan, change, first=first)
        plan.to_advoware.append(change)
        plan.to_espocrm.append(change)
        plan.base_advoware["anschrift"] = plan.base_espocrm["anschrift"] = block

    def title(self, fields: Fields) -> str:
        """The address in one line."""
        return model.title(fields)

    def reactivation_task(self, rules: SyncSettings) -> TaskKind | None:
        """As the setting says: a task, or a new address."""
        return TaskKind.ADDRESS_REACTIVATE if rules.reactivate_addresses == "task" else None


def _stands(kind: Kind, block: str, plan: FieldPlan) -> bool:
    """Whether both sides show this block, one of them maybe in a spelling of its own; a new spelling is to be shown."""
    shown = [one.get("anschrift") for one in (plan.base_espocrm, plan.base_advoware)]
    return all(alike(kind, block, one) for one in shown) and any(same(kind, block, one) for one in shown)


def _lost(plan: FieldPlan, rebuilt: FieldChange, *, first: bool) -> FieldChange:
    """A block that a person typed since the last pass gives way to the new one: it has lost, as in any conflict."""
    change = replace(rebuilt, reason="first_contact" if first else rebuilt.reason, losing=rebuilt.old)
    plan.conflicts.append(change)
    if not first:
        details = {"decided": {change.field: {"stands": change.new, "lost": change.losing}}}
        plan.tasks.append(TaskWanted(TaskKind.CONFLICT, (change.field,), details))
    return change


KIND = Addresses()
PART = ChildrenPart(KIND)
