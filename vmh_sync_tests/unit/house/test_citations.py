"""Every rule that code, tests and pages cite can be looked up: the page exists, and so does its section."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = {
    path.name: path for folder in (ROOT, ROOT / "docs", *(ROOT / "docs").glob("*/")) for path in folder.glob("*.md")
}
_CITED = re.compile(
    r"(?<![.\w])([A-Za-z][A-Za-z0-9-]*\.md)\b(?!\()"
    r"(?: (?=[A-Z]?\d)([A-Z]?\d+)[a-z]?\b(?:(?:,| and| to|-) ?([A-Z]?\d+)\b)?)?"
)
_HEADING = re.compile(r"^#{1,3} ([A-Z]?\d+)\.", re.MULTILINE)


def texts() -> Iterator[Path]:
    """Return every file of ours that may cite a rule."""
    for folder in ("vmh_sync", "vmh_sync_tests"):
        yield from (ROOT / folder).rglob("*.py")
    yield from PAGES.values()


def citations(path: Path) -> Iterator[tuple[str, str]]:
    """Yield page and section (or nothing) of each citation in a file."""
    for found in _CITED.finditer(path.read_text(encoding="utf-8")):
        yield found[1], found[2] or ""
        if found[3]:
            yield found[1], found[3]


def sections(page: Path) -> set[str]:
    """Return the numbers of a page's sections."""
    return set(_HEADING.findall(page.read_text(encoding="utf-8")))


def dangling(path: Path) -> Iterator[str]:
    """Name every citation of a file that leads nowhere."""
    for name, section in citations(path):
        if name not in PAGES:
            yield f"{path.name}: {name} is not a page of this project"
        elif section and section not in sections(PAGES[name]):
            yield f"{path.name}: {name} has no section {section}"


def test_every_citation_leads_to_a_section() -> None:
    assert [problem for path in sorted(texts()) for problem in dangling(path)] == []


def test_a_citation_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    file, absent = tmp_path / "some.py", 99
    file.write_text(f"# sync-semantics.md 3 and {absent}; nowhere{'.md'} 1")
    assert list(dangling(file)) == [
        f"some.py: sync-semantics.md has no section {absent}",
        f"some.py: nowhere{'.md'} is not a page of this project",
    ]
