"""What is stored about one person is exported whole, and nothing of anybody else (Art. 15 DSGVO)."""

import json
import os
import stat
from pathlib import Path

from typer.testing import CliRunner, Result

from vmh_sync.cli import app
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation.sides import mail


def vmh(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_every_place_that_holds_a_value_of_the_person_is_in_the_export_and_nobody_else(
    firm: Firm, tmp_path: Path
) -> None:
    mails = [mail("kanarie@geheim.example", primary=True)]
    espo_id, betnr = firm.linked_party(lastName="Frueher", firstName="Erika", emailAddressData=mails)
    other, _ = firm.linked_party(lastName="Fremder")
    street = {"adresseStreet": "Kanarienweg 1", "adressePostalCode": "30159", "adresseCity": "Hannover"}
    firm.crm.edit("CAdressen", "create", values={"name": "A", "beteiligteId": espo_id, **street})
    firm.crm_edit(espo_id, lastName="Kanarienvogel")
    firm.sync(espo_id)
    firm.crm_edit(espo_id, zusatz="hier")
    firm.office_edit(betnr, zusatz="Konfliktwert")
    firm.sync(espo_id)
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=espo_id, action="update", source="webhook")])
        beside = [{"espo_id": other, "name": "Fremder"}, {"espo_id": espo_id, "name": "Kanarienvogel"}]
        tx.cursors.set("plan:one", {"records": beside})
    log = Path(os.environ["VMH_HOME"], "logs", "gateway.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"a line about {espo_id}")
    firm.crm.clear_calls()
    file = tmp_path / "auskunft.json"

    result = vmh("person", "export", "kanarienvogel", "--file", file)

    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text(encoding="utf-8"))
    for place, canary in (
        (told["espocrm"]["beteiligter"], "Kanarienvogel"),
        (told["espocrm"]["adressen"], "Kanarienweg"),
        (told["espocrm"]["tasks"], "Konfliktwert"),
        (told["advoware"], "kanarie@geheim.example"),
        (told["advoware"], "Kanarienweg"),
        (told["vmh_sync"]["links"], "kanarie@geheim.example"),
        (told["vmh_sync"]["links"], "Kanarienweg"),
        (told["vmh_sync"]["changes"], "Frueher"),
        (told["vmh_sync"]["manual_tasks"], "Konfliktwert"),
        (told["vmh_sync"]["inbox"], espo_id),
        (told["vmh_sync"]["notes"], espo_id),
        (told["elsewhere"]["files"], "gateway.log"),
    ):
        assert canary in json.dumps(place, ensure_ascii=False)
    assert "Fremder" not in file.read_text(encoding="utf-8")
    assert "Kanarien" not in result.output, "not on the screen"
    assert firm.crm.calls()["writes"] == 0


def test_an_export_that_would_lack_a_side_is_none(firm: Firm, tmp_path: Path) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    firm.office.fault(".*", "status", status=503)
    result = vmh("person", "export", espo_id, "--file", tmp_path / "auskunft.json")
    assert result.exit_code == 1
    assert "Die Auskunft wäre unvollständig: Advoware antwortet gerade nicht" in result.stderr
    assert not (tmp_path / "auskunft.json").exists()
    assert vmh("person", "export", "Niemand").exit_code == 1
