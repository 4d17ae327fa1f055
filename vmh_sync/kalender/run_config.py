"""What a person, the schedule or the command line asks the calendar job to do: its configuration in Dagster."""

from typing import Any

import dagster as dg
from pydantic import Field

from vmh_sync.orchestration.run_config import QUIET_CONSOLE

EVERYBODY = "ALL"

EMPLOYEE_PARTITIONS = "kalender_mitarbeiter"

employees_partitions = dg.DynamicPartitionsDefinition(name=EMPLOYEE_PARTITIONS)


class Calendars(dg.Config):
    """Whose calendars, and how."""

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


def launchpad_schema() -> dict[str, dg.Field]:
    """Return what the launchpad asks for: every field with its default, and nothing else."""
    words = {name: field.description for name, field in Calendars.model_fields.items()}
    flags = ("dry_run", "show_values", "allow_mass_change", "rung")
    return {
        "kuerzel": dg.Field(dg.Array(str), default_value=[], is_required=False, description=words["kuerzel"]),
        "full_content": dg.Field(dg.Noneable(bool), is_required=False, description=words["full_content"]),
        **{n: dg.Field(bool, default_value=False, is_required=False, description=words[n]) for n in flags},
        "plan": dg.Field(str, default_value="", is_required=False, description=words["plan"]),
        "jitter_seconds": dg.Field(float, default_value=0.0, is_required=False, description=words["jitter_seconds"]),
    }
