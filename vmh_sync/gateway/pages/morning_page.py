"""The page ``/morgen``: how everything stands, for people who never open Dagster. German, plain HTML, good on a phone.

Behind a login: the browser asks for a name (any) and a password, which is an API key with the scope ``read``. It loads
nothing from elsewhere, runs no script, and is stored by no cache. Values of records stand on it only when asked for.
"""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import HTMLResponse

from vmh_sync.clock import FIRM_ZONE
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.entities import BETEILIGTE, every
from vmh_sync.gateway.keys import NotAllowed
from vmh_sync.gateway.launches.launch import LaunchFailed
from vmh_sync.gateway.pages.endpoints_page import NOTHING_FROM_ELSEWHERE
from vmh_sync.gateway.pages.field_names import field_name, record_name
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.overview.changed_records import ChangedRecord
from vmh_sync.overview.failing_jobs import FailingJob, FinishedRun, failing_jobs
from vmh_sync.overview.health import span
from vmh_sync.overview.house import FailedRecord
from vmh_sync.overview.morning import EntityMorning, Light, Morning, last_pass, read_morning
from vmh_sync.overview.verdicts import KOMMUNIKATION
from vmh_sync.store.errors import StoreError
from vmh_sync.store.history.audit import Change
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.sync.reporting.words_de import CHANGES, SIDES, TASKS, reason_in_words, word

