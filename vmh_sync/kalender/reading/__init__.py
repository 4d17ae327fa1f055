"""Both sides as they are read: whose calendars, what a delta leaves out, what came meanwhile."""
