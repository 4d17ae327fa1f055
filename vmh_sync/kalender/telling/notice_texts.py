"""What a person reads about an appointment: German sentences for tasks in EspoCRM, which may hold its content.

Nothing of it belongs into a log, a metric or a run's metadata (specification, sync-semantics.md 7).
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from vmh_sync.kalender.decision.operations import ORGANISERS, FieldChange, Finding, FindingKind
from vmh_sync.kalender.model import Appointment, Frequency, Recurrence
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.tasks.bounded_text import MOST_OF_A_LINE

LABELS = {
    "text": "Titel",
    "notiz": "Beschreibung",
    "ort": "Ort",
    "start": "Beginn",
    "end": "Ende",
    "all_day": "ganztägig",
    "recurrence": "Wiederholung",
    "private": "privat",
    "summary": "Titel",
    "description": "Beschreibung",
    "location": "Ort",
    "status": "Status",
    "transparency": "frei/gebucht",
    "visibility": "Sichtbarkeit",
    "colorId": "Farbe",
    "reminders": "Erinnerungen",
    "attendees": "Gäste",
    "attachments": "Anhänge",
    "conferenceData": "Videokonferenz",
    "guestsCanModify": "Gäste dürfen ändern",
    "guestsCanInviteOthers": "Gäste dürfen einladen",
    "guestsCanSeeOtherGuests": "Gäste sehen einander",
    "anyoneCanAddSelf": "jeder darf sich eintragen",
    "source": "Quelle",
    "extendedProperties": "unsere Kennzeichnung",
    "occurrences": "einzelne Termine der Serie",
}
_GOOGLES_WORDS = {
    "status": {"confirmed": "bestätigt", "tentative": "mit Vorbehalt", "cancelled": "abgesagt"},
    "transparency": {"opaque": "gebucht", "transparent": "frei"},
    "visibility": {
        "default": "wie der Kalender",
        "public": "öffentlich",
        "private": "privat",
        "confidential": "vertraulich",
    },
}
_UNSAID = {"transparency": "opaque", "visibility": "default"}
"""What Google means by leaving a field out."""
_FREQUENCIES = {"DAILY": "täglich", "WEEKLY": "wöchentlich", "MONTHLY": "monatlich", "YEARLY": "jährlich"}


@dataclass(frozen=True, slots=True, repr=False)
class NoticeText:
    """A task's title, its first paragraph, and the steps for the person who reads it."""

    title: str
    intro: str
    steps: tuple[str, ...]


def label(field: str) -> str:
    """Return a field's German name."""
    return LABELS.get(field, field)


def labels(fields: Iterable[str]) -> str:
    """Return the German names of some fields, for one line."""
    return ", ".join(sorted(label(field) for field in fields))


def shown(value: object) -> str:
    """Return a value of either side as people read it."""
    match value:
        case None | "" | () | []:
            return "(leer)"
        case bool():
            return "ja" if value else "nein"
        case datetime():
            return f"{value:%d.%m.%Y %H:%M}"
        case date():
            return f"{value:%d.%m.%Y}"
        case Recurrence():
            often = _FREQUENCIES[value.frequency.value]
            until = f" bis {value.until:%d.%m.%Y}" if value.until else ""
            return often + (f", Abstand {value.interval}" if value.interval > 1 else "") + until
        case dict():
            return ", ".join(f"{name} {shown(part)}" for name, part in value.items())
        case list() | tuple():
            return "; ".join(shown(part) for part in value)
        case _:
            return f"„{value}“"


def shown_as(field: str, value: object) -> str:
    """Return the value of a field as people read it; Google's own words in German."""
    words = _GOOGLES_WORDS.get(field)
    if words is not None:
        said = str(value or _UNSAID.get(field, ""))
        return f"„{words.get(said, said)}“" if said else shown(None)
    if field == "reminders" and isinstance(value, dict):
        ahead = [f"{one.get('minutes')} Minuten vorher" for one in value.get("overrides") or ()]
        return "wie im Kalender eingestellt" if value.get("useDefault") else ", ".join(ahead) or "keine"
    return shown(value)


def as_logged(field: str, value: object) -> str:
    """Return a value as people read it that was kept as JSON: of one field, or a whole appointment."""
    if value is None or value == "":
        return shown(None)
    if isinstance(value, Mapping) and isinstance(form := value.get("appointment"), Mapping):
        said = {name: part for name, part in form.items() if part}
        return ", ".join(f"{label(name)}: {as_logged(name, part)}" for name, part in said.items())
    match field:
        case "start" | "end" if isinstance(value, str):
            with suppress(ValueError):
                return shown(datetime.fromisoformat(value))
        case "all_day" | "private":
            return shown(value in (True, "True"))
        case "recurrence" if isinstance(value, Mapping) and value.keys() >= {"frequency", "interval", "until"}:
            until = date.fromisoformat(str(value["until"])) if value["until"] else None
            return shown(Recurrence(Frequency(str(value["frequency"])), int(str(value["interval"])), until))
    return shown_as(field, value)


