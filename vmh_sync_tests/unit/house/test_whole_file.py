"""A file that is replaced is whole at any moment, and nobody but its owner reads it."""

import os
from pathlib import Path

import pytest

from vmh_sync.whole_file import draft_of, write_whole


def test_a_file_is_replaced_with_its_folder_made_and_nothing_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file.json"
    for text in ("eins", "zwei ü"):
        write_whole(file, text)
        assert file.read_text(encoding="utf-8") == text
    assert [*file.parent.iterdir()] == [file]
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_fails_on_the_way_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    write_whole(file, "alt")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(file, "neu")
    assert file.read_text(encoding="utf-8") == "alt"
    assert [*tmp_path.iterdir()] == [file]


def test_a_draft_stands_beside_its_file_and_is_cleaned_away(tmp_path: Path) -> None:
    with draft_of(tmp_path / "file", "text") as draft:
        assert draft.parent == tmp_path and draft.read_text(encoding="utf-8") == "text"
    assert [*tmp_path.iterdir()] == []
