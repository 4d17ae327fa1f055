"""``vmh-sync audit``: what was changed, and whether everything is in order."""

import typer

from vmh_sync.commands.audit_kalender import kalender_app

audit_app = typer.Typer(help="Was geändert wurde und ob alles stimmt.", no_args_is_help=True)
audit_app.add_typer(kalender_app, name="kalender")
