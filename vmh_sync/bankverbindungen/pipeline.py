"""The Dagster job for Bankverbindungen: a change there alone is synced without touching the party's other parts."""

from vmh_sync.bankverbindungen.part import PART
from vmh_sync.children.pipeline import make_job

sync_bankverbindungen = make_job(PART, "Bankverbindungen: EspoCRM (CBankverbindungen) ↔ Advoware.")
