"""The firm's rules for deadlines: each one, and how many Termine it catches now."""

from vmh_sync.clock import Clock
from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.kalender.audits.deadline_list import caught, counted
from vmh_sync.kalender.context import CalendarSettings
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import CalendarRules, TerminFields
from vmh_sync.settings import AdvowareSettings, CalendarSyncSettings, SettingsError, load
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.advoware.errors import AdvowareError
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.circuit import CircuitStore
from vmh_sync.systems.spoilt_row import SpoiltRow

DEADLINES = "Fristen"


async def check_deadlines(settings: AdvowareSettings, clock: Clock, circuits: CircuitStore | None = None) -> list[Line]:
    """Read all employees' Termine if there are rules, and count; one line a rule. Writes nothing."""
    try:
        if not load(CalendarSyncSettings).deadline_rules:
            return []
        rules = CalendarSettings.read().rules()
    except SettingsError as error:
        return [problem(DEADLINES, str(error), "CALENDAR_SYNC_DEADLINE_RULES berichtigen, siehe .env.example.")]
    cache = MemoryTokenCache()
    try:
        async with open_advoware(settings, token_cache=cache, clock=clock, circuits=circuits, person=True) as client:
            termine = await _all_termine(client, clock, rules)
    except AdvowareError:
        return []  # the line about Advoware says what is wrong
    return [_line(name, count) for name, count in counted([caught(termine, rules)], rules).items()]


async def _all_termine(client: AdvowareClient, clock: Clock, rules: CalendarRules) -> list[TerminFields]:
    window, spoilt, found = window_at(clock.now(), rules), list[SpoiltRow](), list[TerminFields]()
    for employee in await client.list_mitarbeiter(spoilt=spoilt):
        if employee.kuerzel.strip():
            rows = await client.list_termine(employee.kuerzel.strip(), window.start, window.end, spoilt)
            found += [to_fields(row) for row in rows]
    return found


def _line(name: str, count: int) -> Line:
    if count:
        return ok(DEADLINES, f"Regel „{name}“ trifft {count} {'Termin' if count == 1 else 'Termine'}.")
    return hint(DEADLINES, f"Regel „{name}“ trifft keinen Termin.", "Schreibweise in Advoware und in der Regel prüfen.")
