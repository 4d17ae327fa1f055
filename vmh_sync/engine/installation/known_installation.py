"""What ``vmh-sync probe`` found out about the firm's own systems, and how every pass obeys it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from vmh_sync.engine.installation.field_tables import FieldChanges
from vmh_sync.settings import SettingsError
from vmh_sync.store import Store
from vmh_sync.systems.espocrm.query import IDS_PER_REQUEST, LIST_LIMIT, ListLimits

_NAME = "advoware_probe"
_ESPOCRM = "espocrm_probe"
_GOOGLE = "google_probe"


class AssumptionRefuted(SettingsError):
    """Something that the sync rests on is not so at this firm; the message is German and says what to do."""


@dataclass(frozen=True, slots=True)
class KnownInstallation:
    """What is known of Advoware.

    ``fields`` are changes of the field tables: entity -> field -> changes (``VMH_FIELD_TABLES``).
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
        _check(self.stops)


@dataclass(frozen=True, slots=True)
class KnownEspocrm:
    """What is known of EspoCRM: the limits of its lists; ``stops`` and ``tried_at`` as of Advoware."""

    longest_page: int
    values_per_request: int
    stops: tuple[str, ...] = ()
    tried_at: str | None = None

    def check(self) -> None:
        """Raise :class:`AssumptionRefuted` when no pass may run."""
        _check(self.stops)

    @property
    def limits(self) -> ListLimits:
        """What the client is told."""
        return ListLimits(self.longest_page, self.values_per_request)


@dataclass(frozen=True, slots=True)
class KnownGoogle:
    """What is known of Google Calendar; ``stops`` holds the calendar passes alone."""

    stops: tuple[str, ...] = ()
    tried_at: str | None = None

    def check(self) -> None:
        """Raise :class:`AssumptionRefuted` when no calendar pass may run."""
        _check(self.stops)


def _check(stops: tuple[str, ...]) -> None:
    if stops:
        raise AssumptionRefuted(
            "Angehalten, weil `vmh-sync probe` gefunden hat, was den Abgleich unsicher macht:\n"
            + "\n".join(f"  {sentence}" for sentence in stops)
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


def read_known_espocrm(store: Store) -> KnownEspocrm:
    """Return what is stored; the assumptions of the specification where nothing was tried yet."""
    with store.reading() as tx:
        value = tx.cursors.get(_ESPOCRM)
    if not value:
        return KnownEspocrm(LIST_LIMIT, IDS_PER_REQUEST)
    return KnownEspocrm(**{**value, "stops": tuple(value["stops"])})


def keep_known_espocrm(store: Store, known: KnownEspocrm) -> None:
    """Store what was found out, in place of what was known before."""
    with store.transaction() as tx:
        tx.cursors.set(_ESPOCRM, asdict(known))


def read_known_google(store: Store) -> KnownGoogle:
    """Return what is stored; the assumptions of the specification where nothing was tried yet."""
    with store.reading() as tx:
        value = tx.cursors.get(_GOOGLE)
    return KnownGoogle(**{**value, "stops": tuple(value["stops"])}) if value else KnownGoogle()


def keep_known_google(store: Store, known: KnownGoogle) -> None:
    """Store what was found out, in place of what was known before."""
    with store.transaction() as tx:
        tx.cursors.set(_GOOGLE, asdict(known))
