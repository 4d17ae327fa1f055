"""``vmh-sync person``: what a person may ask of the firm about their data."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vmh_sync.commands.screens.options import AsJson, Whom

person_app = typer.Typer(help="Auskunft und Löschung der Daten einer Person.", no_args_is_help=True)


@person_app.callback()
def about() -> None:
    """Auskunft und Löschung der Daten einer Person (DSGVO)."""


@person_app.command("export")
def export(
    name: Whom,
    file: Annotated[Path | None, typer.Option("--file", help="In diese Datei, nur für Sie lesbar.")] = None,
) -> None:
    """Alles über eine Person, auf beiden Seiten und bei uns, als JSON (Art. 15 DSGVO); schreibt nichts."""
    from vmh_sync.commands.person.export import export as run

    run(name, file)


@person_app.command("erase")
def erase(
    name: Whom,
    plan: Annotated[bool, typer.Option("--plan", help="Nur zeigen, was gelöscht würde.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Nicht nachfragen.")] = False,
    defer: Annotated[bool, typer.Option("--defer", help="Bei einer Aufbewahrungspflicht vormerken.")] = False,
    ended: Annotated[
        datetime | None, typer.Option("--ended", formats=["%Y-%m-%d"], help="Wann die Sache endete (JJJJ-MM-TT).")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Grund für das Protokoll, ohne Namen.")
    ] = "Löschung nach Art. 17 DSGVO",
    as_json: AsJson = False,
) -> None:
    """Löscht alles, was bei uns über eine Person steht (Art. 17 DSGVO); EspoCRM und Advoware bleiben unberührt."""
    from vmh_sync.commands.person.erase import ErasureOrder
    from vmh_sync.commands.person.erase import erase as run

    day = ended.date() if ended is not None else None
    run(ErasureOrder(name, reason, plan_only=plan, confirmed=yes, defer=defer, ended=day), as_json=as_json)


@person_app.command("readmit")
def readmit(name: Annotated[str, typer.Argument(metavar="ID", help="EspoCRM-ID einer gelöschten Person.")]) -> None:
    """Lässt eine gelöschte Person wieder abgleichen, als wäre sie neu."""
    from vmh_sync.commands.person.erase import take_back

    take_back(name)
