"""The page ``/morgen``: how everything stands, for people who never open Dagster. German, plain HTML, good on a phone.

Behind a login: the browser asks for a name (any) and a password, which is an API key with the scope ``read``. It loads
nothing from elsewhere, runs no script, and is stored by no cache. Values of records stand on it only when asked for.
"""

import asyncio
import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import HTMLResponse

from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.gateway.keys import NotAllowed
from vmh_sync.gateway.pages.endpoints_page import NOTHING_FROM_ELSEWHERE
from vmh_sync.gateway.services import services_of
from vmh_sync.overview.health import span
from vmh_sync.overview.house import FailedRecord
from vmh_sync.overview.morning import EntityMorning, Light, Morning, last_pass, read_morning
from vmh_sync.store.audit import Change
from vmh_sync.store.errors import StoreError
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.words_de import CHANGES, SIDES, TASKS, reason_in_words, word

PATH = "/morgen"
FIRM = ZoneInfo("Europe/Berlin")
_LIGHTS = {
    Light.GREEN: ("●", "in Ordnung"),
    Light.YELLOW: ("▲", "bekannt, in Arbeit"),
    Light.RED: ("■", "braucht einen Menschen"),
}
_STYLE = (
    "*{box-sizing:border-box}body{font:1rem/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:60rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:.7rem}"
    ".card,li{border:1px solid #ccc;border-left:.45rem solid #888;border-radius:.3rem;padding:.6rem .8rem}"
    "ul{list-style:none;padding:0;margin:0}li{margin:0 0 .5rem;overflow-wrap:anywhere}"
    ".green{border-left-color:#1b7f3b}.yellow{border-left-color:#b7791f}.red{border-left-color:#b42318}"
    ".card b{font-size:1.05rem}.small{color:#555;font-size:.9rem}a{color:#0b5394}p{margin:.2rem 0}"
)
_MORE = '<p class="small">Es gibt weitere Änderungen: <code>vmh-sync audit show --since 24h</code></p>'
_HEADERS = {**NOTHING_FROM_ELSEWHERE, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_ASK = {"WWW-Authenticate": 'Basic realm="vmh_sync: Kennwort ist ein API-Schluessel", charset="UTF-8"'}

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
        return HTMLResponse(_document("<h1>Anmeldung nötig</h1>"), problem.status, {**_HEADERS, **_ASK})
    try:
        found = await asyncio.to_thread(read_morning, services.store, services.clock)
    except StoreError:
        text = "<h1>Die Datenbank ist nicht erreichbar</h1><p><code>vmh-sync doctor</code> sagt, was zu tun ist.</p>"
        return HTMLResponse(_document(text), 503, _HEADERS)
    return HTMLResponse(morning_page(found, PeopleLinks.read(), values=werte), headers=_HEADERS)


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
    at = f"{found.house.at.astimezone(FIRM):%d.%m.%Y, %H:%M} Uhr"
    parts = [
        f'<h1 class="top">{mark} Abgleich: {says}</h1><p class="small">Stand {at}</p>',
        f'<div class="cards">{"".join(_card(entity, found.house.at) for entity in found.entities)}</div>',
        _section("Was jetzt zu tun ist", _to_do(found), "Nichts. Alles läuft."),
        _section("Fehlerhafte Datensätze", (_failed(one, links) for one in found.house.failures), "Keine."),
        _section("Offene Aufgaben", (_task(task, links) for task in found.tasks), "Keine."),
        _section("Seit gestern geändert", (_change(one, links, values) for one in found.changes), "Nichts."),
        _MORE if found.more else "",
        _switch(values=values) if found.changes else "",
    ]
    return _document("".join(parts))


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
    )
    numbers = [f"{entity.in_step} gleich", *(f"{count} {name}" for count, name in counts if count)]
    ended = last_pass(status)
    since = f"letzter Durchgang vor {span(at - ended)}" if ended is not None else "noch kein Durchgang"
    return (
        f'<div class="card {entity.light}" data-entity="{escape(status.name)}"><b>{mark} {escape(status.label)}</b>'
        f'<p>{says}</p><p>{escape(", ".join(numbers))}</p><p class="small">{escape(since)}</p></div>'
    )


def _section(title: str, items: Iterable[str], nothing: str) -> str:
    rows = "".join(items)
    return f"<h2>{title}</h2>" + (f"<ul>{rows}</ul>" if rows else f"<p>{nothing}</p>")


def _to_do(found: Morning) -> Iterable[str]:
    for finding in found.findings:
        colour = Light.RED if finding.level == "problem" else Light.YELLOW
        yield f'<li class="{colour}">{escape(finding.what)}<p class="small">→ {escape(finding.next_step)}</p></li>'


def _failed(one: FailedRecord, links: PeopleLinks) -> str:
    nexts = f"nächster Versuch {_moment(one.next_try)}" if one.next_try else "wird nicht von selbst wiederholt"
    record = _both(links, one.entity, one.id, one.betnr)
    return f'<li class="red">{record}: {escape(one.error)}<p class="small">{escape(nexts)}</p></li>'


def _task(task: ManualTask, links: PeopleLinks) -> str:
    address = links.task(task.espo_task_id)
    what = f"{word(TASKS, task.kind)} ({', '.join(task.fields)})" if task.fields else word(TASKS, task.kind)
    link = _link(address, "Aufgabe in EspoCRM öffnen") if address else "Die Aufgabe steht in EspoCRM."
    return (
        f'<li class="yellow">{_both(links, task.entity, task.espo_id, task.betnr)}: {escape(what)}'
        f'<p class="small">seit {_moment(task.created_at)} · {link}</p></li>'
    )


def _change(one: Change, links: PeopleLinks, values: bool) -> str:
    target = f"→ {word(SIDES, one.side_written)}" if one.side_written else ""
    what = " ".join(part for part in (word(CHANGES, one.kind), one.field, target) if part)
    shown = f'<p class="value">{escape(_text(one.old))} → {escape(_text(one.new))}</p>' if values else ""
    return (
        f"<li>{_both(links, one.entity, one.espo_id or '', one.betnr)}: {escape(what)}{shown}"
        f'<p class="small">{_moment(one.at)} · {escape(reason_in_words(one.reason))}</p></li>'
    )


def _text(value: object) -> str:
    return "(leer)" if value in (None, "") else str(value)


def _switch(*, values: bool) -> str:
    if values:
        return f'<p><a href="{PATH.removeprefix("/")}">Werte verbergen</a></p>'
    return '<p><a href="?werte=true">Alte und neue Werte zeigen (personenbezogen)</a></p>'


def _both(links: PeopleLinks, entity: str, espo_id: str, betnr: int | None) -> str:
    """A record by its numbers, with links into both systems where there are any."""
    espo_link, advoware_link = links.record(entity, espo_id) if espo_id else None, links.party(betnr)
    name = f"{escape(entity)} {escape(espo_id)}" + (f" (betnr {betnr})" if betnr else "")
    found = [
        _link(address, where) for address, where in ((espo_link, "EspoCRM"), (advoware_link, "Advoware")) if address
    ]
    return f"{name} {' · '.join(found)}".strip()


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address, quote=True)}" rel="noreferrer">{escape(text)}</a>'


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(FIRM):%d.%m. %H:%M}" if moment is not None else ""
