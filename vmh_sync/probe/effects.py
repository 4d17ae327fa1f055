"""What follows from the findings: what the passes are told to obey."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from vmh_sync.adressen.fields import FIELDS as ADDRESS_FIELDS
from vmh_sync.bankverbindungen.fields import FIELDS as ACCOUNT_FIELDS
from vmh_sync.beteiligte.fields import FIELDS as PARTY_FIELDS
from vmh_sync.engine.installation.known_installation import KnownEspocrm, KnownGoogle, KnownInstallation
from vmh_sync.probe.advoware.assumptions import ASSUMPTIONS
from vmh_sync.probe.espocrm.assumptions import ESPOCRM_ASSUMPTIONS
from vmh_sync.probe.findings import Effect, Finding, Verdict
from vmh_sync.probe.google.assumptions import GOOGLE_ASSUMPTIONS
from vmh_sync.sync.fields import FieldTable
from vmh_sync.systems.advoware.records import Adresse, Bankverbindung, Beteiligter, WireRecord
from vmh_sync.systems.espocrm.query import IDS_PER_REQUEST, LIST_LIMIT

CATALOGUE = (*ASSUMPTIONS, *ESPOCRM_ASSUMPTIONS, *GOOGLE_ASSUMPTIONS)
"""Every assumption about every system."""
_BY_KEY = {assumption.key: assumption for assumption in CATALOGUE}
_TABLES: dict[str, tuple[str, FieldTable, type[WireRecord]]] = {
    "party": ("beteiligte", PARTY_FIELDS, Beteiligter),
    "address": ("adressen", ADDRESS_FIELDS, Adresse),
    "account": ("bankverbindungen", ACCOUNT_FIELDS, Bankverbindung),
}
_CHANGES: dict[str, dict[str, bool]] = {
    "party_put": {"on_update": False},
    "party_put_more": {"on_update": True},
    "address_post": {"on_create": False},
    "address_put": {"on_update": False},
    "address_put_more": {"on_update": True},
    "account_post": {"on_create": False},
}

_LATE_MARGIN = 2.0
"""One late commit was measured; others may be later."""


def known_from(findings: Sequence[Finding], tried_at: datetime) -> KnownInstallation:
    """Return what the passes obey of Advoware from now on. ``tried_at`` is aware."""
    refuted = _refuted(findings)
    late = next((finding.number for finding in refuted if finding.key == "late_commit"), None)
    return KnownInstallation(
        search=all(finding.key != "search" for finding in refuted),
        fields=_field_changes(refuted),
        stops=_stops(refuted),
        tried_at=tried_at.isoformat(),
        settle_seconds=0.0 if late is None else _LATE_MARGIN * late,
    )


def known_espocrm_from(findings: Sequence[Finding], tried_at: datetime) -> KnownEspocrm:
    """Return what the passes obey of EspoCRM from now on. ``tried_at`` is aware."""
    refuted = _refuted(findings)
    numbers = {finding.key: int(finding.number) for finding in refuted if finding.number is not None}
    return KnownEspocrm(
        longest_page=numbers.get("espocrm_list_limit", LIST_LIMIT),
        values_per_request=numbers.get("espocrm_list_values", IDS_PER_REQUEST),
        stops=_stops(refuted),
        tried_at=tried_at.isoformat(),
    )


def known_google_from(findings: Sequence[Finding], tried_at: datetime) -> KnownGoogle:
    """Return what the calendar passes obey of Google from now on. ``tried_at`` is aware."""
    return KnownGoogle(stops=_stops(_refuted(findings)), tried_at=tried_at.isoformat())


def _refuted(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict is Verdict.REFUTED]


def _stops(refuted: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sentence(finding) for finding in refuted if _BY_KEY[finding.key].effect is Effect.STOPS)


def sentence(finding: Finding) -> str:
    """Return a finding in one or two German sentences: what is so, and what follows."""
    assumption = _BY_KEY[finding.key]
    detail = f" ({finding.detail})" if finding.detail else ""
    text = f"{assumption.says}: {finding.verdict}{detail}."
    return f"{text} {assumption.follows}" if finding.verdict is Verdict.REFUTED else text


def _field_changes(refuted: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    changes: dict[str, dict[str, Any]] = {}
    for finding in refuted:
        if finding.key not in _CHANGES:
            continue
        entity, table, record = _TABLES[finding.key.split("_")[0]]
        for rule in table.rules:
            if record.FIELDS.get(rule.advoware) in finding.fields:
                changes.setdefault(entity, {}).setdefault(rule.name, {}).update(_CHANGES[finding.key])
    return changes
