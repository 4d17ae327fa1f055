"""What the demo shows on purpose: a conflict, a refused value that is corrected, a failed record that is repaired."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from rich.table import Table

from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.sync.reporting.outcome import PassSummary

Json = dict[str, Any]

TOO_LONG = 160
"""More than any field for a name takes in EspoCRM, and less than Advoware takes."""
_SETTLED = ("Completed", "Canceled")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story: what people did, what became of it, and whether it is what should become of it."""

    case: str
    done: str
    became: str
    good: bool


@dataclass(frozen=True, slots=True)
class _Party:
    espo_id: str
    betnr: int
    name: str


class Cases:
    """Plays the three cases at three parties that are the same on both sides. ``urls`` are the control addresses."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls

    def play(self) -> list[Step]:
        """Let people edit and sync; returns what happened, in order. A firm of fewer parties shows fewer cases."""
        plays = (self._conflict, self._refused, self._repaired)
        return [step for play, party in zip(plays, self._parties(len(plays)), strict=False) for step in play(party)]

    def _conflict(self, party: _Party) -> list[Step]:
        typed_one, typed_other = self._new_titles(party, "Prof.", "Dr.", "LL.M.")[:2]
        self._type_in_advoware(party, titel=typed_one)
        self._type_in_espocrm(party, titel=typed_other)
        _sync(party)
        in_espocrm, in_advoware, tasks = (
            self._espo_party(party)["titel"],
            self._advoware_party(party)["titel"],
            self._tasks(party),
        )
        became = f"{in_espocrm} gilt auf beiden Seiten; {len(tasks)} Aufgabe nennt den anderen Wert"
        done = f"Titel in Advoware „{typed_one}“, in EspoCRM „{typed_other}“"
        return [Step("Konflikt", done, became, in_espocrm == in_advoware and len(tasks) == 1)]

    def _refused(self, party: _Party) -> list[Step]:
        long = f"{party.name} und Partner Rechtsnachfolger ".ljust(TOO_LONG, "x")
        self._type_in_advoware(party, name=long)
        _sync(party)
        tasks, status = len(self._tasks(party)), self._espo_party(party)["syncStatus"]
        done = f"Name mit {len(long)} Zeichen in Advoware, mehr als EspoCRM nimmt"
        became = f"bleibt in Advoware stehen; Status {status}, {tasks} Aufgabe"
        told = Step("Abgelehnter Wert", done, became, tasks == 1 and self._advoware_party(party)["name"] == long)
        self._type_in_advoware(party, name=party.name)
        _sync(party)
        tasks, status = len(self._tasks(party)), self._espo_party(party)["syncStatus"]
        became = f"Status {status}, die Aufgabe hat sich geschlossen" if not tasks else f"{tasks} Aufgabe noch offen"
        return [told, Step("", "Der Name wird gekürzt", became, not tasks and status == "clean")]

    def _repaired(self, party: _Party) -> list[Step]:
        title = self._new_titles(party, "LL.M.", "Dr.")[0]
        self._type_in_espocrm(party, titel=title)
        with self._advoware_fails(party):
            failed = _sync(party).failures
        done = "Advoware antwortet auf den Titel mit einem Fehler"
        told = Step(
            "Reparatur",
            done,
            f"Status {self._espo_party(party)['syncStatus']}, die Meldung steht am Datensatz",
            bool(failed),
        )
        run_sync(target("beteiligte"), SyncOrder((), "failed"))
        status = self._espo_party(party)["syncStatus"]
        good = status == "clean" and self._advoware_party(party)["titel"] == title
        return [
            told,
            Step("", "vmh-sync sync beteiligte --failed", f"Status {status}, der Titel steht in Advoware", good),
        ]

    # people and systems

    def _new_titles(self, party: _Party, *titles: str) -> list[str]:
        """Return those that the party does not have: typing what stands there already would be no edit."""
        return [title for title in titles if title != self._espo_party(party).get("titel")]

    def _type_in_advoware(self, party: _Party, **values: Any) -> None:
        self._post("advoware", "edit", {"entity": "Beteiligte", "id": party.betnr, "values": values})

    def _type_in_espocrm(self, party: _Party, **values: Any) -> None:
        self._post("espocrm", "edit", {"entity": "CBeteiligte", "id": party.espo_id, "values": values})

    @contextmanager
    def _advoware_fails(self, party: _Party) -> Iterator[None]:
        rule = {"action": "status", "status": 500, "method": "PUT", "path": f"Beteiligte/{party.betnr}$"}
        self._post("advoware", "faults", rule)
        try:
            yield
        finally:
            httpx.delete(f"{self._urls['advoware']}/_sandbox/faults", timeout=60, trust_env=False).raise_for_status()

    def _parties(self, count: int) -> list[_Party]:
        parties = {row["betNr"]: row for row in self._state("advoware")["beteiligte"]}
        linked = [row for row in self._records("CBeteiligte") if row.get("betnr") in parties]
        quiet = [row for row in linked if row["syncStatus"] == "clean"]
        return [_Party(row["id"], row["betnr"], parties[row["betnr"]]["name"]) for row in quiet[:count]]

    def _espo_party(self, party: _Party) -> Json:
        return next(row for row in self._records("CBeteiligte") if row["id"] == party.espo_id)

    def _advoware_party(self, party: _Party) -> Json:
        return next(row for row in self._state("advoware")["beteiligte"] if row["betNr"] == party.betnr)

    def _tasks(self, party: _Party) -> list[Json]:
        of_party = [task for task in self._records("Task") if task.get("parentId") == party.espo_id]
        return [task for task in of_party if task.get("status") not in _SETTLED]

    def _records(self, entity: str) -> list[Json]:
        rows: list[Json] = self._state("espocrm")["records"].get(entity, [])
        return [row for row in rows if not row.get("deleted")]

    def _state(self, name: str) -> Json:
        answer = httpx.get(f"{self._urls[name]}/_sandbox/state", timeout=60, trust_env=False)
        state: Json = answer.raise_for_status().json()
        return state

    def _post(self, name: str, path: str, body: Json) -> None:
        url = f"{self._urls[name]}/_sandbox/{path}"
        httpx.post(url, json=body, timeout=60, trust_env=False).raise_for_status()


def _sync(party: _Party) -> PassSummary:
    return run_sync(target("beteiligte"), SyncOrder((party.espo_id,), None))[0]


def cases_table(steps: list[Step]) -> Table:
    """Show the cases: what people did, what became of it."""
    table = Table(title="Was Menschen sehen, wenn es nicht glattgeht", title_justify="left")
    for heading in ("Fall", "Was geschah", "Was daraus wurde", "Urteil"):
        table.add_column(heading)
    for step in steps:
        table.add_row(step.case, step.done, step.became, "in Ordnung" if step.good else "NICHT in Ordnung")
    return table
