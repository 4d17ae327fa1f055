"""What ``vmh-sync probe`` found out about the firm's Advoware, and how every pass obeys it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from vmh_sync.engine.field_tables import FieldChanges
from vmh_sync.settings import SettingsError
from vmh_sync.store import Store

_NAME = "advoware_probe"


class AssumptionRefuted(SettingsError):
    """Something that the sync rests on is not so at this firm; the message is German and says what to do."""


@dataclass(frozen=True, slots=True)
class KnownInstallation:
    """What is known. ``fields`` are changes of the field tables: entity -> field -> changes (``VMH_FIELD_TABLES``).

    ``stops`` are German sentences: while there is one, no pass may run.
    """

    search: bool = True
    fields: FieldChanges = field(default_factory=dict)
    stops: tuple[str, ...] = ()
    tried_at: str | None = None
    """When it was found out (ISO, UTC); ``None``: never."""
    settle_seconds: float = 0.0
    """How long a create without answer is waited for at least; ``VMH_CREATE_SETTLE_SECONDS`` may say more."""

    def field_changes(self, own: FieldChanges) -> FieldChanges:
        """Return the changes of the field tables; where the operator's ``own`` say something, they decide."""
        merged: dict[str, dict[str, Any]] = {entity: dict(changes) for entity, changes in self.fields.items()}
        for entity, changes in own.items():
            for name, change in changes.items():
                found = merged.setdefault(entity, {}).get(name) or {}
                merged[entity][name] = change if change is None else {**found, **change}
        return merged

    def check(self) -> None:
        """Raise :class:`AssumptionRefuted` when no pass may run."""
        if self.stops:
            raise AssumptionRefuted(
                "Angehalten, weil `vmh-sync probe` gefunden hat, was den Abgleich unsicher macht:\n"
                + "\n".join(f"  {sentence}" for sentence in self.stops)
                + "\nNach der Behebung `vmh-sync probe` noch einmal aufrufen."
            )


def read_known(store: Store) -> KnownInstallation:
    """Return what is stored; the assumptions of the specification where nothing was tried yet."""
    with store.reading() as tx:
        value = tx.cursors.get(_NAME)
    return KnownInstallation(**{**value, "stops": tuple(value["stops"])}) if value else KnownInstallation()


def keep_known(store: Store, known: KnownInstallation) -> None:
    """Store what was found out, in place of what was known before."""
    with store.transaction() as tx:
        tx.cursors.set(_NAME, asdict(known))
