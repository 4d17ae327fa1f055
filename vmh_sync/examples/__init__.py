"""Worked examples of flows of one's own; each is off unless VMH_EXAMPLES names it."""
