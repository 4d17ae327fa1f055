"""Made-up but valid values: German names and firms, phone numbers, mail addresses, IBANs, streets.

Nobody can be reached by any of them: domains end in ``.example``, landlines are the regulator's numbers for films
with a made-up extension, mobile numbers are one digit longer than that network's real ones.
"""

import random
import unicodedata

MALE = [
    "Thomas",
    "Michael",
    "Andreas",
    "Stefan",
    "Jürgen",
    "Björn",
    "Götz",
    "Matthias",
    "Christian",
    "Jörg",
    "Hans-Peter",
    "Uwe",
    "Klaus",
    "Rüdiger",
    "Sören",
    "Lukas",
    "Felix",
    "Jonas",
    "Emre",
    "Paweł",
]
FEMALE = [
    "Sabine",
    "Petra",
    "Susanne",
    "Claudia",
    "Käthe",
    "Jördis",
    "Anna-Lena",
    "Monika",
    "Ursula",
    "Bärbel",
    "Martina",
    "Heike",
    "Katrin",
    "Jana",
    "Lea",
    "Zoë",
    "Ayşe",
    "Marie",
    "Sophie",
    "Renée",
]
LAST = [
    "Müller",
    "Schmidt",
    "Schneider",
    "Weiß",
    "Groß",
    "Köhler",
    "Krämer",
    "Jäger",
    "Böhm",
    "Vogt",
    "Lange",
    "Krüger",
    "Hübner",
    "Döring",
    "Fuchs",
    "Seidel",
    "Brandt",
    "Haas",
    "Schäfer",
    "Graf",
    "Voß",
    "Bergmann",
    "Thiele",
    "Pohl",
    "Engel",
    "Roth",
    "Beck",
    "Lorenz",
    "Busch",
    "Kühn",
    "Sauer",
    "Winter",
    "Stein",
    "Schreiber",
    "Ebert",
    "Meißner",
    "Yıldız",
    "Nowak",
    "Strauß",
    "Özdemir",
    "Grünewald",
    "Kaminski",
    "Hoffmann-Riem",
]
NOBLE = ("von der Heide", "von Westernhagen", "zu Löwenstein", "de Vries")
TRADES = [
    "Bau",
    "Elektro",
    "Logistik",
    "Immobilien",
    "Metallbau",
    "Gartenbau",
    "Medizintechnik",
    "Software",
    "Möbel",
    "Druck",
    "Transporte",
]
FORMS = ("GmbH", "GmbH & Co. KG", "AG", "KG", "OHG", "GbR", "UG", "e.V.", "eG", "Stiftung")
STREET_NAMES = (
    "Hauptstraße",
    "Lindenallee",
    "Am Markt",
    "Schloßgasse",
    "Bäckerweg",
    "Königsworther Platz",
    "Große Düwelstraße",
    "Goethestraße",
    "Ährenfeld",
    "Mühlendamm",
)
TOWNS = (
    ("30159", "Hannover"),
    ("31134", "Hildesheim"),
    ("38100", "Braunschweig"),
    ("20095", "Hamburg"),
    ("10115", "Berlin"),
    ("80331", "München"),
    ("50667", "Köln"),
    ("37073", "Göttingen"),
    ("01067", "Dresden"),
    ("29221", "Celle"),
)
COURTS = ("Hannover", "Hildesheim", "Braunschweig", "Hamburg", "Göttingen")
_BANKS = (
    ("37040044", "COBADEFFXXX", "Commerzbank Köln"),
    ("25050180", "SPKHDE2HXXX", "Sparkasse Hannover"),
    ("10010010", "PBNKDEFFXXX", "Postbank Berlin"),
    ("12030000", "BYLADEM1001", "DKB Berlin"),
    ("50010517", "INGDDEFFXXX", "ING Frankfurt"),
)
# The regulator's numbers for films: area code and the first digits; three more follow.
_LANDLINES = (("30", "23125"), ("69", "90009"), ("40", "66969"), ("221", "4710"), ("89", "99998"))
_LATER = 500_000
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ı": "i", "ø": "o"})


