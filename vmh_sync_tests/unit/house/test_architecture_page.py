"""The page that shows strangers the way names files and rooms that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", PAGE)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / "vmh_sync" / name).is_file()] == []


def test_every_room_is_drawn() -> None:
    drawing = PAGE.partition("```mermaid")[2].partition("```")[0]
    rooms = {path.parent.name for path in (ROOT / "vmh_sync").glob("*/__init__.py")}
    words = set(re.findall(r"[a-z_]+", drawing))
    assert rooms - words == set(), "a room that the page does not draw"
