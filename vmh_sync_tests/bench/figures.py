"""Figures that a bench of its own process hands to ``bench all``: lines of JSON in a file."""

import json
import os
from pathlib import Path

PLACE = "VMH_BENCH_FIGURES"


def note(name: str, value: float) -> None:
    """Hand a figure on, if somebody wants it."""
    if place := os.environ.get(PLACE):
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, value]) + "\n")


def noted(place: Path) -> dict[str, float]:
    """What was handed on so far; the last of each name."""
    return dict(json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()) if place.exists() else {}
