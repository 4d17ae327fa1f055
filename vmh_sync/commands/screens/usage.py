"""What a person reads who typed something that does not exist: one German sentence; and the help in German.

The library behind the command line says both in English, and sets our own German sentences between its own.
"""

import re
from typing import Any

import typer
from typer.exceptions import TyperException

WRONG_USAGE = 2
_COMPLETION = {
    "install_completion": "Ergänzen mit der Tabulatortaste in dieser Shell einrichten.",
    "show_completion": "Zeigen, was dafür eingerichtet würde.",
}
_QUOTED = re.compile(r"'([^']+)'")


def told_usage(error: TyperException) -> str:
    """Return what is wrong with a command line, and where to read what is possible; empty if that is shown already."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return ""
    ctx = getattr(error, "ctx", None)
    said = _said(error).strip()
    if said and said[-1] not in ".?!":
        said += "."
    return f"{said} `{ctx.command_path} --help` zeigt, was möglich ist." if ctx is not None else said


def _said(error: Any) -> str:
    kind, quoted = type(error).__name__, _QUOTED.findall(error.message)
    if kind == "MissingParameter":
        return f"Es fehlt: {_name(error)}"
    if kind == "NoSuchOption":
        meant = ", ".join(sorted(error.possibilities or ()))
        return f"Die Option {error.option_name} gibt es nicht" + (f". Meinten Sie {meant}?" if meant else "")
    if kind == "BadOptionUsage":
        needs = "kein Wert" if "does not take" in error.message else "ein Wert"
        return f"Zu {error.option_name} gehört {needs}"
    if error.message.startswith("No such command") and quoted:
        meant = ", ".join(quoted[1:])
        return f"Den Befehl „{quoted[0]}“ gibt es nicht" + (f". Meinten Sie {meant}?" if meant else "")
    if error.message.startswith("Missing command"):
        return "Es fehlt ein Befehl"
    if error.message.startswith("Got unexpected extra"):
        return f"„{error.message.partition('(s) (')[2].rstrip(')')}“ ist zu viel"
    problems = getattr(error.__cause__, "errors", None)
    what = error.message
    if problems is not None:
        from vmh_sync.settings_loading import what_is_wrong  # pydantic takes a third of the time of a --help

        what = what_is_wrong(problems()[0])
    if "does not match the format" in what:
        what = "erwartet wird ein Datum wie 2026-01-31"
    return f"{_name(error)}: {what}" if getattr(error, "param", None) is not None else what


def _name(error: Any) -> str:
    return str(error.param_hint or error.param.get_error_hint()).replace("'", "").strip("[]")


def german_help(command: Any) -> None:
    """Let a command and all below it tell their help in German."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = "Angaben"
    rich_utils.OPTIONS_PANEL_TITLE = "Optionen"
    rich_utils.COMMANDS_PANEL_TITLE = "Befehle"
    rich_utils.DEFAULT_STRING = "[sonst: {}]"
    rich_utils.REQUIRED_LONG_STRING = "[nötig]"
    context = typer.Context(command)

    kinds: Any = command.context_class

    class GermanFormatter(kinds.formatter_class):  # type: ignore[misc]
        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, args, prefix or "Aufruf: ")

    kinds.formatter_class = GermanFormatter
    _translate(command, context)


def _translate(command: Any, context: typer.Context) -> None:
    command.options_metavar = "[OPTIONEN]"
    asked = command.get_help_option(context)
    if asked is not None:
        asked.help = "Diese Hilfe zeigen und enden."
    for parameter in command.params:
        parameter.help = _COMPLETION.get(parameter.name, parameter.help)
    if hasattr(command, "commands"):
        command.subcommand_metavar = "BEFEHL …"
        for below in command.commands.values():
            _translate(below, context)
