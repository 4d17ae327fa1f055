"""The party that a create without an answer has left in Advoware, while the record stands for another one.

Somebody has entered another number before it was looked for. The record is linked to that one only when nothing can
arrive any more, and a task names the party that nobody stands for.
"""

from contextlib import suppress

from vmh_sync.beteiligte.master_data.diff import CREATE_MARK
from vmh_sync.beteiligte.party import PartyRead, carries
from vmh_sync.beteiligte.reading.left_party import MERGED
from vmh_sync.beteiligte.status.task_subject import subject
from vmh_sync.beteiligte.twins.unanswered import wait_for_arrival
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.systems.advoware.errors import CapabilityMissing
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.tasks.manual_tasks import open_tasks


async def tell_stray(context: PassContext, gate: WriteGate, party: PartyRead) -> None:
    """Tell of a party that a create of this record made besides the one that it is linked to now.

    Raises ``CreatePutOff`` while such a create may still arrive, and any ``ForeignSystemError``.
    """
    if party.unanswered is None or party.betnr is None:
        return
    wait_for_arrival(context, party.unanswered)
    mark, made = CREATE_MARK.format(espo_id=party.espo_id), list[Beteiligter]()
    with suppress(CapabilityMissing):
        for text in filter(None, (mark, str(party.unanswered.natural_key.get("fields", {}).get("name") or ""))):
            made += [one for one in await context.advoware.search_beteiligte(text, spoilt=[]) if carries(one, mark)]
    numbers = sorted({one.bet_nr for one in made} - {party.betnr})
    taken = await context.store.read(lambda tx: set(tx.links.get_many_by_betnr(numbers)))
    wanted = [_left(betnr, party.betnr) for betnr in numbers if betnr not in taken]
    await open_tasks(context, gate, subject(party), wanted, {})


def _left(betnr: int, linked: int) -> TaskWanted:
    details = {
        "title": f"Doppelt in Advoware: Beteiligte {betnr} und {linked}",
        "intro": f"Der Beteiligte {betnr} wurde für diesen Datensatz in Advoware angelegt, was Advoware nicht "
        f"bestätigt hat. Danach wurde hier die Nummer {linked} eingetragen; damit ist der Datensatz jetzt verknüpft. "
        f"Der Beteiligte {betnr} wird nicht abgeglichen.",
        "steps": (
            f"In Advoware den Beteiligten {betnr} öffnen: Was nur dort steht (auch Akten), zu {linked} übernehmen.",
            f"Den Beteiligten {betnr} in Advoware löschen, wenn er nicht gebraucht wird.",
            "Diese Aufgabe als erledigt kennzeichnen.",
        ),
    }
    return TaskWanted(TaskKind.GENERAL, (MERGED, str(betnr)), details)
