"""How late EspoCRM's own webhooks are: so many events a run of its job, and how often the job runs (B9, D6). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from vmh_sync.whole_number import whole_number

QUEUE_JOB = "ProcessWebhookQueue"
PORTION = "webhookQueueEventPortionSize"
DEFAULT_PORTION = 20
DEFAULT_MINUTES = 2
DEFAULT_SCHEDULE = "*/2 * * * *"
BIG_CHANGE = 500
_GOOD_PORTION = 200
_HOUR = 60


@dataclass(frozen=True, slots=True)
class WebhookPace:
    """At most ``per_hour`` events leave; ``is_off``: none at all. Text and remedy are German."""

    per_hour: int
    is_off: bool
    text: str
    remedy: str


def pace_of(job: Mapping[str, object] | None, settings: Mapping[str, object]) -> WebhookPace:
    """Work it out from the job's row (``None``: not seen, the defaults are taken) and the installation's settings."""
    portion = settings.get(PORTION)
    events = portion if isinstance(portion, int) and portion > 0 else DEFAULT_PORTION
    if job is not None and job.get("status") != "Active":
        return WebhookPace(
            0,
            is_off=True,
            text=f"Der Auftrag {QUEUE_JOB} von EspoCRM ist nicht aktiv: Es werden gar keine Webhooks verschickt.",
            remedy="In EspoCRM unter Verwaltung → Geplante Aufträge auf „Aktiv“ stellen.",
        )
    schedule = str((job or {}).get("scheduling") or DEFAULT_SCHEDULE)
    minutes = minutes_between(schedule)
    runs = _HOUR / minutes
    needed = -(-BIG_CHANGE // events) * minutes
    seen = "" if job is not None else " (üblicher Zeitplan; nur ein Administrator kann ihn sehen)"
    return WebhookPace(
        int(events * runs),
        is_off=False,
        text=f"EspoCRM verschickt Webhooks alle {minutes} Minuten{seen}, je Lauf höchstens {events}: "
        f"{int(events * runs)} in der Stunde. {BIG_CHANGE} Änderungen auf einmal brauchen {needed} Minuten.",
        remedy=f"Schneller: in data/config.php von EspoCRM die Zeile „'{PORTION}' => {_GOOD_PORTION},“ eintragen und "
        f"den Auftrag {QUEUE_JOB} (Verwaltung → Geplante Aufträge) auf „* * * * *“ stellen. Nötig ist es nicht: Auch "
        "ohne Webhooks sieht der Abgleich regelmäßig nach.",
    )


def minutes_between(schedule: str) -> int:
    """Return how many minutes lie between two runs of a cron schedule, as far as its first two parts say so."""
    parts = schedule.split()
    if not parts:
        return DEFAULT_MINUTES
    minute = parts[0]
    if minute == "*":
        return 1
    step = whole_number(minute.removeprefix("*/"))
    if minute.startswith("*/") and step is not None:
        return max(1, step)
    if all(whole_number(part) is not None for part in minute.split(",")):
        every_hour = len(parts) < len(("minute", "hour")) or parts[1] == "*"
        return _HOUR // len(minute.split(",")) if every_hour else 24 * _HOUR
    return DEFAULT_MINUTES
