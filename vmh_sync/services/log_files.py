"""Keeps the log files of our processes small: ``web.log``, before it ``web.log.1``, ``web.log.2`` and so on."""

import os
import shutil
from pathlib import Path


def rotate(file: Path, *, most_bytes: int, keep: int) -> bool:
    """Move what stands in a log into older files when it has grown beyond ``most_bytes``; returns whether it had.

    The process that writes keeps its file open for appending, so its content is copied and the file emptied. ``keep``
    older files stay. Lines written in the instant between copying and emptying are lost.
    """
    try:
        if file.stat().st_size <= most_bytes:
            return False
    except FileNotFoundError:
        return False
    for number in range(keep - 1, 0, -1):
        older = file.with_name(f"{file.name}.{number}")
        if older.exists():
            older.replace(file.with_name(f"{file.name}.{number + 1}"))
    if keep:
        shutil.copy2(file, file.with_name(f"{file.name}.1"))
    os.truncate(file, 0)
    return True
