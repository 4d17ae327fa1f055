"""The command line ``vmh-sync``: parses, calls :mod:`vmh_sync.commands`, and turns outcomes into exit codes.

Exit codes (specification, design.md 5): 0 done; 3 done, some records failed; 1 the pass itself failed; 2 wrong usage.
Heavy imports happen inside the commands, so that ``--help`` is quick.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from vmh_sync import interrupt
from vmh_sync.commands.audits.audit_cli import audit_app
from vmh_sync.commands.installation.crm_cli import crm_app
from vmh_sync.commands.joining.import_cli import import_app
from vmh_sync.commands.passes.sync_cli import add_own_entities, sync_app
from vmh_sync.commands.person.cli import person_app
from vmh_sync.commands.plans.plan_cli import plan_app
from vmh_sync.commands.screens.options import AsJson, Values, Whom
from vmh_sync.commands.screens.output import ask, fail
from vmh_sync.commands.screens.terminal import prepare_output

LONGEST_GROUP = 2
"""Words of a command line that names no command yet: its help is shown."""

app = typer.Typer(
    name="vmh-sync",
    help="Gleicht EspoCRM, Advoware und Google Calendar ab.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
db_app = typer.Typer(help="Unsere Datenbank.", no_args_is_help=True)
app.add_typer(sync_app, name="sync")
app.add_typer(db_app, name="db")
app.add_typer(audit_app, name="audit")
app.add_typer(crm_app, name="crm")
app.add_typer(import_app, name="import")
app.add_typer(plan_app, name="plan")
app.add_typer(person_app, name="person")


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"vmh-sync {version('vmh-sync')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Fassung nennen und enden.")
    ] = False,
) -> None:
    """Gleicht EspoCRM, Advoware und Google Calendar ab."""


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bringt die Datenbank auf den Stand dieser Version."""
    from vmh_sync.settings import VmhSettings, load
    from vmh_sync.store import upgrade

    settings = load(VmhSettings)
    upgrade(settings.database)
    typer.echo("Die Datenbank ist auf dem Stand dieser Version.")


@db_app.command("backup")
def db_backup(
    target: Annotated[Path, typer.Argument(help="In diesem Ordner entsteht der Ordner der Sicherung.")],
) -> None:
    """Sichert unsere Datenbank, die von Dagster und dessen Ordner; das Programm darf weiterlaufen."""
    from vmh_sync.commands.installation.backup import back_up

    typer.echo(f"Gesichert in {back_up(target)}. Die Sicherung enthält Mandantendaten.")


@db_app.command("restore")
def db_restore(
    source: Annotated[Path, typer.Argument(help="Der Ordner, den `vmh-sync db backup` genannt hat.")],
) -> None:
    """Setzt eine Sicherung an die Stelle dessen, was da ist; vorher alle Prozesse beenden."""
    from vmh_sync.commands.installation.backup import put_back

    put_back(source)
    typer.echo("Eingespielt. Mit einem anderen Redis als zuvor: `vmh-sync db adopt-redis`. Dann `vmh-sync doctor`.")


@db_app.command("adopt-redis")
def db_adopt_redis() -> None:
    """Nach einem Wechsel von Redis: Von nun an gehört das jetzige zu dieser Datenbank. Vorher alle Prozesse beenden."""
    from vmh_sync.commands.installation.backup import adopt_redis

    adopt_redis()
    typer.echo("Die Datenbank gehört jetzt zu diesem Redis; Prozesse mit einem anderen werden abgewiesen.")


