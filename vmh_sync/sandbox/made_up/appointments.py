"""Employees and their appointments in the office, one of each situation (specification, kalender.md 7)."""

import random
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]

_EMPLOYEES = (
    ("AH", "Anja", "Hartung"),
    ("BK", "Bernd", "Kästner"),
    ("CD", "Carla", "Drömer"),
    ("EF", "Erik", "Feldhaus"),
    ("SB", "Silke", "Baumann"),
    ("TW", "Tim", "Wächter"),
)
_SUBJECTS = ("Verhandlung", "Besprechung Mandant", "Telefonat", "Ortstermin", "Fristenkontrolle", "Jour fixe")
_PLACES = ("", "Landgericht, Saal 12", "Kanzlei, Besprechungszimmer", "Amtsgericht, Raum 3")
_TIMED_PER_EMPLOYEE = 8


def employees() -> list[Json]:
    """Return the employees; one of them has left (``aktiv`` false)."""
    rows: list[Json] = [
        {"kuerzel": short, "vorname": first, "name": last, "email": f"{short.lower()}@kanzlei.example", "aktiv": True}
        for short, first, last in _EMPLOYEES
    ]
    left = {"kuerzel": "XX", "vorname": "Xaver", "name": "Ehemals", "email": "xx@kanzlei.example", "aktiv": False}
    return [*rows, left]


def termine(rng: random.Random, today: date) -> list[Json]:
    """Return the appointments around ``today``."""
    rows: list[Json] = []
    for place, (short, _, _) in enumerate(_EMPLOYEES):
        rows += [_timed(rng, short, today) for _ in range(_TIMED_PER_EMPLOYEE)]
        rows.append(_series(short, today + timedelta(days=place), art=place % 4 + 1))
        rows.append(_leave(short, today + timedelta(days=30 + 7 * place), number=-(place + 1)))
    return rows + _special(today)


def _timed(rng: random.Random, short: str, today: date) -> Json:
    day = today + timedelta(days=rng.randrange(-60, 120))
    hour = rng.randrange(8, 17)
    return {
        "text": rng.choice(_SUBJECTS),
        "notiz": rng.choice(("", "Akte mitbringen", "Zeile 1\r\nZeile 2: Grüße")),
        "ort": rng.choice(_PLACES),
        "datum": _day(day),
        "datumBis": _day(day),
        "uhrzeitVon": f"{hour:02d}:00:00",
        "uhrzeitBis": f"{hour:02d}:45:00",
        "sb": short,
        "nr": f"{rng.randrange(1, 900)}/26",
        "azRubrum": "Mustermann ./. Beispiel",
    }


def _series(short: str, first: date, art: int) -> Json:
    return {
        "text": "Regeltermin",
        "datum": _day(first),
        "datumBis": _day(first + timedelta(days=200)),
        "uhrzeitVon": "09:00:00",
        "uhrzeitBis": "09:30:00",
        "dauertermin": 1,
        "turnus": 1 if art > 2 else 2,
        "turnusArt": art,
        "sb": short,
    }


def _leave(short: str, first: date, number: int) -> Json:
    last = first + timedelta(days=4)
    row = {"text": "Urlaub", "datum": _day(first), "datumBis": _day(last), "abwesenheit": 1, "sb": short}
    return {"frNr": number, **row}


def _special(today: date) -> list[Json]:
    day = _day(today + timedelta(days=10))
    open_end = {"dauertermin": 1, "turnus": 1, "turnusArt": 2, "datumBis": "2037-12-31T00:00:00"}
    times = {"uhrzeitVon": "10:30:00", "uhrzeitBis": "11:30:00"}
    later = _day(today + timedelta(days=12))
    return [
        {"text": "Kanzleiversammlung", "datum": day, **times, "sb": "ALLE"},
        {"text": "Wöchentlich ohne Ende", "datum": day, **times, **open_end, "sb": "AH"},
        {"text": "Ganzer Tag", "datum": day, "uhrzeitVon": "00:00:00", "uhrzeitBis": "23:59:00", "sb": "BK"},
        {"text": "Tagung", "datum": day, "datumBis": later, **times, "sb": "CD"},
        {"text": "Ohne Uhrzeit", "datum": day, "sb": "EF"},
        {"text": "Ende vor Beginn", "datum": day, "uhrzeitVon": "15:00:00", "uhrzeitBis": "14:00:00", "sb": "SB"},
        {"text": "", "datum": day, **times, "sb": "TW"},
        {"text": "L" * 1000, "datum": day, **times, "sb": "AH"},
        {"text": "Arzttermin", "datum": day, **times, "sb": "BK", "privat": 1},
        {
            "text": "Anreise",
            "datum": day,
            **times,
            "sb": "CD",
            "vorbereitungsDauer": "00:30:00",
            "fahrzeit": "01:00:00",
        },
    ]


def _day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"
