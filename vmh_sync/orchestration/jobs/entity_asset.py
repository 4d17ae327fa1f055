"""The asset of an entity in Dagster: what people open first, with numbers that plot over time.

Each pass reports one observation of it. No materialization: both plot alike, but Dagster shows the checks of an asset
as "not evaluated" from its next materialization on, so that after every pass nothing would be known (seen in the page).
Exactly one event a run: each costs the run a write to Dagster's database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import dagster as dg

from vmh_sync.engine.counting.entity_numbers import EntityNumbers
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.entities import Entity
from vmh_sync.settings import PeopleSettings, SettingsError, load
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result, edit_to_write
from vmh_sync.sync.reporting.words_de import TRIGGERS, word

RECORDS_GROUP = "stammdaten"
CALENDAR_GROUP = "kalender"
REPAIR_GROUP = "reparatur"
HOUSE_GROUP = "betrieb"


def make_entity_asset(entity: Entity) -> dg.AssetSpec:
    """Return the asset of an entity with records in EspoCRM."""
    return dg.AssetSpec(
        entity.name,
        group_name=RECORDS_GROUP,
        kinds={"espocrm", "advoware"},
        description=(
            f"{entity.label} in EspoCRM ({entity.espocrm}) und Advoware.\n\n"
            "Jeder Durchgang meldet hier seine Zahlen; unter **Metadata** zeigt **Plots** ihren Verlauf. **Checks** "
            "sagt, ob alles aktuell ist, was fehlgeschlagen ist und ob beide Seiten gleich sind. Abgleichen: Job "
            f"`sync_{entity.name}`; Fehlerhafte wiederholen: Asset `repaired_{entity.name}`, Reiter „Partitions“."
        ),
    )


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What a pass did: when it ended, what started it, how long it took, which calls it needed."""

    entity: str
    trigger: str
    outcomes: Sequence[RecordOutcome]
    numbers: EntityNumbers
    ended: datetime
    seconds: float
    calls: Mapping[str, int]

    @property
    def failed(self) -> int:
        """How many records failed in the pass."""
        return sum(outcome.result is Result.FAILED for outcome in self.outcomes)


def pass_event(facts: PassFacts, more: Mapping[str, float] = MappingProxyType({})) -> dg.AssetObservation:
    """Return the one event that a pass reports about its entity; ``more``: numbers of its own."""
    return dg.AssetObservation(
        asset_key=facts.entity, description=told_in_a_line(facts), metadata={**pass_metadata(facts), **more}
    )


def pass_metadata(facts: PassFacts) -> dict[str, int | float]:
    """Return the numbers that plot over time: how the entity stands, and what the pass did."""
    return {**_entity_numbers(facts.numbers), **_pass_numbers(facts, PassSummary().add(facts.outcomes))}


def told_in_a_line(facts: PassFacts) -> str:
    """Return what a pass did in one German line."""
    summary = PassSummary().add(facts.outcomes)
    done = [
        f"{count} {name}"
        for count, name in (
            (summary.results[Result.SYNCED], "abgeglichen"),
            (summary.results[Result.FAILED], "fehlgeschlagen"),
            (summary.different, "verschieden mit Aufgabe"),
            (summary.results[Result.UNCHANGED], "unverändert"),
            (summary.results[Result.SKIPPED], "übersprungen"),
        )
        if count
    ]
    return f"{word(TRIGGERS, facts.trigger)}: {', '.join(done) or 'nichts zu tun'}"


def _entity_numbers(numbers: EntityNumbers) -> dict[str, int | float]:
    return {
        "im Gleichstand": numbers.in_step,
        "verschieden mit Aufgabe": numbers.different,
        "fehlerhaft": numbers.failed,
        "warten": numbers.waiting,
        "ältestes Wartendes (s)": round(numbers.oldest_seconds, 1),
        "offene Aufgaben": numbers.open_tasks,
    }


def _pass_numbers(facts: PassFacts, summary: PassSummary) -> dict[str, int | float]:
    latency = edit_to_write(facts.outcomes, facts.ended)
    known = {} if latency is None else {"Änderung bis geschrieben (s)": round(latency, 1)}
    return {
        "Durchgang: Datensätze": summary.records,
        "Durchgang: geschrieben": sum(summary.writes.values()),
        "Durchgang: fehlgeschlagen": summary.results[Result.FAILED],
        "Durchgang: Konflikte": summary.conflicts,
        **known,
        **{f"Aufrufe {_SYSTEMS.get(name, name)}": count for name, count in sorted(facts.calls.items())},
        "Dauer (s)": round(facts.seconds, 2),
    }


_SYSTEMS = {"advoware": "Advoware", "espocrm": "EspoCRM", "google": "Google"}


def with_people(specs: Iterable[dg.AssetSpec]) -> list[dg.AssetSpec]:
    """Return the assets with owners and links, as the settings name them at this moment."""
    try:
        owners = list(load(PeopleSettings).owners)
    except SettingsError:
        owners = []  # whoever uses them says what is wrong with the settings; the page has to open all the same
    links = PeopleLinks.read()

    def named(spec: dg.AssetSpec) -> dg.AssetSpec:
        address = links.records(spec.key.path[-1])
        found = {"Liste in EspoCRM": dg.MetadataValue.url(address)} if address else {}
        return spec.replace_attributes(owners=owners).merge_attributes(metadata=found)

    return [named(spec) for spec in specs]
