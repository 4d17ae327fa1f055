"""What the gateway says of itself and of Dagster, as lines for ``status``."""

from typing import Any

import httpx

from vmh_sync.doctor.line import Line, hint, ok, problem
from vmh_sync.gateway.http.listening import own_place
from vmh_sync.settings import VmhSettings

GATEWAY = "Gateway"
SECONDS = 8.0
_NAMES = {"dagster": "Dagster-Oberfläche", "daemon": "Dagster-Daemon", "watch": "Beobachter"}
"""What ``status`` cannot see itself; database and Redis have their own lines."""


def gateway_lines(house: VmhSettings) -> list[Line]:
    """Ask the gateway of the settings how it stands; each trouble that it names is a line. Raises nothing."""
    place = own_place(house)
    try:
        answer = httpx.get(f"http://{place}/ready", timeout=SECONDS, trust_env=False)
    except httpx.TimeoutException:
        return [problem(GATEWAY, f"Unter {place} keine Antwort innerhalb von {SECONDS:.0f} Sekunden.", "Neu starten.")]
    except httpx.HTTPError:
        text = f"Läuft nicht: Unter {place} nimmt niemand Webhooks und Aufrufe an."
        return [hint(GATEWAY, text, "`vmh-sync up` starten, oder den Dienst des Gateways.")]
    told = _readiness(answer)
    if told is None:
        text = f"Unter {place} antwortet ein anderes Programm."
        return [problem(GATEWAY, text, "Es beenden, oder VMH_GATEWAY_PORT ändern und neu starten.")]
    troubles = told.get("problems")
    named = [(name, str(troubles[name])) for name in _NAMES if name in troubles] if isinstance(troubles, dict) else []
    return [ok(GATEWAY, f"Antwortet unter {place}."), *(_trouble(name, text) for name, text in named)]


def _readiness(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        told = answer.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"status", "database", "dagster"} <= told.keys() else None


def _trouble(name: str, text: str) -> Line:
    what, _, remedy = text.partition(": ")
    return problem(_NAMES[name], f"{what}.", remedy)
