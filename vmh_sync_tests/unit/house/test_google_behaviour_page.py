"""docs/google-behaviour.md names a contract test for every point, and every one of them exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONTRACT = ROOT / "vmh_sync_tests" / "contract" / "google"
POINT = re.compile(r"^\| (\d+) \| .+ \| `(test_\w+\.py)::(test_\w+)` \|$", re.MULTILINE)


def test_every_point_of_googles_behaviour_is_held_by_a_test_of_its_own() -> None:
    page = (ROOT / "docs" / "google-behaviour.md").read_text(encoding="utf-8")
    points = POINT.findall(page)
    assert [int(number) for number, _, _ in points] == list(range(1, len(points) + 1)) and len(points) >= 65
    assert len({(file, test) for _, file, test in points}) == len(points)
    there = {
        (path.name, node.name)
        for path in CONTRACT.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert {(file, test) for _, file, test in points} <= there
    assert page.startswith("# ") and f"{len(points)} points" in page
