"""Whether the plan that a batch made of a party may be carried out as it is, when its turn has come.

Between the batch's reads and a party's turn lie up to some minutes. The plan stays right as long as our database says
the same, since every other process of ours leaves its traces there. What people did meanwhile on either side is found
at the target, directly before each write (``engine.guarded_write``, EspoCRM's versions), and the party is planned anew.
Only what is created without such a look, an address or an account, is planned from reads made under the lease.
"""

from collections.abc import Sequence

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.plan import PartyPlan
from vmh_sync.beteiligte.reading.recognise import calm_rows
from vmh_sync.engine.passes.part import Part
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.erased import erased_of
from vmh_sync.sync.planning.plan import Action


async def still_stands(context: PassContext, parts: Sequence[Part], plan: PartyPlan) -> bool:
    """Whether a plan may be carried out that was made before the lease was ours."""
    read, inputs = plan.read, plan.inputs
    if inputs is None or read.rows is None or read.heir_of is not None or plan.master.creates or _creates(plan):
        return False
    own = [revision for entity, _, _, revision in read.rows.links if entity == ENTITY]
    if own != ([read.link.revision] if read.link is not None else []):
        return False
    if read.link is None and (await erased_of(context.store)).covers(read.espo_id, read.betnr):
        return False  # of a linked party, the rows would be gone
    rows = await calm_rows(context, parts, {read.espo_id: inputs.betnr})
    now = rows.get(read.espo_id)
    return now is not None and now.links == read.rows.links


def _creates(plan: PartyPlan) -> bool:
    records = [part_plan.record for part, part_plan in plan.parts if part.has_records]
    return any(operation.action is Action.CREATE for record in records for operation in record.operations)
