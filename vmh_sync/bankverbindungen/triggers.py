"""What starts a sync of Bankverbindungen by itself."""

from vmh_sync.bankverbindungen.part import KIND
from vmh_sync.bankverbindungen.pipeline import sync_bankverbindungen
from vmh_sync.children.triggers import make_sensor, make_sweep

SENSORS = (make_sensor(KIND, sync_bankverbindungen),)
SCHEDULES = (make_sweep(KIND, sync_bankverbindungen),)
