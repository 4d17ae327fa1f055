"""What a party's record says of itself, and both its sides in one language: laws that hold whatever stands there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.model import Form, espo_payload, homes_of, read_espo
from vmh_sync.beteiligte.status import status_fields
from vmh_sync.children.status_fields import bookkeeping
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import Unrepresentable, WrongKind
from vmh_sync.sync.reporting.status import RecordStatus, SyncStatus
from vmh_sync.sync.values import Kind, same, text

NOW = datetime(2026, 3, 2, 8, 0, 1, tzinfo=UTC)
MOMENTS = st.none() | st.integers(-(10**6), 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds))
MESSAGES = st.none() | st.text(max_size=30) | st.just("x" * 3000)
STAMPS = {"advowareLastSync", "advowareRowId"}
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "betnr": st.none() | st.integers(1, 9),
        "syncStatus": st.none() | st.sampled_from([str(one) for one in SyncStatus]),
        "syncErrorMessage": MESSAGES,
        "syncRetryCount": st.none() | st.integers(0, 9),
        "syncNextRetry": st.sampled_from([None, "2026-01-01 10:00:00"]),
        "syncAutoResetAt": st.sampled_from([None, "2026-01-01 10:00:00"]),
        "advowareDeletedAt": st.sampled_from([None, "2026-01-01 10:00:00"]),
        "advowareLastSync": st.sampled_from([None, "2026-01-01 10:00:00"]),
        "advowareRowId": st.sampled_from([None, "a", "b"]),
    },
)
OUTCOMES = st.sampled_from([SyncStatus.CLEAN, SyncStatus.CONFLICT, SyncStatus.DELETED_IN_ADVOWARE])
RECORDS = st.fixed_dictionaries(
    {"lastName": st.sampled_from(["Huber", "Bau GmbH", " x "])},
    optional={
        "firmenname": st.sampled_from([None, "", "Bau GmbH", "Alt GmbH"]),
        "titel": st.sampled_from([None, "Dr."]),
    },
)
NAMES = st.sampled_from(["Huber", "Müller", "Mu\u0308ller", " Bau  GmbH "])


@given(ATTRIBUTES, OUTCOMES, MESSAGES, st.sampled_from([None, "a", "c"]), st.integers(0, 10**6))
def test_what_was_agreed_is_written_once(
    attributes: Mapping[str, Any], status: SyncStatus, message: str | None, row_id: str | None, later: int
) -> None:
    def books(of: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        return status_fields.agreed(of, now=now, betnr=4, row_id=row_id, status=status, message=message)

    written = books(attributes, NOW)
    assert set(written) <= set(attributes), "an attribute that this firm does not have"
    assert not written or set(written) - STAMPS, "the time alone is no reason to write"
    assert books({**attributes, **written}, NOW + timedelta(seconds=later)) == {}


@given(ATTRIBUTES, st.sampled_from(["failed", "permanently_failed"]), st.integers(0, 7), MOMENTS, MOMENTS, st.text())
def test_a_failure_is_told_once(
    attributes: Mapping[str, Any],
    status: str,
    attempts: int,
    retry: datetime | None,
    reset: datetime | None,
    message: str,
) -> None:
    record = RecordStatus(SyncStatus(status), attempts, retry, reset)
    written = status_fields.failed(attributes, record, message)
    assert status_fields.failed({**attributes, **written}, record, message) == {}


@given(ATTRIBUTES, st.sampled_from(["clean", "failed"]), MESSAGES, st.none() | st.just(NOW), st.integers(0, 10**6))
def test_what_a_child_says_of_itself_is_written_once(
    attributes: Mapping[str, Any], status: str, message: str | None, gone_since: datetime | None, later: int
) -> None:
    def books(of: Mapping[str, Any], since: datetime | None) -> dict[str, Any]:
        return bookkeeping(of, status=status, message=message, key={"betnr": 4}, gone_since=since)

    written = books(attributes, gone_since)
    moment = gone_since + timedelta(seconds=later) if gone_since is not None else None
    assert books({**attributes, **written}, moment) == {}


@given(RECORDS, NAMES, st.booleans())
def test_a_name_that_is_written_is_read_again_from_every_home(
    record: Mapping[str, Any], name: str, company: bool
) -> None:
    after = {**record, **espo_payload("name", name, FIELDS, Form(company), record)}
    for base in ({}, {**homes_of(after), "name": text(name)}):
        assert same(FIELDS["name"].kind, read_espo(after, FIELDS, Form(company), base=base)["name"], name)


@given(
    st.sampled_from([rule.name for rule in FIELDS.rules]),
    st.sampled_from(list(Side)),
    st.sampled_from([None, "", "Dr.", "GmbH", "Verein", "Herr", "Frau", "Mr.", "Nur hier", "1970-03-01"]),
)
def test_what_is_read_of_a_side_and_written_back_says_the_same(name: str, side: Side, raw: str | None) -> None:
    rule = FIELDS[name]
    raw = "1970-03-01" if rule.kind is Kind.DATE and raw else raw  # neither system takes anything else for a day
    try:
        said = rule.read(side, raw)
        written = rule.write(side, said)
    except (Unrepresentable, WrongKind):
        return
    assert same(rule.kind, rule.read(side, written), said)
