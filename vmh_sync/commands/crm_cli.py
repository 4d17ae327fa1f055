"""``vmh-sync crm``: setting up EspoCRM."""

import json
from typing import Annotated

import typer
from rich.console import Console

from vmh_sync.commands.output import fail, print_json

YES = ("j", "ja", "y", "yes")

crm_app = typer.Typer(help="EspoCRM einrichten.", no_args_is_help=True)


@crm_app.callback()
def crm() -> None:
    """EspoCRM einrichten."""


@crm_app.command("setup")
def setup(
    plan: Annotated[bool, typer.Option("--plan", help="Nur zeigen, was angelegt würde.")] = False,
    webhook_url: Annotated[
        str | None, typer.Option("--webhook-url", help="Öffentliche Adresse des Gateways; ohne sie keine Webhooks.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ohne Rückfrage anlegen.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Genau ein JSON-Objekt ausgeben.")] = False,
) -> None:
    """Legt fehlende Entitäten, Felder, Verknüpfungen, Rolle und Webhooks an; Vorhandenes bleibt unverändert."""
    from vmh_sync.commands.crm import run_setup

    if as_json and not plan and not yes:
        raise typer.BadParameter("Mit --json wird nicht nachgefragt; bitte --plan oder --yes angeben.")
    done = run_setup(plan_only=True, gateway=webhook_url)
    console = Console(soft_wrap=True, highlight=False)
    if not as_json:
        for step in done.steps:
            console.print(f"  {step.text}", markup=False)
        if not done.steps and done.problem is None:
            console.print("In EspoCRM ist schon alles da.")
    if done.problem is None and done.steps and not plan:
        if not yes:
            _ask(len(done.steps))
        done = run_setup(plan_only=False, gateway=webhook_url)
    if as_json:
        print_json(
            {"steps": [step.text for step in done.steps], "done": not plan and done.problem is None}
            | {"webhook_secrets": done.secrets, "error": done.problem}
        )
    elif done.secrets:
        console.print("Neue Webhooks; in die Einstellungen eintragen (zu den vorhandenen dazu):")
        console.print(f"ESPOCRM_WEBHOOK_SECRETS={json.dumps(done.secrets)}", markup=False)
    if done.problem is not None:
        fail(done.problem)


def _ask(steps: int) -> None:
    """Ask before anything is created; ends the process unless the answer is yes."""
    what = "Diesen Schritt" if steps == 1 else f"Diese {steps} Schritte"
    if typer.prompt(f"{what} ausführen? [j/N]", default="n", show_default=False).strip().lower() not in YES:
        fail("Abgebrochen; in EspoCRM wurde nichts angelegt.")
