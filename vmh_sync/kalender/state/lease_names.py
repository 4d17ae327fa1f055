"""What the writers of calendars hold, by name."""


def lease_name(kuerzel: str) -> str:
    """Return the name of the lease that every writer of an employee's calendar holds."""
    return f"kalender:{kuerzel.strip().upper()}"
