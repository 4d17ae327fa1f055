"""Which Termine and events a plan leaves to a person, because they may be the same appointment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.decision.reads import EmployeeReads, advoware_views
from vmh_sync.kalender.employee.employee_work import EmployeeWork
from vmh_sync.kalender.form.google_form import read_event
from vmh_sync.kalender.model import Appointment, UnreadableAppointmentError
from vmh_sync.kalender.state.pair_rows import record_id
from vmh_sync.kalender.telling.notice_texts import NoticeText, shown
from vmh_sync.kalender.telling.notices import Notice, note
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.plan import TaskKind

REMEDY = (
    "Bitte entscheiden: in der Aufgabe in EspoCRM, in einer Liste (vmh-sync audit kalender doubtful --csv DATEI, dann "
    "--answers DATEI) oder einzeln (vmh-sync audit kalender decide). Wer beide Seiten gleich einträgt, muss nichts "
    "entscheiden."
)


@dataclass(frozen=True, slots=True)
class DoubtfulPair:
    """A Termin and an event that may be the same. ``values`` (title and time of each side) only when asked for."""

    kuerzel: str
    fr_nr: int
    event: str
    reason: str
    values: dict[str, str] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return it as plain data."""
        row: dict[str, object] = {"kuerzel": self.kuerzel, "frNr": self.fr_nr, "event": self.event}
        return row | {"reason": self.reason} | ({"values": dict(self.values)} if self.values else {})


def doubtful_pairs(works: Iterable[EmployeeWork], *, show_values: bool = False) -> list[DoubtfulPair]:
    """Return what the plans of a pass leave to a person."""
    return [found for work in works for found in _of(work, show_values=show_values)]


def _of(work: EmployeeWork, *, show_values: bool) -> Iterable[DoubtfulPair]:
    if work.plan is None or work.reads is None or work.failure is not None:
        return
    for item in work.plan.items:
        for finding in item.doubts:
            if finding.fr_nr is not None and finding.event_id is not None:
                values = _values(work, work.reads, finding.fr_nr, finding.event_id) if show_values else {}
                yield DoubtfulPair(work.kuerzel, finding.fr_nr, finding.event_id, finding.text, values)


def _values(work: EmployeeWork, reads: EmployeeReads, fr_nr: int, event_id: str) -> dict[str, str]:
    decision = work.decision
    if decision is None:
        return {}
    termine = [termin for termin in (*reads.termine, *(reads.colleagues or ())) if termin.fr_nr == fr_nr]
    view = advoware_views(termine, decision.rules)[0].get(fr_nr)
    values = {} if view is None or view.form is None else {"advoware": in_words(view.form)}
    for event in reads.events:
        if event.get("id") == event_id:
            try:
                values["google"] = in_words(read_event(event, decision.rules).form)
            except UnreadableAppointmentError:
                continue
    return values


def in_words(form: Appointment) -> str:
    """Return everything by which two appointments are told apart: title, begin, end, series."""
    last = form.end - timedelta(days=1) if form.all_day else form.end
    begin, end = (shown(point.date() if form.all_day else point) for point in (form.start, last))
    if form.start.date() == last.date():
        end = "" if form.all_day else f"{last:%H:%M}"
    when = f"{begin}–{end}" if end else begin
    series = f", Serie {shown(form.recurrence)}" if form.recurrence else ""
    return f"„{form.text or 'ohne Titel'}“ {when}{series}"


async def note_doubts(context: CalendarContext, work: EmployeeWork) -> None:
    """Store what a person has to decide; told once, whatever passes follow, and again only when it changes."""
    items = work.plan.items if work.plan is not None else ()
    asked = {(doubt.fr_nr, doubt.event_id): item.fr_nr for item in items for doubt in item.doubts}
    open_questions: dict[str, list[DoubtfulPair]] = {}
    for one in _of(work, show_values=True):
        subject = record_id(work.kuerzel, asked.get((one.fr_nr, one.event)), one.event)
        open_questions.setdefault(subject, []).append(one)
    if not open_questions:
        return
    notices = [_notice(record, some) for record, some in open_questions.items()]

    def store(tx: Transaction) -> None:
        for notice in notices:
            note(tx, notice)

    await context.store.write(store)


def _notice(record: str, some: list[DoubtfulPair]) -> Notice:
    """One question, about one Termin and the events that it may be, or about one event and such Termine."""
    by_termin: dict[int, list[DoubtfulPair]] = {}
    for one in some:
        by_termin.setdefault(one.fr_nr, []).append(one)
    asked = [one for pairs in by_termin.values() for one in pairs]
    number = {(one.fr_nr, one.event): place for place, one in enumerate(asked, 1)} if len(asked) > 1 else {}
    compared = "\n".join(_compared(pairs, number) for pairs in by_termin.values())
    choice, same = ("gleich 1", "„gleich“ und die Nummer") if number else ("gleich", "„gleich“")
    steps = (
        "Prüfen, ob es derselbe Termin ist. Bis dahin wird auf keiner Seite etwas angelegt.",
        f"Derselbe: oben hinter „Antwort“ {same} schreiben und speichern; es gilt, was in Advoware steht. Oder beide "
        "Seiten gleich eintragen (Titel, Beginn, Ende).",
        "Zwei verschiedene: „verschieden“ schreiben, oder nur diese Aufgabe schließen; dann bekommt jede Seite beide.",
        "Der nächste Abgleich (alle 15 Minuten) führt es aus und schließt diese Aufgabe.",
    )
    text = NoticeText(
        "Vielleicht derselbe Termin: bitte entscheiden", f"{compared}\n\nAntwort ({choice} oder verschieden):", steps
    )
    pairs = tuple((one.fr_nr, one.event) for one in asked)
    return Notice(some[0].kuerzel, record, TaskKind.CALENDAR_DOUBTFUL, text, pairs=pairs)


def _compared(some: list[DoubtfulPair], number: Mapping[tuple[int, str], int]) -> str:
    first = some[0]
    said = first.values.get("advoware", f"frNr {first.fr_nr}")
    lines = []
    for one in some:
        mark = f"{number[one.fr_nr, one.event]})" if number else "-"
        lines.append(f"{mark} in Google {one.values.get('google', '')} ({one.reason})")
    return f"In Advoware {said} (frNr {first.fr_nr}, Kalender {first.kuerzel}):\n" + "\n".join(lines)
