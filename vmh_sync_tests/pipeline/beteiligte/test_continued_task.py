"""An open conflict task that meets the next conflict of the same field."""

from vmh_sync_tests.fixtures.firm import Firm


def test_the_next_conflict_is_told_in_the_same_task_in_german(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Muster", briefAnrede="Sehr geehrte Frau Muster")
    for here, there in (("Liebe Frau Eins", "Werte Frau Eins"), ("Liebe Frau Zwei", "Werte Frau Zwei")):
        firm.crm_edit(espo_id, briefAnrede=here)
        firm.office_edit(betnr, bAnrede=there)
        assert firm.sync(espo_id).conflicts == 1
    (task,) = firm.tasks()
    newest, _, earlier = str(task["description"]).partition("--- Zuvor ---")
    assert newest.startswith("Briefanrede wurde auf beiden Seiten verschieden geändert.")
    assert "Briefanrede: jetzt gilt „Liebe Frau Zwei“, verworfen wurde „Werte Frau Zwei“" in newest
    assert "brief_anrede" not in str(task["description"])
    assert "„Werte Frau Eins“" in earlier
    assert "Vorgang vmh-" in earlier, "it is found again by its mark"
