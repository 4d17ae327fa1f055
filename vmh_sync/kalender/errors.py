"""Why the carrying out of one appointment stops, for now or for a new plan."""


class AppointmentMoving(Exception):
    """Somebody keeps changing the appointment while it is being synced."""


class PlanAgain(Exception):
    """What was planned does not fit any more."""


class MovedAway(Exception):
    """The event was moved to a colleague's calendar, whose own pass takes it over."""

    def __init__(self, kuerzel: str) -> None:
        self.kuerzel = kuerzel
        super().__init__(kuerzel)


class ColleagueUnreachable(Exception):
    """Nobody can say whether the event lives on at a colleague's, or is gone from there: it waits."""

    def __init__(self, kuerzel: str) -> None:
        self.kuerzel = kuerzel
        super().__init__(kuerzel)


class StaysWithColleague(Exception):
    """An event that Advoware cannot hold stands in a colleague's calendar, and Google does not let it go."""

    def __init__(self, kuerzel: str) -> None:
        self.kuerzel = kuerzel
        super().__init__(kuerzel)
