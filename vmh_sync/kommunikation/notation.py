"""How a value is written for EspoCRM, or why EspoCRM would not take it whole.

What EspoCRM accepts is recorded (specification, espocrm.md B1 6 and B5): e-mails in ASCII only, phones without
letters in international form, an extension accepted and *silently dropped*. A value that would be refused or
shortened stays on its side and is reported (sync-semantics.md 1).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers

from vmh_sync.kommunikation.model import Channel
from vmh_sync.sync.values import phone, visible

_EMAIL = re.compile(
    r"^(?=.{1,254}$)(?=.{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    re.IGNORECASE | re.ASCII,
)
_SEPARATORS = re.compile(r"[\s()./\-\u2010-\u2015]")


class Refusal(StrEnum):
    """Why a value stays on its side."""

    EMAIL_CHARACTERS = "email_characters"
    EMAIL_FORM = "email_form"
    PHONE_LETTERS = "phone_letters"
    PHONE_EMAIL = "phone_email"
    PHONE_EXTENSION = "phone_extension"
    PHONE_SEVERAL = "phone_several"
    PHONE_LOCAL = "phone_local"
    PHONE_IMPOSSIBLE = "phone_impossible"
    ESPOCRM_ANSWERED = "espocrm_answered"  # EspoCRM said no; nothing in the value told us beforehand
    ESPOCRM_IGNORED = "espocrm_ignored"  # EspoCRM answered that all is well and does not show it
    ADVOWARE_ANSWERED = "advoware_answered"  # the same of Advoware: the value stands in EspoCRM
    ADVOWARE_IGNORED = "advoware_ignored"  # Advoware answered that all is well and made something else of it

    @property
    def message(self) -> str:
        """German sentence for the firm's people: what is wrong and what helps."""
        return _MESSAGES[self]

    @property
    def by_advoware(self) -> bool:
        """Whether the value stands in EspoCRM, and Advoware does not take it."""
        return self in (Refusal.ADVOWARE_ANSWERED, Refusal.ADVOWARE_IGNORED)

    @property
    def by_espocrm(self) -> bool:
        """Whether EspoCRM does not take the value, and nothing in it told us beforehand."""
        return self in (Refusal.ESPOCRM_ANSWERED, Refusal.ESPOCRM_IGNORED)

    @property
    def may_pass(self) -> bool:
        """Whether the value is sent once more from time to time; one that was ignored would be written for ever."""
        return self in (Refusal.ADVOWARE_ANSWERED, Refusal.ESPOCRM_ANSWERED)


_MESSAGES = {
    Refusal.EMAIL_CHARACTERS: "EspoCRM nimmt keine Umlaute in E-Mail-Adressen an. Bitte ohne Umlaute eintragen.",
    Refusal.EMAIL_FORM: "Der Wert ist keine vollständige E-Mail-Adresse. Bitte in Advoware berichtigen.",
    Refusal.PHONE_LETTERS: "EspoCRM nimmt keinen Text in Telefonnummern an. Bitte den Text in die Bemerkung schreiben.",
    Refusal.PHONE_EMAIL: "Im Telefoneintrag steht eine E-Mail-Adresse. Bitte in Advoware als E-Mail-Eintrag anlegen.",
    Refusal.PHONE_EXTENSION: "EspoCRM würde die Durchwahl weglassen. Bitte die ganze Nummer ohne Zusatz eintragen.",
    Refusal.PHONE_SEVERAL: "Der Eintrag enthält mehrere Nummern. Bitte je Nummer einen eigenen Eintrag anlegen.",
    Refusal.PHONE_LOCAL: "Der Nummer fehlt die Vorwahl. Bitte mit Vorwahl eintragen.",
    Refusal.PHONE_IMPOSSIBLE: "Die Nummer ist zu kurz oder zu lang. Bitte in Advoware prüfen.",
    Refusal.ESPOCRM_ANSWERED: "EspoCRM hat den Wert abgelehnt. Bitte den Wert in Advoware prüfen und berichtigen.",
    Refusal.ESPOCRM_IGNORED: "EspoCRM hat den Wert nicht übernommen. Bitte den Wert in EspoCRM von Hand eintragen.",
    Refusal.ADVOWARE_ANSWERED: "Advoware hat den Wert abgelehnt. Bitte den Wert in EspoCRM prüfen und berichtigen.",
    Refusal.ADVOWARE_IGNORED: "Advoware hat den Wert nicht übernommen. Bitte den Wert in Advoware von Hand eintragen.",
}


@dataclass(frozen=True, slots=True, repr=False)
class ForEspo:
    """A value in EspoCRM's notation, or the reason why it cannot go there (exactly one of the two is set)."""

    value: str | None = None
    refusal: Refusal | None = None


@lru_cache(maxsize=1024)  # a pass asks the same of each value several times
def for_espo(channel: Channel, value: str) -> ForEspo:
    """Return ``value`` as EspoCRM takes it (phones as E.164), or why it would be refused or shortened."""
    return _email(value) if channel is Channel.EMAIL else _phone(value)


def _email(value: str) -> ForEspo:
    plain = visible(value)
    if _EMAIL.match(plain):
        return ForEspo(plain)
    return ForEspo(refusal=Refusal.EMAIL_FORM if plain.isascii() else Refusal.EMAIL_CHARACTERS)


def _phone(value: str) -> ForEspo:
    number = phone(value) or ""
    if number.startswith("+") and ";ext=" in number:
        return ForEspo(refusal=Refusal.PHONE_EXTENSION)
    if re.fullmatch(r"\+\d+", number):
        return ForEspo(number) if _is_possible(number) else ForEspo(refusal=Refusal.PHONE_IMPOSSIBLE)
    bare = _SEPARATORS.sub("", number.partition(";ext=")[0])
    if any(char.isalpha() for char in number.replace(";ext=", "")):
        return ForEspo(refusal=Refusal.PHONE_EMAIL if _EMAIL.match(value.strip()) else Refusal.PHONE_LETTERS)
    if bare.isdigit() and not bare.startswith("0"):
        return ForEspo(refusal=Refusal.PHONE_LOCAL)
    several = len(re.sub(r"\D", "", number)) > 6
    return ForEspo(refusal=Refusal.PHONE_SEVERAL if several else Refusal.PHONE_IMPOSSIBLE)


def _is_possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
