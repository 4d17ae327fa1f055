"""One message when a trouble begins, one when it is over, whatever is restarted or down in between."""

from datetime import UTC, datetime, timedelta

from vmh_sync.alerts.ledger import AlertLedger, Look, Trouble

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
QUIET = timedelta(minutes=10)
TROUBLE = Trouble("bereich:beteiligte:keine_fehler", "Beteiligte", "1 fehlerhaft")
BOTH = ("E-Mail", "Webhook")


def look(minute: float, *troubles: Trouble, certain: frozenset[str] = frozenset({"bereich"})) -> Look:
    return Look(NOW + timedelta(minutes=minute), troubles, certain)


def after(ledger: AlertLedger, seen: Look) -> AlertLedger:
    """The next tick, of a process that was restarted since."""
    ledger = AlertLedger.parse(ledger.to_json())
    ledger.note(seen, QUIET)
    return ledger


def tell(ledger: AlertLedger, *ways: str) -> list[tuple[str, bool]]:
    """Everything that is due leaves; returns by which way, and whether it tells an end."""
    due = ledger.messages(ways or BOTH)
    for message in due:
        ledger.told(message, "mark")
    return [(message.way, message.over) for message in due]


def test_a_trouble_is_told_once_by_each_way_and_its_end_once() -> None:
    ledger = after(AlertLedger(), look(0, TROUBLE))
    assert tell(ledger) == [("E-Mail", False), ("Webhook", False)]
    for minute in (1, 2, 3):
        ledger = after(ledger, look(minute, Trouble(TROUBLE.key, "Beteiligte", "5 fehlerhaft")))
        assert tell(ledger) == [], "more of the same is no news"
    ledger = after(ledger, look(5))
    assert tell(ledger) == [], "it has to be gone for a while"
    ledger = after(ledger, look(13.5))
    (mail, hook) = ledger.messages(BOTH)
    assert (mail.over, mail.since, mail.mark) == (True, NOW, "mark")
    assert hook.over
    assert tell(ledger) == [("E-Mail", True), ("Webhook", True)]
    assert list(ledger) == []


def test_what_flickers_is_one_trouble() -> None:
    ledger = after(AlertLedger(), look(0, TROUBLE))
    tell(ledger)
    for minute in range(1, 60):
        ledger = after(ledger, look(minute, *([TROUBLE] if minute % 9 == 0 else [])))
        assert tell(ledger) == []


def test_a_way_that_was_down_is_made_up_for_and_hears_no_end_of_what_it_was_not_told() -> None:
    ledger = after(AlertLedger(), look(0, TROUBLE))
    assert tell(ledger, "Webhook") == [("Webhook", False)]
    ledger = after(ledger, look(1, TROUBLE))
    assert [message.way for message in ledger.messages(BOTH)] == ["E-Mail"]
    ledger = after(ledger, look(20))
    assert tell(ledger) == [("Webhook", True)]


def test_what_could_not_be_looked_at_is_not_over() -> None:
    ledger = after(AlertLedger(), look(0, TROUBLE))
    tell(ledger)
    ledger = after(ledger, look(60, certain=frozenset({"dienst"})))
    assert tell(ledger) == []
    assert [one.over for one in ledger] == [False]


def test_a_trouble_whose_check_is_gone_is_over_and_one_in_doubt_is_not() -> None:
    gone, doubtful = (
        Trouble("check:akten:alt", "Akten", "x"),
        Trouble("check:beteiligte:gleichstand", "Beteiligte", "x"),
    )
    ledger = after(AlertLedger(), look(0, gone, doubtful))
    tell(ledger)
    ledger = after(ledger, Look(NOW + timedelta(hours=1), [], frozenset({"check"}), frozenset({doubtful.key})))
    assert [(one.trouble.key, one.over) for one in ledger] == [(gone.key, True), (doubtful.key, False)]


def test_a_cursor_that_nobody_can_read_is_an_empty_book() -> None:
    for text in (None, "", "nonsense", "{}", '[{"trouble": 1}]', "[1]"):
        assert list(AlertLedger.parse(text)) == []


def test_who_was_not_told_the_end_is_not_told_the_same_trouble_again_and_its_task_is_closed_in_the_end() -> None:
    ledger = after(AlertLedger(), look(0, TROUBLE))
    (mail, task) = ledger.messages(BOTH)
    ledger.told(mail)
    ledger.told(task, "the task")
    ledger = after(ledger, look(20))
    assert tell(ledger, "E-Mail") == [("E-Mail", True)], "the other way is down"
    ledger = after(ledger, look(21, TROUBLE))
    assert tell(ledger) == [("E-Mail", False)], "a second task would stand beside the first, that nobody closes"
    ledger = after(ledger, look(40))
    ends = {message.way: message for message in ledger.messages(BOTH)}
    assert set(ends) == set(BOTH)
    assert ends["Webhook"].mark == "the task"
    tell(ledger)
    assert list(ledger) == []
