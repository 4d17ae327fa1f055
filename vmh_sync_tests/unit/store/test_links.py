"""Links and bases, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.store import LinkTaken, StaleLink, Store
from vmh_sync.store.link_notes import LinkNotes
from vmh_sync.store.pairs.fingerprints import PartyRows
from vmh_sync.store.pairs.links import Link, LinkState
from vmh_sync.store.pairs.records import SyncRecord, SyncStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def party(espo_id: str, betnr: int | None = None, **values: object) -> Link:
    return Link(entity="beteiligte", espo_id=espo_id, betnr=betnr, **values)  # type: ignore[arg-type]


def entry(espo_id: str, betnr: int, advoware_id: str) -> Link:
    return Link(entity="kommunikation", espo_id=espo_id, betnr=betnr, advoware_id=advoware_id)


def test_a_saved_link_comes_back_as_it_was(store: Store, store_clock: ManualClock) -> None:
    link = party(
        "p1",
        17,
        base={"name": "Bäcker\u0000 \ud800", "geburtsdatum": None, "n": 1.5},
        notes=LinkNotes(
            active=False, delete_wanted=True, retired=("41", "42"), kept_differently={"syncStatus": ("waiting", "")}
        ),
        advoware_row_id="row",
        espo_version=2**40,
        espo_modified_at=NOON,
        espo_read_at=NOON,
        verified_at=NOON,
    )
    with store.transaction() as tx:
        saved = tx.links.save(link)
    with store.reading() as tx:
        read = tx.links.get_by_espo("beteiligte", "p1")
    assert read == saved
    assert saved.id is not None
    now = store_clock.now()
    assert saved == replace(link, id=saved.id, revision=1, created_at=now, updated_at=now)
    assert read is not None
    assert read.espo_modified_at is not None
    assert read.espo_modified_at.utcoffset() == timedelta(0)


def test_a_replaced_link_keeps_its_creation_time_and_counts_up(store: Store, store_clock: ManualClock) -> None:
    with store.transaction() as tx:
        first = tx.links.save(party("p1", 17, base={"a": 1}))
    store_clock.advance(timedelta(hours=1))
    with store.transaction() as tx:
        second = tx.links.save(replace(first, base={"a": 2}))
        assert tx.links.get_by_espo("beteiligte", "p1") == second
    assert (second.id, second.created_at, second.revision) == (first.id, first.created_at, 2)
    assert second.updated_at == store_clock.now()


def test_a_moved_revision_is_refused_and_nothing_is_written(store: Store) -> None:
    with store.transaction() as tx:
        first = tx.links.save(party("p1", 17, base={"a": 1}))
        second = tx.links.save(replace(first, base={"a": 2}))
    with store.transaction() as tx, pytest.raises(StaleLink):
        tx.links.save(replace(first, base={"a": 3}))
    with store.transaction() as tx, pytest.raises(StaleLink):
        tx.links.save(replace(second, base={"a": 3}), expected_revision=1)
    with store.reading() as tx:
        assert tx.links.get_by_espo("beteiligte", "p1") == second


def test_two_parties_cannot_claim_one_betnr(store: Store) -> None:
    with store.transaction() as tx:
        tx.links.save(party("p1", 17))
        with pytest.raises(LinkTaken) as refused:
            tx.links.save(party("p2", 17, base={"name": "Geheim"}))
        assert refused.value.__cause__ is None
        assert "Geheim" not in str(refused.value)
        # the transaction goes on
        other = tx.links.save(party("p2", 18))
        with pytest.raises(LinkTaken):
            tx.links.save(replace(other, betnr=17))
        found = tx.links.get_many_by_betnr((17, 18, 19))
        assert {betnr: link.espo_id for betnr, link in found.items()} == {17: "p1", 18: "p2"}


def test_one_record_has_one_link_but_a_party_has_many_entries(store: Store) -> None:
    with store.transaction() as tx:
        tx.links.save(party("p1"))
        tx.links.save(party("p2"))  # without number: both may wait
        with pytest.raises(LinkTaken):
            tx.links.save(party("p1", 3))
        tx.links.save(entry("p1", 17, "1"))
        tx.links.save(entry("p1", 17, "2"))
        with pytest.raises(LinkTaken):
            tx.links.save(entry("p3", 17, "2"))
        assert [link.advoware_id for link in tx.links.entries_of("kommunikation", ["p1", "p9"])["p1"]] == ["1", "2"]
        with pytest.raises(ValueError, match="entries_of"):
            tx.links.get_by_espo("kommunikation", "p1")


def test_a_tombstone_frees_both_ids_and_is_not_found(store: Store) -> None:
    with store.transaction() as tx:
        old = tx.links.save(party("p1", 17))
        old = tx.links.save(replace(old, state="tombstone"))
        assert tx.links.get_by_espo("beteiligte", "p1") is None
        assert tx.links.get_by_betnr(17) is None
        assert tx.links.get_many("beteiligte", ["p1"]) == {}
        assert tx.links.by_id(old.id or 0) == old
        new = tx.links.save(party("p1", 17))
        assert tx.links.get_by_betnr(17) == new


@pytest.mark.parametrize("state", ["deleted_in_advoware", "deleted_in_espocrm"])
def test_a_deleted_side_keeps_the_link(store: Store, state: LinkState) -> None:
    with store.transaction() as tx:
        link = tx.links.save(party("p1", 17, state=state))
        assert tx.links.get_by_betnr(17) == link
        with pytest.raises(LinkTaken):
            tx.links.save(party("p2", 17))


def test_bulk_reads_take_more_ids_than_a_statement_may_hold(store: Store) -> None:
    with store.transaction() as tx:
        a = tx.links.save(party("p1", 17))
        b = tx.links.save(Link(entity="adressen", espo_id="a1", betnr=17, advoware_id="5"))
        ids = [f"x{n}" for n in range(40_000)]
        assert tx.links.get_many("beteiligte", [*ids, "p1", "p1"]) == {"p1": a}
        assert tx.links.get_many_by_betnr(range(40_000)) == {17: a}
        assert tx.links.children_of("adressen", range(40_000)) == {17: [b]}


def test_keys_yield_every_link_over_several_pages(store: Store) -> None:
    with store.transaction() as tx:
        for n in range(2_001):
            tx.links.save(party(f"p{n}", n))
        tx.links.save(Link(entity="adressen", espo_id="a1", betnr=1, advoware_id="1"))
    with store.reading() as tx:
        keys = list(tx.links.keys("beteiligte"))
    assert [key.betnr for key in keys] == list(range(2_001))


def test_the_rolling_check_gets_the_never_verified_first_then_the_oldest(store: Store) -> None:
    with store.transaction() as tx:
        for espo_id, age in [("fresh", 1), ("old", 5), ("older", 9), ("never", None)]:
            tx.links.save(party(espo_id, verified_at=None if age is None else NOON - timedelta(hours=age)))
        tx.links.save(party("gone", state="deleted_in_advoware"))
        due = tx.links.oldest_verified("beteiligte", 10, NOON - timedelta(hours=2))
        assert [link.espo_id for link in due] == ["never", "older", "old"]
        assert len(tx.links.oldest_verified("beteiligte", 2, NOON)) == 2
        assert tx.links.mark_verified("beteiligte", ["never", "older", "unknown"], NOON) == 2
        due = tx.links.oldest_verified("beteiligte", 10, NOON - timedelta(hours=2))
        assert [link.espo_id for link in due] == ["old"]


def test_marking_as_verified_leaves_a_plan_valid(store: Store) -> None:
    with store.transaction() as tx:
        link = tx.links.save(party("p1", 17))
        tx.links.mark_verified("beteiligte", ["p1"], NOON)
        assert tx.links.save(link).revision == 2


def test_counts_by_state(store: Store) -> None:
    with store.transaction() as tx:
        tx.links.save(party("p1"))
        tx.links.save(party("p2", state="deleted_in_espocrm"))
        tx.links.save(party("p3", state="tombstone"))
        assert tx.links.count("beteiligte") == 2
        assert tx.links.count("beteiligte", "active") == 1
        assert tx.links.count("beteiligte", "tombstone") == 1


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    class Boom(Exception):
        pass

    with pytest.raises(Boom), store.transaction() as tx:
        tx.links.save(party("p1", 17))
        raise Boom
    with store.reading() as tx:
        assert tx.links.get_by_betnr(17) is None


def test_a_naive_moment_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="naive"), store.transaction() as tx:
        tx.links.save(party("p1", verified_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_mark_from_a_clock_that_was_a_year_ahead_counts_as_none(store: Store, store_clock: ManualClock) -> None:
    now = store_clock.now()
    with store.transaction() as tx:
        tx.links.save(Link(entity="beteiligte", espo_id="p1", betnr=1, verified_at=now + timedelta(days=365)))
        tx.links.save(Link(entity="beteiligte", espo_id="p2", betnr=2, verified_at=now))
        found = tx.links.oldest_verified("beteiligte", 10, now - timedelta(hours=24))
    assert [link.espo_id for link in found] == ["p1"]


def test_a_fingerprint_goes_with_every_save_and_stays_with_none_that_came_between(store: Store) -> None:
    with store.transaction() as tx:
        link = tx.links.save(Link(entity="beteiligte", espo_id="p1", betnr=7))
        tx.links.save(Link(entity="adressen", espo_id="a1", betnr=7, advoware_id="3"))
        tx.links.save(Link(entity="kommunikation", espo_id="p1", betnr=7, advoware_id="4"))
        tx.links.save(Link(entity="adressen", espo_id="a2", betnr=8, advoware_id="5"))
        tx.fingerprints.keep({"p1": ("abc", link.revision)})

    def known() -> PartyRows:
        with store.reading() as tx:
            alone = tx.fingerprints.rows_of({"p1": 7}, ["kommunikation"], ["adressen"])["p1"]
            assert tx.fingerprints.rows_of({"p0": 9, "p1": 7}, ["kommunikation"], ["adressen"])["p1"] == alone
            return alone

    assert known().fingerprint == "abc"
    assert [row[:2] for row in known().links] == [("beteiligte", "p1"), ("kommunikation", "p1"), ("adressen", "a1")]
    assert known().records_of("adressen") == ["a1"]
    with store.transaction() as tx:
        tx.links.mark_verified("beteiligte", ["p1"], NOON)
    assert known().fingerprint == "abc", "a mark changes nothing that is compared"
    with store.transaction() as tx:
        saved = tx.links.save(link)
    assert known().fingerprint is None
    with store.transaction() as tx:
        tx.fingerprints.keep({"p1": ("old", link.revision)})
    assert known().fingerprint is None, "it was made with a link that is no more"
    with store.transaction() as tx:
        tx.fingerprints.keep({"p1": ("new", saved.revision)})
    assert known().fingerprint == "new"


def test_a_party_is_in_trouble_by_a_create_a_task_or_the_ledger(store: Store) -> None:
    ids = [f"p{number}" for number in range(8)]
    with store.transaction() as tx:
        for espo_id, entity in (("p0", "beteiligte"), ("p1", "kommunikation"), ("p2", "adressen")):
            tx.intents.start(system="advoware", entity=entity, espo_id=espo_id, natural_key={}, payload_hash="")
        done = tx.intents.start(system="advoware", entity="beteiligte", espo_id="p3", natural_key={}, payload_hash="")
        tx.intents.complete(done.id, "1")
        for espo_id, entity in (("p4", "beteiligte"), ("p5", "adressen")):
            tx.tasks.ensure(entity=entity, espo_id=espo_id, kind="x", fields=(), fingerprint="", details={})
        states: tuple[tuple[str, SyncStatus], ...] = (("p6", "failed"), ("p7", "clean"))
        tx.records.upsert(SyncRecord(entity="beteiligte", espo_id=espo_id, status=how) for espo_id, how in states)
        wrong = {"p0", "p1", "p4", "p6"}
        assert tx.fingerprints.in_trouble(ids, ["kommunikation"]) == wrong
        assert {one for one in ids if tx.fingerprints.in_trouble([one], ["kommunikation"])} == wrong
