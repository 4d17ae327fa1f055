"""The two sides in memory, as the specification describes them (entities.md 2, espocrm.md B5), and a runner.

Test code: as small as it can be, and sharing nothing with the product but plain data.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import phonenumbers

from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.markers import parse
from vmh_sync.kommunikation.merge import plan_communication
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, Options, Pair, PartyCommunication
from vmh_sync.kommunikation.plan import EspoList, KommunikationPlan, espo_step


class CrmError(Exception):
    """400 of the simulated EspoCRM."""


@dataclass
class Crm:
    """One party's two lists; flags and phone types live in rows shared with other records."""

    values: dict[Channel, list[str]] = field(default_factory=lambda: {Channel.EMAIL: [], Channel.PHONE: []})
    primary: dict[Channel, str | None] = field(default_factory=lambda: {Channel.EMAIL: None, Channel.PHONE: None})
    rows: dict[tuple[Channel, str], dict[str, Any]] = field(default_factory=dict)
    puts: int = 0
    limit: int = 10

    def read(self, channel: Channel) -> tuple[EspoEntry, ...]:
        items = []
        for value in sorted(self.values[channel], key=lambda one: one != self.primary[channel]):
            row = self.rows[channel, value.lower()]
            name = "emailAddress" if channel is Channel.EMAIL else "phoneNumber"
            raw = {name: value, "primary": value == self.primary[channel], **row}
            items.append(EspoEntry.read(channel, raw))
        return tuple(items)

    def put(self, channel: Channel, data: list[dict[str, Any]]) -> None:
        """Replace the list; left-out flags are reset, at most ten items, one spelling a value."""
        self.puts += 1
        if len(data) > self.limit:
            raise CrmError("maxCount")
        name = "emailAddress" if channel is Channel.EMAIL else "phoneNumber"
        values = [self._accepted(channel, item[name]) for item in data]
        if len({value.lower() for value in values}) != len(values):
            raise CrmError("duplicate: the real one would lose its primary here")
        if data and sum(bool(item.get("primary")) for item in data) != 1:
            raise CrmError("not exactly one primary")
        for value, item in zip(values, data, strict=True):
            row = {"optOut": item.get("optOut", False), "invalid": item.get("invalid", False)}
            if channel is Channel.PHONE:
                row["type"] = item.get("type", "Mobile")
            self.rows[channel, value.lower()] = row
        self.values[channel] = values
        self.primary[channel] = next((v for v, item in zip(values, data, strict=True) if item.get("primary")), None)

    @staticmethod
    def _accepted(channel: Channel, value: str) -> str:
        if channel is Channel.EMAIL:
            if not re.fullmatch(r"[\x21-\x7e]+@[a-z0-9.-]+\.[a-z]+", value, re.IGNORECASE):
                raise CrmError("emailAddress")
            return value
        if not value.startswith("+") or re.search(r"[a-zA-Z]", value):
            raise CrmError("phoneNumber")
        parsed = phonenumbers.parse(value)
        if not phonenumbers.is_possible_number(parsed):
            raise CrmError("phoneNumber")
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

    def edit(self, channel: Channel, data: list[dict[str, Any]]) -> None:
        """A person saves the record: like a PUT, but the form sees to one primary and no duplicates."""
        name = "emailAddress" if channel is Channel.EMAIL else "phoneNumber"
        unique = {self._accepted(channel, item[name]).lower(): item for item in data}
        items = [dict(item) for item in unique.values()][: self.limit]
        if items and sum(bool(item.get("primary")) for item in items) != 1:
            for place, item in enumerate(items):
                item["primary"] = place == 0
        self.put(channel, items)
        self.puts -= 1

    def data(self, channel: Channel) -> list[dict[str, Any]]:
        return [dict(item.raw) for item in self.read(channel)]


@dataclass
class Office:
    """One party's ``kommunikation[]``: kinds cannot be changed, nothing is deleted through the API."""

    tells_kind: bool = False
    entries: dict[int, AdvowareEntry] = field(default_factory=dict)
    kinds: dict[int, int] = field(default_factory=dict)
    writes: int = 0
    posts: int = 0
    _next: int = 1

    def read(self) -> tuple[AdvowareEntry, ...]:
        return tuple(
            replace(entry, komm_kz=self.kinds[entry.id] if self.tells_kind else 0) for entry in self.entries.values()
        )

    def create(self, tlf: str, bemerkung: str | None, komm_kz: int, online: bool) -> int:
        number, self._next = self._next, self._next + 1
        self.entries[number] = AdvowareEntry(number, tlf, bemerkung, None, online, "A1")
        self.kinds[number] = komm_kz
        return number

    def update(self, number: int, **fields: Any) -> None:
        entry = self.entries[number]
        version = f"A{int((entry.row_id or 'A0')[1:]) + 1}"
        self.entries[number] = replace(entry, **fields, row_id=version)


