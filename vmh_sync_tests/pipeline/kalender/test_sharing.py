"""New calendars in a real pass: who owns them, who may see them, and how many come at once (kalender.md 1)."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.coordination.connection import SyncRedis
from vmh_sync.doctor.calendar import check_google, check_new_calendars
from vmh_sync.doctor.line import Level
from vmh_sync.settings import AdvowareSettings, GoogleCalendarSettings, VmhSettings, load
from vmh_sync.sync.reporting.outcome import PassSummary, Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked, tasks

SUBJECT = "kanzlei@kanzlei.example"
TITLES = ("Verhandlung", "Besprechung", "Ortstermin")
RULES = [
    {"role": "reader", "type": "user", "value": "{email}"},
    {"role": "writer", "type": "user", "value": "vertretung-{kuerzel}@kanzlei.example"},
]


@pytest.fixture
def delegated(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> Chancery:
    """The domain lets the service account act as a person."""
    chancery.google.do("set", delegation_subjects=[SUBJECT])
    monkeypatch.setenv("GOOGLE_CALENDAR_SUBJECT", SUBJECT)
    return chancery


def rules(monkeypatch: pytest.MonkeyPatch, *wanted: dict[str, str]) -> None:
    monkeypatch.setenv("GOOGLE_CALENDAR_ACL_RULES", json.dumps(wanted))


def service_account(chancery: Chancery) -> str:
    key = json.loads(chancery.sandbox.environment["GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"])
    return str(key["client_email"])


def posts(chancery: Chancery) -> Counter[str]:
    """Google's routes that were posted to since the counts were cleared."""
    by_route: dict[str, int] = chancery.google.calls()["by_route"]
    return Counter({route: n for route, n in by_route.items() if route.startswith("POST") and "token" not in route})


def calendar(chancery: Chancery, kuerzel: str = "SB") -> dict[str, Any]:
    found = chancery.calendar(kuerzel)
    assert found is not None
    return found


def test_with_a_subject_the_person_owns_the_calendar_and_the_account_writes(delegated: Chancery) -> None:
    delegated.employee()
    fr_nr = delegated.termin()
    assert not delegated.sync().failures
    account, found = service_account(delegated), calendar(delegated)
    assert found["owner"] == SUBJECT and found["acl"][f"user:{account}"] == "writer"
    listed = {one["email"]: one["calendars"] for one in delegated.google.state()["accounts"]}
    assert found["id"] in listed[account], "a shared calendar is in the account's list after calendarList.insert only"
    subscribed = [r for r in delegated.google.calls()["log"] if r["method"] == "POST" and "calendarList" in r["path"]]
    assert [one["status"] for one in subscribed] == [200]
    assert delegated.event_of(fr_nr)["creator"]["email"] == account, "the daily work is the service account's"
    assert delegated.until_quiet() == 1
    delegated.drop_termin(fr_nr)
    delegated.sync()
    assert not delegated.events()


