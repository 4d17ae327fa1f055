"""``vmh-sync plan``: stored plans: look at one, and apply exactly that one."""

import sys
from typing import Annotated

import typer

from vmh_sync.commands.screens.options import AsJson, Values

plan_app = typer.Typer(help="Gespeicherte Pläne: ansehen, freigeben und genau so ausführen.", no_args_is_help=True)

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="Nummer des Plans.")]


@plan_app.command("list")
def list_plans(as_json: AsJson = False) -> None:
    """Welche Pläne gespeichert sind; jeder gilt einen Tag."""
    from vmh_sync.commands.plans.plan import show_all

    show_all(as_json=as_json)


@plan_app.command("show")
def show(
    plan: PlanId,
    values: Values = False,
    as_json: AsJson = False,
) -> None:
    """Was ein Plan schreiben würde."""
    from vmh_sync.commands.plans.plan import show_one

    show_one(plan, values=values, as_json=as_json)


@plan_app.command("reject")
def reject(plan: PlanId, as_json: AsJson = False) -> None:
    """Verwirft einen Plan; ausgeführt wird nichts. Besteht der Grund weiter, hält der nächste Durchgang wieder an."""
    from vmh_sync.commands.plans.plan import reject_one

    reject_one(plan, as_json=as_json)


@plan_app.command("apply")
def apply(
    plan: PlanId,
    by: Annotated[str | None, typer.Option("--by", help="Wer das freigibt; sonst der angemeldete Benutzer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Führt einen Plan genau so aus, wie er ist; was sich seitdem bewegt hat, bleibt liegen."""
    from vmh_sync.commands.plans.plan import apply_plan

    sys.exit(apply_plan(plan, by, as_json=as_json))
