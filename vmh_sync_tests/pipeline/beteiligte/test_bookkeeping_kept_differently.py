"""A bookkeeping value that EspoCRM ignores or alters is written once and told, not in every pass."""

from typing import Any

import pytest

from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync_tests.fixtures.firm import Firm


def altering(monkeypatch: pytest.MonkeyPatch, name: str, made_of_it: str | None) -> None:
    """EspoCRM makes something else of a field; of ``None`` it takes no notice."""
    update = EspoClient.update

    async def altered(self: EspoClient, entity: str, record_id: str, values: Any, **how: Any) -> Any:
        taken = {key: value for key, value in values.items() if key != name}
        if name in values and made_of_it is not None:
            taken[name] = made_of_it
        return await update(self, entity, record_id, taken, **how)

    monkeypatch.setattr(EspoClient, "update", altered)


@pytest.mark.parametrize(
    ("name", "made_of_it"),
    [("syncStatus", None), ("syncStatus", "dirty"), ("syncErrorMessage", "-")],
)
def test_it_is_written_once_and_told_once(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, name: str, made_of_it: str | None
) -> None:
    altering(monkeypatch, name, made_of_it)
    espo_id, betnr = firm.linked_party(titel="Dr.", syncErrorMessage="alt", syncStatus="dirty")
    firm.sync(espo_id)
    for _ in range(2):
        assert not any(firm.sync(espo_id).writes.values())
    firm.office_edit(betnr, titel="Prof.")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["titel"] == "Prof."
    assert not any(firm.sync(espo_id).writes.values())


def test_the_run_names_the_field(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    altering(monkeypatch, "syncStatus", None)
    espo_id = firm.crm_party(syncStatus="dirty")
    (outcome,) = firm.outcomes(espo_id)
    assert [finding.field for finding in outcome.findings] == ["syncStatus"]
    assert firm.outcomes(espo_id)[0].findings == ()


def test_what_a_person_sets_is_put_right_once_more(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        altering(patched, "syncStatus", None)
        espo_id, _ = firm.linked_party(syncStatus="dirty")
    firm.crm_edit(espo_id, syncStatus="failed")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
