"""The pages that are made from the code say what the code says, and the site names every page."""

from pathlib import Path

from vmh_sync_tests.docs_pages import FOLDER, pages

ROOT = Path(__file__).parents[3]


def test_the_pages_made_from_code_are_up_to_date() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert kept == pages(), "make docs"


def test_the_site_names_every_page() -> None:
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = [str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")]
    assert [page for page in named if page not in site] == []
