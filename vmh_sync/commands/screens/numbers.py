"""Numbers of parties on the command line."""

import typer

from vmh_sync.whole_number import whole_number

LONGEST_RANGE = 1_000_000


def number_range(text: str) -> range:
    """Return the numbers of ``VON-BIS``; raises ``typer.BadParameter``."""
    first, last = (whole_number(part.strip()) or 0 for part in (text.partition("-")[0], text.partition("-")[2]))
    if not 0 < first <= last:
        raise typer.BadParameter(f"„{text}“ ist kein Nummernkreis. Erwartet wird VON-BIS, zum Beispiel 1-5000.")
    if last - first >= LONGEST_RANGE:
        raise typer.BadParameter(f"Der Nummernkreis ist zu groß: höchstens {LONGEST_RANGE:,} Nummern.")
    return range(first, last + 1)


def number_list(text: str) -> list[int]:
    """Return the numbers of ``1,2,3``; raises ``typer.BadParameter``."""
    numbers = [whole_number(part.strip()) or 0 for part in text.replace(";", ",").split(",") if part.strip()]
    if not numbers or not all(numbers):
        raise typer.BadParameter(f"„{text}“ ist keine Liste von Nummern. Erwartet wird zum Beispiel 4711,4712.")
    return list(dict.fromkeys(numbers))
