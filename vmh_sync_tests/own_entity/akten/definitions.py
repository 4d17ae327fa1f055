"""Its room in Dagster, and how both sides are compared."""

from dataclasses import replace

from akten import register
from akten.entity import ENTITY
from akten.fields import FIELDS
from akten.part import PART
from vmh_sync.children.definitions import make_child_room
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.base import Side
from vmh_sync.sync.reporting.comparison import EntityComparison, FieldDifference


async def compare(context: PassContext) -> EntityComparison:
    """Compare every file of EspoCRM that has a number with the register."""
    differences: list[FieldDifference] = []
    compared = 0
    async for record in context.espo.list_all("CAkten"):
        party = await context.espo.read("CBeteiligte", str(record.attributes["beteiligteId"]))
        rows = register.listed(int(party.attributes["betnr"])) if party else []
        row = next((row.raw for row in rows if str(row.id) == str(record.attributes["advowareId"])), None)
        if row is None:
            continue
        compared += 1
        espocrm, advoware = FIELDS.read(Side.ESPOCRM, record.attributes), FIELDS.read(Side.ADVOWARE, row)
        differences += [
            FieldDifference(record.id, str(row["id"]), name) for name in espocrm if espocrm[name] != advoware[name]
        ]
    return EntityComparison(compared, differences)


ROOM = replace(make_child_room(ENTITY, PART), compare=compare)
