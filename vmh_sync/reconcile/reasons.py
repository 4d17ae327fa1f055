"""Why both sides differ although nothing is wrong, and what a person does next: the words of our open tasks. Pure.

Values stay out of it: they stand in the task in EspoCRM and nowhere else (specification, sync-semantics.md 8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.reporting.words_de import BETNR_FIELD

_LOOK = "die Aufgabe in EspoCRM öffnen und ihren Schritten folgen"
_VALUES = ("value", "values", "wanted", "standing", "title", "name")
"""The details of a task that hold values of the record."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What an open task says: why the sides differ, and the next step, both in German and without values."""

    why: str
    next_step: str = _LOOK


_REASONS = {
    TaskKind.READONLY_FIELD: Reason(
        "Advoware lässt dieses Feld nicht von außen ändern",
        "in Advoware von Hand auf den Stand in EspoCRM bringen",
    ),
    TaskKind.CONFLICT: Reason(
        "auf beiden Seiten verschieden geändert, nichts überschrieben",
        "auf beiden Seiten denselben, richtigen Wert eintragen",
    ),
    TaskKind.MISSING_IN_ADVOWARE: Reason(
        "in Advoware gelöscht", "prüfen, ob das gewollt war; dann auch in EspoCRM löschen oder in Advoware anlegen"
    ),
    TaskKind.CREATE_UNKNOWN: Reason(
        "Advoware hat nicht bestätigt, ob die Anlage gelungen ist",
        f"in Advoware nachsehen und die Nummer in EspoCRM in das Feld {BETNR_FIELD} eintragen",
    ),
    TaskKind.TWIN_SUSPECTED: Reason(
        "in Advoware gibt es vielleicht schon denselben Beteiligten",
        f"verknüpfen (Nummer in das Feld {BETNR_FIELD} eintragen) oder die Aufgabe schließen, dann wird neu angelegt",
    ),
    TaskKind.ADDRESS_DELETE: Reason(
        "in EspoCRM gelöscht oder inaktiv; Advoware lässt Adressen nicht von außen löschen",
        "die Adresse in Advoware löschen oder dort „Gültig bis“ eintragen",
    ),
    TaskKind.ADDRESS_REACTIVATE: Reason(
        "in EspoCRM wieder aktiv; Advoware nimmt das nicht von außen an",
        "in Advoware „Gültig bis“ leeren oder die Adresse neu anlegen",
    ),
    TaskKind.ADDRESS_FIELD_UPDATE: Reason(
        "Advoware nimmt diese Änderung einer Adresse nicht von außen an",
        "die Adresse in Advoware von Hand auf den Stand in EspoCRM bringen",
    ),
    TaskKind.BANK_UPDATE: Reason(
        "Advoware nimmt diese Änderung einer Bankverbindung nicht von außen an",
        "die Bankverbindung in Advoware von Hand auf den Stand in EspoCRM bringen",
    ),
    TaskKind.BANK_DELETE: Reason(
        "in EspoCRM gelöscht; Advoware lässt Bankverbindungen nicht von außen löschen",
        "die Bankverbindung in Advoware löschen",
    ),
    TaskKind.CHILD_UPDATE: Reason(
        "Advoware nimmt diese Änderung nicht von außen an", "in Advoware von Hand auf den Stand in EspoCRM bringen"
    ),
    TaskKind.CHILD_DELETE: Reason("in EspoCRM gelöscht; Advoware lässt das nicht von außen zu", "in Advoware löschen"),
}
_TWIN_IN_ESPOCRM = Reason(
    "in EspoCRM gibt es vielleicht schon denselben Beteiligten",
    "die beiden zusammenführen oder die Aufgabe schließen, dann wird neu angelegt",
)
_OTHER = Reason("der Abgleich braucht hier die Entscheidung eines Menschen")
GONE_FROM_ESPOCRM = Reason("in EspoCRM gelöscht", "in Advoware prüfen, ob der Beteiligte noch gebraucht wird")
"""What the task about a party says that EspoCRM does not have any more."""


def says_itself(message: str) -> Reason:
    """Return what a record says that is not synced before somebody corrects it."""
    return Reason(f"nicht abgeglichen: {message.rstrip('.')}", "den Datensatz in EspoCRM berichtigen")


def reason_of(kind: str, details: Mapping[str, object]) -> Reason:
    """Return what a task of this ``kind`` with these ``details`` says to people."""
    if kind == TaskKind.VALUE_REFUSED:
        return _refused(details)
    if kind == TaskKind.TWIN_SUSPECTED and details.get("same_side") and not details.get("found"):
        return _TWIN_IN_ESPOCRM
    return next((reason for known, reason in _REASONS.items() if known == kind), _OTHER)


def _refused(details: Mapping[str, object]) -> Reason:
    target = "EspoCRM" if details.get("side") == "espocrm" else "Advoware"
    why = str(details.get("why") or details.get("message") or "").rstrip(".")
    tells = why and not any(value in why for value in _values(details))
    return Reason(
        f"{target} nimmt den Wert nicht an" + (f" ({why})" if tells else ""),
        "den Wert so eintragen, dass beide Seiten ihn annehmen; danach wird von selbst abgeglichen",
    )


def _values(details: Mapping[str, object]) -> Iterable[str]:
    """The values that a task is about: a system's own words may repeat them."""
    for name in _VALUES:
        held = details.get(name)
        for value in held if isinstance(held, list | tuple) else (held,):
            if value not in (None, "") and not isinstance(value, bool):
                yield str(value)