@dataclass
class World:
    """Both sides, the pair table, and a pass over them."""

    crm: Crm = field(default_factory=Crm)
    office: Office = field(default_factory=Office)
    pairs: tuple[Pair, ...] = ()
    options: Options = field(default_factory=Options)
    lost: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)

    def party(self) -> PartyCommunication:
        return PartyCommunication(
            emails=self.crm.read(Channel.EMAIL),
            phones=self.crm.read(Channel.PHONE),
            entries=self.office.read(),
            pairs=self.pairs,
        )

    def plan(self) -> KommunikationPlan:
        plan = plan_communication(self.party(), self.options)
        if plan.suspicious_empty:
            plan = plan_communication(self.party(), replace(self.options, confirmed_empty=True))
        return plan

    def run(self, *, kill_after: int | None = None) -> KommunikationPlan:
        """One pass; ``kill_after`` steps the process dies before the pairs are stored."""
        plan = self.plan()
        self.remember(plan)
        steps = 0
        done: dict[str, int | None] = {}
        for write in plan.writes:
            if steps == kill_after:
                return plan
            done[write.step] = self._to_office(write)
            steps += 1
        for one in plan.lists:
            if steps == kill_after:
                return plan
            self._to_crm(one)
            done[espo_step(one.channel)] = None
            steps += 1
        if kill_after is None:
            self.pairs = plan.pairs_after(done).apply(self.pairs)
        return plan

    def remember(self, plan: KommunikationPlan) -> None:
        """Keep every value that the audit log and the tasks would keep."""
        changes = [change for write in plan.writes for change in write.operation.changes]
        changes += [change for one in plan.lists for change in one.changes]
        changes += plan.conflicts
        for change in changes:
            self.lost |= {str(value) for value in (change.old, change.losing) if isinstance(value, str)}
        self.tasks |= {f"{task.kind.value}:{','.join(task.fields)}" for task in plan.tasks}

    def _to_office(self, write: Any) -> int | None:
        self.office.writes += 1
        payload = dict(write.operation.payload)
        if write.operation.key is None:
            self._check_no_double(payload)
            self.office.posts += 1
            return self.office.create(**payload)
        entry = self.office.entries[int(write.operation.key)]
        assert entry.row_id == write.expected_row_id
        self.office.update(entry.id, **payload)
        return None

    def _check_no_double(self, payload: dict[str, Any]) -> None:
        channel = channel_of(payload["komm_kz"])
        assert channel is not None
        known = {pair.advoware_id: pair.kind for pair in self.pairs}
        for entry in self.office.read():
            kind = known.get(entry.id, self.office.kinds[entry.id] if self.office.tells_kind else None)
            if kind and channel_of(kind) is channel and not entry.is_empty and parse(entry.bemerkung).kind is None:
                assert channel.normal(entry.tlf) != channel.normal(payload["tlf"]), "doubled"

    def _to_crm(self, one: EspoList) -> None:
        """Send a list as an executor does: flags of values that other records have, looked up first."""
        rows = {key: dict(row) for key, row in self.crm.rows.items()}
        known = {}
        for key in one.added:
            row = next((row for (channel, text), row in rows.items() if channel.normal(text) == key), None)
            if row:
                known[key] = EspoEntry(one.channel, key, row.get("type"), False, row["optOut"], row["invalid"])
        kept = {value.lower() for value in self.crm.values[one.channel]}
        sent = one.with_known_flags(known)
        self.crm.put(
            one.channel, sent.attributes["emailAddressData" if one.channel is Channel.EMAIL else "phoneNumberData"]
        )
        for (channel, text), row in rows.items():
            now = self.crm.rows[channel, text]
            assert (now["invalid"], now.get("type")) == (row["invalid"], row.get("type")), "a shared row was changed"
            assert now["optOut"] or not row["optOut"], "an opt-out was lost"
            assert text not in kept or channel.normal(text) in one.added or now == row

    def settle(self, limit: int = 4) -> int:
        """Run passes until one writes nothing; returns how many wrote."""
        for number in range(limit):
            plan = self.run()
            if plan.writes_nothing and not plan.base_moves:
                return number
        raise AssertionError(f"still writing after {limit} passes")
