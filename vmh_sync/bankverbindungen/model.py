"""A bank account's own rules: what makes a good IBAN and BIC, and how people recognise an account. Pure."""

from functools import lru_cache

from schwifty import BIC, IBAN
from schwifty.exceptions import (
    InvalidChecksumDigits,
    InvalidCountryCode,
    InvalidLength,
    SchwiftyException,
)

from vmh_sync.sync.base import Fields
from vmh_sync.sync.reporting.reported_text import nameable
from vmh_sync.sync.values import iban as compact

NAME_LIMIT = 100

IBAN_MISSING = "Die IBAN fehlt. Bitte die IBAN eintragen und speichern."
IBAN_CHECKSUM = "Die IBAN ist falsch: Die Prüfziffer stimmt nicht. Bitte auf Zahlendreher prüfen und berichtigen."
IBAN_LENGTH = "Die IBAN ist falsch: Sie ist zu kurz oder zu lang. Bitte berichtigen."
IBAN_COUNTRY = "Die IBAN ist falsch: Das Länderkennzeichen am Anfang gibt es nicht. Bitte berichtigen."
IBAN_STRUCTURE = "Die IBAN ist falsch aufgebaut. Bitte berichtigen."
BIC_WRONG = "Die BIC ist falsch. Bitte berichtigen oder leer lassen."


def iban_problem(value: object) -> str | None:
    """Return in one German sentence what is wrong with an IBAN, ``None`` for a good one. Blanks do not matter."""
    plain = compact(value)
    return _iban_problem(plain) if plain is not None else IBAN_MISSING


@lru_cache(maxsize=1024)  # a pass asks more than twice about the same one
def _iban_problem(plain: str) -> str | None:
    try:
        IBAN(plain)
    except InvalidChecksumDigits:
        return IBAN_CHECKSUM
    except InvalidLength:
        return IBAN_LENGTH
    except InvalidCountryCode:
        return IBAN_COUNTRY
    except (SchwiftyException, ValueError):
        return IBAN_STRUCTURE
    return None


def bic_problem(value: object) -> str | None:
    """Return in one German sentence what is wrong with a BIC; an empty one is fine."""
    plain = compact(value)
    return _bic_problem(plain) if plain is not None else None


@lru_cache(maxsize=1024)  # there are fewer banks than accounts
def _bic_problem(plain: str) -> str | None:
    try:
        BIC(plain)
    except (SchwiftyException, ValueError):
        return BIC_WRONG
    return None


def natural_key(fields: Fields) -> tuple[str, ...] | None:
    """Two accounts of one party are the same when their IBAN is."""
    plain = compact(fields.get("iban"))
    return (plain,) if plain is not None else None


def espo_name(fields: Fields) -> str:
    """Return the ``name`` of a new EspoCRM record."""
    name = str(fields.get("bank") or fields.get("kontoinhaber") or "Bankverbindung")
    return nameable(name).strip()[:NAME_LIMIT] or "Bankverbindung"


def title(fields: Fields) -> str:
    """Return how people recognise an account."""
    parts = (compact(fields.get("iban")), fields.get("bank"), fields.get("kontoinhaber"))
    return ", ".join(str(part) for part in parts if part)