class MadeUp:
    """Draws values; the same seed draws the same ones, and no phone number or mail address twice.

    ``later`` draws phone numbers and mail addresses that nobody has who was made up without it.
    """

    def __init__(self, seed: int | str, *, later: bool = False) -> None:
        self.rng = random.Random(f"made-up-{seed}")
        self._counter = self.rng.randrange(0, 20_000) + (_LATER if later else 0)
        self._extension = 6 if later else 5
        self._first_mobile = 39_300_000 if later else 39_200_000

    def _next(self) -> int:
        self._counter += 1
        return self._counter

    def crm_id(self) -> str:
        """Return an id in EspoCRM's form: 17 hex digits."""
        return f"{0x68000000 + self._next():08x}{self.rng.getrandbits(36):09x}"

    def person(self) -> tuple[str, str, str]:
        """Return salutation (``Mr.`` or ``Ms.``), first name, last name."""
        male = self.rng.random() < 0.5
        last = self.rng.choice(NOBLE) if self.rng.random() < 0.03 else self.rng.choice(LAST)
        return ("Mr.", self.rng.choice(MALE), last) if male else ("Ms.", self.rng.choice(FEMALE), last)

    def company(self) -> tuple[str, str]:
        """Return a firm's name and its Rechtsform."""
        form = self.rng.choice(FORMS)
        name = f"{self.rng.choice(LAST)} {self.rng.choice(TRADES)}"
        return (f"{name}-Stiftung" if form == "Stiftung" else f"{name} {form}"), form

    def landline(self) -> str:
        """Return a landline number in E.164 form."""
        area, first = self.rng.choice(_LANDLINES)
        extension = self._next() % 10**self._extension
        return f"+49{area}{first}{extension:0{self._extension}d}"

    def mobile(self) -> str:
        """Return a mobile number in E.164 form."""
        return f"+49171{self._first_mobile + self._next() % 100_000}"

    def spelled(self, e164: str) -> str:
        """Return the number as somebody in the office may have typed it."""
        national = e164.removeprefix("+49")
        cut = next((len(area) for area, _ in _LANDLINES if national.startswith(area)), 3)
        area, rest = national[:cut], national[cut:]
        return self.rng.choice(
            (
                f"0{area}/{rest}",
                f"0{area} {rest[:3]} {rest[3:]}",
                f"+49 {area} {rest}",
                f"(0{area}) {rest}",
                f"0{area} {rest[:-2]}-{rest[-2:]}",
                f"0049 {area} {rest}",
            )
        )

    def mail(self, *words: str) -> str:
        """Return a mail address made from the words."""
        local = ".".join(ascii_word(word) for word in words if word) or "info"
        domain = self.rng.choice(("post", "mail", "buero", "kanzlei-kunde"))
        return f"{local}{self._next()}@{domain}.example"

    def street(self) -> str:
        """Return a street with a number."""
        return f"{self.rng.choice(STREET_NAMES)} {self.rng.randrange(1, 180)}{self.rng.choice(['', '', '', 'a'])}"

    def town(self) -> tuple[str, str]:
        """Return postal code and town."""
        return self.rng.choice(TOWNS)

    def account(self) -> tuple[str, str, str]:
        """Return a valid IBAN without blanks, the BIC and the bank's name."""
        code, bic, bank = self.rng.choice(_BANKS)
        return german_iban(code, f"{self.rng.randrange(1, 10**10):010d}"), bic, bank


def german_iban(bank_code: str, account: str) -> str:
    """Return the IBAN of a German account (ISO 7064 mod 97-10); 8 and 10 digits go in."""
    check = 98 - int(f"{bank_code}{account}131400") % 97
    return f"DE{check:02d}{bank_code}{account}"


def ascii_word(word: str) -> str:
    """Return the word in lower-case ASCII letters, umlauts spelled out."""
    plain = unicodedata.normalize("NFKD", word.lower().translate(_ASCII))
    return "".join(character for character in plain if character.isascii() and character.isalnum())
