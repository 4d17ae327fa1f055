"""What is particular about one firm's EspoCRM is seen on its API (specification, entities.md, espocrm.md B4 to B8)."""

import pytest

from vmh_sync.sandbox.crm import CrmConfig
from vmh_sync.sandbox.installation import BAD_CHARACTERS, CrmInstallation, Installation
from vmh_sync_tests.unit.sandbox_crm.conftest import Bench


def bench_of(**firm: object) -> Bench:
    return Bench(firm=CrmInstallation(**firm))  # type: ignore[arg-type]


async def test_numbers_may_be_text_and_days_date_times() -> None:
    types = {"CBeteiligte.betnr": "varchar", "CBeteiligte.dateOfBirth": "datetime"}
    bench = bench_of(field_types=types)
    made = await bench.create(betnr=4711)
    assert made["betnr"] == "4711"
    refused = await bench.client.put(f"CBeteiligte/{made['id']}", json={"dateOfBirth": "1980-05-17"})
    assert refused.status_code == 400
    assert (await bench.put(made["id"], dateOfBirth="1980-05-17 00:00:00"))["dateOfBirth"] == "1980-05-17 00:00:00"


@pytest.mark.parametrize(
    ("firm", "value", "rule"),
    [
        ({"max_lengths": {"CBeteiligte.firmenname": 10}}, "Elf Zeichen", "maxLength"),
        ({"patterned": ("CBeteiligte.firmenname",)}, "A = B", "pattern"),
    ],
)
async def test_lengths_and_patterns_are_kept(firm: dict[str, object], value: str, rule: str) -> None:
    bench = bench_of(**firm)
    refused = await bench.client.post("CBeteiligte", json={"lastName": "Probe", "firmenname": value})
    assert refused.status_code == 400
    assert refused.headers["x-status-reason"].endswith(f"field: firmenname, type: {rule}.")


async def test_a_missing_field_is_in_no_answer_and_its_value_goes_nowhere() -> None:
    bench = bench_of(missing=("CBeteiligte.titel", "CBeteiligte.betnr"))
    made = await bench.create(titel="Dr.", betnr=7)
    shown = await bench.get(made["id"])
    assert not shown.keys() & {"titel", "betnr"}
    refused = await bench.client.get("CBeteiligte", params={"where[0][type]": "isNull", "where[0][attribute]": "betnr"})
    assert refused.status_code == 400


async def test_a_list_limit_of_its_own() -> None:
    bench = bench_of(list_limit=50)
    refused = await bench.client.get("CBeteiligte", params={"maxSize": 51})
    assert (refused.status_code, refused.headers["x-status-reason"]) == (
        403,
        "Max size should not exceed 50. Use offset and limit.",
    )
    assert (await bench.client.get("CBeteiligte", params={"maxSize": 50})).status_code == 200


async def test_a_duplicate_is_no_concern_where_the_check_is_off() -> None:
    for check, status in ((True, 409), (False, 200)):
        bench = bench_of(duplicate_check=check)
        for expected in (200, status):
            answer = await bench.client.post("CBeteiligte", json={"firstName": "Anna", "lastName": "Probe"})
            assert answer.status_code == expected


async def test_seeded_records_fit_the_fields_of_the_firm() -> None:
    bench = bench_of(
        field_types={"CBeteiligte.betnr": "varchar", "CBeteiligte.dateOfBirth": "datetime"},
        max_lengths={"CBeteiligte.zusatz": 5},
        enum_options={"CBeteiligte.rechtsform": ("", "GmbH")},
    )
    record = {"lastName": "Probe", "betnr": 7, "dateOfBirth": "1980-05-17", "zusatz": "Hinterhaus", "rechtsform": "AG"}
    (made,) = bench.hooks.seed({"records": {"CBeteiligte": [record]}})["ids"]["CBeteiligte"]
    shown = await bench.get(made)
    names = ("betnr", "dateOfBirth", "zusatz", "rechtsform")
    assert [shown[name] for name in names] == ["7", "1980-05-17 00:00:00", "Hinte", None]


@pytest.mark.parametrize("seed", range(20))
def test_every_drawn_firm_can_be_built_and_is_the_same_each_time(seed: int) -> None:
    drawn = Installation.draw(seed)
    assert drawn == Installation.draw(seed)
    fields = Bench(firm=drawn.crm).crm.schema
    for key in drawn.crm.missing:
        entity, _, name = key.partition(".")
        assert name not in fields[entity].fields
    for key in set(drawn.crm.patterned) - set(drawn.crm.missing):
        entity, _, name = key.partition(".")
        assert fields[entity].fields[name]["pattern"] == BAD_CHARACTERS


def test_firms_differ_and_the_usual_one_is_the_demo() -> None:
    assert len({str(Installation.draw(seed)) for seed in range(50)}) == 50
    assert Installation().crm == CrmConfig().firm