PATH = "/morgen"
DAGSTER_SECONDS = 4.0
OPEN_UP_TO = 12
"""So many changed records are shown at once; more are opened area by area."""
_LIGHTS = {
    Light.GREEN: ("●", "in Ordnung"),
    Light.YELLOW: ("▲", "läuft, mit offenen Punkten"),
    Light.RED: ("■", "braucht einen Menschen"),
}
_STYLE = (
    "*{box-sizing:border-box}body{font:1rem/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:74rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.4rem,1fr));gap:.7rem;margin-top:.7rem}"
    ".card,li{border:1px solid #ccc;border-left:.45rem solid #888;border-radius:.3rem;padding:.6rem .8rem}"
    "ul{list-style:none;padding:0;margin:.4rem 0}li{margin:0 0 .5rem;overflow-wrap:anywhere}"
    ".green{border-left-color:#1b7f3b}.yellow{border-left-color:#b7791f}.red{border-left-color:#b42318}"
    ".card{padding:.6rem}.card b{white-space:nowrap}.small{color:#555;font-size:.9rem}a{color:#0b5394}p{margin:.2rem 0}"
    "summary{cursor:pointer;padding:.3rem 0}"
)
_MORE = '<p class="small">Gezeigt ist das Neueste; alles: <code>vmh-sync audit show --since 24h</code></p>'
_HEADERS = {**NOTHING_FROM_ELSEWHERE, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_ASK = {"WWW-Authenticate": 'Basic realm="vmh_sync: Kennwort ist ein API-Schluessel", charset="UTF-8"'}
_LOGIN = (
    "<h1>Anmeldung nötig</h1><p>Der Name ist beliebig. Das Kennwort ist ein Schlüssel mit dem Recht <code>read</code>; "
    "wer den Abgleich betreut, legt ihn unter <code>VMH_API_KEYS</code> an.</p>"
)

router = APIRouter()


@router.get(PATH, include_in_schema=False)
async def morning(
    request: Request,
    authorization: Annotated[str | None, Header()] = None,
    werte: Annotated[bool, Query(description="show values, too")] = False,
) -> HTMLResponse:
    """Show the page to who may read."""
    services = services_of(request)
    try:
        services.keys.allow(password(authorization), "read")
    except NotAllowed as problem:
        return HTMLResponse(_document(_LOGIN), problem.status, {**_HEADERS, **_ASK})
    try:
        found = await asyncio.to_thread(read_morning, services.store, services.clock, await _failing(services))
    except StoreError:
        text = "<h1>Die Datenbank ist nicht erreichbar</h1><p><code>vmh-sync doctor</code> sagt, was zu tun ist.</p>"
        return HTMLResponse(_document(text), 503, _HEADERS)
    return HTMLResponse(morning_page(found, PeopleLinks.read(), values=werte), headers=_HEADERS)


async def _failing(services: GatewayServices) -> list[FailingJob]:
    """Ask Dagster whose runs fail; while it does not answer the page comes without, and ``/ready`` says why."""

    async def of(job: str) -> Sequence[FinishedRun]:
        try:
            async with asyncio.timeout(DAGSTER_SECONDS):
                return await services.launcher.finished_runs(job)
        except (LaunchFailed, TimeoutError):
            return ()  # of the others is told what is known

    asked = await asyncio.gather(*(of(entity.job) for entity in every()))
    return failing_jobs(chain.from_iterable(asked), services.clock.now())[0]


def password(authorization: str | None) -> str | None:
    """Return the password of a ``Basic`` login, ``None`` when there is none."""
    kind, _, coded = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(coded, validate=True).decode("utf-8").partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def morning_page(found: Morning, links: PeopleLinks, *, values: bool) -> str:
    """Return the page; ``values``: old and new values of what was changed, too."""
    mark, says = _LIGHTS[found.light]
    at = f"{found.house.at.astimezone(FIRM_ZONE):%d.%m.%Y, %H:%M} Uhr"
    changed = "".join(_areas(found, links, values=values))
    parts = [
        f'<h1 class="top">{mark} Abgleich: {says}</h1><p>{escape(_in_sum(found))}</p><p class="small">Stand {at}</p>',
        _section("Was jetzt zu tun ist", _to_do(found, links), "Nichts."),
        "<h2>Wie es steht</h2>",
        f'<div class="cards">{"".join(_card(entity, found.house.at) for entity in found.entities)}</div>',
        _section("Fehlerhafte Datensätze", (_failed(one, links) for one in found.house.failures), "Keine."),
        _section("Offene Aufgaben", _tasks(found.tasks, links), "Keine."),
        "<h2>Was das Programm seit gestern geändert hat</h2>",
        f"<p>{escape(_written(found))}</p>{_switch(values=values)}{changed}" if changed else "<p>Nichts.</p>",
        _MORE if found.more else "",
    ]
    return _document("".join(parts))


def _in_sum(found: Morning) -> str:
    """Is everything the same on both sides? In one sentence."""
    apart = sum(one.status.different + one.status.conflicts for one in found.entities)
    failed = sum(one.status.failed + one.status.permanently_failed for one in found.entities if one.own)
    waiting = sum(one.status.waiting for one in found.entities)
    equal = sum(one.in_step for one in found.entities)
    if not apart and not failed:
        return f"Beim letzten Abgleich waren alle {equal} Einträge auf beiden Seiten gleich" + (
            f"; {waiting} warten." if waiting else "."
        )
    told = ((apart, "verschieden"), (failed, "fehlerhaft"), (waiting, "warten"))
    return ", ".join([f"{equal} Einträge gleich", *(f"{count} {name}" for count, name in told if count)]) + "."


def _document(body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="de"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Abgleich</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _card(entity: EntityMorning, at: datetime) -> str:
    status, (mark, says) = entity.status, _LIGHTS[entity.light]
    counts = (
        (status.different + status.conflicts, "verschieden"),
        (status.failed + status.permanently_failed, "fehlerhaft"),
        (status.waiting, "warten"),
        (status.open_tasks, "Aufgabe" if status.open_tasks == 1 else "Aufgaben"),
    )
    numbers = [f"{entity.in_step} gleich", *(f"{count} {name}" for count, name in counts if count)]
    ended = last_pass(status)
    since = f"zuletzt vor {span(at - ended)}" if ended is not None else "noch kein Durchgang"
    since = since if entity.own else "wird mit den Beteiligten abgeglichen"
    return (
        f'<div class="card {entity.light}" data-entity="{escape(status.name)}"><b>{mark} {escape(status.label)}</b>'
        f'<p>{says}</p><p>{escape(", ".join(numbers))}</p><p class="small">{escape(since)}</p></div>'
    )


def _section(title: str, items: Iterable[str], nothing: str) -> str:
    rows = "".join(items)
    return f"<h2>{title}</h2>" + (f"<ul>{rows}</ul>" if rows else f"<p>{nothing}</p>")


def _to_do(found: Morning, links: PeopleLinks) -> Iterable[str]:
    for finding in found.findings:
        colour = Light.RED if finding.level == "problem" else Light.YELLOW
        run = links.run(finding.run_id)
        more = f" {_link(run, 'Lauf in Dagster')}" if run else ""
        step = f'<p class="small">→ {escape(finding.next_step)}{more}</p>'
        yield f'<li class="{colour}">{escape(finding.what)}{step}</li>'


def _failed(one: FailedRecord, links: PeopleLinks) -> str:
    nexts = f"nächster Versuch ab {_moment(one.next_try)}" if one.next_try else "wird nicht von selbst wiederholt"
    run = links.run(one.run_id)
    more = f" · {_link(run, 'Lauf in Dagster')}" if run else ""
    head = _heading(links, one.entity, one.id, one.betnr)
    return f'<li class="red">{head}<p>{escape(one.error)}</p><p class="small">{escape(nexts)}{more}</p></li>'


def _tasks(tasks: Iterable[ManualTask], links: PeopleLinks) -> Iterable[str]:
    """What people have to decide; several points of one task in EspoCRM stand together."""
    by_task: dict[object, list[ManualTask]] = {}
    for task in tasks:
        by_task.setdefault(task.espo_task_id or task.id, []).append(task)
    for first, *others in by_task.values():
        kinds = dict.fromkeys(word(TASKS, one.kind) for one in (first, *others))
        fields = dict.fromkeys(field_name(name) for one in (first, *others) for name in one.fields)
        what = ", ".join(kinds) + (f": {', '.join(fields)}" if fields else "")
        address = links.task(first.espo_task_id)
        link = _link(address, "Aufgabe in EspoCRM öffnen") if address else "Die Aufgabe steht in EspoCRM."
        yield (
            f'<li class="yellow">{_heading(links, first.entity, first.espo_id, first.betnr)}<p>{escape(what)}</p>'
            f'<p class="small">seit {_moment(first.created_at)} · {link}</p></li>'
        )


def _written(found: Morning) -> str:
    total = sum(found.written.values())
    if not total:
        return "Kein Wert wurde geschrieben; notiert wurde das Folgende."
    sides = [f"{count} in {word(SIDES, side)}" for side, count in sorted(found.written.items())]
    return f"{total} {'Wert' if total == 1 else 'Werte'} geschrieben: {', '.join(sides)}."


def _areas(found: Morning, links: PeopleLinks, *, values: bool) -> Iterable[str]:
    """The changed records, area by area; closed when they are many."""
    labels = {one.status.name: one.status.label for one in found.entities}
    areas: dict[str, list[ChangedRecord]] = {name: [] for name in labels}
    for record in found.changed:
        areas.setdefault(record.entity, []).append(record)
    is_open = " open" if len(found.changed) <= OPEN_UP_TO else ""
    for entity, records in ((entity, records) for entity, records in areas.items() if records):
        rows = "".join(_changed(one, links, values=values) for one in records)
        number = sum(one.is_one for one in records)
        count = "ein Datensatz" if number == 1 else f"{number} Datensätze"
        summary = f"<summary>{escape(labels.get(entity, entity))}: {count}</summary>"
        yield f"<details{is_open}>{summary}<ul>{rows}</ul></details>"


def _changed(record: ChangedRecord, links: PeopleLinks, *, values: bool) -> str:
    """One record: the changes of one kind, side and reason in a line, with the fields they are about."""
    lines: dict[tuple[str, str], list[Change]] = {}
    for one in record.changes:
        target = f" in {word(SIDES, one.side_written)}" if one.side_written else ""
        lines.setdefault((f"{word(CHANGES, one.kind)}{target}", reason_in_words(one.reason)), []).append(one)
    told = "".join(_line(what, why, own, values=values) for (what, why), own in lines.items())
    head = _heading(links, record.entity, record.espo_id, record.betnr)
    return f'<li>{head}{told}<p class="small">{_moment(record.at)}</p></li>'


def _line(what: str, why: str, changes: Iterable[Change], *, values: bool) -> str:
    changes = list(changes)
    fields = ", ".join(dict.fromkeys(field_name(one.field) for one in changes if one.field))
    line = f"<p>{escape(f'{fields}: {what}' if fields else what)} <span class='small'>({escape(why)})</span></p>"
    shown = [one for one in changes if values and (one.old, one.new) != (None, None)]
    return line + "".join(
        f'<p class="value">{escape(field_name(one.field or ""))}: {escape(f"{_text(one.old)} → {_text(one.new)}")}</p>'
        for one in shown
    )


def _text(value: object) -> str:
    return "(leer)" if value in (None, "") else str(value)


def _switch(*, values: bool) -> str:
    if values:
        return f'<p><a href="{PATH.removeprefix("/")}">Werte verbergen</a></p>'
    return '<p><a href="?werte=true">Alte und neue Werte zeigen (personenbezogen)</a></p>'


def _heading(links: PeopleLinks, entity: str, espo_id: str, betnr: int | None) -> str:
    """A record by its numbers, with links into both systems where there are any."""
    # Phones and e-mails stand at their party; the id is its id.
    espo_link = links.record(BETEILIGTE.name if entity == KOMMUNIKATION else entity, espo_id) if espo_id else None
    found = [
        _link(address, where)
        for address, where in ((espo_link, "EspoCRM"), (links.party(betnr), "Advoware"))
        if address
    ]
    number = [f'<span class="small">{escape(espo_id)}</span>'] if espo_id else []
    name = record_name(entity, betnr) if espo_id or betnr else "Ganzer Bereich"
    return " · ".join([f"<b>{escape(name)}</b>", *found, *number])


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address, quote=True)}" rel="noreferrer">{escape(text)}</a>'


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(FIRM_ZONE):%d.%m. %H:%M}" if moment is not None else ""
