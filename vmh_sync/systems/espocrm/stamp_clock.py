"""The clock that EspoCRM's stamps are taken from, told from the one that dates its answers.

``modifiedAt`` is PHP's clock. The ``Date`` of an answer is the web server's, often a proxy's on another machine: the
two may be minutes apart. How far is seen at each of our own writes, whose answer carries both.
"""

from datetime import datetime, timedelta

SAME = (timedelta(0), timedelta(seconds=1))
"""Both clocks show whole seconds: a write that takes no time is dated at most one second after its stamp."""

UNKNOWN = timedelta(hours=26)
"""While nothing was written yet no clock is believed to be nearer than that: not even one of another zone."""


class StampClock:
    """Tells what EspoCRM's own clock has reached at least when an answer was dated.

    ``lead`` is how far the ``Date`` is known to be ahead (an earlier process saw it); learned anew from the first
    write, because somebody may have set a clock right.
    """

    def __init__(self, lead: timedelta | None = None) -> None:
        self._known = lead if lead is not None and lead >= -UNKNOWN else None
        self._seen: timedelta | None = None

    @property
    def lead(self) -> timedelta | None:
        """How far the ``Date`` is ahead of the stamps, negative when behind; None while no write has shown it."""
        return self._known if self._seen is None else self._seen

    @property
    def learned(self) -> timedelta | None:
        """The lead, where it was seen anew and is not what was known before."""
        return self._seen if self._seen != self._known else None

    def learn(self, date: datetime | None, stamp: datetime | None) -> None:
        """Take note of a write: the ``Date`` of its answer and the record's stamp in it.

        A write that changed nothing shows an old stamp, and a slow one a lead too large; the smallest is the truest.
        Taken too large it costs a second look, never an edit.
        """
        if date is None or stamp is None or stamp - date > UNKNOWN:
            return  # no clock is so far ahead of another: that stamp was typed or imported
        shown = date - stamp
        lead = timedelta(0) if SAME[0] <= shown <= SAME[1] else shown + SAME[1]
        self._seen = lead if self._seen is None else min(self._seen, lead)

    def at(self, date: datetime | None) -> datetime | None:
        """Return what EspoCRM's clock had reached at least when it dated an answer; aware, None if nobody knows."""
        try:
            return None if date is None else date - (UNKNOWN if self.lead is None else self.lead)
        except OverflowError:
            return None
