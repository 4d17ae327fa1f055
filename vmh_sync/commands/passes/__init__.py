"""``vmh-sync sync``: passes in the foreground, for one entity or the calendars."""
