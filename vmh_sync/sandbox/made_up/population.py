"""The firm's data on the first day: parties, children, employees and appointments, for both systems.

About 60 % of the parties are linked (a ``betnr`` on both sides), a quarter exists in the CRM only, the rest is linked
and was edited since in the CRM (``dirty``). Most linked ones agree; some are spelled differently, some really differ.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from vmh_sync.sandbox.installation import OfficeInstallation
from vmh_sync.sandbox.made_up.appointments import employees, termine
from vmh_sync.sandbox.made_up.party_forms import Truth, crm_accounts, crm_addresses, crm_party, office_party
from vmh_sync.sandbox.made_up.values import COURTS, MadeUp

Json = dict[str, Any]
Share = Literal["linked", "crm_only", "dirty"]

_DIFFERENT = 0.12
_MARKED = 0.1


@dataclass
class Population:
    """Bodies for ``/_sandbox/seed`` of both systems, and how many parties fell to each share.

    ``office``: ``{"beteiligte", "mitarbeiter", "termine"}``. ``crm``: ``{"records": {entity type: [records]}}``
    with EspoCRM's attribute names.
    """

    office: Json
    crm: Json
    shares: dict[Share, int] = field(default_factory=dict)


def populate(
    seed: int, parties: int, *, now: datetime, calendar: bool = True, office: OfficeInstallation | None = None
) -> Population:
    """Make up a firm with that many parties as of ``now`` (aware); the same arguments give the same firm."""
    firm = office or OfficeInstallation()
    made = MadeUp(seed)
    bodies: Json = {"beteiligte": [], "mitarbeiter": [], "termine": []}
    records: dict[str, list[Json]] = {"CBeteiligte": [], "CAdressen": [], "CBankverbindungen": []}
    shares: dict[Share, int] = {"linked": 0, "crm_only": 0, "dirty": 0}
    builder = _Builder(made, now, firm)
    for number in range(parties):
        share = _share(number, parties)
        shares[share] += 1
        builder.add(share, bodies["beteiligte"], records)
    if calendar:
        bodies["mitarbeiter"] = employees()
        bodies["termine"] = termine(made.rng, now.date())
    return Population(bodies, {"records": records}, shares)


def _share(number: int, parties: int) -> Share:
    position = (number + 0.5) / parties
    if position < 0.60:
        return "linked"
    return "crm_only" if position < 0.85 else "dirty"


class _Builder:
    def __init__(self, made: MadeUp, now: datetime, firm: OfficeInstallation) -> None:
        self._made = made
        self._rng = made.rng
        self._now = now
        self._betnr = firm.first_betnr
        self._zone = ZoneInfo(firm.zone)

    def add(self, share: Share, beteiligte: list[Json], records: dict[str, list[Json]]) -> None:
        truth = self._truth()
        party_id = self._made.crm_id()
        crm = crm_party(truth, party_id) | {"createdAt": self._stamp(400, 40), "modifiedAt": self._stamp(30, 1)}
        addresses = crm_addresses(truth, party_id, self._made)
        accounts = crm_accounts(truth, party_id, self._made)
        if share == "crm_only":
            crm["syncStatus"] = "pending_sync"
        else:
            self._link(truth, crm, addresses, accounts, beteiligte)
        if share == "dirty":
            self._edit_in_crm(crm)
        records["CBeteiligte"].append(crm)
        records["CAdressen"] += addresses
        records["CBankverbindungen"] += accounts

    def _link(
        self, truth: Truth, crm: Json, addresses: list[Json], accounts: list[Json], beteiligte: list[Json]
    ) -> None:
        row = office_party(truth, self._betnr, self._made, marked=self._rng.random() < _MARKED)
        row["geaendertAm"] = self._local(30, 1)
        crm |= {"betnr": self._betnr, "syncStatus": "clean", "advowareRowId": None}
        for address, mine in zip(addresses, row["adressen"], strict=True):
            address["syncStatus"] = "clean"
            if self._rng.random() < 0.5:
                mine["bemerkung"] = f"EspoCRM-ID: {address['id']}"
        for account in accounts:
            account["syncStatus"] = "clean"
        if self._rng.random() < _DIFFERENT:
            self._let_differ(row, crm)
        beteiligte.append(row)
        self._betnr += 1

    def _let_differ(self, row: Json, crm: Json) -> None:
        match self._rng.randrange(4):
            case 0:  # filled over there only
                row["zusatz"], crm["zusatz"] = "z. Hd. Buchhaltung", None
            case 1:  # filled here only
                row["bAnrede"], crm["briefAnrede"] = "", "Sehr geehrte Damen und Herren,"
            case 2:  # both filled, different
                row["zusatz"], crm["zusatz"] = "Hinterhaus", "Seitenflügel"
            case _:  # only the spelling differs
                row["name"] = f" {row['name']}  "

    def _edit_in_crm(self, crm: Json) -> None:
        crm |= {"syncStatus": "dirty", "modifiedAt": self._stamp(1, 0)}
        crm["zusatz"] = self._rng.choice(("2. Etage", "Postfach bevorzugt", "c/o Verwaltung", "Rückgebäude"))
        if self._rng.random() < 0.5:
            number = self._made.landline()
            item = {"phoneNumber": number, "type": "Office", "primary": not crm["phoneNumberData"]}
            crm["phoneNumberData"] = [*crm["phoneNumberData"], {**item, "optOut": False, "invalid": False}]

    def _truth(self) -> Truth:
        rng, made = self._rng, self._made
        truth = self._company() if rng.random() < 0.3 else self._person()
        kinds = rng.sample((1, 2, 3, 6), k=rng.randrange(0, 4))
        truth.phones = [(kind, made.mobile() if kind == 3 else made.landline()) for kind in kinds]
        words = (truth.first_name, truth.name) if not truth.is_company else ("info", truth.name.split()[0])
        truth.mails = [made.mail(*words) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
        truth.addresses = [(made.street(), *made.town()) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
        truth.accounts = [made.account() for _ in range(rng.choice((0, 0, 1, 1, 2)))]
        return truth

    def _person(self) -> Truth:
        rng = self._rng
        salutation, first, last = self._made.person()
        born = date(1940, 1, 1) + timedelta(days=rng.randrange(0, 24_000)) if rng.random() < 0.7 else None
        greeting = f"Sehr geehrter Herr {last}," if salutation == "Mr." else f"Sehr geehrte Frau {last},"
        return Truth(
            name=last,
            first_name=first,
            salutation=salutation,
            title=rng.choice(("", "", "", "", "Dr.", "Prof. Dr.")),
            form="Einzelperson" if rng.random() < 0.5 else "",
            born=born,
            greeting=greeting if rng.random() < 0.6 else "",
        )

    def _company(self) -> Truth:
        rng = self._rng
        name, form = self._made.company()
        registered = form in ("GmbH", "GmbH & Co. KG", "AG", "KG", "UG")
        return Truth(
            name=name,
            form=form,
            is_company=True,
            greeting="Sehr geehrte Damen und Herren,",
            register_number=f"HR{'A' if 'KG' in form else 'B'} {rng.randrange(1000, 220_000)}" if registered else "",
            court=rng.choice(COURTS) if registered else "",
        )

    def _ago(self, most: int, least: int) -> datetime:
        seconds = self._rng.randrange(least * 86_400 + 600, most * 86_400 + 601)
        return self._now - timedelta(seconds=seconds)

    def _stamp(self, most: int, least: int) -> str:
        return self._ago(most, least).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def _local(self, most: int, least: int) -> str:
        return self._ago(most, least).astimezone(self._zone).replace(tzinfo=None).isoformat(timespec="seconds")