def test_without_a_subject_the_service_account_owns_the_calendar(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    assert calendar(chancery)["owner"] == service_account(chancery)


def test_a_subject_that_the_domain_does_not_allow_is_told_in_words(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CALENDAR_SUBJECT", SUBJECT)
    chancery.employee()
    (failure,) = chancery.sync().failures
    assert "GOOGLE_CALENDAR_SUBJECT" in failure["error"] and "Delegierung" in failure["error"]
    assert chancery.calendar() is None


@pytest.mark.parametrize("by", ["person", "account"])
def test_access_rules_are_added_when_missing_and_not_again(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    if by == "person":
        chancery.google.do("set", delegation_subjects=[SUBJECT])
        monkeypatch.setenv("GOOGLE_CALENDAR_SUBJECT", SUBJECT)
    rules(monkeypatch, *RULES)
    chancery.employee()
    chancery.sync()
    acl = calendar(chancery)["acl"]
    assert acl["user:sb@kanzlei.example"] == "reader"
    assert acl["user:vertretung-sb@kanzlei.example"] == "writer"
    assert len(acl_posts(chancery)) == (3 if by == "person" else 2)
    chancery.google.clear_calls()
    chancery.sync()
    chancery.sync()
    assert not posts(chancery), "what is there is not sent again"
    assert not [route for route in chancery.google.calls()["by_route"] if "acl" in route], "nor is it asked for"


def acl_posts(chancery: Chancery) -> list[dict[str, Any]]:
    log = chancery.google.calls()["log"]
    return [one for one in log if one["method"] == "POST" and one["path"].endswith("/acl")]


def test_a_rule_that_is_set_later_reaches_the_calendars_there_are_and_lowers_nobody(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.google.do("share", calendar="AW-SB", account="sb@kanzlei.example", role="owner")
    rules(monkeypatch, *RULES)
    assert not chancery.sync().failures
    acl = calendar(chancery)["acl"]
    assert acl["user:vertretung-sb@kanzlei.example"] == "writer"
    assert acl["user:sb@kanzlei.example"] == "owner", "what a person set stays"
    assert chancery.until_quiet() == 1 and chancery.event_of(fr_nr)


def test_rules_that_we_may_not_set_are_told_and_the_appointments_are_synced_all_the_same(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = service_account(chancery)
    shared = {"owner": "chef@kanzlei.example", "acl": {f"user:{account}": "writer"}, "subscribers": [account]}
    chancery.google.seed(calendars=[{"summary": "AW-SB", **shared}])
    chancery.employee()
    chancery.sync()
    rules(monkeypatch, *RULES)
    fr_nr = chancery.termin()
    (failure,) = chancery.sync().failures
    assert failure["id"] == "SB" and "Freigaben" in failure["error"] and "Besitzrechte" in failure["error"]
    assert chancery.event_of(fr_nr)
    assert "Freigaben" in (chancery.state().last_error or "")


def test_a_look_and_the_doctor_name_what_a_pass_could_not_use(chancery: Chancery, tmp_path: Path) -> None:
    account = service_account(chancery)
    read_only = {"owner": "chef@kanzlei.example", "acl": {f"user:{account}": "reader"}, "subscribers": [account]}
    unlisted = {"owner": "xy@kanzlei.example", "acl": {f"user:{account}": "writer"}}
    lent = {"summary": "AW-FR", **unlisted, "subscribers": [account]}
    chancery.google.seed(calendars=[{"summary": "AW-SB", **read_only}, {"summary": "AW-XY", **unlisted}, lent])
    chancery.employee("FR")
    for kuerzel in ("SB", "XY", "OK"):
        chancery.employee(kuerzel)
        chancery.termin(kuerzel)
    chancery.google.seed(calendars=[{"summary": "AW-OK"}])
    told = look(0)
    assert "Kalender SB: Der Google-Kalender ist nur zum Lesen freigegeben" in told
    assert "würde angelegt: XY. Gibt es" in told and told.count("in Google anlegen") == 3
    google, advoware = load(GoogleCalendarSettings), load(AdvowareSettings)
    house = load(VmhSettings)
    line, foreign = asyncio.run(check_new_calendars(google, advoware, house, chancery.clock))
    assert line.level is Level.HINT and "Kalender an für XY: „AW-XY“ steht nicht in der Liste" in line.text
    assert foreign.level is Level.HINT and foreign.text.startswith("„AW-FR“ gehört jemand anderem")
    blank = house.model_copy(update={"database_url": f"sqlite:///{tmp_path}/blank.db"})
    line, _ = asyncio.run(check_new_calendars(google, advoware, blank, chancery.clock))
    assert "„AW-XY“ steht nicht" in line.text, "before `db upgrade` as well"
    line = check_google(load(GoogleCalendarSettings), chancery.clock)
    assert line.level is Level.PROBLEM and "Lesen" in line.text and line.text.endswith(": AW-SB.")
    assert created(chancery) == 4, "nobody has created anything"

    chancery.google.seed(calendars=[{"summary": "AW-OK", **unlisted, "subscribers": [account]}])
    told = look(3)
    assert "Kalender OK: Mehrere Google-Kalender tragen denselben Namen" in told
    line = check_google(load(GoogleCalendarSettings), chancery.clock)
    assert line.level is Level.PROBLEM and line.text.startswith("Mehrfach vorhanden: AW-OK. Nur zum Lesen")


def test_a_calendar_that_the_settings_name_is_used_and_none_is_made_in_its_place(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google does not list what is only shared; a pass before the setting has made a second one already."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    second = calendar(chancery)["id"]
    unlisted = {"owner": "sb@kanzlei.example", "acl": {f"user:{service_account(chancery)}": "writer"}}
    chancery.google.seed(calendars=[{"summary": "Berger", **unlisted}, {"summary": "Fremd", "owner": "x@y.example"}])
    ids = {one["summary"]: one["id"] for one in chancery.google.state()["calendars"]}
    assert created(chancery) == 1

    monkeypatch.setenv("GOOGLE_CALENDAR_IDS", json.dumps({"sb": ids["Fremd"]}))
    told = look(3)
    assert "GOOGLE_CALENDAR_IDS nennt, ist nicht zu erreichen" in told
    line = check_google(load(GoogleCalendarSettings), chancery.clock)
    assert line.level is Level.PROBLEM and line.text == "Nicht zu erreichen: der Kalender von sb."
    (failure,) = chancery.sync().failures
    assert "GOOGLE_CALENDAR_IDS" in failure["error"] and chancery.state().calendar_id == second

    monkeypatch.setenv("GOOGLE_CALENDAR_IDS", json.dumps({"sb": ids["Berger"]}))
    assert "nicht zu erreichen" not in look(0)
    accounts = {one["email"]: one["calendars"] for one in chancery.google.state()["accounts"]}
    assert ids["Berger"] not in accounts[service_account(chancery)], "a look subscribes to nothing"
    assert chancery.until_quiet() <= 3
    (found,) = [one for one in chancery.google.state()["calendars"] if one["summary"] == "Berger"]
    assert [one["status"] for one in found["events"].values()] == ["confirmed"] and set(chancery.termine()) == {fr_nr}
    assert chancery.state().calendar_id == ids["Berger"] and created(chancery) == 1
    assert check_google(load(GoogleCalendarSettings), chancery.clock).level is Level.OK


def test_what_a_calendar_holds_that_the_settings_name_later_is_met_for_the_first_time(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal entries are linked, similar ones asked about, missing ones entered; nothing stands twice."""
    chancery.employee()
    equal, near, missing = (chancery.termin(text=text, offset=day) for day, text in enumerate(TITLES, 10))
    chancery.sync()
    held = {
        event["id"]: {key: event[key] for key in ("summary", "start", "end")}
        for event in map(chancery.event_of, (equal, near))
    }
    unlisted = {"owner": "sb@kanzlei.example", "acl": {f"user:{service_account(chancery)}": "writer"}}
    chancery.google.seed(calendars=[{"summary": "Berger", **unlisted}])
    for values in held.values():
        more = " (Müller)" if values["summary"] == TITLES[1] else ""
        values = values | {"summary": values["summary"] + more}
        chancery.google.edit("-", "create", calendar="Berger", values=values)
    ids = {one["summary"]: one["id"] for one in chancery.google.state()["calendars"]}
    monkeypatch.setenv("GOOGLE_CALENDAR_IDS", json.dumps({"SB": ids["Berger"]}))
    assert chancery.until_quiet() <= 3
    (found,) = [one for one in chancery.google.state()["calendars"] if one["summary"] == "Berger"]
    shown = Counter((one["summary"], marked(one)) for one in found["events"].values())
    assert shown == {(TITLES[0], str(equal)): 1, (f"{TITLES[1]} (Müller)", None): 1, (TITLES[2], str(missing)): 1}
    assert set(chancery.termine()) == {equal, near, missing} and set(chancery.pairs()) == {equal, missing}
    assert chancery.state().calendar_id == ids["Berger"] and len(tasks(chancery)) == 1


def look(code: int) -> str:
    done = CliRunner().invoke(app, ["sync", "kalender", "--all", "--dry-run"])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def test_a_first_pass_over_65_employees_creates_only_so_many_calendars_and_the_next_ones_go_on(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, sync_redis: SyncRedis
) -> None:
    """More than about 60 at once put the account into read-only: this Google does so after the 30th in an hour."""
    monkeypatch.setenv("GOOGLE_CALENDAR_NEW_CALENDARS_PER_HOUR", "25")
    chancery.google.do("set", calendar_limit=30)
    names = [f"M{number:02d}" for number in range(65)]
    people = [{"kuerzel": one, "name": one, "aktiv": True} for one in names]
    chancery.office.seed(mitarbeiter=people)
    outcomes = chancery.outcomes()
    assert not PassSummary().add(outcomes).failures, "to be put off is no failure"
    later = [one for one in outcomes if one.result is Result.SKIPPED]
    assert created(chancery) == 25 and len(later) == 40
    assert all("späteren Durchgang" in (one.error or "") and one.error_class for one in later)
    chancery.clock.shift += timedelta(minutes=15)
    chancery.outcomes()  # another pass, as another process would: it must not begin to count anew
    assert created(chancery) == 25
    for expected in (50, 65):
        an_hour_passes(sync_redis)
        chancery.google.do("set", calendar_limit=5 + expected)  # this Google's hour has not passed, ours has
        done = [one for one in chancery.outcomes() if one.result is Result.SKIPPED]
        assert created(chancery) == expected and len(done) == 65 - expected
    assert chancery.google.state()["quota"]["refused"] == 0


def an_hour_passes(redis: SyncRedis) -> None:
    """For the count of new calendars only: Advoware's login takes no clock that is an hour wrong."""
    (key,) = redis.keys("vmh:allowance:*")
    for member in redis.zrange(key, 0, -1):
        redis.zincrby(key, -3601, member)  # type: ignore[arg-type]


def created(chancery: Chancery) -> int:
    return sum(one["summary"].startswith("AW-") for one in chancery.google.state()["calendars"])
