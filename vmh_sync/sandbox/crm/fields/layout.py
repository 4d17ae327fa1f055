"""Which attributes an entity type's fields come down to, and how each is stored and shown."""

from dataclasses import dataclass

from vmh_sync.sandbox.crm.fields.schema import EntityType, FieldDef

Record = dict[str, object]

# A column that is never shown: the name in lower case, for the duplicate check.
SEARCH_KEY = "_key"
TEAMS_KEY = "_teams"
"""A column that is shown as ``teamsIds`` and ``teamsNames``."""

STORED_KINDS = {
    "varchar",
    "text",
    "enum",
    "int",
    "float",
    "bool",
    "date",
    "datetime",
    "datetimeOptional",
    "jsonObject",
}


@dataclass(frozen=True)
class Attribute:
    """One stored attribute: its name, the field it belongs to, how values are checked, and the definition."""

    name: str
    field: str
    kind: str
    definition: FieldDef
    read_only: bool = False


class Layout:
    """The attributes of one entity type, derived from its fields; rebuilt when the schema changes.

    ``stored`` are the columns; ``names`` maps a shown ``…Name`` attribute to its ``…Id`` column and foreign type
    (``None``: the type stands in the ``…Type`` column).
    """

    def __init__(self, entity: EntityType) -> None:
        self.entity = entity
        self.stored: dict[str, Attribute] = {}
        self.by_field: dict[str, list[Attribute]] = {}
        self.names: dict[str, tuple[str, str | None]] = {}
        self.has_contacts = entity.kind == "Person"
        self.is_person = entity.kind == "Person"
        self.teams = "teams" in entity.fields
        for name, definition in entity.fields.items():
            self._add(name, definition)
        self.required = [name for name, definition in entity.fields.items() if definition.get("required")]
        self.defaults = {
            name: definition["default"] for name, definition in entity.fields.items() if "default" in definition
        }
        self.empty: Record = {"id": None, "deleted": False, **dict.fromkeys(self.stored)}
        self.empty |= {"streamUpdatedAt": None, "versionNumber": None}
        if self.is_person:
            self.empty[SEARCH_KEY] = None
        if self.teams:
            self.empty[TEAMS_KEY] = None
        self.searchable = {*self.empty, *self.names} - {SEARCH_KEY, TEAMS_KEY}
        if self.has_contacts:
            self.searchable |= {"emailAddress", "phoneNumber"}
        if not entity.stream:
            self.searchable.discard("streamUpdatedAt")
        if not entity.optimistic:
            self.searchable.discard("versionNumber")
        self.hidden = self._hidden()

    def _hidden(self) -> tuple[str, ...]:
        hidden = [] if self.entity.stream else ["streamUpdatedAt"]
        if not self.entity.optimistic:
            hidden.append("versionNumber")
        if self.teams:
            hidden.append(TEAMS_KEY)
        return tuple(hidden)

    def _add(self, name: str, definition: FieldDef) -> None:
        kind = definition["type"]
        read_only = bool(definition.get("readOnly"))
        if kind == "link":
            self._store(f"{name}Id", name, "id", definition, read_only=read_only)
            link = self.entity.links.get(name)
            self.names[f"{name}Name"] = (f"{name}Id", link.entity if link else None)
        elif kind == "linkParent":
            self._store(f"{name}Id", name, "id", definition, read_only=read_only)
            self._store(f"{name}Type", name, "id", definition, read_only=read_only)
            self.names[f"{name}Name"] = (f"{name}Id", None)
        elif kind in STORED_KINDS:
            self._store(name, name, kind, definition, read_only=read_only)
        elif kind == "personName":
            self._store(name, name, "name", definition, read_only=True)

    def _store(self, name: str, field: str, kind: str, definition: FieldDef, *, read_only: bool) -> None:
        self.stored[name] = Attribute(name, field, kind, definition, read_only)
        self.by_field.setdefault(field, []).append(self.stored[name])

    def field_of(self, attribute: str) -> str:
        """Return the field an attribute belongs to (for field-level rights)."""
        stored = self.stored.get(attribute)
        if stored is not None:
            return stored.field
        for suffix in ("Data", "IsOptedOut", "IsInvalid", "Name", "Ids", "Names"):
            if attribute.endswith(suffix) and attribute.removesuffix(suffix) in {*self.entity.fields, "followers"}:
                return attribute.removesuffix(suffix)
        return attribute
