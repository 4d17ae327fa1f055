"""What this process counts and times itself; what the database knows is in ``metrics``."""

from prometheus_client import CollectorRegistry, Counter, Histogram

OWN = CollectorRegistry()

WEBHOOK_EVENTS = Counter(
    "vmh_webhook_events",
    "Events by webhook: new, waiting (were there already), refused, unsigned, unavailable.",
    ["entity", "action", "result"],
    registry=OWN,
)
WEBHOOK_SECONDS = Histogram(
    "vmh_webhook_seconds",
    "From the whole request to the durable inbox.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=OWN,
)
PROXY_CALLS = Counter("vmh_proxy_calls", "Calls through the Advoware proxy.", ["method", "status"], registry=OWN)
PROXY_SECONDS = Histogram(
    "vmh_proxy_seconds",
    "Calls through the Advoware proxy.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=OWN,
)
CALENDAR_NOTIFICATIONS = Counter(
    "vmh_calendar_notifications",
    "Google's notifications: rung, opened (first message of a channel), refused, unavailable.",
    ["result"],
    registry=OWN,
)
