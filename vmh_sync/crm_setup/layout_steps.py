"""Steps for forms, lists, panels, search fields and saved searches; what a person arranged is left alone (D2)."""

from functools import partial
from typing import Any

from vmh_sync.crm_setup.session import LeftByHand, SetupSession, Step
from vmh_sync.crm_setup.wanted_filters import with_presets
from vmh_sync.crm_setup.wanted_layouts import DEFAULTS, NEEDED_TO_SEE, PANELS, WANTED, WORDS, field_names
from vmh_sync.systems.espocrm.errors import BadConfiguration, Forbidden, NotFound
from vmh_sync.systems.espocrm.query import equals

_LAYOUTS_BY_HAND = "In EspoCRM unter Verwaltung → Layout-Manager ergänzen, wenn es gewünscht ist."


async def layout_steps(session: SetupSession) -> list[Step]:
    """Plan the layouts that still are EspoCRM's own; note what is missing in those that somebody arranged."""
    steps = []
    for entity, layouts in WANTED.items():
        exists = isinstance(await session.admin.metadata(f"scopes.{entity}"), dict)
        for name, wanted in layouts.items():
            stands = await _read(session, entity, name) if exists else DEFAULTS[entity][name]
            if stands == wanted:
                continue
            if stands == DEFAULTS[entity][name]:
                text = f"{WORDS[name]} von {entity} einrichten"
                steps.append(Step(text, partial(_write, entity=entity, name=name, layout=wanted)))
            else:
                _note_missing(session, entity, name, stands)
    return steps


async def _read(session: SetupSession, entity: str, name: str) -> Any:
    try:
        return await session.admin.call("GET", f"{entity}/layout/{name}")
    except (NotFound, BadConfiguration):
        return DEFAULTS[entity][name]


async def _write(session: SetupSession, *, entity: str, name: str, layout: Any) -> None:
    # Looked at again: between plan and step somebody may have arranged it.
    if await _read(session, entity, name) == DEFAULTS[entity][name]:
        await session.admin.call("PUT", f"{entity}/layout/{name}", body=layout)


def _note_missing(session: SetupSession, entity: str, name: str, stands: Any) -> None:
    shown = field_names(stands)
    if name == "detail":
        lacking = [field for field in NEEDED_TO_SEE[entity] if field not in shown]
    elif name == PANELS:
        lacking = [panel for panel in WANTED[entity][PANELS] if panel not in shown]
    else:
        lacking = ["syncStatus"] if "syncStatus" not in shown and name in {"list", "filters"} else []
    if lacking:
        text = f"{WORDS[name]} von {entity} wurde angepasst und bleibt so; es fehlen: {', '.join(lacking)}."
        session.left.append(LeftByHand(text, _LAYOUTS_BY_HAND))


async def filter_steps(session: SetupSession) -> list[Step]:
    """Plan the saved searches for every person who can log in and was not given them yet."""
    steps = []
    async for user in session.admin.list_all(
        "User", where=(equals("isActive", True),), select=("userName", "name", "type")
    ):
        if user.attributes.get("type") not in {"regular", "admin"}:
            continue
        try:
            preferences = await session.admin.call("GET", f"Preferences/{user.id}")
        except (Forbidden, NotFound, BadConfiguration):
            continue
        stored = preferences.get("presetFilters") if isinstance(preferences, dict) else None
        if with_presets(stored) is not None:
            text = f"Suchen „Abgleich: …“ für {user.attributes.get('userName')} speichern"
            steps.append(Step(text, partial(_give, user_id=user.id)))
    return steps


async def _give(session: SetupSession, *, user_id: str) -> None:
    preferences = await session.admin.call("GET", f"Preferences/{user_id}")
    filters = with_presets(preferences.get("presetFilters") if isinstance(preferences, dict) else None)
    if filters is not None:
        await session.admin.call("PUT", f"Preferences/{user_id}", body={"presetFilters": filters})