@app.command()
def sandbox(
    parties: Annotated[int, typer.Option(min=0, help="Größe der erfundenen Kanzlei.")] = 0,
    seed: Annotated[int, typer.Option(help="Bestimmt Schlüssel, Personen und jeden Zufall.")] = 1,
    installation: Annotated[
        int | None, typer.Option(help="EspoCRM und Advoware einer anderen Kanzlei, aus dieser Zahl gezogen.")
    ] = None,
    blank_crm: Annotated[
        bool, typer.Option("--blank-crm", help="Ein EspoCRM, das noch niemand eingerichtet hat.")
    ] = False,
    first_day: Annotated[
        bool, typer.Option("--first-day", help="Beide Seiten und die Kalender sind voll und wissen nichts voneinander.")
    ] = False,
    crm_version: Annotated[str, typer.Option(help="Fassung des EspoCRM, zum Beispiel 9.3.9 oder 10.0.0.")] = "9.2.7",
    webhook_allowed: Annotated[
        list[str] | None,
        typer.Option(help="HOST:PORT, das in seiner webhookAllowedAddressList steht (ab 9.3.4 nötig); mehrfach."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Genau eine JSON-Zeile ausgeben.")] = False,
) -> None:
    """Die simulierten Systeme allein, bis Strg-C; gibt Adressen, Zugänge und passende Variablen aus."""
    from vmh_sync.sandbox.installation import Installation
    from vmh_sync.sandbox.run import SandboxOptions, serve
    from vmh_sync.sandbox.systems import SystemsConfig

    firm = Installation() if installation is None else Installation.draw(installation)
    systems = SystemsConfig(
        seed=seed,
        parties=parties,
        installation=firm,
        blank_crm=blank_crm,
        crm_version=crm_version,
        webhook_allowed=tuple(webhook_allowed or ()),
        first_day=first_day,
    )
    serve(SandboxOptions(systems, as_json=as_json))


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Nach dem Vergleich enden, statt die Oberfläche zu zeigen.")
    ] = False,
    parties: Annotated[int, typer.Option(min=1, help="Größe der erfundenen Kanzlei.")] = 50,
    seed: Annotated[int, typer.Option(help="Bestimmt Personen und jeden Zufall.")] = 1,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, show_default="3000", help="Port der Dagster-Oberfläche; 0: ein freier."),
    ] = None,
) -> None:
    """Erfundene Kanzlei: erster Abgleich, Änderungen auf beiden Seiten, Abgleich, Vergleich, Dagster-Oberfläche."""
    from vmh_sync.commands.demo.run import DemoOrder, run_demo

    sys.exit(run_demo(DemoOrder(once=once, parties=parties, seed=seed, port=port)))


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port der Dagster-Oberfläche.")] = 3000,
) -> None:
    """Alles im Vordergrund: Valkey (wenn keiner eingestellt ist), Gateway, Dagster; bis Strg-C."""
    from vmh_sync.commands.installation.up import run_up

    run_up(port=port)


@app.command()
def watch() -> None:
    """Der Beobachter allein: fragt EspoCRM jede Sekunde nach Änderungen; bei `up` läuft er schon mit."""
    from vmh_sync.watch.process import main as keep_watching

    sys.exit(keep_watching())


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Prüft Einstellungen, eigene Dienste, Anmeldungen und Felder und sagt, was zu tun ist; schreibt nichts."""
    from vmh_sync.commands.installation.doctor import command

    command(as_json=as_json)


@app.command()
def status(
    as_json: AsJson = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="EspoCRM und Advoware nicht fragen, nur das eigene Wissen zeigen.")
    ] = False,
) -> None:
    """Wie alles steht, auf einem Bildschirm; schreibt nichts. Ende mit 0, wenn nichts zu tun ist, sonst mit 1."""
    from vmh_sync.commands.looking.status import command

    command(as_json=as_json, ask=not offline)


@app.command()
def record(
    name: Whom,
    values: Values = False,
    offline: Annotated[bool, typer.Option("--offline", help="Beide Seiten nicht lesen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Alles über einen Datensatz: beide Seiten, letzte Änderungen und warum, offene Aufgaben; schreibt nichts."""
    from vmh_sync.commands.looking.record import command

    command(name, values=values, as_json=as_json, look=not offline)


@app.command()
def shadow(as_json: AsJson = False) -> None:
    """Schattenbetrieb: liest beide Seiten, plant, schreibt nichts und sagt, was anders gemacht worden wäre."""
    from vmh_sync.commands.plans.shadow import command

    command(as_json=as_json)


