"""What a history with a violation leaves behind to be looked at: both systems, our database, what people typed."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from vmh_sync.store.models import Base
from vmh_sync_tests.chaos.place import Place

CALLS = 5_000


def keep(folder: Path, place: Place, typed: Any) -> None:
    """Write the state of everything in a place into a folder, as JSON (the database: a line a row)."""
    folder.mkdir(parents=True, exist_ok=True)
    firm = place.firm
    systems = {"office": firm.office, "crm": firm.crm, "google": firm.sandbox.google}
    found = {name: system.state() for name, system in systems.items()}
    found |= {f"{name}.calls": system.calls(CALLS) for name, system in systems.items()}
    found |= {"typed": typed, "installation": firm.sandbox.description["installation"]}
    for name, value in found.items():
        (folder / f"{name}.json").write_text(_text(value, indent=1))
    with firm.store.reading() as tx, (folder / "database.jsonl").open("w") as file:
        for table in Base.metadata.sorted_tables:
            for row in tx.audit._connection.execute(select(table)).mappings():
                file.write(f"{table.name} {_text(dict(row))}\n")


def _text(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, indent=indent)
