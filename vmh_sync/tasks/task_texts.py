"""The German texts of manual tasks: a name, and numbered steps that a secretary can follow.

One task per record, kind and set of fields (specification, sync-semantics.md 8).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vmh_sync.sync.fields import is_foreign
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.reporting.reported_text import nameable
from vmh_sync.sync.reporting.words_de import BETNR_FIELD, SIDES

NAME_LIMIT = 150


@dataclass(frozen=True, slots=True, repr=False)
class Wording:
    """What a task says."""

    name: str
    description: str


MOST_TOLD = 60
"""Entries of one task that are told one by one."""


def wording_of_all(
    kind: TaskKind,
    told: Sequence[tuple[Mapping[str, str], Mapping[str, object]]],
    *,
    betnr: int | None,
    edited: str = "",
) -> Wording:
    """Return name and description of one task about several entries of a record, each with its labels and details.

    ``edited`` says who changed the record last, on each side; it stands where that helps to decide.
    """
    where = f"Beteiligter {betnr}" if betnr is not None else "der Beteiligte"
    parts = [_TEXTS[kind](", ".join(labels.values()), where, labels, details) for labels, details in told]
    title, intro, _ = parts[0]
    if len(parts) > 1:
        title = f"{title[: NAME_LIMIT - 20]} (und {len(parts) - 1} weitere)"
        lines = list(dict.fromkeys(one.replace("\n", "\n  ") for _, one, _ in parts))
        intro = "\n".join(f"– {line}" for line in lines[:MOST_TOLD])
        if len(lines) > MOST_TOLD:
            intro += f"\n– … und {len(lines) - MOST_TOLD} weitere"
    if edited and kind in _EDITED:
        intro += f"\n{edited}"
    steps = _all_steps([steps for _, _, steps in parts])
    lines = [intro, "", *(f"{number}. {step}" for number, step in enumerate(steps, 1))]
    return Wording(nameable(title)[:NAME_LIMIT], "\n".join(lines))


def _all_steps(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return the steps of all, each once; what all end with stays the end."""
    last = lists[0][-1]
    steps = list(dict.fromkeys(step for steps in lists for step in steps if step != last))
    more = [f"… und {len(steps) - MOST_TOLD} weitere."] if len(steps) > MOST_TOLD else []
    return [*steps[:MOST_TOLD], *more, last]


def wording(kind: TaskKind, *, labels: Mapping[str, str], betnr: int | None, details: Mapping[str, object]) -> Wording:
    """Return name and description of a task.

    ``labels`` maps the fields concerned to their German names; ``details`` is what the plan noted (values included:
    they may stand in EspoCRM, where the record stands, but nowhere else).
    """
    return wording_of_all(kind, [(labels, details)], betnr=betnr)


_EDITED = frozenset(
    {
        TaskKind.CONFLICT,
        TaskKind.VALUE_REFUSED,
        TaskKind.READONLY_FIELD,
        TaskKind.ADDRESS_FIELD_UPDATE,
        TaskKind.BANK_UPDATE,
        TaskKind.CHILD_UPDATE,
    }
)
"""Kinds in which it helps to know who typed last."""


Parts = tuple[str, str, list[str]]

_CLOSES_ITSELF = "Speichern. Diese Aufgabe schließt sich danach von selbst."
_DONE = "Diese Aufgabe als erledigt kennzeichnen."


def _shown(value: Any) -> str:
    if is_foreign(value):
        value = value.split(":", 1)[1]  # a word that only one side knows: people see the word itself
    return "(leer)" if value in (None, "") else f"„{value}“"


def _of(side: str | None) -> str:
    return f" aus {SIDES[side]}" if side else ""


def _readonly(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"Advoware von Hand ändern: {fields}",
        f"In EspoCRM wurde {fields} geändert. Advoware lässt das nicht von außen ändern.",
        [
            f"In Advoware öffnen: {where}.",
            f"{fields} ändern: bisher {_shown(details.get('standing'))}, gewünscht {_shown(details.get('wanted'))}.",
            _CLOSES_ITSELF,
        ],
    )


