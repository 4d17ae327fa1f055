"""Plans a set-up, carries it out step by step, and says what is left by hand (entities.md 5; cases D1 to D6).

A plan reads only. Every step can be done again: what a killed run did is found and left, so the next run goes on.
"""

from collections.abc import Callable, Sequence

from vmh_sync.crm_setup.layout_steps import filter_steps, layout_steps
from vmh_sync.crm_setup.people_steps import note_people, people_steps
from vmh_sync.crm_setup.remaining import note_installation
from vmh_sync.crm_setup.schema_steps import schema_steps
from vmh_sync.crm_setup.session import LeftByHand, SetupSession, Step
from vmh_sync.crm_setup.webhook_steps import webhook_steps

Progress = Callable[[int, int, str], None]
_NAMED = 5


class NotAdministrator(Exception):
    """The login of set-up is no administrator; the German message says so."""


async def check_administrator(session: SetupSession) -> None:
    """Raise :class:`NotAdministrator` unless the login may set up; the first call of all, and one only."""
    answer = await session.admin.app_user()
    user = answer.get("user")
    kind = user.get("type") if isinstance(user, dict) else None
    if kind not in {"admin", "super-admin"}:
        raise NotAdministrator(
            "Der Benutzer aus ESPOCRM_ADMIN_USER ist in EspoCRM kein Administrator; zum Einrichten braucht es einen. "
            "Es wurde nichts verändert."
        )


async def plan(session: SetupSession) -> list[Step]:
    """Return everything that is missing, in the order in which it can be done; notes of a plan stand in ``left``."""
    session.left.clear()
    return [
        *await schema_steps(session),
        *await layout_steps(session),
        *await people_steps(session),
        *await filter_steps(session),
        *await webhook_steps(session),  # last: an internal address may be refused until a person lists it
    ]


async def carry_out(session: SetupSession, steps: Sequence[Step], progress: Progress) -> None:
    """Do the steps one after the other; stops at the first error, which it raises. What is done stays.

    Then looks again: what stands decides what is left, also where EspoCRM said yes and did nothing.
    """
    for number, step in enumerate(steps, 1):
        session.doing = step.text
        progress(number, len(steps), step.text)
        await step.run(session)
    session.doing = ""
    undone = [step.text for step in await plan(session)]
    if undone:
        more = f" und {len(undone) - _NAMED} weitere" if len(undone) > _NAMED else ""
        text = f"EspoCRM hat zugestimmt, getan ist es aber nicht: {'; '.join(undone[:_NAMED])}{more}."
        remedy = "`vmh-sync crm setup` noch einmal ausführen; bleibt es so, das Protokoll von EspoCRM ansehen."
        session.left.append(LeftByHand(text, remedy, serious=True))


async def note_remaining(session: SetupSession, default_assignee: str | None, default_team: str | None) -> None:
    """Look at the finished installation and note what a person still has to do."""
    await note_people(session, default_assignee, default_team)
    await note_installation(session)
