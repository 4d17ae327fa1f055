"""Whose calendars the calendar job is asked for, by whomever. Without Dagster, like ``orchestration/run_tags.py``."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vmh_sync.orchestration.run_tags import QUIET_CONSOLE

EVERYBODY = "ALL"


class Calendars(BaseModel):
    """Whose calendars, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kuerzel: list[str] = Field(
        default_factory=list, description="Kürzel der Mitarbeiter. Leer oder „ALL“: alle, am längsten wartende zuerst."
    )
    full_content: bool | None = Field(
        default=None, description="false: ohne Inhalte („Termin“); true: mit Inhalten; leer: wie eingestellt."
    )
    dry_run: bool = Field(
        default=False, description="Probelauf: nur zeigen, was geschrieben würde. Es wird nichts verändert."
    )
    show_values: bool = Field(
        default=False,
        description="Im Probelauf auch die Werte zeigen (personenbezogen! Sie stehen dann im Protokoll des Laufs).",
    )
    allow_mass_change: bool = Field(
        default=False, description="Freigabe, wenn ein Kalender angehalten wurde, weil zu viel gelöscht würde."
    )
    plan: str = Field(
        default="", description="Nummer eines freigegebenen Plans: genau das wird geschrieben, sonst nichts."
    )
    rung: bool = Field(
        default=False, description="Nur die Kalender, deren Änderung Google gemeldet hat (CALENDAR_SYNC_PUSH_URL)."
    )
    jitter_seconds: float = Field(
        default=0.0, ge=0, description="Beginnt bis zu so viele Sekunden später (für Läufe nach Zeitplan)."
    )

    def named(self) -> list[str]:
        """Return the named Kürzel, empty for everybody."""
        return [] if any(name.strip().upper() == EVERYBODY for name in self.kuerzel) else list(self.kuerzel)

    def run_config(self) -> dict[str, Any]:
        """Return the run configuration of the job; a partitioned job takes no config mapping, so it names the op."""
        asked = {name: value for name, value in self.model_dump().items() if value is not None}
        return {"ops": {"fetch_calendars": {"config": asked}}, "loggers": QUIET_CONSOLE}
