"""``vmh-sync doctor``: prints what is in order, what is not, and what to do."""

import asyncio
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from vmh_sync.commands.screens.output import RECORDS_FAILED, print_json
from vmh_sync.doctor.examination import examine
from vmh_sync.doctor.line import Level, Line

_WORDS = {
    Level.OK: "[green]ok[/green]     ",
    Level.HINT: "[yellow]Hinweis[/yellow]",
    Level.PROBLEM: "[red]Problem[/red]",
}


def command(*, as_json: bool) -> None:
    """Run every check and print the result; ends the process with 0 (in order) or 3 (problems)."""
    lines = asyncio.run(examine())
    problems = sum(line.level is Level.PROBLEM for line in lines)
    if as_json:
        print_json({"ok": problems == 0, "problems": problems, "lines": [line.to_json() for line in lines]})
    else:
        _show(lines, problems)
    sys.exit(RECORDS_FAILED if problems else 0)


def _show(lines: Sequence[Line], problems: int) -> None:
    console = Console(emoji=False, soft_wrap=True, highlight=False)
    for line in lines:
        console.print(f"{_WORDS[line.level]}  {escape(line.name)}: {escape(line.text)}")
        if line.remedy:
            console.print(f"         → {escape(line.remedy)}")
    found = "1 Problem" if problems == 1 else f"{problems} Probleme"
    console.print(f"{found} gefunden." if problems else "Alles in Ordnung.")
