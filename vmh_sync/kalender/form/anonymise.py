"""Anonymised mode: a neutral title, no notes, no place (specification, kalender.md 3, rule 5)."""

from dataclasses import replace

from vmh_sync.kalender.form.advoware_form import belongs_to
from vmh_sync.kalender.model import Appointment, CalendarRules, TerminFields


def must_anonymise(termin: TerminFields, kuerzel: str, *, full_content: bool) -> bool:
    """Tell whether the Termin may appear in ``kuerzel``'s calendar without its content only.

    True in anonymised mode, and always for a private entry that is not the employee's own. An entry for everybody
    is nobody's own.
    """
    return not full_content or (bool(termin.privat) and not belongs_to(termin, kuerzel))


def anonymised_form(appointment: Appointment, rules: CalendarRules) -> Appointment:
    """Return the form with the neutral title and without notes and place; times, series and privacy stay."""
    return replace(appointment, text=rules.neutral_title, notiz="", ort="")


def shown_form(appointment: Appointment, *, anonymised: bool, rules: CalendarRules) -> Appointment:
    """Return what the Google event is to say about ``appointment``."""
    return anonymised_form(appointment, rules) if anonymised else appointment
