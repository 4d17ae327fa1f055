"""Bank accounts as children of a party."""

from collections.abc import Mapping, Sequence
from typing import Any

from vmh_sync.bankverbindungen import model
from vmh_sync.bankverbindungen.fields import ADVOWARE_ENTITY, ENTITY, ESPO_ENTITY, FIELDS, KEY_ATTRIBUTE
from vmh_sync.children.kind import ChildKind, Problem
from vmh_sync.children.part import ChildrenPart
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.create_what_is_taken import Needed
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.base import Fields
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.values import iban
from vmh_sync.systems.advoware.records import Bankverbindung, Beteiligter, Created, WireRecord
from vmh_sync.systems.spoilt_row import SpoiltRow


class BankAccounts(ChildKind):
    """What Bankverbindungen say about themselves (specification, entities.md 4)."""

    entity = ENTITY
    espo_entity = ESPO_ENTITY
    advoware_entity = ADVOWARE_ENTITY
    label = "Bankverbindung"
    table = FIELDS
    key_attribute = KEY_ATTRIBUTE
    waiting_status = "unclean"
    different_status = "unclean"
    due_statuses = ("unclean",)
    update_task = TaskKind.BANK_UPDATE
    delete_task = TaskKind.BANK_DELETE
    steady = ("kontoinhaber",)
    inactive_asks_for_deletion = False
    double = (
        "Diese IBAN gibt es bei diesem Beteiligten schon. Bitte die doppelte Bankverbindung löschen oder die IBAN "
        "berichtigen."
    )

    def embedded(self, party: Beteiligter) -> Sequence[WireRecord] | None:
        """Return the accounts inside a read party."""
        return party.bankverbindungen

    async def listed(self, context: PassContext, betnr: int, spoilt: list[SpoiltRow]) -> Sequence[WireRecord]:
        """Read the accounts by a call of their own."""
        return await context.advoware.list_bankverbindungen(betnr, spoilt)

    async def post(self, context: PassContext, betnr: int, values: Mapping[str, object]) -> Created[Bankverbindung]:
        """Create an account in Advoware."""
        return await context.advoware.create_bankverbindung(betnr, values)

    def natural_key(self, fields: Fields) -> tuple[str, ...] | None:
        """The IBAN without blanks."""
        return model.natural_key(fields)

    def problems(self, fields: Fields) -> list[Problem]:
        """IBAN and BIC are checked before any write."""
        found = (("iban", model.iban_problem(fields.get("iban"))), ("bic", model.bic_problem(fields.get("bic"))))
        return [Problem(name, message) for name, message in found if message is not None]

    def create_values(self, espo_id: str, values: dict[str, Any], fields: Fields, owner: str) -> dict[str, Any]:
        """Advoware gets IBAN and BIC without blanks."""
        return {name: iban(value) if name in ("iban", "bic") else value for name, value in values.items()}

    def needed(self, espo_id: str, values: Mapping[str, object]) -> Needed:
        """The IBAN."""
        return Needed({"iban": values["iban"]})

    def espo_values(self, values: dict[str, Any]) -> dict[str, Any]:
        """EspoCRM gets IBAN and BIC without blanks: with them a long one would not fit."""
        compact = {self.table["iban"].espo, self.table["bic"].espo}
        return {name: iban(value) if name in compact else value for name, value in values.items()}

    def espo_name(self, fields: Fields) -> str:
        """The bank's name."""
        return model.espo_name(fields)

    def title(self, fields: Fields) -> str:
        """IBAN, bank and holder."""
        return model.title(fields)

    def imports(self, rules: SyncSettings) -> bool:
        """As the setting says."""
        return rules.import_bank_accounts


KIND = BankAccounts()
PART = ChildrenPart(KIND)
