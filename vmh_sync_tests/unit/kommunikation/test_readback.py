"""What is stored when Advoware ignores a write or its answer is lost (specification, sync-semantics.md 3)."""

from vmh_sync.kommunikation.readback import as_read, missing_values
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync_tests.unit.kommunikation.builders import MAIL, entry, mail, pair, plan, tel, values

BEFORE = [entry(1, "a@b.example", online=True)]
KNOWN = pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True)


def test_an_ignored_value_becomes_a_finding_and_is_not_written_again() -> None:
    here = [mail("new@b.example", primary=True)]
    there = [entry(1, "a@b.example", online=True)]
    first = plan(emails=here, entries=there, pairs=[KNOWN])
    result = as_read(first.pairs_after({"advoware:1": None}), there, there)
    assert [finding.field for finding in result.findings] == ["email/1"]
    known = result.delta.apply([KNOWN])
    after = plan(emails=here, entries=there, pairs=list(known))
    assert after.writes_nothing
    assert [(task.kind, task.fields) for task in after.tasks] == [(TaskKind.VALUE_REFUSED, ("email/1",))]
    # A later edit in Advoware still counts, and so does one in EspoCRM.
    assert plan(emails=here, entries=[entry(1, "c@b.example", online=True)], pairs=list(known)).emails is not None
    assert plan(emails=[mail("d@b.example", primary=True)], entries=there, pairs=list(known)).writes


def test_an_ignored_flag_becomes_a_finding_and_is_not_written_again() -> None:
    here, there = [mail("a@b.example", primary=True)], [entry(1, "a@b.example")]
    first = plan(emails=here, entries=there)
    result = as_read(first.pairs_after({"advoware:1": None}), there, there)
    assert [finding.field for finding in result.findings] == ["email/1/online"]
    assert plan(emails=here, entries=there, pairs=list(result.delta.stored)).writes_nothing


def test_what_was_taken_as_sent_is_no_finding() -> None:
    first = plan(
        emails=[mail("new@b.example", primary=True)], entries=[entry(1, "a@b.example", online=True)], pairs=[KNOWN]
    )
    result = as_read(first.pairs_after({"advoware:1": None}), [entry(1, "NEW@b.example", online=True)], BEFORE)
    assert result.findings == ()
    assert result.delta.stored[0].advoware_base == "NEW@b.example"


def test_values_that_espocrm_does_not_show_after_a_write() -> None:
    sent = plan(entries=[entry(1, "0511/123", online=True), entry(2, "0511/124")]).phones
    assert sent is not None
    assert missing_values(sent, [tel("+49 511 123")]) == {"+49511124"}
    assert missing_values(sent, [tel("+49511124"), tel("+49511123")]) == frozenset()


def test_an_entry_that_was_not_emptied_does_not_come_back_to_espocrm() -> None:
    there = [entry(1, "a@b.example", online=True)]
    result = as_read(plan(entries=there, pairs=[KNOWN]).pairs_after({"advoware:1": None}), there, there)
    assert [finding.field for finding in result.findings] == ["email/1"]
    known = list(result.delta.apply([KNOWN]))
    assert plan(entries=there, pairs=known).writes_nothing
    changed = plan(entries=[entry(1, "new@b.example", online=True)], pairs=known)
    assert changed.emails is not None


def test_what_a_person_typed_right_after_our_write_is_an_edit_and_not_the_base() -> None:
    here = [mail("new@b.example", primary=True)]
    first = plan(emails=here, entries=BEFORE, pairs=[KNOWN])
    typed = [entry(1, "typed@b.example", online=True)]
    result = as_read(first.pairs_after({"advoware:1": None}), typed, BEFORE)
    assert (result.findings, result.edited) == ((), True)
    after = plan(emails=here, entries=typed, pairs=list(result.delta.apply([KNOWN])))
    assert values(after, MAIL) == ["typed@b.example"]


def test_an_entry_that_was_not_written_and_reads_otherwise_was_edited() -> None:
    first = plan(emails=[mail("a@b.example", primary=True)], entries=BEFORE)
    cut = [entry(1, "a@b", online=True)]
    result = as_read(first.pairs_after({}), cut, BEFORE)
    assert (result.edited, result.delta.stored[0].advoware_base) == (True, "a@b.example")
