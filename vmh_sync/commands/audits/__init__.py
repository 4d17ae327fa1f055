"""``vmh-sync audit``: what was changed, taking it back, and whether the calendars are in order."""
