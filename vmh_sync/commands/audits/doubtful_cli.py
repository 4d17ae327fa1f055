"""``vmh-sync audit kalender doubtful`` and ``decide``: what may be the same appointment, and a person's word on it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vmh_sync.commands.audits.audit_kalender import AsJson, Kuerzel, look_at
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail, print_json

if TYPE_CHECKING:
    from vmh_sync.kalender.employee.doubtful_pairs import DoubtfulPair


def doubtful(
    kuerzel: Kuerzel = None,
    values: Annotated[bool, typer.Option("--values", help="Auch Titel und Zeit zeigen (personenbezogen).")] = False,
    as_json: AsJson = False,
) -> None:
    """Zeigt Termine und Ereignisse, die vielleicht dasselbe sind und auf eine Entscheidung warten."""
    from vmh_sync.kalender.audits import doubts
    from vmh_sync.kalender.employee.doubtful_pairs import REMEDY

    found = look_at(lambda context: doubts.look(context, kuerzel or (), show_values=values))
    if as_json:
        print_json({"doubtful": [one.to_json() for one in found]})
    else:
        console = Console(soft_wrap=True, highlight=False)
        for line in [_line(one) for one in found] or ["Nichts offen."]:
            console.print(line, markup=False)
        if found:
            console.print(REMEDY, markup=False)
    sys.exit(RECORDS_FAILED if found else 0)


def _line(one: "DoubtfulPair") -> str:
    shown = "".join(f"; {side}: {text}" for side, text in one.values.items())
    return f"{one.kuerzel}, frNr {one.fr_nr}: {one.reason}{shown}"


def decide(
    kuerzel: Annotated[str, typer.Option("--kuerzel", help="Wessen Kalender.")],
    frnr: Annotated[int, typer.Option("--frnr", help="Nummer des Termins in Advoware.")],
    event: Annotated[str, typer.Option("--event", help="ID des Ereignisses in Google.")],
    same: Annotated[
        bool, typer.Option("--same/--different", help="Derselbe Termin (es gilt Advoware), oder zwei verschiedene.")
    ],
    as_json: AsJson = False,
) -> None:
    """Sagt, ob ein Termin und ein Ereignis dasselbe sind; der nächste Abgleich führt es aus."""
    from vmh_sync.kalender.audits import doubts

    try:
        look_at(lambda context: doubts.decide(context, kuerzel, frnr, event, same=same))
    except doubts.NothingDoubtfulError as problem:
        fail(str(problem))
    if as_json:
        print_json({"kuerzel": kuerzel, "frNr": frnr, "event": event, "same": same})
        return
    what = "werden verknüpft" if same else "bleiben zwei Termine"
    Console(soft_wrap=True).print(f"Gemerkt: frNr {frnr} und Ereignis {event} {what}.", markup=False)
