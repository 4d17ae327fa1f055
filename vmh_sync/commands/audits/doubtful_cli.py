"""``vmh-sync audit kalender doubtful`` and ``decide``: what may be the same appointment, and a person's word on it."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vmh_sync.commands.audits.audit_kalender import Kuerzel, look_at
from vmh_sync.commands.screens.options import AsJson
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail, fail_pass, print_json
from vmh_sync.commands.screens.screen import sentences

if TYPE_CHECKING:
    from vmh_sync.kalender.employee.doubtful_pairs import DoubtfulPair

LATER = "der nächste Abgleich führt es aus"


def doubtful(
    kuerzel: Kuerzel = None,
    values: Annotated[bool, typer.Option("--values", help="Auch Titel und Zeit zeigen (personenbezogen).")] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Die Liste zum Beantworten in diese Datei schreiben (mit Titeln).")
    ] = None,
    answers_file: Annotated[
        Path | None, typer.Option("--answers", help="Die ausgefüllte Liste: Spalte antwort, gleich oder verschieden.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Zeigt Termine und Ereignisse, die vielleicht dasselbe sind, und liest die Antworten darauf."""
    from vmh_sync.kalender.audits import doubts
    from vmh_sync.kalender.employee.doubtful_pairs import REMEDY
    from vmh_sync.tasks.answer_list import BadAnswers

    console = sentences()
    heard: dict[str, dict[str, int]] = {}
    try:
        if answers_file is not None:
            said = doubts.read_csv(answers_file)
            look_at(lambda context: doubts.answer(context, said))
            same = sum(one.same for one in said)
            heard = {"answers": {"same": same, "different": len(said) - same}}
            if not as_json:
                console.print(f"Gemerkt: {same} gleich, {len(said) - same} verschieden; {LATER}.")
        show = values or csv_file is not None
        found = look_at(lambda context: doubts.look(context, kuerzel or (), show_values=show))
        if csv_file is not None:
            doubts.write_csv(csv_file, found)
    except BadAnswers as problem:
        fail_pass(str(problem), as_json=as_json, code=2)
    shown = found if values else [replace(one, values={}) for one in found]
    if as_json:
        print_json({"doubtful": [one.to_json() for one in shown], **heard})
    else:
        for line in [_line(one) for one in shown] or ["Nichts offen."]:
            console.print(line)
        if csv_file is not None:
            console.print(f"Liste geschrieben: {csv_file} (enthält Titel; nach der Arbeit löschen).")
        elif found:
            console.print(REMEDY)
    sys.exit(RECORDS_FAILED if found and not heard else 0)


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
    from vmh_sync.tasks.answer_list import BadAnswers

    try:
        look_at(lambda context: doubts.decide(context, kuerzel, frnr, event, same=same))
    except BadAnswers as problem:
        fail(str(problem))
    if as_json:
        print_json({"kuerzel": kuerzel, "frNr": frnr, "event": event, "same": same})
        return
    what = "werden verknüpft" if same else "bleiben zwei Termine"
    sentences().print(f"Gemerkt: frNr {frnr} und Ereignis {event} {what}.")
