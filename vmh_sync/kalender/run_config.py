"""What a person, the schedule or the command line asks the calendar job to do: its configuration in Dagster."""

import dagster as dg

from vmh_sync.kalender.calendars import Calendars

EMPLOYEE_PARTITIONS = "kalender_mitarbeiter"

employees_partitions = dg.DynamicPartitionsDefinition(name=EMPLOYEE_PARTITIONS)


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
