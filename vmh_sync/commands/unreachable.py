"""What a command says when another system does not answer: besides the sentence, what is wrong with the way there."""

from vmh_sync.clock import SystemClock
from vmh_sync.doctor.advoware import asked_addresses
from vmh_sync.doctor.reach import Address, bad_address, why_unreachable
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings, SettingsError, load
from vmh_sync.systems.errors import ForeignSystemError, Transient, Unavailable


def explained(error: ForeignSystemError) -> str:
    """Return the error's sentence; without any answer the cause and the remedy, as far as the way shows them."""
    if error.status is not None or not isinstance(error, Transient | Unavailable):
        return error.message_for_people
    try:
        addresses = _addresses(error.system)
    except SettingsError:
        addresses = []
    for address in addresses:
        line = bad_address(error.system, address) or why_unreachable(error.system, address, SystemClock())
        if line is not None:
            return f"{error.message_for_people} {line.text} {line.remedy}"
    return error.message_for_people


def _addresses(system: str) -> list[Address]:
    if system == "espocrm":
        return [Address("ESPOCRM_API_BASE_URL", load(EspoCrmSettings).api_base_url)]
    return list(asked_addresses(load(AdvowareSettings))) if system == "advoware" else []
