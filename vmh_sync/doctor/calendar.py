"""Checks of Google Calendar: key of the service account, login."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from vmh_sync.clock import Clock
from vmh_sync.coordination.circuits import SharedCircuits
from vmh_sync.doctor.line import Line, held_back_text, hint, ok, problem
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.kalender.audits.deadline_list import caught, counted
from vmh_sync.kalender.context import CalendarSettings
from vmh_sync.kalender.form.window import window_at
from vmh_sync.kalender.form.wire_termin import to_fields
from vmh_sync.kalender.model import CalendarRules, TerminFields
from vmh_sync.settings import (
    AdvowareSettings,
    CalendarSyncSettings,
    GoogleCalendarSettings,
    SettingsError,
    VmhSettings,
    load,
)
from vmh_sync.store.database.migrate import revision_of
from vmh_sync.store.errors import StoreError
from vmh_sync.store.store import Store
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.advoware.errors import AdvowareError
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.circuit import CircuitStore, MemoryCircuits, ThreadCircuitStore, ThreadLoginCircuit
from vmh_sync.systems.google_calendar.calendars import (
    GET_CALENDAR,
    WRITABLE,
    AmbiguousCalendarError,
    NamedCalendarError,
    listed,
)
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.errors import (
    ForbiddenError,
    GoogleCalendarError,
    InvalidCredentialsError,
    NotFoundError,
    TransientError,
)
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync.systems.google_calendar.retry import Retrier, google_policy
from vmh_sync.systems.google_calendar.service import ServiceAccountError, ServiceFactory
from vmh_sync.systems.spoilt_row import SpoiltRow

GOOGLE = "Google Calendar"
PUSH = "Google-Meldungen"


def check_google(settings: GoogleCalendarSettings, clock: Clock, circuits: ThreadCircuitStore | None = None) -> Line:
    """Tell whether a service account is set up, may list its calendars, and may write to ours. Blocks; reads its list.

    ``circuits`` holds the login's state that all processes share: a login that was refused moments ago is not tried.
    """
    if settings.service_account_json is None and settings.service_account_path is None:
        return hint(
            GOOGLE,
            "Nicht eingerichtet: Termine werden nicht abgeglichen.",
            "Wenn gewünscht: GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH setzen.",
        )
    try:
        factory = ServiceFactory(settings)
    except ServiceAccountError as error:
        return problem(GOOGLE, error.people, error.in_words)
    except ValueError:
        return problem(GOOGLE, ServiceAccountError.people, "Den Schlüssel des Dienstkontos neu herunterladen.")
    client = _client(factory, clock, circuits)
    try:
        found = listed(client)
        unreached = _unreached(client, settings.ids)
    except InvalidCredentialsError as error:
        return problem(
            GOOGLE, held_back_text(error, clock), "Prüfen, ob das Dienstkonto und sein Schlüssel noch gültig sind."
        )
    except TransientError as error:
        return problem(
            GOOGLE, f"Google ist nicht erreichbar ({error.reason}).", "Internetverbindung und Firewall prüfen."
        )
    except GoogleCalendarError as error:
        return problem(
            GOOGLE,
            f"Google verweigert den Zugriff auf die Kalender (Status {error.status}).",
            "Prüfen, ob die Calendar-API für das Projekt eingeschaltet ist.",
        )
    finally:
        factory.close()
    if unreached:
        return problem(
            GOOGLE, f"Nicht zu erreichen: der Kalender von {', '.join(unreached)}.", NamedCalendarError.people
        )
    return _judged(found, settings.name_template)


def _client(factory: ServiceFactory, clock: Clock, circuits: ThreadCircuitStore | None) -> GoogleCalendarClient:
    circuit = ThreadLoginCircuit(factory.login_name, clock, circuits or MemoryCircuits())
    retrier = Retrier(google_policy(attempts=1), clock=clock)
    return GoogleCalendarClient(factory, unlimited, retrier=retrier, circuit=circuit, person=True)


def _unreached(client: GoogleCalendarClient, ids: Mapping[str, str]) -> list[str]:
    """Return whose calendar the settings name and Google does not show us."""
    missing = []
    for kuerzel, calendar_id in sorted(ids.items()):
        try:
            client.run(GET_CALENDAR, lambda service, at=calendar_id: service.calendars().get(calendarId=at))  # type: ignore[misc]
        except (NotFoundError, ForbiddenError):
            missing.append(kuerzel)
    return missing


def _judged(found: Iterable[Mapping[str, object]], template: str) -> Line:
    """Judge the calendars that carry a name of ours, whoever owns them."""
    before, _, after = map(re.escape, template.partition("{kuerzel}"))
    named = [(str(entry.get("summary")), entry.get("accessRole")) for entry in found]
    named_so = [(name, role) for name, role in named if re.fullmatch(f"{before}.+{after}", name)]
    twice = sorted(name for name, count in Counter(name for name, _ in named_so).items() if count > 1)
    read_only = sorted({name for name, role in named_so if role not in WRITABLE})
    found_wrong = [
        (f"Mehrfach vorhanden: {', '.join(twice)}.", AmbiguousCalendarError.people, twice),
        (
            f"Nur zum Lesen freigegeben und deshalb nicht abzugleichen: {', '.join(read_only)}.",
            "In Google bei der Freigabe für das Dienstkonto „Änderungen an Terminen vornehmen“ wählen.",
            read_only,
        ),
    ]
    if told := [(text, remedy) for text, remedy, names in found_wrong if names]:
        texts, remedies = zip(*told, strict=True)
        return problem(GOOGLE, " ".join(texts), " ".join(remedies))
    return ok(GOOGLE, "Anmeldung des Dienstkontos gelungen, Kalender lesbar.")


def check_push(store: Store, public_url: str) -> Line | None:
    """Tell of how many calendars Google tells us changes; None if the database cannot say. Blocks."""
    try:
        with store.reading() as tx:
            calendars = {state.kuerzel for state in tx.calendar_states.all() if state.calendar_id}
            told = tx.calendar_channels.living() & calendars
    except StoreError:
        return None
    if told == calendars:
        return ok(PUSH, f"Google meldet Änderungen an allen {len(calendars)} Kalendern.")
    return hint(
        PUSH,
        f"Google meldet Änderungen an {len(told)} von {len(calendars)} Kalendern; die übrigen werden alle 15 Minuten "
        "angesehen.",
        f"Der nächste Abgleich versucht es wieder. Bleibt es dabei: {public_url} muss aus dem Internet über https mit "
        "gültigem Zertifikat erreichbar sein; den Grund nennt das Protokoll des Laufs.",
    )


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


async def check_new_calendars(
    google: GoogleCalendarSettings,
    advoware: AdvowareSettings,
    house: VmhSettings,
    clock: Clock,
    circuits: SharedCircuits | None = None,
) -> list[Line]:
    """Name the calendars that a pass would create, and why; creates none.

    Nothing is said while a system or our database does not answer, or its settings are wrong: another line says so.
    """
    if google.service_account_json is None and google.service_account_path is None:
        return []  # not set up: no pass creates any
    try:
        debug = {name.upper() for name in load(CalendarSyncSettings).debug_kuerzel}
        cache = MemoryTokenCache()
        async with open_advoware(advoware, token_cache=cache, clock=clock, circuits=circuits, person=True) as client:
            rows = await client.list_mitarbeiter(spoilt=[])
        active = {row.kuerzel.strip() for row in rows if row.kuerzel.strip() and row.aktiv is not False}
        wanted = {one for one in active if not debug or one.upper() in debug}
        known = await asyncio.to_thread(_found_before, house) | {one.upper() for one in google.ids}
        names = await asyncio.to_thread(_names_listed, google, clock, circuits)
    except (SettingsError, AdvowareError, StoreError, GoogleCalendarError, ServiceAccountError, ValueError):
        return []
    titles = {one: google.name_template.replace("{kuerzel}", one) for one in wanted if one.upper() not in known}
    missing = sorted(one for one, title in titles.items() if title not in names)
    lent = sorted(title for title in titles.values() if names.get(title) is False)
    return [*([_to_come(missing, google)] if missing else []), *([_lent(lent)] if lent else [])]


def _found_before(house: VmhSettings) -> set[str]:
    """Return whose calendars our database holds; one that is empty yet holds none. Blocks; raises ``StoreError``."""
    if revision_of(house.database) is None:
        return set()
    with open_database(house) as store, store.reading() as tx:
        return {one.kuerzel.upper() for one in tx.calendar_states.all() if one.calendar_id}


def _names_listed(google: GoogleCalendarSettings, clock: Clock, circuits: ThreadCircuitStore | None) -> dict[str, bool]:
    """Return the names of all calendars that the service account, or whom it acts for, has in the list. Blocks.

    False: somebody else owns it and lets us write.
    """
    names: dict[str, bool] = {}
    for subject in dict.fromkeys((None, google.subject)):
        factory = ServiceFactory(google, subject=subject)
        try:
            for one in listed(_client(factory, clock, circuits)):
                name = str(one.get("summary"))
                names[name] = names.get(name, False) or one.get("accessRole") != "writer"
        finally:
            factory.close()
    return names


def _to_come(missing: Sequence[str], google: GoogleCalendarSettings) -> Line:
    titles = ", ".join(f"„{google.name_template.replace('{kuerzel}', one)}“" for one in missing)
    whose = google.subject or "das Dienstkonto, dem sie für immer gehören (anders: GOOGLE_CALENDAR_SUBJECT)"
    many = len(missing) > 1
    return hint(
        GOOGLE,
        f"Der nächste Abgleich legt {'Kalender' if many else 'einen Kalender'} an für {', '.join(missing)}: {titles} "
        f"{'stehen' if many else 'steht'} nicht in der Liste des Dienstkontos. Angelegt durch {whose}.",
        "Gibt es den Kalender schon und er ist nur freigegeben: vorher seine Kalender-ID in GOOGLE_CALENDAR_IDS "
        "eintragen, sonst stehen dort zwei.",
    )


def _lent(titles: Sequence[str]) -> Line:
    many = len(titles) > 1
    return hint(
        GOOGLE,
        f"„{'“, „'.join(titles)}“ {'gehören' if many else 'gehört'} jemand anderem und {'sind' if many else 'ist'} dem "
        f"Dienstkonto freigegeben; der nächste Abgleich nimmt {'sie' if many else 'ihn'}, weil der Name passt.",
        "Ist es nicht der Kalender dieses Mitarbeiters: umbenennen lassen, oder den richtigen in GOOGLE_CALENDAR_IDS "
        "nennen.",
    )


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
