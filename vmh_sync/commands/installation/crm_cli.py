"""``vmh-sync crm``: setting up EspoCRM."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vmh_sync.commands.screens.options import AsJson
from vmh_sync.commands.screens.output import RECORDS_FAILED, ask, fail, print_json
from vmh_sync.commands.screens.screen import sentences

if TYPE_CHECKING:
    from vmh_sync.commands.installation.crm import SetupDone

crm_app = typer.Typer(help="EspoCRM einrichten.", no_args_is_help=True)


@crm_app.callback()
def _group() -> None:
    """EspoCRM einrichten."""


@crm_app.command("setup")
def setup(
    plan: Annotated[bool, typer.Option("--plan", help="Nur zeigen, was angelegt würde.")] = False,
    webhook_url: Annotated[
        str | None,
        typer.Option("--webhook-url", help="Adresse, unter der EspoCRM das Gateway erreicht; ohne sie keine Webhooks."),
    ] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="Anmeldename: bekommt Aufgaben ohne zuständige Person.")
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", help="Team, das alle Aufgaben sieht; wird angelegt, wenn es fehlt.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ohne Rückfrage anlegen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Richtet EspoCRM ein: Entitäten, Felder, Masken, Rolle, API-Benutzer, Webhooks; Vorhandenes bleibt unverändert.

    Abgebrochen? Einfach noch einmal aufrufen: Was schon da ist, wird übersprungen.
    """
    from vmh_sync.commands.installation.crm import run_setup
    from vmh_sync.crm_setup.session import SetupChoices

    if as_json and not plan and not yes:
        raise typer.BadParameter("Mit --json wird nicht nachgefragt; bitte --plan oder --yes angeben.")
    choices = SetupChoices(gateway=webhook_url, assignee=assignee, team=team)
    console = sentences()
    done = run_setup(choices, plan_only=True, progress=_silent)
    if not as_json:
        _show_plan(console, done)
    if done.problem is None and done.steps and not plan:
        if not yes:
            _ask(len(done.steps))
        done = run_setup(choices, plan_only=False, progress=_silent if as_json else _told(console))
    if as_json:
        _print_json(done, finished=not plan and done.problem is None)
    else:
        _show_end(console, done, plan=plan)
    if done.problem is not None:
        fail(done.problem)
    if done.is_serious and not plan:
        sys.exit(RECORDS_FAILED)


def _silent(_number: int, _total: int, _text: str) -> None:
    """Say nothing: a plan, or JSON for programs."""


def _told(console: Console) -> Callable[[int, int, str], None]:
    def tell(number: int, total: int, text: str) -> None:
        console.print(f"[{number}/{total}] {text}")

    return tell


def _show_plan(console: Console, done: "SetupDone") -> None:
    for step in done.steps:
        console.print(f"  {step.text}")
    if not done.steps and done.problem is None:
        console.print("In EspoCRM ist schon alles da.")


def _show_end(console: Console, done: "SetupDone", *, plan: bool) -> None:
    if done.secrets:
        console.print("Neue Webhooks; ihre Geheimnisse sind gespeichert. Für eigene Einstellungsdateien:")
        console.print(f"ESPOCRM_WEBHOOK_SECRETS={json.dumps(done.secrets)}")
    if done.problem is not None:
        if done.steps and not plan:
            console.print("Nicht fertig geworden. Was getan ist, bleibt; der nächste Aufruf macht dort weiter.")
            _show_left(console, done)
        return
    _show_left(console, done)
    if not done.left and not plan:
        console.print("Von Hand bleibt nichts zu tun.")
    if not plan:
        ready = "Alles andere" if done.is_serious else "EspoCRM"
        rest = "`vmh-sync doctor` prüft alles; ein laufendes `vmh-sync up` neu starten."
        console.print(f"{ready} ist eingerichtet. {rest}")


def _show_left(console: Console, done: "SetupDone") -> None:
    if done.left:
        console.print("Von Hand bleibt zu tun:")
        for one in done.left:
            console.print(f"  - {one.line()}")


def _print_json(done: "SetupDone", *, finished: bool) -> None:
    print_json(
        {
            "steps": [step.text for step in done.steps],
            "done": finished,
            "webhook_secrets": done.secrets,
            "error": done.problem,
            "left": [{"text": one.text, "remedy": one.remedy, "serious": one.serious} for one in done.left],
        }
    )


def _ask(steps: int) -> None:
    """Ask before anything is created; ends the process unless the answer is yes."""
    what = "Diesen Schritt" if steps == 1 else f"Diese {steps} Schritte"
    ask(f"{what} ausführen?", "Abgebrochen; in EspoCRM wurde nichts angelegt.")
