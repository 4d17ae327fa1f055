"""The entities that are kept the same on both sides: the only list of them; every other list derives from it.

An entity is a package, its room: ``<room>.definitions`` offers ``ROOM``, an
:class:`vmh_sync.orchestration.entity_room.EntityRoom`. Adding one means adding its folder and one line here, or, for a
firm's own package, naming it in ``VMH_ENTITIES`` (CONTRIBUTING.md). Imports nothing of ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Entity:
    """``name``: ours, in links, audit, metrics, job (``sync_<name>``), webhooks and commands. ``label``: German plural.

    ``espocrm``: the entity type whose records are synced, ``None`` when it has no records of its own there.
    ``room``: the package; empty for ``vmh_sync.<name>``.
    """

    name: str
    label: str
    espocrm: str | None = None
    room: str = ""

    @property
    def package(self) -> str:
        """Return the name of its package."""
        return self.room or f"vmh_sync.{self.name}"

    @property
    def job(self) -> str:
        """Return the name of its job in Dagster."""
        return job_of(self.name)


BETEILIGTE = Entity("beteiligte", "Beteiligte", "CBeteiligte")
ADRESSEN = Entity("adressen", "Adressen", "CAdressen")
BANKVERBINDUNGEN = Entity("bankverbindungen", "Bankverbindungen", "CBankverbindungen")
KALENDER = Entity("kalender", "Kalender")

_BUILT_IN = (BETEILIGTE, ADRESSEN, BANKVERBINDUNGEN, KALENDER)
_added: dict[str, Entity] = {}


def job_of(name: str) -> str:
    """Return the name of the job in Dagster that syncs the entity of this name."""
    return f"sync_{name}"


class UnusableEntity(ValueError):
    """An entity cannot be added; ``str`` says why, in German."""


def not_loadable(module: str, error: Exception) -> UnusableEntity:
    """Return what is wrong with a module of the firm's own that raised an error when it was loaded."""
    return UnusableEntity(
        f"VMH_ENTITIES: {module} ist nicht zu laden ({type(error).__name__}). "
        "Das Paket installieren oder in Ordnung bringen, oder den Namen berichtigen."
    )


def add(entity: Entity) -> None:
    """Make a firm's own entity known to this process; the same one twice is one. Raises :class:`UnusableEntity`."""
    known = {one.name: one for one in every()}.get(entity.name, entity)
    if known != entity:
        raise UnusableEntity(f"Den Bereich „{entity.name}“ gibt es schon ({known.package}).")
    if entity not in _BUILT_IN:
        _added[entity.name] = entity


def add_packages(packages: Iterable[str]) -> None:
    """Make entities of the firm's own known: each package offers ``ENTITY`` in ``<package>.entity``."""
    for package in packages:
        try:
            entity = getattr(import_module(f"{package}.entity"), "ENTITY", None)
        except Exception as error:  # the firm's own code: whatever it raises
            raise not_loadable(f"{package}.entity", error) from error
        if not isinstance(entity, Entity) or entity.package != package:
            raise UnusableEntity(f"VMH_ENTITIES: {package}.entity bietet kein ENTITY mit room={package!r} an.")
        add(entity)


def every() -> tuple[Entity, ...]:
    """Return all entities in the order in which people see them."""
    return (*_BUILT_IN, *_added.values())


def with_records() -> tuple[Entity, ...]:
    """Return those whose records stand in EspoCRM: they have webhooks, an inbox, a ledger and a state per record."""
    return tuple(entity for entity in every() if entity.espocrm is not None)


def espocrm_type(name: str) -> str | None:
    """Return the EspoCRM entity type of an entity, ``None`` without one."""
    return next((entity.espocrm for entity in every() if entity.name == name), None)
