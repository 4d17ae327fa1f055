"""The people of the simulated firm: they work in both systems and in the calendars, by seed."""
