"""``vmh-sync person``: what a person may ask of the firm about their data."""

from pathlib import Path
from typing import Annotated

import typer

person_app = typer.Typer(help="Auskunft über die Daten einer Person.", no_args_is_help=True)


@person_app.callback()
def about() -> None:
    """Auskunft über die Daten einer Person (DSGVO)."""


@person_app.command("export")
def export(
    name: Annotated[str, typer.Argument(metavar="WAS", help="EspoCRM-ID, betnr oder Name eines Beteiligten.")],
    file: Annotated[Path | None, typer.Option("--file", help="In diese Datei, nur für Sie lesbar.")] = None,
) -> None:
    """Alles über eine Person, auf beiden Seiten und bei uns, als JSON (Art. 15 DSGVO); schreibt nichts."""
    from vmh_sync.commands.person import export as run

    run(name, file)
