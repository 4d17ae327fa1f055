"""Appointments a second of the pure conversion: ``python -m vmh_sync_tests.bench.bench_conversion [number]``.

In CPU time of this process, so that what else the machine does counts little, and without Python's garbage collector,
which would mostly look through what the benchmark itself keeps (as ``timeit`` does).
"""

import gc
import sys
import time
from collections.abc import Callable, Sequence

from vmh_sync.kalender.decision.reads import EmployeeReads, GoogleRead
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.form.advoware_form import decoration_of, read_termin
from vmh_sync.kalender.form.google_form import read_event, to_event
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.model import BaseForm, CalendarRules, PairState, TerminFields
from vmh_sync.kalender.plan import plan_employee
from vmh_sync_tests.property.kalender.simulated_sides import NOW

RULES = CalendarRules()


def appointments(number: int) -> list[TerminFields]:
    """A mix like a firm's: nine single appointments to one series, notes with umlauts, every tenth a whole day."""
    made = []
    for index in range(number):
        day = f"2026-{index % 12 + 1:02d}-{index % 28 + 1:02d}T00:00:00"
        series = index % 10 == 3
        made.append(
            TerminFields(
                index + 1,
                text=f"Verhandlung {index}",
                notiz="Mandant Müller & Söhne\r\nUnterlagen mitbringen",
                ort="Amtsgericht, Saal 3",
                datum=day,
                uhrzeit_von="00:00:00" if index % 10 == 7 else "10:30:00",
                uhrzeit_bis="23:59:00" if index % 10 == 7 else "11:30:00",
                datum_bis="2027-06-30" if series else day,
                dauertermin=int(series),
                turnus=1 if series else 0,
                turnus_art=2 if series else 0,
                anwalt="SB",
                vorbereitungs_dauer="00:30:00" if index % 5 == 0 else None,
            )
        )
    return made


def measured(what: str, number: int, work: Callable[[], Sequence[object]]) -> Sequence[object]:
    gc.collect()
    gc.disable()
    begun = time.process_time()
    result = work()
    took = time.process_time() - begun
    gc.enable()
    sys.stdout.write(f"{what:<36}{number / took:>12,.0f} appointments/s\n")
    return result


def main(number: int = 100_000) -> None:
    termine = appointments(number)
    forms = [read_termin(termin, RULES) for termin in termine]
    decorations = [decoration_of(termin, anonymised=False, rules=RULES) for termin in termine]
    measured("Advoware -> normal form", number, lambda: [read_termin(termin, RULES) for termin in termine])
    bodies = [
        {"id": f"e{termin.fr_nr}", **to_event(form, RULES, fr_nr=termin.fr_nr, decoration=decoration)}
        for termin, form, decoration in zip(termine, forms, decorations, strict=True)
    ]
    measured(
        "normal form -> Google",
        number,
        lambda: [
            to_event(form, RULES, fr_nr=1, decoration=decoration)
            for form, decoration in zip(forms, decorations, strict=True)
        ],
    )
    measured("Google -> normal form", number, lambda: [read_event(body, RULES) for body in bodies])
    measured(
        "there and back",
        number,
        lambda: [
            read_event(
                to_event(
                    read_termin(termin, RULES),
                    RULES,
                    fr_nr=termin.fr_nr,
                    decoration=decoration_of(termin, anonymised=False, rules=RULES),
                ),
                RULES,
            )
            for termin in termine
        ],
    )
    pairs = tuple(
        PairState(termin.fr_nr, f"e{termin.fr_nr}", base=BaseForm(form, form, False, decoration))
        for termin, form, decoration in zip(termine, forms, decorations, strict=True)
    )
    ctx = DecisionContext("SB", window_at(NOW, RULES), RULES)
    reads = EmployeeReads(tuple(termine), (), pairs, google_read=GoogleRead.DELTA)
    measured("plan, nothing changed", number, lambda: plan_employee(reads, ctx).items)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