def _conflict(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, Any]) -> Parts:
    verb = "wurden" if len(labels) > 1 else "wurde"
    if held := details.get("held"):
        values = held if isinstance(held, dict) else dict.fromkeys(labels, details) if "espocrm" in details else {}
        both = [
            f"{labels.get(name, name)}: in EspoCRM {_shown(one['espocrm'])}, in Advoware {_shown(one['advoware'])}."
            for name, one in sorted(values.items())
        ]
        return (
            f"Bitte entscheiden: {fields}",
            "\n".join((f"{fields} {verb} auf beiden Seiten verschieden geändert. Nichts wurde überschrieben.", *both)),
            [f"Hier und in Advoware ({where}) denselben, richtigen Wert eintragen.", _CLOSES_ITSELF],
        )
    lines = [
        f"{labels.get(name, name)}: jetzt gilt {_shown(entry.get('stands'))}, "
        f"verworfen wurde {_shown(entry.get('lost'))}{_of(entry.get('lost_in'))}."
        for name, entry in sorted(details.get("decided", {}).items())
    ]
    title, intro = f"Gleichzeitig geändert: {fields}", f"{fields} {verb} auf beiden Seiten verschieden geändert."
    if details.get("two_homes"):
        title, intro = (
            "Zwei Namen für eine Firma",
            "Der Name der Firma steht in EspoCRM an zwei Stellen, und dort wurde Verschiedenes eingetragen.",
        )
    return (
        title,
        "\n".join((intro, *lines, *(f"{one}." for one in details.get("who", ())))),
        ["Ist der geltende Wert falsch: hier in EspoCRM den richtigen eintragen und speichern.", _DONE],
    )


def _refused(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    target = "EspoCRM" if details.get("side") == "espocrm" else "Advoware"
    wanted, standing = _shown(details.get("wanted")), _shown(details.get("standing"))
    stands = "" if wanted == standing else f" Dort steht {standing}."
    return (
        f"Wert nicht übertragbar: {fields} {wanted}",
        f"{target} nimmt den Wert {wanted} für {fields} nicht an "
        f"({details.get('why', 'unbekannter oder unzulässiger Wert')}).{stands}",
        ["Den Wert so eintragen, dass beide Seiten ihn annehmen.", _CLOSES_ITSELF],
    )


def _missing(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"In Advoware gelöscht: {where}",
        f"{where} wurde in Advoware gelöscht und steht noch in EspoCRM.",
        [
            "War das gewollt: den Datensatz auch hier löschen, oder diese Aufgabe als erledigt kennzeichnen.",
            "Wenn nicht: in Advoware wiederherstellen. Diese Aufgabe schließt sich dann von selbst.",
        ],
    )


def _create_unknown(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        "Anlage in Advoware prüfen",
        "Advoware hat nicht bestätigt, ob der Beteiligte angelegt wurde. Damit er nicht doppelt entsteht, geschieht "
        "nichts weiter.",
        [
            "In Advoware nach dem Beteiligten suchen.",
            f"Gibt es ihn: seine Nummer hier in das Feld {BETNR_FIELD} eintragen und speichern.",
            "Gibt es ihn nicht: in Advoware anlegen und die neue Nummer ebenso eintragen.",
        ],
    )


MOST_NAMED = 5
"""As many parties are named that are new since a create, the likeliest first; of the others their count is told."""


def _twin(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, Any]) -> Parts:
    found = details.get("found", ())
    doubles = _doubles(details.get("same_side", ()))
    if not found:
        return _twin_in_espocrm(doubles)
    named = [entry for at, entry in enumerate(found) if at < MOST_NAMED or not entry.get("unheard")]
    more = len(found) - len(named)
    numbers = [str(entry.get("betnr")) for entry in named]
    lines = [
        ", ".join((f"Nr. {entry.get('betnr')}: {_shown(entry.get('name'))}", *_why_a_twin(entry))) for entry in named
    ]
    some, further = " oder ".join(numbers), ""
    if more:
        last = max(int(entry.get("betnr", 0)) for entry in found)
        lines.append(f"… und {more} weitere bis Nr. {last}, die in Advoware seit der Anlage entstanden sind")
        some, further = "seine Nummer", f" und {more} weitere"
    return (
        f"Verknüpfen oder neu anlegen? In Advoware gibt es schon Nr. {', '.join(numbers)}{further}",
        "\n".join(
            (
                "In Advoware gibt es vielleicht schon denselben; bis zur Entscheidung wird nichts angelegt.",
                *lines,
                *([f"Auch in EspoCRM gibt es ihn vielleicht ein zweites Mal: {doubles}."] if doubles else ()),
            )
        ),
        [
            f"Derselbe: {some} hier beim Beteiligten in das Feld {BETNR_FIELD} eintragen. {_CLOSES_ITSELF}",
            "Jemand anderes: nur diese Aufgabe schließen, ohne Nummer; dann wird er in Advoware angelegt.",
        ],
    )