@app.command()
def rehearse(
    numbers: Annotated[
        str | None, typer.Option("--numbers", help="Nummernkreis in Advoware, VON-BIS; ohne Angabe wird gesucht.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Generalprobe des ersten Tages mit einer Kopie beider Seiten; die echten Systeme werden nur gelesen."""
    from vmh_sync.commands.rehearsal.run import command
    from vmh_sync.commands.screens.numbers import number_range
    from vmh_sync.first_contact.advoware_list import PartyScope

    command(PartyScope(number_range(numbers) if numbers else None), as_json=as_json)


@app.command()
def probe(
    betnr: Annotated[
        int | None, typer.Option("--betnr", min=1, help="Beteiligter in Advoware zum Ausprobieren.")
    ] = None,
    kuerzel: Annotated[
        str | None, typer.Option("--kuerzel", help="Dazu ein Termin im Kalender dieses Mitarbeiters.")
    ] = None,
    espo_id: Annotated[
        str | None, typer.Option("--espo-id", help="Beteiligter in EspoCRM zum Ausprobieren (seine ID, ohne betnr).")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option("--calendar", help="Google-Kalender zum Ausprobieren (seine Kalender-ID).")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Aufzeichnung ohne Werte der Kanzlei in diese Datei schreiben.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Eine Aufzeichnung gegen die Simulation spielen; sonst nichts.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Nur zeigen, was geschrieben würde.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ohne Rückfrage ausprobieren.")] = False,
    as_json: AsJson = False,
) -> None:
    """Probiert an Advoware, EspoCRM und Google aus, was nur angenommen ist; der Abgleich hält sich daran."""
    from vmh_sync.commands.installation import probe as probing
    from vmh_sync.commands.installation.probe_check import command as check_recording

    if check is not None:
        check_recording(check, as_json=as_json)
    if betnr is None and espo_id is None and calendar is None:
        raise typer.BadParameter("Bitte --betnr, --espo-id oder --calendar angeben: etwas zum Ausprobieren.")
    if as_json and not plan and not yes:
        raise typer.BadParameter("Mit --json wird nicht nachgefragt; bitte --plan oder --yes angeben.")
    order = probing.ProbeOrder(betnr, kuerzel, record, espo_id, calendar)
    if plan or not yes:
        probing.show_plan(order, as_json=as_json)
    if not plan:
        if not yes:
            ask("Ausprobieren?", "Abgebrochen; es wurde nichts geschrieben.")
        probing.command(order, as_json=as_json)


@app.command()
def reconcile(as_json: AsJson = False) -> None:
    """Vergleicht beide Seiten unabhängig vom Abgleich; schreibt nichts."""
    from vmh_sync.commands.looking.reconcile import command

    command(as_json=as_json)


@app.command("first-contact")
def first_contact(
    plan: Annotated[bool, typer.Option("--plan", help="Nur zeigen; es wird nichts geschrieben.")] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Die Liste für Menschen in diese Datei schreiben (mit Namen).")
    ] = None,
    answers_file: Annotated[
        Path | None, typer.Option("--answers", help="Die ausgefüllte Liste: Spalte entscheidung, verknüpfen oder neu.")
    ] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", help="EspoCRM-ID=Nummer verknüpft, EspoCRM-ID=neu legt an.")
    ] = None,
    numbers: Annotated[
        str | None, typer.Option("--numbers", help="In Advoware diesen Nummernkreis lesen (VON-BIS) statt zu suchen.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Vor dem ersten Abgleich: Beteiligte beider Seiten nach Inhalt zuordnen, Zweifelhaftes fragen."""
    from vmh_sync.commands.joining.first_contact import command
    from vmh_sync.commands.screens.numbers import number_range
    from vmh_sync.first_contact.run import ContactOrder

    chosen = number_range(numbers) if numbers is not None else None
    order = ContactOrder(plan_only=plan, numbers=chosen, answers_file=answers_file, answers=tuple(answer or ()))
    command(order, csv_file=csv_file, as_json=as_json)


def main() -> None:
    """Run the command line; known errors become one clear line and an exit code, Ctrl-C one sentence and 130."""
    with interrupt.armed():
        _run()


def _run() -> None:
    prepare_output()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    _name_unknown_settings()
    try:
        if {"sync", "plan", "record", "audit", "person", "crm"} & set(sys.argv[1:2]):
            add_own_entities()
        sys.exit(_parsed())
    except Exception as problem:
        # Imported only now: an `except` that named them would import them at the end of every command.
        from vmh_sync.commands.screens.service_errors import HOUSE_TROUBLE, in_words
        from vmh_sync.entities import UnusableEntity
        from vmh_sync.settings_loading import SettingsError

        if isinstance(problem, UnusableEntity):
            fail(str(problem))
        if isinstance(problem, SettingsError):
            fail(f"Einstellungen fehlen oder sind falsch:\n{problem}", code=2)
        if isinstance(problem, HOUSE_TROUBLE):
            fail(in_words(problem))
        raise


def _parsed() -> int:
    """Run what the command line asks for; wrong usage is one German sentence, not the library's English ones."""
    from typer.exceptions import Abort, TyperException

    command = typer.main.get_command(app)
    if "--help" in sys.argv or len(sys.argv) <= LONGEST_GROUP:
        from vmh_sync.commands.screens.usage import german_help

        german_help(command)
    try:
        done = command(prog_name="vmh-sync", standalone_mode=False)
    except Abort:
        fail("Abgebrochen.")
    except TyperException as wrong:
        from vmh_sync.commands.screens.usage import WRONG_USAGE, told_usage

        fail(told_usage(wrong), code=WRONG_USAGE)
    return done if isinstance(done, int) else 0


def _name_unknown_settings() -> None:
    if "doctor" in sys.argv[1:2] or {"--help", "--version"} & set(sys.argv[1:]):
        return  # doctor says it itself
    from vmh_sync.setting_names import unknown_settings

    for unknown in unknown_settings():
        sys.stderr.write(f"Hinweis: {unknown}\n")
