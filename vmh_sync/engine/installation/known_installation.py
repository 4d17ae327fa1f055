"""What ``vmh-sync probe`` found out about the firm's own systems, and how every pass obeys it."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, TypeVar

from vmh_sync.engine.installation.field_tables import FieldChanges
from vmh_sync.settings import SettingsError
from vmh_sync.store import Store
from vmh_sync.systems.espocrm.query import IDS_PER_REQUEST, LIST_LIMIT, ListLimits


class AssumptionRefuted(SettingsError):
    """Something that the sync rests on is not so at this firm; the message is German and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one system; without anything tried, the assumptions of the specification.

    ``stops`` are German sentences: while there is one, no pass may run.
    """

    stored_as: ClassVar[str]
    stops: tuple[str, ...] = ()
    tried_at: str | None = None
    """When it was found out (ISO, UTC); ``None``: never."""

    def check(self) -> None:
        """Raise :class:`AssumptionRefuted` when no pass may run."""
        if self.stops:
            raise AssumptionRefuted(
                "Angehalten, weil `vmh-sync probe` gefunden hat, was den Abgleich unsicher macht:\n"
                + "\n".join(f"  {sentence}" for sentence in self.stops)
                + "\nNach der Behebung `vmh-sync probe` noch einmal aufrufen."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownInstallation(Known):
    """What is known of Advoware.

    ``fields`` are changes of the field tables: entity -> field -> changes (``VMH_FIELD_TABLES``).
    """

    stored_as = "advoware_probe"
    search: bool = True
    fields: FieldChanges = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEspocrm(Known):
    """What is known of EspoCRM: the limits of its lists."""

    stored_as = "espocrm_probe"
    longest_page: int = LIST_LIMIT
    values_per_request: int = IDS_PER_REQUEST

    @property
    def limits(self) -> ListLimits:
        """What the client is told."""
        return ListLimits(self.longest_page, self.values_per_request)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGoogle(Known):
    """What is known of Google Calendar; it holds the calendar passes alone."""

    stored_as = "google_probe"


K = TypeVar("K", bound=Known)


def read_known(store: Store, kind: type[K]) -> K:
    """Return what is stored of one system."""
    with store.reading() as tx:
        value = tx.cursors.get(kind.stored_as)
    return kind(**{**value, "stops": tuple(value["stops"])}) if value else kind()


def keep_known(store: Store, known: Known) -> None:
    """Store what was found out, in place of what was known before."""
    with store.transaction() as tx:
        tx.cursors.set(known.stored_as, asdict(known))
