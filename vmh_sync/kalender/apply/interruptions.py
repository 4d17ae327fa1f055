"""Why the carrying out of one appointment stops, for now or for a new plan."""


class AppointmentMoving(Exception):
    """Somebody keeps changing the appointment while it is being synced."""


class CreationUnsettled(Exception):
    """Whether an announced Termin was created is not known yet; too early to create it again."""


class PlanAgain(Exception):
    """What was planned does not fit any more."""
