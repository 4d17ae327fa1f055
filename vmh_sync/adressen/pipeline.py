"""The Dagster job for Adressen: a change there alone is synced without touching the party's other parts."""

from vmh_sync.adressen.part import PART
from vmh_sync.children.pipeline import make_job

sync_adressen = make_job(PART, "Adressen: EspoCRM (CAdressen) ↔ Advoware.")
