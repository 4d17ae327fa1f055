"""What a command says when another system does not answer: besides the sentence, what is wrong with the way there."""

from collections.abc import Iterable

from vmh_sync.clock import SystemClock
from vmh_sync.doctor.advoware import asked_addresses
from vmh_sync.doctor.clocks import clock_line, time_at
from vmh_sync.doctor.line import Level
from vmh_sync.doctor.reach import Address, bad_address, why_unreachable
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings, SettingsError, load
from vmh_sync.systems.advoware import errors as advoware
from vmh_sync.systems.errors import ForeignSystemError, Transient, Unavailable
from vmh_sync.systems.espocrm import errors as espocrm


def explained(error: ForeignSystemError) -> str:
    """Return the error's sentence; without any answer the cause and the remedy, as far as the way shows them."""
    if isinstance(error, advoware.LoginFailed):
        return " ".join((error.message_for_people, *_wrong_clock()))
    if error.status is not None or not isinstance(error, Transient | Unavailable):
        return error.message_for_people
    return " ".join((error.message_for_people, *blocked_way(error.system)))


def explained_run(failure: Exception, sentence: str | None) -> str:
    """Return why a run in the foreground stopped: its ``sentence``, and what :func:`explained` knows of its cause."""
    cause = failure.__cause__
    if isinstance(cause, ForeignSystemError):
        return explained(cause)
    if sentence and sentence.startswith(advoware.LoginFailed.people):
        return " ".join((sentence, *_wrong_clock()))
    return sentence or "Der Lauf ist fehlgeschlagen."


def explained_failures(failures: Iterable[str]) -> list[str]:
    """Return what is wrong with the way to a system that did not answer, by what the failed records' sentences say."""
    told = set(failures)
    silent = [kind.system for kind in (advoware.Transient, espocrm.Transient) if kind.people in told]
    return [line for system in silent for line in blocked_way(system)]


def blocked_way(system: str) -> list[str]:
    """Return cause and remedy; nothing when a request would get there, as far as can be told from here."""
    try:
        addresses = _addresses(system)
    except SettingsError:
        return []
    lines = (bad_address(system, one) or why_unreachable(system, one, SystemClock()) for one in addresses)
    return [f"{line.text} {line.remedy}" for line in lines if line is not None][:1]


def _wrong_clock() -> list[str]:
    """Advoware refuses a login that was signed at another time: whether that is why, and what to do."""
    try:
        address = next(asked_addresses(load(AdvowareSettings)))
    except SettingsError:
        return []
    line = clock_line("Advoware", time_at(address), SystemClock())
    return [f"{line.text} {line.remedy}"] if line.level is Level.PROBLEM else []


def _addresses(system: str) -> list[Address]:
    if system == "espocrm":
        return [Address("ESPOCRM_API_BASE_URL", load(EspoCrmSettings).api_base_url)]
    return list(asked_addresses(load(AdvowareSettings))) if system == "advoware" else []
