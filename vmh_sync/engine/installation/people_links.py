"""Where people find a record or a run in their browser. Addresses hold ids only, never values."""

from dataclasses import dataclass

from vmh_sync.entities import espocrm_type
from vmh_sync.settings import EspoCrmSettings, PeopleSettings, VmhSettings, load_or_note

_API = "/api/v1"


@dataclass(frozen=True, slots=True)
class PeopleLinks:
    """Addresses of the systems for people; ``None`` where one is not known."""

    espocrm: str | None = None
    advoware: str | None = None
    dagster: str | None = None

    @classmethod
    def read(cls) -> "PeopleLinks":
        """Read them from the settings. Never raises: what is not set has no link."""
        said: list[str] = []  # whoever needs the settings says what is wrong with them
        people = load_or_note(PeopleSettings, said) or PeopleSettings.model_construct()
        access, house = load_or_note(EspoCrmSettings, said), load_or_note(VmhSettings, said)
        espocrm = people.espocrm_link or (access.api_base_url.rstrip("/").removesuffix(_API) if access else None)
        dagster = people.dagster_link or (house.dagster_url if house else None)
        return cls(_bare(espocrm), people.advoware_link, _bare(dagster))

    def record(self, entity: str, espo_id: str) -> str | None:
        """Return the page of a record in EspoCRM; ``entity`` is our name of it."""
        kind = espocrm_type(entity)
        return f"{self.espocrm}/#{kind}/view/{espo_id}" if self.espocrm and kind else None

    def records(self, entity: str) -> str | None:
        """Return the list of an entity in EspoCRM."""
        kind = espocrm_type(entity)
        return f"{self.espocrm}/#{kind}" if self.espocrm and kind else None

    def task(self, espo_task_id: str | None) -> str | None:
        """Return the page of a task in EspoCRM."""
        return f"{self.espocrm}/#Task/view/{espo_task_id}" if self.espocrm and espo_task_id else None

    def party(self, betnr: int | None) -> str | None:
        """Return the page of a party in Advoware, where the firm has said how to address it."""
        return self.advoware.replace("{betnr}", str(betnr)) if self.advoware and betnr else None

    def run(self, run_id: str | None) -> str | None:
        """Return the page of a run in Dagster."""
        return f"{self.dagster}/runs/{run_id}" if self.dagster and run_id else None

    def asset(self, key: str) -> str | None:
        """Return the page of an asset in Dagster."""
        return f"{self.dagster}/assets/{key}" if self.dagster else None


def _bare(address: str | None) -> str | None:
    return address.rstrip("/") if address else None
