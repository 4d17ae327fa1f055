"""What a person, a sensor or the command line asks a sync job to do: the job's configuration in Dagster."""

from collections.abc import Mapping

import dagster as dg
from pydantic import Field, field_validator

from vmh_sync.systems.espocrm.record_id import record_id


class SyncRunConfig(dg.Config):
    """Which records, and how."""

    ids: list[str] = Field(
        default_factory=list,
        description="EspoCRM-IDs der Datensätze, die abgeglichen werden sollen. Leer: nach „selection“.",
    )
    selection: str = Field(
        default="pending",
        description=(
            "Wenn keine IDs angegeben sind: pending (Warteschlange), backlog (Rest großer Läufe), dirty (als geändert "
            "gemeldet), failed (fehlerhaft), due (fällige Wiederholungen), rolling (nächster Teil der laufenden "
            "Prüfung in Advoware), all (alle)."
        ),
    )
    dry_run: bool = Field(
        default=False, description="Probelauf: nur zeigen, was geschrieben würde. Es wird nichts verändert."
    )
    show_values: bool = Field(
        default=False,
        description="Auch alte und neue Werte zeigen (personenbezogen! Sie stehen dann im Protokoll des Laufs).",
    )
    allow_mass_change: bool = Field(
        default=False,
        description="Freigabe, wenn ein Lauf angehalten wurde, weil zu viele Datensätze Werte verlieren würden.",
    )
    since: str = Field(
        default="",
        description="Statt „selection“: alles, was seit diesem Zeitpunkt geändert wurde (2026-11-27T08:00, UTC).",
    )
    until: str = Field(default="", description="Bis vor diesen Zeitpunkt; leer: bis jetzt. Nur mit „since“.")
    plan: str = Field(
        default="",
        description="Nummer eines gespeicherten Plans: Genau dieser wird ausgeführt, wo sich nichts bewegt hat.",
    )

    @field_validator("ids")
    @classmethod
    def _as_espocrm_spells_them(cls, ids: list[str]) -> list[str]:
        return list(dict.fromkeys(map(record_id, ids)))


SELECTIONS = {
    "pending": "was wartet (Warteschlange)",
    "backlog": "was von großen Läufen noch wartet",
    "dirty": "als geändert gemeldet",
    "failed": "fehlerhafte",
    "due": "fällige Wiederholungen und lange nicht Geprüftes",
    "rolling": "nächster Teil der laufenden Prüfung in Advoware (nur Beteiligte)",
    "all": "alle",
}
"""The selections that the launchpad offers, and what they mean."""


def launchpad_schema(selections: Mapping[str, str] = SELECTIONS) -> dict[str, dg.Field]:
    """Return what the launchpad asks for: every field with its default, and nothing else.

    ``selections``: those that the job knows, the default first.

    Not the schema that Dagster makes of :class:`SyncRunConfig`: that one leaves ``ids`` out of the defaults, takes any
    text as a selection, and offers to read each value from an environment variable, which is no use to an operator.
    """
    words = {name: field.description for name, field in SyncRunConfig.model_fields.items()}
    first = next(iter(selections))
    values = [dg.EnumValue(name, description=says) for name, says in selections.items()]
    # Two enumerations must not bear the same name.
    chosen = dg.Enum("Auswahl" if first == "pending" else f"Auswahl_{first}", values)
    if selections is not SELECTIONS:
        possible = ", ".join(f"{name} ({says})" for name, says in selections.items())
        words["selection"] = f"Wenn keine IDs angegeben sind: {possible}."
    return {
        "ids": dg.Field(dg.Array(str), default_value=[], is_required=False, description=words["ids"]),
        "selection": dg.Field(chosen, default_value=first, is_required=False, description=words["selection"]),
        **{
            name: dg.Field(bool, default_value=False, is_required=False, description=words[name])
            for name in ("dry_run", "show_values", "allow_mass_change")
        },
        **{
            name: dg.Field(str, default_value="", is_required=False, description=words[name])
            for name in ("since", "until")
        },
        "plan": dg.Field(str, default_value="", is_required=False, description=words["plan"]),
    }
