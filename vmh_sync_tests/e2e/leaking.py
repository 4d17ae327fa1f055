"""Provokes every kind of failure in a running house, each with values that must not be written down anywhere."""

import json
from contextlib import suppress
from typing import Any

import psutil

from vmh_sync_tests.e2e.dagster_stack import wait_until
from vmh_sync_tests.fixtures.canaries import GUESSED_KEY, PERSONAL
from vmh_sync_tests.fixtures.gateway import PATH_TOKEN, WRITE_KEY
from vmh_sync_tests.fixtures.house import House

CALENDAR = "/advoware/calendar/sync"
PROXY = "/advoware/proxy"
ECHO = json.dumps({"message": f"unzulässig: {' '.join(PERSONAL.values())}"}, ensure_ascii=False)
OF_ONE_PARTY: tuple[dict[str, Any], ...] = (
    {"action": "status", "status": 400, "body": ECHO},
    {"action": "status", "status": 500, "body": ECHO},
    {"action": "malformed"},
    {"action": "empty", "body": json.dumps({"betNr": PERSONAL["last name"], "kommunikation": PERSONAL["phone"]})},
    {"action": "drop_after", "method": "PUT"},
)
"""What Advoware may answer to one party's calls."""
CLASSES = ["Rejected", "Transient", "UnexpectedAnswer", "SpoiltRecord", None, "Rejected"]
"""How the parties end: the unanswered write had arrived, and EspoCRM refuses the last one."""


class Leaking:
    """``answers`` are the gateway's, ``results`` those of its proxy, ``commands`` its processes' command lines."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.answers: list[str] = []
        self.results: list[str] = []
        self.commands: set[str] = set()

    def send(self, method: str, path: str, key: str | None = WRITE_KEY, **how: object) -> None:
        """Ask the gateway; keep the answer with its headers."""
        answer = self.house.send(method, path, key, **how)
        # What the proxy passes through is what its caller asked for.
        kept = self.results if path == PROXY and key == WRITE_KEY else self.answers
        kept.append(f"{answer.status_code} {dict(answer.headers)} {answer.text}")

    def runs(self, *asked: tuple[str, dict[str, Any]]) -> list[str]:
        """Launch jobs at the same time and wait; returns how they ended."""
        ids = [self.house.dagster.launch(job, config) for job, config in asked]

        def ended() -> list[str]:
            assert self.house.process is not None
            for child in psutil.Process(self.house.process.pid).children(recursive=True):
                with suppress(psutil.Error):  # it ended in this moment
                    self.commands.add(" ".join(child.cmdline()))
            found = [self.house.dagster.run_status(run_id) for run_id in ids]
            return found if set(found) <= {"SUCCESS", "FAILURE"} else []

        return list(wait_until(f"the runs {ids} end", ended))

    def failing_runs(self) -> None:
        """Make parties and an appointment that hold the canaries, edit them, and let every system fail."""
        firm, chancery = self.house.firm, self.house.chancery
        ids = [firm.crm_party(**_values(number)) for number in range(len(OF_ONE_PARTY) + 1)]
        account = {"name": "Konto", "beteiligteId": ids[0], "iban": PERSONAL["IBAN"]}
        firm.crm.edit("CBankverbindungen", "create", values=account)
        firm.sync(*ids)
        chancery.employee("KV")
        number = chancery.termin("KV", PERSONAL["appointment"])
        chancery.sync("KV")
        firm.crm.do("flush_webhooks")
        wait_until("no run is under way", self.house.is_quiet)

        chancery.edit_termin(number, text=f"{PERSONAL['appointment']} 2")
        chancery.google.fault("events", "status", method="PUT|PATCH|POST", status=400, body=ECHO)
        self._edit_with_a_fault_each(ids)
        calendars = {"ops": {"fetch_calendars": {"config": {"kuerzel": ["KV"]}}}}
        assert self.runs(("sync_beteiligte", {"ids": ids}), ("sync_kalender", calendars))[0] == "SUCCESS"
        with firm.store.reading() as tx:
            failed = tx.records.get_many("beteiligte", ids)
        classes = [failed[espo_id].error_class if espo_id in failed else None for espo_id in ids]
        assert classes == CLASSES, classes
        for espo_id in ids:
            self.send("GET", f"/vmh/sync/beteiligte/{espo_id}")
        self._clear()

        firm.crm.fault("CBeteiligte", "empty", body=json.dumps({"total": "x", "list": [{"id": PERSONAL["zusatz"]}]}))
        chancery.office.fault("Termine", "empty", body=json.dumps([{"frNr": PERSONAL["appointment"]}]))
        assert self.runs(("sync_beteiligte", {"ids": ids}), ("sync_kalender", calendars))[0] == "FAILURE"
        self._clear()

        firm.office.fault("Beteiligte", "status", status=401, body=ECHO)
        assert self.runs(("sync_beteiligte", {"ids": ids})) == ["FAILURE"], "Advoware refuses every token"
        self._clear()

    def _edit_with_a_fault_each(self, ids: list[str]) -> None:
        firm = self.house.firm
        for espo_id, fault in zip(ids, OF_ONE_PARTY, strict=False):
            firm.office.fault(rf"Beteiligte/{firm.crm_record(espo_id)['betnr']}\b", **fault)
        reason = {"X-Status-Reason": f"{PERSONAL['last name']} exists already."}
        firm.crm.fault(f"CBeteiligte/{ids[-1]}", "status", method="PUT", status=400, body=ECHO, headers=reason)
        for espo_id in ids:
            firm.crm_edit(espo_id, zusatz=f"{PERSONAL['zusatz']} {espo_id}")

    def _clear(self) -> None:
        for system in (self.house.firm.office, self.house.firm.crm, self.house.chancery.google):
            system.clear_faults()

    def gateway(self) -> None:
        """Send what the gateway must refuse or pass on without writing it down."""
        espo_id = self.house.firm.crm_party(**_values(9))
        body = json.dumps({"id": espo_id, "lastName": PERSONAL["last name"]})
        party = {"name": PERSONAL["proxied body"], "search": PERSONAL["last name"]}
        self.send("GET", PROXY, GUESSED_KEY, params={"endpoint": "Mitarbeiter"})
        self.send("POST", PROXY, params={"endpoint": "Beteiligte", "search": PERSONAL["last name"]}, json=party)
        self.send("GET", PROXY, params={"endpoint": f"{PERSONAL['last name']}/../x"})
        self.send("POST", f"/vmh/webhook/{PATH_TOKEN}/beteiligte/update", None, content=body)
        self.send("POST", f"/vmh/webhook/{GUESSED_KEY}/beteiligte/update", None, content=body)
        self.send("POST", CALENDAR, json={"kuerzel": PERSONAL["last name"]})
        self.send("POST", f"/vmh/sync/beteiligte/{PERSONAL['phone']}")
        for path in ("/metrics", "/openapi.json", "/docs", "/ready", f"/nowhere/{PATH_TOKEN}"):
            self.send("GET", path)
        self.house.firm.office.fault("Mitarbeiter", "status", status=500, body=ECHO)
        self.send("GET", PROXY, params={"endpoint": "Mitarbeiter"})
        self.house.firm.office.clear_faults()


def _values(number: int) -> dict[str, object]:
    return {
        "lastName": f"{PERSONAL['last name']} {number}",
        "zusatz": PERSONAL["zusatz"],
        "emailAddressData": [{"emailAddress": f"{number}.{PERSONAL['e-mail']}", "primary": True}],
        "phoneNumberData": [{"phoneNumber": f"+49511{PERSONAL['phone']}{number}", "primary": True, "type": "Mobile"}],
    }
