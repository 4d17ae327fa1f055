"""Numbers of parties on the command line."""

import typer

LONGEST_RANGE = 1_000_000


def number_range(text: str) -> range:
    """Return the numbers of ``VON-BIS``; raises ``typer.BadParameter``."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash or not first.isdigit() or not last.isdigit() or not 0 < int(first) <= int(last):
        raise typer.BadParameter(f"„{text}“ ist kein Nummernkreis. Erwartet wird VON-BIS, zum Beispiel 1-5000.")
    if int(last) - int(first) >= LONGEST_RANGE:
        raise typer.BadParameter(f"Der Nummernkreis ist zu groß: höchstens {LONGEST_RANGE:,} Nummern.")
    return range(int(first), int(last) + 1)


def number_list(text: str) -> list[int]:
    """Return the numbers of ``1,2,3``; raises ``typer.BadParameter``."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not parts or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"„{text}“ ist keine Liste von Nummern. Erwartet wird zum Beispiel 4711,4712.")
    return list(dict.fromkeys(int(part) for part in parts))