def amount(count: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{count} {one if count == 1 else many}"


def appointment(form: Appointment | None, kuerzel: str, fr_nr: int | None, event_id: str | None) -> str:
    """Return how an appointment is called: title, day, number and calendar."""
    number = f"frNr {fr_nr}" if fr_nr is not None else f"Ereignis {event_id}"
    if form is None:
        return f"Termin ({number}, Kalender {kuerzel})"
    when = f"{form.start:%d.%m.%Y}" if form.all_day else f"{form.start:%d.%m.%Y %H:%M}"
    return f"„{form.text or 'ohne Titel'}“ am {when} ({number}, Kalender {kuerzel})"


def task_kind(finding: Finding) -> TaskKind | None:
    """Return which task a finding needs; ``None`` if nobody has to be told by a task."""
    if finding.kind is FindingKind.DEADLINE:
        return TaskKind.CALENDAR_DEADLINE
    lost = finding.changes and finding.kind is not FindingKind.NOT_REPRESENTABLE
    return TaskKind.CALENDAR_LOSS if lost else None


def notice_text(finding: Finding, name: str) -> NoticeText:
    """Return what the employee is told about a loss or a change that was taken back; ``name`` is the appointment's."""
    fields = ", ".join(dict.fromkeys(label(change.name) for change in finding.changes))
    values = "; ".join(_value(change) for change in finding.changes)
    intro = _in_lines(f"{name}: {finding.text}." + (f" {values}." if values else ""))
    if finding.kind is FindingKind.DEADLINE:
        title = f"Frist im Google-Kalender geändert: {fields or 'gelöscht'}"
        steps = (
            "Die Änderung im Google-Kalender wurde zurückgenommen; es gilt, was in Advoware steht.",
            "War sie gewollt: den Termin bitte in Advoware ändern, Google folgt von selbst.",
            "Diese Aufgabe als erledigt kennzeichnen.",
        )
        return NoticeText(title, intro, steps)
    remedy = "den richtigen Wert in Advoware eintragen, Google folgt von selbst"
    if finding.text.startswith(ORGANISERS):
        remedy = "den Organisator bitten, das Ereignis in Google zu ändern; ein Eintrag in Advoware gilt nicht"
    steps = (
        "Prüfen, ob der geltende Wert stimmt; oben steht, was jetzt gilt und was verworfen wurde.",
        f"Wenn nicht: {remedy}.",
        "Diese Aufgabe als erledigt kennzeichnen.",
    )
    return NoticeText(f"Termin: eine Änderung gilt nicht ({fields})", intro, steps)


def _in_lines(text: str) -> str:
    """Return a text in lines that no task cuts: the value that was discarded stands nowhere else in it."""
    return "\n".join(text[at : at + MOST_OF_A_LINE] for at in range(0, len(text), MOST_OF_A_LINE))


def _value(change: FieldChange) -> str:
    return (
        f"{label(change.name)}: jetzt gilt {shown_as(change.name, change.new)}, verworfen wurde "
        f"{shown_as(change.name, change.old)}"
    )


def list_text(kuerzel: str, day: date, deadlines: int, differences: Iterable[str]) -> NoticeText:
    """Return the daily word to one employee about the deadlines of the calendar."""
    lines = list(differences)
    compared = f"{amount(deadlines, 'Frist oder Gerichtstermin', 'Fristen und Gerichtstermine')} verglichen"
    if not lines:
        intro = f"{compared}: In Advoware und Google steht dasselbe."
        done = ("Nichts zu tun. Die Aufgabe schließt sich mit der Liste des nächsten Tages von selbst.",)
        return NoticeText(f"Fristen {day:%d.%m.%Y}, {kuerzel}: beide Kalender stimmen überein", intro, done)
    differing = amount(len(lines), "Abweichung", "Abweichungen")
    intro = f"{compared}, {differing}:\n" + "\n".join(f"- {line}" for line in lines)
    steps = (
        "Bis das geklärt ist, gilt der Kalender in Advoware.",
        "Den nächsten Abgleich abwarten (15 Minuten) oder starten; bleibt die Abweichung, die Betreuung des Abgleichs "
        "verständigen.",
    )
    return NoticeText(f"Fristen {day:%d.%m.%Y}, {kuerzel}: {differing}", intro, steps)
