"""What another system, most likely the one before, left in our Redis and our database. Nothing of it is read."""

import asyncio

from sqlalchemy import inspect

from vmh_sync.clock import Clock
from vmh_sync.coordination.connection import AsyncRedis, connect
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.doctor.line import Line, hint
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.services.valkey import EmbeddedServiceError, ensure_redis
from vmh_sync.settings import VmhSettings
from vmh_sync.store.models import Base

NAME = "Altes System"
_OWN_WORDS = ("allowance", "bell", "circuit", "identity", "lease", "rate", "run", "token", "watch", "writable")
_BROKER = ("celery", "_kombu", "unacked", "dagster")
"""Of the warm run workers, where they share our Redis; ``dagster`` holds the runs that wait."""
_NAMED = 8
_MOST_KEYS = 50_000
"""So many are looked at: a Redis that others share may hold millions."""


async def check_left_behind(settings: VmhSettings, clock: Clock) -> list[Line]:
    """Name what others left; no line where there is nothing, or where another line says what does not work."""
    tables = await asyncio.to_thread(calendar_tables_of_others, settings, clock)
    try:
        redis = connect(ensure_redis(settings.home, settings.redis_url))
    except (EmbeddedServiceError, ValueError):
        return tables
    try:
        with translated():
            return [*await keys_of_others(redis), *tables]
    except CoordinationUnavailable:
        return tables
    finally:
        await redis.aclose()


async def keys_of_others(redis: AsyncRedis) -> list[Line]:
    """Name what lies in our Redis and is not ours, by the first word of its keys."""
    found: dict[str, int] = {}
    seen = 0
    async for key in redis.scan_iter("*", count=500):
        if not _is_own(word := str(key)):
            kind = ":".join(word.split(":")[: 3 if word.startswith("vmh:") else 1])
            found[kind] = found.get(kind, 0) + 1
        seen += 1
        if seen == _MOST_KEYS:
            break
    if not found:
        return []
    names = sorted(found)
    more = f" und {len(names) - _NAMED} weitere Arten" if len(names) > _NAMED else ""
    at_least = "mindestens " if seen == _MOST_KEYS else ""
    text = f"In diesem Redis liegen {at_least}{sum(found.values())} Schlüssel, die nicht von vmh_sync sind: "
    return [
        hint(
            NAME,
            f"{text}{', '.join(names[:_NAMED])}{more}. Keiner wird gelesen: Anmeldungen, Sperren und Warteschlangen "
            "heißen hier vmh:token:…, vmh:lease:… und vmh:bell:….",
            "Ist das alte System abgeschaltet, dürfen sie gelöscht werden; läuft es noch, in REDIS_URL eine eigene "
            "Datenbank nennen.",
        )
    ]


def _is_own(key: str) -> bool:
    house, _, rest = key.partition(":")
    return key.startswith(_BROKER) or (house == "vmh" and rest.partition(":")[0] in _OWN_WORDS)


def calendar_tables_of_others(settings: VmhSettings, clock: Clock) -> list[Line]:
    """Name tables in our database that pair appointments and are not ours."""
    with open_database(settings, clock) as store, store.reading() as tx:
        database = inspect(tx.connection)
        others = [name for name in database.get_table_names() if name not in Base.metadata.tables]
        found = [
            name
            for name in sorted(others)
            if any("frnr" in str(column["name"]).lower().replace("_", "") for column in database.get_columns(name))
        ]
    return [
        hint(
            NAME,
            f"Die Tabelle {name} ordnet Termine zu, ist nicht von vmh_sync und wird nicht gelesen. Die eigene heißt "
            "calendar_pairs; was schon im Kalender steht, wird nach Inhalt zugeordnet.",
            "Aufheben, solange ein Zurück zum alten System möglich sein soll.",
        )
        for name in found
    ]
