"""``vmh-sync import``: the command line of the import."""

from typing import Annotated

import typer

from vmh_sync.commands.screens.options import AsJson

import_app = typer.Typer(help="Anlegen in EspoCRM, was es nur in Advoware gibt.", no_args_is_help=True)


@import_app.callback()
def _group() -> None:
    """Anlegen in EspoCRM, was es nur in Advoware gibt."""


@import_app.command("beteiligte")
def beteiligte(
    nummern: Annotated[str | None, typer.Option("--nummern", help="Diese Nummern, zum Beispiel 4711,4712.")] = None,
    bereich: Annotated[str | None, typer.Option("--bereich", help="Dieser Nummernkreis, VON-BIS.")] = None,
    suche: Annotated[str | None, typer.Option("--suche", help="Was die Suche von Advoware danach findet.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Nur zeigen; es wird nichts geschrieben.")] = False,
    trotzdem: Annotated[
        str | None, typer.Option("--trotzdem", help="Diese Nummern anlegen, obwohl sie jemandem ähneln.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Beteiligte, die es nur in Advoware gibt. Ausgeschaltet, bis VMH_IMPORT_PARTIES=true gesetzt ist."""
    from vmh_sync.commands.joining.import_parties import ImportOrder, command
    from vmh_sync.commands.screens.numbers import number_list, number_range
    from vmh_sync.first_contact.advoware_list import PartyScope

    if sum(bool(one) for one in (nummern, bereich, suche)) != 1:
        raise typer.BadParameter("Bitte genau eines angeben: --nummern, --bereich oder --suche.")
    numbers = number_list(nummern) if nummern else number_range(bereich) if bereich else None
    confirmed = frozenset(number_list(trotzdem)) if trotzdem else frozenset()
    command(ImportOrder(PartyScope(numbers, suche or None), plan_only=plan, confirmed=confirmed), as_json=as_json)
