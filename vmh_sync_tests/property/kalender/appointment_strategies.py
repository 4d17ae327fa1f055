"""Generated Termine and events, with the days on which clocks change well represented."""

from datetime import date, timedelta

from hypothesis import strategies as st

from vmh_sync.kalender.model import TerminFields

CLOCK_CHANGES = (date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2025, 10, 26))
DAYS = st.one_of(
    st.dates(date(2025, 1, 10), date(2027, 12, 1)),
    st.sampled_from(CLOCK_CHANGES),
    st.sampled_from(CLOCK_CHANGES).map(lambda day: day - timedelta(days=1)),
    st.just(date(2028, 2, 29)),
)
TIMES = st.one_of(
    st.none(),
    st.just("00:00:00"),
    st.just("23:59:00"),
    st.just("02:30:00"),
    st.times().map(lambda value: value.strftime("%H:%M:%S")),
)
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.text(st.sampled_from("aä<>/b&;p r\r\n\xa0="), max_size=20),
    st.sampled_from(
        ["", "Müller & Söhne", "<b>x</b>", "&amp;lt;br&gt;", "Fahrzeit: 0:30 Std.", "x [12/26]", "x" * 1000]
    ),
)


@st.composite
def termine(draw: st.DrawFn, fr_nr: int = 1) -> TerminFields:
    day = draw(DAYS)
    end_day = draw(st.one_of(st.none(), st.integers(-1, 60).map(lambda days: day + timedelta(days=days))))
    series = (draw(st.integers(0, 1)), draw(st.integers(0, 6)), draw(st.integers(0, 5)))
    if draw(st.integers(0, 9)) == 0:
        series, end_day = (1, 2, draw(st.integers(1, 4))), date(2037, 6, 1)
    return TerminFields(
        fr_nr,
        text=draw(TEXTS),
        notiz=draw(TEXTS),
        ort=draw(TEXTS),
        datum=day.isoformat() + draw(st.sampled_from(["", "T00:00:00"])),
        uhrzeit_von=draw(TIMES),
        uhrzeit_bis=draw(TIMES),
        datum_bis=end_day.isoformat() if isinstance(end_day, date) else None,
        dauertermin=series[0],
        turnus=series[1],
        turnus_art=series[2],
        abwesenheit=draw(st.sampled_from([0, 0, 0, 1])),
        privat=draw(st.integers(0, 1)),
        anwalt="SB",
        az_rubrum=draw(st.sampled_from([None, "12/26", "12/26 M ./. S"])),
        vorbereitungs_dauer=draw(st.sampled_from([None, "00:30:00", "02:00:00"])),
        fahrzeit=draw(st.sampled_from([None, "00:30:00", "01:15:00"])),
    )


@st.composite
def spans(draw: st.DrawFn) -> dict[str, object]:
    """Start, end and series of a Google event that may or may not fit into Advoware."""
    day = draw(DAYS)
    if draw(st.booleans()):
        last = day + timedelta(days=draw(st.sampled_from([1, 1, 1, 2, 5])))
        start: dict[str, str] = {"date": day.isoformat()}
        end: dict[str, str] = {"date": last.isoformat()}
    else:
        hours = draw(st.tuples(st.integers(0, 23), st.integers(0, 59)))
        offset = draw(st.sampled_from(["Z", "+01:00", "+02:00"]))
        minutes = draw(st.sampled_from([0, 1, 30, 45, 90, 23 * 60 + 59, 24 * 60, 4000]))
        begins = timedelta(hours=hours[0], minutes=hours[1])
        ends = begins + timedelta(minutes=minutes)
        start = {"dateTime": _face(day, begins) + offset, "timeZone": "Europe/Berlin"}
        end = {"dateTime": _face(day, ends) + offset, "timeZone": "Europe/Berlin"}
    frequency = draw(st.sampled_from(["", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    fields: dict[str, object] = {"start": start, "end": end}
    if frequency:
        rule = f"RRULE:FREQ={frequency};INTERVAL={draw(st.integers(1, 5))}"
        rule += draw(
            st.sampled_from(["", ";COUNT=1", ";COUNT=7", ";UNTIL=20280101T120000Z", ";UNTIL=20370301T000000Z"])
        )
        fields["recurrence"] = [rule]
    return fields


def _face(day: date, since_midnight: timedelta) -> str:
    day = day + timedelta(days=since_midnight.days)
    minutes = since_midnight.seconds // 60
    return f"{day.isoformat()}T{minutes // 60:02d}:{minutes % 60:02d}:00"
