"""What starts a sync of Adressen by itself."""

from vmh_sync.adressen.part import KIND
from vmh_sync.adressen.pipeline import sync_adressen
from vmh_sync.children.triggers import make_sensor, make_sweep

SENSORS = (make_sensor(KIND, sync_adressen),)
SCHEDULES = (make_sweep(KIND, sync_adressen),)
