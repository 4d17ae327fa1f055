"""What the calendar has in Dagster besides the pass itself: triggers, checks, the daily list."""