def _why_a_twin(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry.get("agreeing"):
        yield f"gleich oder ähnlich: {', '.join(_FEATURES.get(name, name) for name in entry['agreeing'])}"
    if entry.get("unheard"):
        yield "vielleicht durch eine Anlage aus EspoCRM entstanden, die Advoware nicht bestätigt hat"


def _doubles(entries: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{_shown(entry.get('name'))} (ID {entry.get('espo_id')}), gleich oder ähnlich: "
        + ", ".join(_FEATURES.get(name, name) for name in entry.get("agreeing", ()))
        for entry in entries
    )


def _twin_in_espocrm(doubles: str) -> Parts:
    return (
        "Zweimal in EspoCRM? Bitte zusammenführen oder beide behalten",
        f"Vielleicht derselbe: {doubles}. Bis zur Entscheidung wird in Advoware nichts angelegt.",
        [
            "Derselbe: die beiden in EspoCRM zusammenführen. Diese Aufgabe schließt sich danach von selbst.",
            "Zwei verschiedene: nur diese Aufgabe schließen; dann wird er in Advoware angelegt.",
        ],
    )


_FEATURES = {
    "name": "Name",
    "vorname": "Vorname",
    "geburtsname": "Geburtsname",
    "geburtsdatum": "Geburtsdatum",
    "geburtsdatum_aehnlich": "Geburtsdatum (ähnlich)",
    "email": "E-Mail-Adresse",
    "telefon": "Telefon",
    "iban": "IBAN",
    "ort": "Ort",
    "strasse": "Straße",
    "handelsregister_nummer": "Handelsregisternummer",
}


def _what_happened(details: Mapping[str, object]) -> str:
    if details.get("moved_to"):
        return f"dem Beteiligten {details['moved_to']} zugeordnet"
    if "moved_to" in details:
        return "von diesem Beteiligten gelöst"
    return "gelöscht" if details.get("deleted") else "auf inaktiv gesetzt"


def _address_delete(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"Adresse in Advoware löschen: {where}",
        f"Eine Adresse wurde in EspoCRM {_what_happened(details)}. Advoware lässt das nicht von außen zu.",
        [
            f"In Advoware öffnen: {where}, Adressen.",
            f"Die Adresse {_shown(details.get('standing'))} löschen, oder bei „Gültig bis“ das Ende eintragen.",
            _CLOSES_ITSELF,
        ],
    )


def _address_reactivate(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"Adresse in Advoware wieder aktivieren: {where}",
        f"Die Adresse {_shown(details.get('wanted'))} wurde in EspoCRM wieder auf aktiv gesetzt.",
        [
            f"In Advoware öffnen: {where}, Adressen.",
            "Bei der Adresse „Gültig bis“ leeren; gibt es sie dort nicht mehr, neu anlegen.",
            _CLOSES_ITSELF,
        ],
    )


def _by_hand(labels: Mapping[str, str], details: Mapping[str, Any]) -> list[str]:
    """One step per field: at which entry, what stands in Advoware, and what should."""
    at = f" bei {_shown(details['title'])}" if details.get("title") else ""
    return [
        f"{labels.get(name, name)}{at} ändern: bisher {_shown(entry.get('standing'))}, "
        f"gewünscht {_shown(entry.get('wanted'))}."
        for name, entry in sorted(details.get("changes", {}).items())
    ]


def _address_fields(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"Adresse in Advoware ändern: {where} ({fields})",
        f"In EspoCRM wurde an einer Adresse geändert: {fields}. Advoware nimmt das nicht von außen an. "
        f"In EspoCRM jetzt: {_shown(details.get('title'))}.",
        [
            f"In Advoware öffnen: {where}, Adressen.",
            *_by_hand(labels, details),
            _CLOSES_ITSELF,
        ],
    )


def _bank_update(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"Bankverbindung in Advoware ändern: {where} ({fields})",
        f"In EspoCRM wurde an einem Konto geändert: {fields}. Advoware nimmt das nicht von außen an. "
        f"In EspoCRM jetzt: {_shown(details.get('title'))}.",
        [
            f"In Advoware öffnen: {where}, Bankverbindungen.",
            *_by_hand(labels, details),
            _CLOSES_ITSELF,
        ],
    )


def _bank_delete(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"Bankverbindung in Advoware löschen: {where}",
        f"Ein Konto wurde in EspoCRM {_what_happened(details)}. Advoware lässt das nicht von außen zu.",
        [
            f"In Advoware öffnen: {where}, Bankverbindungen.",
            f"Das Konto {_shown(details.get('standing'))} löschen.",
            _CLOSES_ITSELF,
        ],
    )


def _child_update(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    return (
        f"In Advoware ändern: {fields} ({where})",
        f"In EspoCRM wurde {fields} geändert. Advoware nimmt das nicht von außen an.",
        [f"In Advoware öffnen: {where}.", *_by_hand(labels, details), _CLOSES_ITSELF],
    )


def _child_delete(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, object]) -> Parts:
    what = _shown(details.get("standing"))
    return (
        f"In Advoware löschen: {where}",
        f"{what} wurde in EspoCRM {_what_happened(details)}. Advoware lässt das nicht von außen zu.",
        [f"In Advoware öffnen: {where}.", f"{what} löschen.", _CLOSES_ITSELF],
    )


def _general(fields: str, where: str, labels: Mapping[str, str], details: Mapping[str, Any]) -> Parts:
    return (
        str(details.get("title", f"Bitte prüfen: {where}")),
        str(details.get("intro", "Der Abgleich braucht hier die Entscheidung eines Menschen.")),
        [str(step) for step in details.get("steps", ("Den Datensatz auf beiden Seiten prüfen.",))],
    )


_TEXTS = {
    TaskKind.READONLY_FIELD: _readonly,
    TaskKind.CONFLICT: _conflict,
    TaskKind.VALUE_REFUSED: _refused,
    TaskKind.MISSING_IN_ADVOWARE: _missing,
    TaskKind.CREATE_UNKNOWN: _create_unknown,
    TaskKind.TWIN_SUSPECTED: _twin,
    TaskKind.ADDRESS_DELETE: _address_delete,
    TaskKind.ADDRESS_REACTIVATE: _address_reactivate,
    TaskKind.ADDRESS_FIELD_UPDATE: _address_fields,
    TaskKind.BANK_UPDATE: _bank_update,
    TaskKind.BANK_DELETE: _bank_delete,
    TaskKind.CHILD_UPDATE: _child_update,
    TaskKind.CHILD_DELETE: _child_delete,
    # The calendar knows its appointments: it hands over the whole text.
    TaskKind.CALENDAR_LOSS: _general,
    TaskKind.CALENDAR_DEADLINE: _general,
    TaskKind.CALENDAR_DOUBTFUL: _general,
    TaskKind.DEADLINE_LIST: _general,
    TaskKind.GENERAL: _general,
}
