"""One message when a trouble begins, one when it is over, whatever is restarted or down in between."""

from datetime import UTC, datetime, timedelta

from vmh_sync.alerts.book import Book, Look, Trouble

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
QUIET = timedelta(minutes=10)
TROUBLE = Trouble("bereich:beteiligte:keine_fehler", "Beteiligte", "1 fehlerhaft")
BOTH = ("E-Mail", "Webhook")


def look(minute: float, *troubles: Trouble, certain: frozenset[str] = frozenset({"bereich"})) -> Look:
    return Look(NOW + timedelta(minutes=minute), troubles, certain)


def after(book: Book, seen: Look) -> Book:
    """The next tick, of a process that was restarted since."""
    book = Book.parse(book.to_json())
    book.note(seen, QUIET)
    return book


def tell(book: Book, *ways: str) -> list[tuple[str, bool]]:
    """Everything that is due leaves; returns by which way, and whether it tells an end."""
    due = book.messages(ways or BOTH)
    for message in due:
        book.told(message, "mark")
    return [(message.way, message.over) for message in due]


def test_a_trouble_is_told_once_by_each_way_and_its_end_once() -> None:
    book = after(Book(), look(0, TROUBLE))
    assert tell(book) == [("E-Mail", False), ("Webhook", False)]
    for minute in (1, 2, 3):
        book = after(book, look(minute, Trouble(TROUBLE.key, "Beteiligte", "5 fehlerhaft")))
        assert tell(book) == [], "more of the same is no news"
    book = after(book, look(5))
    assert tell(book) == [], "it has to be gone for a while"
    book = after(book, look(13.5))
    (mail, hook) = book.messages(BOTH)
    assert (mail.over, mail.since, mail.mark) == (True, NOW, "mark")
    assert hook.over
    assert tell(book) == [("E-Mail", True), ("Webhook", True)]
    assert list(book) == []


def test_what_flickers_is_one_trouble() -> None:
    book = after(Book(), look(0, TROUBLE))
    tell(book)
    for minute in range(1, 60):
        book = after(book, look(minute, *([TROUBLE] if minute % 9 == 0 else [])))
        assert tell(book) == []


def test_a_way_that_was_down_is_made_up_for_and_hears_no_end_of_what_it_was_not_told() -> None:
    book = after(Book(), look(0, TROUBLE))
    assert tell(book, "Webhook") == [("Webhook", False)]
    book = after(book, look(1, TROUBLE))
    assert [message.way for message in book.messages(BOTH)] == ["E-Mail"]
    book = after(book, look(20))
    assert tell(book) == [("Webhook", True)]


def test_what_could_not_be_looked_at_is_not_over() -> None:
    book = after(Book(), look(0, TROUBLE))
    tell(book)
    book = after(book, look(60, certain=frozenset({"dienst"})))
    assert tell(book) == []
    assert [one.over for one in book] == [False]


def test_a_cursor_that_nobody_can_read_is_an_empty_book() -> None:
    for text in (None, "", "nonsense", "{}", '[{"trouble": 1}]', "[1]"):
        assert list(Book.parse(text)) == []
